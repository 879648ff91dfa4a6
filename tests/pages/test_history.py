"""The History tab and a sync's own page: how each one ended, what it read, who worked at it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import DjangoAssertNumQueries

from seatwise.models import AuditEvent, Connection, SyncRun, User
from seatwise.models.sync_run import RunState
from tests.pages import rows

HISTORY = "/services/pagerduty/history/"
STAGES = ("members", "licences", "usage", "activity")
GAP = {
    "capability": "alerts",
    "what": "Alerts cannot be read.",
    "why": "The scope is missing.",
    "remedy": "An admin integrates again.",
    "minor": False,
    "chosen": False,
}


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def run_of(connection: Connection, state: str = "done", **fields: Any) -> SyncRun:
    """Asked for an hour ago, ended (where it has) 72 seconds after it began."""
    began = timezone.now() - timedelta(hours=1)
    is_open = state in {"queued", "running", "retry_at"}
    given = {
        "created_at": began,
        "started_at": began,
        "finished_at": None if is_open else began + timedelta(seconds=72),
        **fields,
    }
    return SyncRun.objects.create(connection=connection, state=state, **given)


def stage(state: str = "done", done: int = 5) -> dict[str, Any]:
    return {"done": done, "total": done, "unit": "rows", "state": state, "seconds": 3.2}


def words(html: str) -> str:
    """What a reader sees of it, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page(client: Client, address: str = HISTORY) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def of(client: Client, run: SyncRun) -> str:
    return page(client, f"{HISTORY}{run.pk}/")


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
    days = page(as_viewer, f"/services/pagerduty/seats/?account={other.pk}")
    assert f'href="/services/pagerduty/seats/?account={account.pk}"' in days


def test_without_a_sync_the_tab_says_the_next_step(as_admin: Client, as_viewer: Client) -> None:
    service = rows.service()
    assert "press <strong>Integrate</strong>" in page(as_admin)
    assert "ask Ada Admin" in page(as_viewer)
    rows.connection(service)
    assert "No sync ended like this" in page(as_viewer, f"{HISTORY}?ending=cancelled")


