"""Incidents in analytics in the place of the log: nobody active is lost, and it costs little."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.connectors.seen import (
    HORIZON,
    LATELY,
    NOW,
    ONLY_LOG,
    Door,
    Got,
    answered,
    granted,
    truth,
    with_key,
)
from tests.sandboxes import Running, running

OPTIONS: dict[str, Any] = {"seed": 4, "users": 160, "incidents": 2200, "months": 3}
OPTIONS["rate_limit"] = 1_000_000
TOMORROW = NOW + timedelta(days=1)
MIDNIGHT = NOW.replace(hour=0, minute=0)
INCIDENTS, LOG = "POST /analytics/raw/incidents", "GET /log_entries"


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


def doors(sandbox: Running, **more: Any) -> list[Door]:
    return [with_key(sandbox, **more), granted(sandbox, "analytics.write", **more)]


def nobody_is_lost(got: Got, sandbox: Running, now: datetime = NOW) -> None:
    """Who was active within thirty days is shown so, and nobody later than they really were."""
    seen, since = got.times(), now - LATELY
    signed_in, deeds = truth(sandbox, "sign_in"), answered(sandbox, since, now)
    here = {m["id"] for m in sandbox.truth()["members"]}
    midnight = now.replace(hour=0, minute=0)
    active = {who for who, at in signed_in.items() if since <= at < midnight} | deeds.keys()
    lost = [who for who in active & here if who not in seen or seen[who] < since]
    assert lost == []
    really = truth(sandbox, "sign_in", "log_entries", "audit")
    assert [who for who, at in seen.items() if who in here and at > really[who]] == []


def test_nobody_active_is_lost_and_no_evidence_is_later_than_the_truth(sandbox: Running) -> None:
    for door in doors(sandbox):
        got = door.read()
        nobody_is_lost(got, sandbox)
        assert got.gaps == []
        assert got.requests[INCIDENTS] == 3
        assert sum(got.requests.values()) <= 10
        since, until = map(datetime.fromisoformat, got.part["analysed"])
        assert since <= datetime(2026, 9, 1, tzinfo=NOW.tzinfo)
        assert MIDNIGHT - timedelta(hours=8) < until <= MIDNIGHT


def test_every_state_is_enough_to_go_on_from(sandbox: Running, next_day: Running) -> None:
    whole = with_key(sandbox).read()
    states = [n for n, batch in enumerate(whole.batches, 1) if batch.state]
    assert len(states) > 3
    for number in states:
        first = whole.up_to(number)
        nobody_is_lost(first.then(with_key(sandbox).read(first.state)), sandbox)
        later = with_key(next_day, now=TOMORROW).read(first.state)
        nobody_is_lost(first.then(later), next_day, TOMORROW)


def test_the_next_day_analytics_is_asked_for_what_changed(
    sandbox: Running, next_day: Running
) -> None:
    first, then = doors(sandbox), doors(next_day, now=TOMORROW)
    for before, after in zip(first, then, strict=True):
        whole = before.read()
        rest = after.read(whole.state)
        nobody_is_lost(whole.then(rest), next_day, TOMORROW)
        assert rest.requests[INCIDENTS] == 1
        assert sum(rest.requests.values()) <= 4


@pytest.mark.fault(29)
@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_refused_the_log_is_read_and_nothing_is_missing(sandbox: Running, status: int) -> None:
    sandbox.fault(path="/analytics/raw/incidents", status=status, times=None)
    got = with_key(sandbox).read()
    nobody_is_lost(got, sandbox)
    assert got.gaps == []
    assert got.requests[INCIDENTS] == 1
    assert got.requests[LOG] > 20
    assert got.part["analysed"] is None


@pytest.mark.fault(33)
def test_a_days_limit_after_the_sign_ins_leads_to_the_log(sandbox: Running) -> None:
    for limit in (1, 2, 3):
        sandbox.fault(daily_limit=limit)
        got = with_key(sandbox).read()
        nobody_is_lost(got, sandbox)
        assert got.part["analysed"] is None
        assert got.requests[LOG] > 20
        sandbox.clear_faults()


def test_where_sign_ins_are_revoked_the_log_is_read_in_their_place(sandbox: Running) -> None:
    first = with_key(sandbox).read()
    state = first.state
    state["stages"]["activity"]["awaited"] = []  # all were seen, by what is refused now
    sandbox.fault(path="/analytics/*", status=403, times=None)
    rest = with_key(sandbox).read(state)
    assert rest.part["covered"] == [[(NOW - HORIZON).isoformat(), NOW.isoformat()]]


def test_the_first_question_reaches_as_far_back_as_later_ones(sandbox: Running) -> None:
    """Somebody may still answer an incident that is older than the horizon."""
    got = with_key(sandbox).read()
    since = MIDNIGHT - HORIZON - timedelta(days=90)
    assert abs(datetime.fromisoformat(got.part["analysed"][0]) - since) < timedelta(days=1)


def test_a_grant_that_did_not_read_all_incidents_reads_the_log(sandbox: Running) -> None:
    """A person's token must name the services, and only usage knows them."""
    got = granted(sandbox, "analytics.write").read(stages=ONLY_LOG)
    assert INCIDENTS not in got.requests
    nobody_is_lost(got, sandbox)
    got = granted(sandbox, "analytics.write", months=1).read()
    nobody_is_lost(got, sandbox)
    since = datetime.fromisoformat(got.part["analysed"][0])
    assert since == datetime(2026, 11, 1, tzinfo=NOW.tzinfo)
    assert got.requests[LOG] > 10  # what is older than those months


def test_analytics_that_are_late_are_not_believed_to_be_in_time(sandbox: Running) -> None:
    """They end where their newest incident does, and the log begins there."""
    page = {
        "data": [{"id": "Q1", "created_at": "2026-11-10T12:00:00"}],
        "more": False,
        "last": None,
    }
    sandbox.fault(path="/analytics/raw/incidents", kind="json", body=page, times=None)
    got = with_key(sandbox).read()
    assert got.part["analysed"][1] == "2026-11-10T11:00:00+00:00"
    assert got.part["covered"][-1][0] <= "2026-11-10T11:00:00+00:00"
    assert got.part["covered"][-1][1] == NOW.isoformat()
