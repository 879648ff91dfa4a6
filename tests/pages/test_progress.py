"""Sync now, and the live progress: what it says, when it asks again, when it stops."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import Connection, SyncRun
from tests.pages import rows

PROGRESS = "/services/pagerduty/progress/"
HTMX = {"HX-Request": "true"}


def run_of(connection: Connection, state: str = "running", **fields: object) -> SyncRun:
    return SyncRun.objects.create(
        connection=connection, state=state, created_at=timezone.now(), **fields
    )


def stage(done: int, total: int | None, state: str = "running") -> dict[str, object]:
    return {"done": done, "total": total, "unit": "members", "state": state}


def test_sync_now_starts_one_run_however_often_it_is_pressed(as_admin: Client) -> None:
    rows.connection(rows.service())
    for _ in range(3):
        answer = as_admin.post("/services/pagerduty/sync/", {"tab": "members"})
        assert answer["Location"] == "/services/pagerduty/members/"
    assert SyncRun.objects.open().count() == 1


@pytest.mark.parametrize(
    ("came_from", "leads_to"),
    [
        ("http://testserver/services/pagerduty/members/?q=x", "/services/pagerduty/members/?q=x"),
        ("http://testserver/services/pagerduty/usage/?q=x", "/services/pagerduty/members/"),
        ("https://evil.example/services/pagerduty/members/?q=x", "/services/pagerduty/members/"),
        ("http://testserver//evil.example/x", "/services/pagerduty/members/"),
        ("http://[", "/services/pagerduty/members/"),
    ],
)
def test_a_button_leads_back_to_its_tab_whatever_a_browser_tells(
    as_admin: Client, came_from: str, leads_to: str
) -> None:
    run = run_of(rows.connection(rows.service()))
    headers = {"Referer": came_from}
    for button in ("sync/", f"history/{run.pk}/stop/", f"history/{run.pk}/believe/"):
        address = f"/services/pagerduty/{button}"
        answer = as_admin.post(address, {"tab": "members"}, headers=headers)
        assert answer["Location"] == leads_to


def test_sync_now_without_a_connection_says_what_to_do(as_admin: Client) -> None:
    rows.service()
    page = as_admin.post("/services/pagerduty/sync/", follow=True).content.decode()
    assert "Integrate it first" in page
    assert not SyncRun.objects.exists()


def test_each_stage_shows_its_counts(as_admin: Client) -> None:
    stages = {"members": stage(200, 250), "usage": stage(3, None), "licences": stage(4, 4, "done")}
    run_of(rows.connection(rows.service()), stages=stages)
    answer = as_admin.get(PROGRESS, {"done": "1"}, headers=HTMX)
    page = answer.content.decode()
    assert "200 of 250" in page
    assert "3 members" in page
    assert "1 of 4 stages are complete" in page
    assert "HX-Trigger" not in answer
    assert 'id="service-head"' not in page


def test_a_completed_stage_is_told_to_the_page_once(as_admin: Client) -> None:
    run_of(rows.connection(rows.service()), stages={"members": stage(250, 250, "done")})
    news = as_admin.get(PROGRESS, {"done": "0", "tab": "members"}, headers=HTMX)
    assert json.loads(news["HX-Trigger"]) == {"run-stage-done": {"target": "body"}}
    assert 'name="tab" value="members"' in news.content.decode()
    assert "HX-Trigger" not in as_admin.get(PROGRESS, {"done": "1"}, headers=HTMX)


def test_at_the_end_the_asking_stops(as_admin: Client) -> None:
    stages = {name: stage(1, 1, "done") for name in ("members", "licences", "usage", "activity")}
    run_of(rows.connection(rows.service()), "done", stages=stages)
    answer = as_admin.get(PROGRESS, {"done": "4"}, headers=HTMX)
    assert json.loads(answer["HX-Trigger"]) == {"run-ended": {"target": "body"}}
    assert answer["HX-Reswap"] == "outerHTML"
    assert "every 1s" not in answer.content.decode()


def test_a_failed_sync_says_why_what_to_do_and_what_is_kept(as_admin: Client) -> None:
    connection = rows.connection(rows.service())
    run_of(connection, "action_needed", reason="The grant is gone.", remedy="Integrate again.")
    page = as_admin.get("/services/pagerduty/settings/").content.decode()
    for words in ("The grant is gone.", "Integrate again.", "nothing was lost"):
        assert words in page


def test_the_page_of_a_running_sync_asks_each_second(as_admin: Client) -> None:
    connection = rows.connection(rows.service())
    assert "every 1s" not in as_admin.get("/services/pagerduty/settings/").content.decode()
    run_of(connection)
    assert "every 1s" in as_admin.get("/services/pagerduty/settings/").content.decode()
