"""The History tab: every sync and every file, how each one ended and what it took."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import Connection, SyncRun, User
from seatwise.models.sync_run import RunState
from tests.pages import rows
from tests.pages.runs import HISTORY, of, page, run_of, stage, words


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


# ---- the list -----------------------------------------------------------------------------

ENDINGS = {
    "queued": "Waiting to start",
    "running": "Reading now",
    "retry_at": "Trying again",
    "done": "Done",
    "done_with_notes": "Done, with notes",
    "action_needed": "Action needed",
    "cancelled": "Cancelled",
    "superseded": "Superseded",
}


@pytest.mark.parametrize("state", RunState.values)
def test_every_ending_has_its_words_and_its_filter(
    as_viewer: Client, account: Connection, state: str
) -> None:
    again = timezone.now() + timedelta(minutes=30) if state == "retry_at" else None
    run = run_of(account, state, retry_at=again, reason="It went so.")
    other = run_of(account, "superseded" if state == "done" else "done")
    filters = "running" if state == "queued" else state
    html = page(as_viewer, f"{HISTORY}?ending={filters}")
    assert ENDINGS[state] in words(html)
    assert "It went so." in html
    assert f'id="run-{run.pk}"' in html
    assert f'id="run-{other.pk}"' not in html
    assert f'id="run-{other.pk}"' in page(as_viewer, f"{HISTORY}?ending=something+else")


def test_a_line_says_when_by_whom_what_changed_and_what_it_took(
    as_viewer: Client, account: Connection, admin: User
) -> None:
    run_of(
        account,
        requested_by=admin,
        counts={"joined": 3, "left": 1, "changed": 0},
        stages={"members": stage()},
        requests={"GET /users": 40, "GET /teams": 2},
    )
    line = words(page(as_viewer).partition("<tbody>")[2])
    assert line.startswith("1 hour ago Done Ada Admin 3 joined, 1 left 42 1 min 12 s")


def test_what_is_not_known_is_never_said_to_be_nothing(
    as_viewer: Client, account: Connection
) -> None:
    run_of(account, "action_needed", stages={"members": stage("running")}, finished_at=None)
    run_of(account, "cancelled", started_at=None)
    read = run_of(account, stages={"members": stage()}, counts={})
    html = page(as_viewer).partition("<tbody>")[2]
    assert words(html).count("not compared") == 2
    assert "did not start" in html
    assert "unknown" in html
    assert "nothing" in html.partition(f'id="run-{read.pk}"')[2].partition("</tr>")[0]


def test_the_first_look_is_not_called_a_wave_of_newcomers(
    as_viewer: Client, account: Connection
) -> None:
    run = run_of(account, counts={"joined": 250}, stages={"members": stage()})
    rows.event(rows.member(account, "Ada"), "listed", run=run)
    assert "first look: 250 listed" in page(as_viewer)
    assert "250 joined" not in page(as_viewer)
    assert "0 in all" not in words(of(as_viewer, run))


def test_pages_hang_on_a_sync_so_that_none_is_skipped_when_another_begins(
    as_viewer: Client, account: Connection
) -> None:
    runs = [run_of(account) for _ in range(60)]
    seen: list[int] = []
    address = HISTORY
    for _ in range(3):
        html = page(as_viewer, address)
        seen += [int(pk) for pk in re.findall(r'<tr id="run-(\d+)"', html)]
        older = re.search(r'rel="next" href="([^"]+)"', html)
        address = older[1].replace("&amp;", "&") if older else ""
        run_of(account)
    assert seen == [run.pk for run in reversed(runs)]
    assert not address
    newer = page(as_viewer, f"{HISTORY}?after={runs[9].pk}")
    found = [int(pk) for pk in re.findall(r'<tr id="run-(\d+)"', newer)]
    assert found == [run.pk for run in reversed(runs[10:35])]


def test_several_accounts_are_one_list_that_says_whose_sync_it_was(
    as_viewer: Client, account: Connection
) -> None:
    other = rows.connection(account.service, account_id="P2", account_name="quarry")
    first, second = run_of(account), run_of(other)
    html = page(as_viewer)
    assert f'id="run-{first.pk}"' in html
    assert '<bdi class="history-words">quarry</bdi>' in html
    html = page(as_viewer, f"{HISTORY}?account={other.pk}")
    assert f'id="run-{first.pk}"' not in html
    assert f'id="run-{second.pk}"' in html
    html = of(as_viewer, second)
    assert f'href="{HISTORY}?account={account.pk}"' in html
    assert f'href="/services/pagerduty/seats/?account={other.pk}"' in html
    for part in ("seats/", "seats/changes/", "seats/months/"):
        address = f"/services/pagerduty/{part}"
        html = page(as_viewer, f"{address}?account={other.pk}").partition('class="accounts"')[2]
        switch = html.partition("</nav>")[0]
        assert f'href="{address}?account={account.pk}"' in switch
        assert f'href="{address}?account={other.pk}" aria-current="page"' in switch
        assert "/history/" not in switch


def test_without_a_sync_the_tab_says_the_next_step(as_admin: Client, as_viewer: Client) -> None:
    service = rows.service()
    assert "press <strong>Integrate</strong>" in page(as_admin)
    assert "ask Ada Admin" in page(as_viewer)
    rows.connection(service)
    assert "No sync ended like this" in page(as_viewer, f"{HISTORY}?ending=cancelled")


# ---- files -----------------------------------------------------------------------------


def file_of(state: str, **fields: Any) -> SyncRun:
    by_file = rows.connection(rows.service("acme", "Acme"), state="by_file", account_name="By file")
    given = {"started_at": None, "reason": "From the file people.csv.", **fields}
    return run_of(by_file, state, **given)


def test_a_file_that_waits_is_told_with_where_it_is_reviewed(
    as_admin: Client, as_viewer: Client, admin: User
) -> None:
    run = file_of("queued", requested_by=admin)
    for address in ("/services/acme/history/", f"/services/acme/history/{run.pk}/"):
        html = page(as_admin, address).partition("<main")[2]
        assert "A file waits for an admin" in html
        assert "From the file people.csv." in html
        assert 'href="/services/acme/file/review/">Review and apply it</a>' in html
        for untrue in ("Waiting to start", "/stop/", "Requests to", "did not start", "compared"):
            assert untrue not in html
        told = page(as_viewer, address)
        assert "Only an admin can apply it: ask Ada Admin." in words(told)
        assert "/file/review/" not in told
    said = words(of_file(as_viewer, run))
    assert "File uploaded 1 hour ago" in said
    assert "Members Not applied yet –" in said
    assert "Usage Not in a file –" in said
    assert "Uploaded by Ada Admin" in said
    assert "Nothing yet: the file waits to be applied." in said


@pytest.mark.parametrize(
    ("state", "chip", "fate"),
    [("cancelled", "Discarded", "discarded"), ("superseded", "Replaced", "replaced")],
)
def test_a_file_that_was_not_applied_is_told_as_that(
    as_admin: Client, admin: User, state: str, chip: str, fate: str
) -> None:
    run = file_of(state, requested_by=admin)
    line = words(page(as_admin, "/services/acme/history/").partition("<tbody>")[2])
    assert line.startswith(f"1 hour ago {chip} From the file people.csv. Ada Admin not applied")
    said = words(of_file(as_admin, run))
    assert f"Applied never; {fate} " in said
    assert "Members Not applied –" in said
    assert "Nothing: the file was not applied." in said
    assert "Review and apply it" not in said
    assert "not read" not in said.casefold()


def of_file(client: Client, run: SyncRun) -> str:
    return page(client, f"/services/acme/history/{run.pk}/")


def test_a_file_that_was_applied_is_told_without_what_only_a_vendor_has(
    as_viewer: Client, admin: User
) -> None:
    now = timezone.now()
    run = file_of("done", stages={"members": stage()}, started_at=now, requested_by=admin)
    html = of_file(as_viewer, run)
    assert "From the file people.csv." in html
    assert "Members Read 5 of 5 rows" in words(html)
    assert "Usage Not in a file" in words(html)
    assert "Applied by Ada Admin" in words(html)
    assert "Requests to" not in html
    SyncRun.objects.filter(pk=run.pk).update(requested_by=None)
    assert "Applied by a user who is gone," in words(of_file(as_viewer, run))
    assert "by file" in page(as_viewer, "/services/acme/history/")
