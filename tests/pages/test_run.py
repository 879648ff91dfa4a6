"""A sync's own page: what it read and changed, who worked at it, how it is stopped or believed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from seatwise.models import AuditEvent, Connection, SyncRun, User
from seatwise.models.sync_run import How
from tests.pages import rows
from tests.pages.runs import HISTORY, of, page, run_of, stage, words

GAP: dict[str, Any] = {
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


@pytest.mark.parametrize(
    ("read", "took"), [(72.4, "1 min 12 s"), (3.2, "1 min 12 s, of which 3 s")]
)
def test_moments_are_told_to_the_second_and_the_reading_where_it_took_less(
    as_viewer: Client, account: Connection, read: float, took: str
) -> None:
    stages = {"members": stage() | {"seconds": read}}
    run = run_of(account, stages=stages)
    assert run.started_at is not None
    said = words(of(as_viewer, run))
    assert f"Began {run.started_at:%Y-%m-%d %H:%M:%S} UTC Ended" in said
    assert f"Took {took}" in said
    assert ("spent reading" in said) == ("of which" in took)


def test_what_waits_to_start_is_not_said_to_have_begun(
    as_viewer: Client, account: Connection
) -> None:
    run = run_of(account, "queued", started_at=None)
    assert "Sync asked for 1 hour ago" in words(of(as_viewer, run))
    SyncRun.objects.filter(pk=run.pk).update(started_at=timezone.now())
    assert "Sync begun just now" in words(of(as_viewer, run))


def test_a_worker_that_died_is_told_with_the_one_that_went_on(
    as_viewer: Client, account: Connection
) -> None:
    began = timezone.now().isoformat()
    died = {"number": 1, "worker": "north:1", "began": began, "ended": None, "how": "died"}
    done = {"number": 2, "worker": "south:2", "began": began, "ended": began, "how": "ended"}
    run = run_of(account, attempt=2, attempts=[died, done])
    said = words(of(as_viewer, run))
    assert "1. Its worker died or froze; the next attempt took over by north:1" in said
    assert "to an unknown time 2. Came to the end by south:2" in said
    assert "1 ended with its worker" in said
    assert "1 attempt at it ended with its worker." in words(page(as_viewer))


@pytest.mark.parametrize("how", How)
def test_every_way_in_which_an_attempt_ends_has_its_words(
    as_viewer: Client, account: Connection, how: How
) -> None:
    began = timezone.now().isoformat()
    told = {"number": 1, "worker": "north:1", "began": began, "ended": began, "how": how}
    said = words(of(as_viewer, run_of(account, "cancelled", attempt=1, attempts=[told])))
    assert f"1. {how.label} by north:1" in said
    assert str(how.label).casefold() != how.value


# By the state of a stage, the notes to it and where the sync is: what is said of the stage, in
# which tone, and whether the notes stand with it (else they are other notes).
HOW_FAR = [
    ("done", "minor", "done", "Read", "ok", False),
    ("done", "", "running", "Read", "ok", False),
    ("limited", "real", "done_with_notes", "In part", "warn", True),
    ("limited", "minor", "done_with_notes", "In part", "warn", True),
    ("limited", "chosen", "done", "In part", "warn", True),
    ("limited", "", "running", "In part", "warn", False),
    ("limited", "", "cancelled", "In part", "warn", False),
    ("running", "", "running", "Being read", "info", False),
    ("running", "", "queued", "Begun", "neutral", False),
    ("running", "", "retry_at", "Begun", "neutral", False),
    ("running", "", "cancelled", "Not to its end", "warn", False),
    ("running", "", "action_needed", "Not to its end", "warn", False),
    ("waiting", "", "queued", "Not yet", "neutral", False),
    ("waiting", "", "running", "Not yet", "neutral", False),
    ("waiting", "", "retry_at", "Not yet", "neutral", False),
    ("waiting", "", "cancelled", "Not read", "bad", False),
    ("waiting", "real", "done_with_notes", "Not read", "bad", True),
]


@pytest.mark.parametrize(("progress", "gap", "state", "word", "tone", "beside"), HOW_FAR)
def test_how_far_a_stage_was_read_is_said_as_it_is(
    as_viewer: Client,
    account: Connection,
    progress: str,
    gap: str,
    state: str,
    word: str,
    tone: str,
    beside: bool,
) -> None:
    given = {**GAP, "capability": "usage", "minor": gap == "minor", "chosen": gap == "chosen"}
    stages = {} if progress == "waiting" else {"usage": stage(progress)}
    run = run_of(account, state, stages=stages, gaps=[given] if gap else [])
    table, _, rest = of(as_viewer, run).partition('id="stages"')[2].partition("</table>")
    row = re.split(r'<th scope="row">', table)[3]
    assert f'<span class="chip chip--{tone} chip--dot">{word}</span>' in row
    assert (GAP["what"] in row) is beside
    assert (GAP["what"] in rest) is (bool(gap) and not beside)
    lacks = word in {"In part", "Not to its end"} and not gap
    assert ('class="run-why"' in row) is (beside or lacks)


@pytest.mark.parametrize(
    ("told", "state", "words_of_it"),
    [
        ({}, "retry_at", "not listed any more. It is held back."),
        ({}, "cancelled", "not listed any more. It was not applied by this sync."),
        ({"settled": "agreed"}, "done", "any more. A second look agreed with the first."),
        ({"settled": "over"}, "done", "any more. The next look found no unusual drop."),
        ({"believed_name": "Ada"}, "running", "Ada confirmed it. It is looked at once more."),
        ({"believed_name": "Ada"}, "cancelled", "Ada confirmed it. It was not applied by this"),
        ({"believed_name": "Ada", "settled": "confirmed"}, "done", "confirmed it. It was applied."),
        ({"believed_name": "Ada", "settled": "over"}, "done", "confirmed it. The next look found"),
    ],
)
def test_what_became_of_an_unusual_drop_is_said(
    as_viewer: Client, account: Connection, told: dict[str, str], state: str, words_of_it: str
) -> None:
    at = timezone.now().isoformat()
    doubt = {"stage": "members", "what": "members", "before": 250, "gone": 238, "at": at, **told}
    said = words(of(as_viewer, run_of(account, state, doubt=doubt)))
    assert "Unusual drop 238 of 250 members were" in said
    assert words_of_it in said


def test_a_sync_that_names_no_user_is_not_said_to_be_the_schedules(
    as_viewer: Client, account: Connection, admin: User
) -> None:
    run = run_of(account, requested_by=admin)
    assert "Ada Admin" in words(page(as_viewer).partition("<tbody>")[2])
    SyncRun.objects.filter(pk=run.pk).update(requested_by=None)
    line = words(page(as_viewer).partition("<tbody>")[2])
    assert "no user" in line
    assert "Schedule" not in line
    said = words(of(as_viewer, run))
    assert "no user that is known (the schedule, the command line, or a user who is gone)" in said


def test_what_it_changed_is_counted_and_the_newest_fifty_are_named(
    as_viewer: Client, account: Connection
) -> None:
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC)
    rows.member(account, "Ada", first_listed_at=noon - timedelta(days=9))
    ends = noon + timedelta(days=1)
    left: dict[str, Any] = {"counts": {"left": 60}, "stages": {"members": stage()}}
    run = run_of(account, started_at=noon, finished_at=ends, **left)
    other = run_of(account, counts={"joined": 1}, stages={"members": stage()})
    gone = [rows.member(account, f"Member {n}") for n in range(60)]
    for member in gone:
        rows.event(member, "left", run=run)
    rows.event(gone[0], "changed", run=run, field="role", before="user", after="admin")
    rows.event(rows.member(account, "Zoe"), "joined", run=other)
    html = of(as_viewer, run)
    assert "61 in all" in html
    assert ">50 of 61 are shown." in html
    changes = "/services/pagerduty/seats/changes/?from=2026-10-24&amp;to=2026-10-26"
    assert "Comings, goings, roles and licences, as they were the day before" in html
    assert f'href="{changes}"' in html
    assert "Member 0</bdi></a> went from " in html
    assert f'href="/services/pagerduty/members/{gone[59].pk}/"' in html
    assert "Zoe" not in html
    SyncRun.objects.filter(pk=run.pk).update(started_at=noon - timedelta(days=9))
    html = of(as_viewer, run)
    assert "50 of 61 are shown.</p>" in html  # there is no day before to compare with


def test_a_run_of_another_service_is_not_there(as_viewer: Client, account: Connection) -> None:
    run = run_of(rows.connection(rows.service("zoom", "Zoom")))
    assert as_viewer.get(f"{HISTORY}{run.pk}/").status_code == 404


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
        assert "nobody loses a seat by this" in said
        said = words(page(as_viewer, address))
        assert "an admin can apply it at once: ask Ada Admin" in said
        assert "count as left" not in said
    assert "Unusual drop held" in page(as_viewer)


def test_a_drop_of_licences_is_not_told_in_the_words_of_members(
    as_admin: Client, held: SyncRun
) -> None:
    held.doubt |= {"stage": "licences", "what": "allocated licences"}
    held.save()
    said = words(of(as_admin, held))
    assert "PagerDuty no longer lists 238 of 250 allocated licences." in said
    assert "Is it right that 238 allocated licences are gone?" in said
    assert "238 of 250 allocated licences count as given back" in said
    assert "nobody loses a licence by this" in said
    assert "count as left" not in said
    assert "having come back" not in said


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
    assert "What you saw is not what is held back by now" in answer
    assert not SyncRun.objects.open().exists()