def test_the_list_asks_the_same_few_questions_however_many_syncs(
    as_admin: Client,
    account: Connection,
    admin: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(25):
        run_of(account, "cancelled", requested_by=admin, ended_by=admin)
    with django_assert_max_num_queries(10):
        page(as_admin)


# ---- a sync's own page --------------------------------------------------------------------


def test_a_page_tells_the_ending_the_stages_the_requests_and_the_notes(
    as_viewer: Client, account: Connection
) -> None:
    stages = {"members": stage(), "licences": stage("limited", 0), "usage": stage("limited")}
    licences = {**GAP, "capability": "licences", "what": "Licences cannot be read."}
    run = run_of(
        account,
        "done_with_notes",
        stages=stages,
        gaps=[GAP, licences],
        requests={"GET /users": 1200, "GET /teams": 2},
    )
    said = words(of(as_viewer, run))
    for each in (
        "Members Read 5 of 5 rows 3 s",
        "Licences Not read 0 rows",
        "Usage In part 5 of 5 rows 3 s Alerts cannot be read. The scope is missing.",
        "Activity Not read not reached –",
        "GET /users 1,200 GET /teams 2 In all 1,202",
        "An admin integrates again.",
    ):
        assert each in said


def test_while_it_runs_what_comes_later_is_not_called_unread(
    as_viewer: Client, account: Connection
) -> None:
    run = run_of(account, "running", stages={"members": stage(), "licences": stage("running")})
    said = words(of(as_viewer, run))
    assert "Licences Being read" in said
    assert "Usage Not yet" in said
    assert "Not read" not in said
    assert "Ended not yet Took not known yet" in said


def test_a_worker_that_died_is_told_with_the_one_that_went_on(
    as_viewer: Client, account: Connection
) -> None:
    began = timezone.now().isoformat()
    died = {"number": 1, "worker": "north:1", "began": began, "ended": None, "how": "died"}
    done = {"number": 2, "worker": "south:2", "began": began, "ended": began, "how": "done"}
    run = run_of(account, attempt=2, attempts=[died, done])
    said = words(of(as_viewer, run))
    assert "1. Its worker died or froze; the next attempt took over by north:1" in said
    assert "to an unknown time 2. Came to the end by south:2" in said
    assert "Went on elsewhere after 1 worker died" in words(page(as_viewer))


def test_what_it_changed_is_counted_and_the_first_fifty_are_named(
    as_viewer: Client, account: Connection
) -> None:
    run = run_of(account, counts={"left": 60}, stages={"members": stage()})
    other = run_of(account, counts={"joined": 1}, stages={"members": stage()})
    gone = [rows.member(account, f"Member {n}") for n in range(60)]
    for member in gone:
        rows.event(member, "left", run=run)
    rows.event(gone[0], "changed", run=run, field="role", before="user", after="admin")
    rows.event(rows.member(account, "Zoe"), "joined", run=other)
    html = of(as_viewer, run)
    assert "61 in all" in html
    assert "The first 50 of 61" in html
    assert "Member 0</bdi></a> went from " in html
    assert f'href="/services/pagerduty/members/{gone[59].pk}/"' in html
    assert "Zoe" not in html


def test_a_run_of_another_service_is_not_there(as_viewer: Client, account: Connection) -> None:
    run = run_of(rows.connection(rows.service("zoom", "Zoom")))
    assert as_viewer.get(f"{HISTORY}{run.pk}/").status_code == 404


def test_a_file_that_was_applied_is_told_without_what_only_a_vendor_has(
    as_viewer: Client, db: None
) -> None:
    by_file = rows.connection(rows.service("acme", "Acme"), state="by_file", account_name="By file")
    run = run_of(by_file, reason="From the file people.csv.", stages={"members": stage()})
    html = page(as_viewer, f"/services/acme/history/{run.pk}/")
    assert "From the file people.csv." in html
    assert "not in a file" in html
    assert "Requests to" not in html
    assert "by file" in page(as_viewer, "/services/acme/history/")


# ---- stopping, and a drop that is held ----------------------------------------------------


def test_an_admin_stops_a_sync_from_any_tab(as_admin: Client, account: Connection) -> None:
    run = run_of(account, "running", attempt=1)
    address = f"{HISTORY}{run.pk}/stop/"
    for tab in ("", "members/", "usage/", "settings/", "history/", f"history/{run.pk}/"):
        assert f'action="{address}"' in page(as_admin, f"/services/pagerduty/{tab}")
    there = as_admin.post(address, {"tab": "members"})
    assert there["Location"] == "/services/pagerduty/members/"
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "The sync was stopped. What was complete stays" in page(as_admin, there["Location"])
    said = words(of(as_admin, run))
    assert "Stopped" in said
    assert "by Ada Admin" in said
    assert AuditEvent.objects.get(action="sync_stopped").service == "pagerduty"


def test_stopping_what_has_ended_says_so_and_changes_nothing(
    as_admin: Client, account: Connection
) -> None:
    run = run_of(account, "done")
    answer = as_admin.post(f"{HISTORY}{run.pk}/stop/")
    assert answer["Location"] == f"{HISTORY}{run.pk}/"
    assert "had ended already" in of(as_admin, run)
    run.refresh_from_db()
    assert (run.state, run.ended_by) == ("done", None)


def test_a_viewer_is_told_who_can_stop_it(as_viewer: Client, account: Connection) -> None:
    run = run_of(account, "running")
    html = of(as_viewer, run)
    assert "An admin can stop it" in html
    assert "/stop/" not in html
    assert as_viewer.post(f"{HISTORY}{run.pk}/stop/").status_code == 403
    run.refresh_from_db()
    assert run.is_open


def test_what_is_polled_each_second_carries_no_form_token_in_its_address(
    as_admin: Client, account: Connection
) -> None:
    """Only what the progress itself needs; the stop button's form lies deeper."""
    run_of(account, "running")
    assert 'hx-include="#progress > input"' in page(as_admin, "/services/pagerduty/members/")


@pytest.fixture
def held(account: Connection) -> SyncRun:
    now = timezone.now()
    doubt = {
        "stage": "members",
        "what": "members",
        "before": 250,
        "gone": 238,
        "at": now.isoformat(),
    }
    again = now + timedelta(minutes=45)
    return run_of(account, "retry_at", retry_at=again, doubt=doubt, attempt=1)


def test_a_held_drop_is_said_on_every_tab_and_an_admin_can_apply_it(
    as_admin: Client, as_viewer: Client, held: SyncRun
) -> None:
    for tab in ("", "members/", f"history/{held.pk}/"):
        address = f"/services/pagerduty/{tab}"
        said = words(page(as_admin, address))
        assert "PagerDuty no longer lists 238 of 250 members." in said
        assert "Seatwise looks again in 44 minutes" in said
        assert "238 of 250 members count as left" in said
        said = words(page(as_viewer, address))
        assert "an admin can apply it at once: ask Ada Admin" in said
        assert "count as left" not in said
    assert "Unusual drop held" in page(as_viewer)


def test_the_dialog_opens_from_an_address_too(as_admin: Client, held: SyncRun) -> None:
    assert 'aria-labelledby="believe-title" open' in page(as_admin, f"{HISTORY}{held.pk}/?believe")
    assert 'aria-labelledby="believe-title">' in of(as_admin, held)


def test_a_drop_that_is_confirmed_is_looked_at_at_once(
    as_admin: Client, held: SyncRun, admin: User
) -> None:
    answer = as_admin.post(f"{HISTORY}{held.pk}/believe/", follow=True).content.decode()
    assert "Confirmed. PagerDuty is read once more now" in answer
    assert "Ada Admin confirmed it." in words(answer)
    assert "apply it</a>" not in answer
    held.refresh_from_db()
    assert held.doubt["believed_by"] == admin.pk
    assert held.retry_at is not None
    assert held.retry_at <= timezone.now()
    (job,) = ProcrastinateJob.objects.filter(task_name="seatwise.sync_run")
    assert job.args == {"run_id": held.pk}


def test_where_nothing_is_held_any_more_confirming_changes_nothing(
    as_admin: Client, account: Connection
) -> None:
    run = run_of(account, "done")
    answer = as_admin.post(f"{HISTORY}{run.pk}/believe/", follow=True).content.decode()
    assert "Nothing is held back any more" in answer
    assert not SyncRun.objects.open().exists()
