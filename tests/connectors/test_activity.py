"""Last seen from the log: exact, resumable, and no line read that could be nobody's news."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.connectors.seen import HORIZON, NOW, ONLY_LOG, Got, granted, truth, with_key
from tests.sandboxes import Running, running

OPTIONS: dict[str, Any] = {"seed": 5, "users": 130, "incidents": 1600, "months": 3}
OPTIONS["rate_limit"] = 1_000_000
TOMORROW = NOW + timedelta(days=1)
LOG = "GET /log_entries"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(**OPTIONS, now=NOW) as started:
        yield started


@pytest.fixture(scope="module")
def next_day() -> Iterator[Running]:
    with running(**OPTIONS, now=TOMORROW) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()


def agrees(got: Got, sandbox: Running, now: datetime = NOW) -> None:
    """Everybody was last seen when they really last acted, as far back as was read."""
    acted, found, since = truth(sandbox, "log_entries"), got.times(), now - HORIZON
    here = {member["id"] for member in sandbox.truth()["members"]}
    assert {who: at for who, at in found.items() if who in here and at >= since} == {
        who: at for who, at in acted.items() if at >= since
    }


def test_everybody_was_last_seen_when_they_really_acted(sandbox: Running) -> None:
    for stages in (ONLY_LOG, ("members", "usage", "activity"), ("activity",)):
        got = granted(sandbox).read(stages=stages)
        agrees(got, sandbox)
        assert got.activity[-1].complete
        assert got.activity[-1].ended
        assert got.gaps == []


def test_a_reading_goes_on_from_every_state(sandbox: Running) -> None:
    door = granted(sandbox)
    whole = door.read(stages=ONLY_LOG)
    kept = [n for n, batch in enumerate(whole.batches, 1) if batch.state]
    assert len(kept) > 5
    for number in kept:
        first = whole.up_to(number)
        rest = door.read(first.state, stages=ONLY_LOG)
        agrees(first.then(rest), sandbox)
        assert rest.part["covered"] == whole.part["covered"]
        done = len([n for n in kept if n <= number])
        assert rest.requests[LOG] <= whole.requests[LOG] * (1 - (done - 1) / len(kept)) + 5


def test_the_next_day_only_the_new_lines_are_read(sandbox: Running, next_day: Running) -> None:
    whole = granted(sandbox).read(stages=ONLY_LOG)
    door = granted(next_day, now=TOMORROW)
    for number in (n for n, batch in enumerate(whole.batches, 1) if batch.state):
        first = whole.up_to(number)
        agrees(first.then(door.read(first.state, stages=ONLY_LOG)), next_day, TOMORROW)
    rest = door.read(whole.state, stages=ONLY_LOG)
    asked = rest.requests[LOG]
    assert asked < whole.requests[LOG] / 20
    again = door.read(rest.state, stages=ONLY_LOG)
    assert again.requests[LOG] == 1  # the hour that is read twice


def test_two_interrupted_days_leave_no_hole(sandbox: Running, next_day: Running) -> None:
    """The newer reading stops within the day, the older one within the ninety before it."""
    first = granted(sandbox).read(stages=ONLY_LOG)
    first = first.up_to(next(n for n, batch in enumerate(first.batches, 1) if batch.state))
    door = granted(next_day, now=TOMORROW)
    second = door.read(first.state, stages=ONLY_LOG)
    new = [n for n, batch in enumerate(second.batches, 1) if batch.state]
    for number in new[:3]:
        known = first.then(second.up_to(number))
        agrees(known.then(door.read(known.state, stages=ONLY_LOG)), next_day, TOMORROW)


def test_reading_stops_where_nothing_older_could_be_news(sandbox: Running) -> None:
    """Of the people who are awaited all were seen within a week, in an account made for that."""
    acted = truth(sandbox, "log_entries")
    idle = [who for who, at in acted.items() if at < NOW - timedelta(days=7)]
    never = [m["id"] for m in sandbox.truth()["members"] if m["id"] not in acted]
    hidden = {*idle, *never}
    busy = [m for m in sandbox.truth()["members"] if m["id"] not in hidden]
    door = granted(sandbox)
    rows = [{"id": m["id"], "role": m["role"]} for m in busy]
    onlooker = {"id": "PLOOKER", "role": "read_only_user"}
    invited = {"id": "PINVITED", "role": "user", "invitation_sent": True}
    page = {"users": [*rows, onlooker, invited], "more": False, "total": len(rows) + 2}
    sandbox.fault(path="/users", kind="json", body=page, times=None)
    got = door.read(stages=ONLY_LOG)
    assert {m["id"]: got.times()[m["id"]] for m in busy} == {m["id"]: acted[m["id"]] for m in busy}
    (covered,) = got.part["covered"]
    oldest = min(acted[member["id"]] for member in busy)
    assert oldest - timedelta(days=2) < datetime.fromisoformat(covered[0]) <= oldest
    assert got.part["awaited"] == ["PLOOKER"]  # nobody waited for them in the log
    again = door.read(got.state, stages=ONLY_LOG)
    assert again.requests[LOG] == 1
    assert again.part["covered"] == [covered]
    sandbox.clear_faults()
    # Somebody comes of whom the state knows that nothing was seen: what is older is read.
    state = got.state
    state["stages"]["activity"]["awaited"] = sorted(never)
    assert door.read(state, stages=ONLY_LOG).requests[LOG] > 20


def test_what_is_new_is_read_though_everybody_was_seen_before(
    sandbox: Running, next_day: Running
) -> None:
    acted = truth(sandbox, "log_entries")
    busy = [who for who, at in acted.items() if at >= NOW - timedelta(days=7)]
    page = {"users": [{"id": who} for who in busy], "more": False, "total": len(busy)}
    for each in (sandbox, next_day):
        each.fault(path="/users", kind="json", body=page, times=None)
    first = granted(sandbox).read(stages=ONLY_LOG)
    rest = granted(next_day, now=TOMORROW).read(first.state, stages=ONLY_LOG)
    next_day.clear_faults()
    seen, really = first.then(rest).times(), truth(next_day, "log_entries")
    assert {who: seen[who] for who in busy} == {who: really[who] for who in busy}
    assert any(really[who] >= NOW for who in busy)


def test_what_incidents_told_is_not_told_again(sandbox: Running) -> None:
    got = granted(sandbox).read(stages=("members", "usage", "activity"))
    before = Got([batch for batch in got.batches if batch.stage == "usage"]).times()
    after = Got(got.activity).times()
    assert before
    assert after
    assert [who for who, at in after.items() if who in before and at <= before[who]] == []


def test_lines_that_are_counted_and_not_shown_are_a_gap(sandbox: Running) -> None:
    for until in (None, 1):
        sandbox.clear_faults()
        body = {"log_entries": [], "more": False, "total": 7}
        sandbox.fault(path="/log_entries", kind="json", body=body, times=until)
        got = granted(sandbox, horizon=timedelta(days=2)).read(stages=ONLY_LOG)
        assert got.activity[-1].complete
        whats = [gap.what for gap in got.gaps]
        assert whats == (
            [] if until else ["7 lines of the log are not known; the others were read."]
        )


@pytest.mark.fault(30)
@pytest.mark.parametrize("status", [402, 403, 404])
def test_without_log_and_sign_ins_activity_is_a_gap(sandbox: Running, status: int) -> None:
    sandbox.fault(path="/log_entries", status=status, times=None)
    got = granted(sandbox).read(stages=ONLY_LOG)
    assert [gap.capability for gap in got.gaps] == ["activity"]
    assert not any(batch.complete for batch in got.activity)
    sandbox.fault(path="/analytics/*", status=403, times=None)
    got = granted(sandbox, "analytics.write").read(stages=ONLY_LOG)
    assert [gap.capability for gap in got.gaps] == ["account", "activity"]
    assert got.gaps[0].what == "Sign-ins cannot be read."


@pytest.mark.fault(30)
@pytest.mark.parametrize("status", [402, 403, 404])
def test_without_the_log_sign_ins_are_read_and_a_gap_says_what_is_missing(
    sandbox: Running, status: int
) -> None:
    sandbox.fault(path="/log_entries", status=status, times=None)
    got = with_key(sandbox).read(stages=ONLY_LOG)
    (gap,) = got.gaps
    assert (gap.capability, gap.what) == (
        "account",
        "Actions on incidents cannot be read; other evidence is.",
    )
    assert got.activity[-1].complete
    assert got.times("signed_in")


def test_without_a_list_of_people_nothing_is_called_read(sandbox: Running) -> None:
    """Whoever keeps evidence keeps that of members only, so it must come again."""
    got = granted(sandbox).read(stages=("activity",))
    assert got.times()
    assert got.part == {}


def test_a_state_that_speaks_of_other_times_costs_requests_only(sandbox: Running) -> None:
    door = granted(sandbox)
    ancient = datetime(2020, 1, 1, tzinfo=UTC)
    state = door.read(stages=ONLY_LOG).state
    part = state["stages"]["activity"]
    part["covered"] = [[at.isoformat() for at in (ancient, ancient + timedelta(days=9))]]
    part["awaited"] = None
    got = door.read(state, stages=ONLY_LOG)
    agrees(got, sandbox)
    assert len(got.part["covered"]) == 1  # what is over is forgotten
