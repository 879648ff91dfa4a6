"""Sign-ins as evidence: read only where that was granted, and then instead of the log."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from seatwise.connectors.base import ReadPlan, scopes_to_ask
from seatwise.connectors.collect import collect
from seatwise.connectors.http import FixedToken
from seatwise.connectors.records import AbsenceRecord, Account, SignalRecord
from tests.connectors.accounts import (
    Collected,
    authorize,
    connector,
    identified,
    plan_for,
    read,
)
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0)
WITH_SIGN_INS = [scope.name for scope in connector().scopes]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=8, users=1100, months=2, incidents=100, now=NOW) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()
    sandbox.forget_requests()


async def granted(sandbox: Running, *, sign_ins: bool = True) -> Collected:
    scopes = WITH_SIGN_INS if sign_ins else None
    grant = await authorize(sandbox, sandbox.someone("owner"), scopes=scopes)
    account = await identified(sandbox, grant)
    return await read(
        sandbox, account, grant.access_token, plan_for(NOW, 0, NOW - timedelta(days=90))
    )


def sign_ins(got: Collected) -> dict[str, datetime]:
    found = [s for s in got.of(SignalRecord) if isinstance(s, SignalRecord)]
    return {signal.member_id: signal.at for signal in found if signal.source == "signed_in"}


def test_each_members_last_sign_in_is_the_truth_of_the_last_midnight(sandbox: Running) -> None:
    got = asyncio.run(granted(sandbox))
    told = sandbox.truth(at=(MIDNIGHT - timedelta(seconds=1)).isoformat())["activity"]
    truth = {who: of["sign_in"] for who, of in told.items() if "sign_in" in of}
    assert sign_ins(got) == {who: datetime.fromisoformat(at) for who, at in truth.items()}
    never = {a.member_id for a in got.of(AbsenceRecord) if isinstance(a, AbsenceRecord)}
    assert never == told.keys() - truth.keys()
    assert never
    assert got.completed() == {"members", "licences", "usage", "activity", "duty"}
    assert got.gaps() == []
    asked = sandbox.requests("/us/analytics/raw/users")
    assert [request["status"] for request in asked] == [200, 200]  # 1,000 people each


def test_nothing_is_posted_and_no_permission_named_without_somebodys_choice(
    sandbox: Running,
) -> None:
    assert "analytics.write" not in scopes_to_ask(connector().scopes)
    assert "analytics.write" in scopes_to_ask(connector().scopes, {"analytics.write"})
    got = asyncio.run(granted(sandbox, sign_ins=False))
    assert sign_ins(got) == {}
    assert got.gaps() == []
    posts = [r["path"] for r in sandbox.requests("/us/*") if r["method"] != "GET"]
    assert posts == []


@pytest.mark.fault(29)
@pytest.mark.parametrize("status", [400, 402, 403, 404])
def test_a_refusal_is_a_gap_and_the_log_is_read(sandbox: Running, status: int) -> None:
    sandbox.fault(path="/analytics/raw/users", status=status, times=None)
    got = asyncio.run(granted(sandbox))
    (gap,) = got.gaps()
    assert gap.what.startswith("Sign-ins cannot be read")
    assert "activity" in got.completed()
    assert got.of(SignalRecord)


@pytest.mark.fault(33)
def test_a_days_limit_ends_the_sign_ins_and_the_rest_goes_on(sandbox: Running) -> None:
    sandbox.fault(daily_limit=1)
    got = asyncio.run(granted(sandbox))
    (gap,) = got.gaps()
    assert "later sync" in gap.remedy
    assert 0 < len(sign_ins(got)) <= 1000  # of the page that was allowed
    assert len(sandbox.requests("/us/analytics/raw/users")) == 1  # and no other was asked for
    assert "activity" in got.completed()
    assert sandbox.requests("/us/log_entries")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        empty = {"more": False, "total": 0}
        says(started, "/licenses", licenses=[])
        says(started, "/license_allocations", license_allocations=[], **empty)
        says(started, "/log_entries", log_entries=[], **empty)
        says(started, "/analytics/raw/incidents", data=[], more=False, last=None)
        yield started


def says(server: FaultServer, path: str, **data: Any) -> None:
    server.on(path, answer(json.dumps(data).encode()))


def people(
    server: FaultServer, *, key: bool = False, days: int = 90, **last: str | None
) -> Collected:
    """Reads so many days of an account of these people, whose last sign-ins are as given."""
    says(server, "/users", users=[{"id": name} for name in last], more=False, total=len(last))
    rows = [{"id": name, "last_sign_in_at": at} for name, at in last.items()]
    says(server, "/analytics/raw/users", data=rows, more=False, last="x")
    return read_all(server, key=key, days=days)


def read_all(server: FaultServer, *, key: bool = False, days: int = 90) -> Collected:
    scopes = None if key else frozenset({"analytics.write"})
    return read_with(server, scopes, key=key, days=days)


def read_with(
    server: FaultServer, scopes: frozenset[str] | None, *, key: bool = False, days: int = 90
) -> Collected:
    account = Account("", "", "US", server.url, "", "", scopes=scopes)
    token = FixedToken("Token token=abc" if key else "abc")
    plan = ReadPlan((), ZoneInfo("UTC"), NOW, NOW - timedelta(days=days))

    async def everything() -> Collected:
        async with connector().reader({}, account, token) as reader:
            return Collected([batch async for batch in collect(reader, plan)])

    return asyncio.run(everything())


def asked_of_the_log(server: FaultServer) -> int:
    return sum(request.startswith(b"GET /log_entries") for request in server.requests)


@pytest.mark.parametrize("key", [False, True])
def test_the_log_is_not_read_when_everybody_signed_in_lately(
    server: FaultServer, key: bool
) -> None:
    got = people(server, key=key, PADA="2026-11-01T10:00:00", PBOB="2026-11-19T10:00:00Z")
    assert sign_ins(got) == {
        "PADA": datetime(2026, 11, 1, 10, tzinfo=UTC),
        "PBOB": datetime(2026, 11, 19, 10, tzinfo=UTC),
    }
    assert asked_of_the_log(server) == 0
    assert "activity" in got.completed()


@pytest.mark.parametrize(
    "last", ["2026-01-01T10:00:00", "2026-09-20T10:00:00", None, "yesterday", ""]
)
def test_the_log_is_read_for_whoever_did_not_sign_in_lately(
    server: FaultServer, last: str | None
) -> None:
    got = people(server, PADA="2026-11-01T10:00:00", PBOB=last)
    assert asked_of_the_log(server) > 0
    never = [a.member_id for a in got.of(AbsenceRecord) if isinstance(a, AbsenceRecord)]
    assert never == (["PBOB"] if last is None else [])  # what is unreadable is unknown
    assert ("PBOB" in sign_ins(got)) is (last or "").startswith("2026-")


@pytest.mark.parametrize("days", [3, 20, 31])
def test_a_sign_in_before_the_horizon_is_no_reason_not_to_read_the_log(
    server: FaultServer, days: int
) -> None:
    acted, signed_in = NOW - timedelta(days=2), NOW - timedelta(days=25)
    line = {
        "id": "R1",
        "type": "resolve_log_entry",
        "created_at": acted.isoformat(),
        "agent": {"id": "PADA", "type": "user_reference"},
    }
    says(server, "/log_entries", log_entries=[line], more=False, total=1)
    got = people(server, key=True, days=days, PADA=signed_in.isoformat())
    times = {s.at for s in got.of(SignalRecord) if isinstance(s, SignalRecord)}
    assert times == ({signed_in} if days == 31 else {signed_in, acted})


@pytest.mark.fault(52)
def test_the_same_page_of_analytics_for_ever_is_a_gap(server: FaultServer) -> None:
    says(server, "/users", users=[{"id": "PADA"}], more=False, total=1)
    row = {"id": "PADA", "last_sign_in_at": None}
    says(server, "/analytics/raw/users", data=[row], more=True, last="x")
    (gap,) = read_all(server).gaps()
    assert gap.what == "Sign-ins cannot be read; actions on incidents are."
    assert "promised more" in gap.why
    assert asked_of_the_log(server) > 0


@pytest.mark.parametrize("scopes", [frozenset[str](), frozenset({"users.read"}), None])
def test_nothing_is_posted_with_scopes_that_do_not_say_so(
    server: FaultServer, scopes: frozenset[str] | None
) -> None:
    """No scopes at all are known scopes; with unknown ones it is tried."""
    says(server, "/users", users=[{"id": "PADA"}], more=False, total=1)
    says(server, "/analytics/raw/users", data=[], more=False, last=None)
    says(server, "/audit/records", records=[], next_cursor=None)
    read_with(server, scopes)
    posts = [request for request in server.requests if request.startswith(b"POST")]
    assert bool(posts) is (scopes is None)


def test_the_same_people_on_page_after_page_are_a_gap(server: FaultServer) -> None:
    says(server, "/users", users=[{"id": "PADA"}], more=False, total=1)
    row = {"id": "PADA", "last_sign_in_at": None}
    pages = [{"data": [row], "more": True, "last": f"x{n}"} for n in range(3)]
    server.on("/analytics/raw/users", *(answer(json.dumps(page).encode()) for page in pages))
    (gap,) = read_all(server).gaps()
    assert "promised more" in gap.why
    assert sum(request.startswith(b"POST /analytics") for request in server.requests) == 2
