"""The connector reads the simulated vendor, and what it read is what is really so there."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from seatwise.connectors.base import ReadsMembers
from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.http import FixedToken
from seatwise.connectors.records import (
    Account,
    LicenseRecord,
    MemberRecord,
    SeatRecord,
    SignalRecord,
    UsageRecord,
)
from tests.connectors.accounts import (
    Collected,
    authorize,
    connector,
    identified,
    plan_for,
    read,
)
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MONTHS = 4


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=5, users=130, months=MONTHS, now=NOW) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()


async def whole(
    sandbox: Running, months: int = MONTHS, zone: str = "UTC", days: int = 160
) -> Collected:
    grant = await authorize(sandbox, sandbox.someone("owner"))
    account = await identified(sandbox, grant)
    plan = plan_for(NOW, months, NOW - timedelta(days=days), zone)
    return await read(sandbox, account, grant.access_token, plan)


@pytest.mark.parametrize(("seed", "zone"), [(1, "UTC"), (2, "America/New_York"), (3, "Asia/Tokyo")])
def test_what_is_read_is_what_is_really_so(seed: int, zone: str) -> None:
    with running(seed=seed, users=120, months=MONTHS, now=NOW) as vendor:
        truth = vendor.truth(zone=zone)
        got = asyncio.run(whole(vendor, zone=zone))
    assert got.completed() == {"members", "licences", "usage", "activity"}
    assert got.gaps() == []
    _members_agree(got, truth["members"])
    _licenses_agree(got, truth)
    _usage_agrees(got, truth["months"], zone)
    _activity_agrees(got, truth)


def _members_agree(got: Collected, members: list[dict[str, object]]) -> None:
    found = [m for m in got.of(MemberRecord) if isinstance(m, MemberRecord)]
    assert len(found) == len(members)
    told = {(m["id"], m["email"], m["name"], m["role"], m["invited"]) for m in members}
    assert {(m.external_id, m.email, m.name, m.role, m.invited) for m in found} == told
    assert all(member.url.startswith("https://") for member in found)
    assert any(member.teams for member in found)


def _licenses_agree(got: Collected, truth: dict[str, list[dict[str, object]]]) -> None:
    licenses = [x for x in got.of(LicenseRecord) if isinstance(x, LicenseRecord)]
    assert {(x.external_id, x.name, x.used, x.available) for x in licenses} == {
        (x["id"], x["name"], x["used"], x["available"]) for x in truth["licenses"]
    }
    assert {x.kind for x in licenses} == {"full", "stakeholder"}
    names = {x.external_id: x.name for x in licenses}
    seats = [x for x in got.of(SeatRecord) if isinstance(x, SeatRecord)]
    held = {seat.member_id: names[seat.license_id] for seat in seats}
    assert held == {m["id"]: m["license"] for m in truth["members"]}


def _usage_agrees(got: Collected, months: list[dict[str, object]], zone: str) -> None:
    found = [u for u in got.of(UsageRecord) if isinstance(u, UsageRecord)]
    current = NOW.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
    assert len(months) >= MONTHS
    for told in months[-MONTHS:]:
        of_month = [u for u in found if u.month.strftime("%Y-%m") == told["month"]]
        values = {usage.metric: usage.value for usage in of_month}
        sms, phone = told["notifications_sms"], told["notifications_phone"]
        assert isinstance(sms, int)
        assert isinstance(phone, int)
        assert values == {
            **{name: value for name, value in told.items() if name not in ("month", "closed")},
            "billable_alerts": sms + phone,
        }
        final = bool(told["closed"]) and told["month"] != current
        assert {usage.final for usage in of_month} == {final}


def _activity_agrees(got: Collected, truth: dict[str, object]) -> None:
    newest: dict[str, datetime] = {}
    for signal in got.of(SignalRecord):
        assert isinstance(signal, SignalRecord)
        assert signal.source in connector().sources
        assert signal.proof
        newest[signal.member_id] = max(signal.at, newest.get(signal.member_id, signal.at))
    told = truth["last_activity"]
    assert isinstance(told, dict)
    assert {who: newest.get(who) for who in told} == {
        who: datetime.fromisoformat(at) for who, at in told.items()
    }
    deleted = truth["deleted_users"]
    assert isinstance(deleted, list)
    assert set(newest) - set(told) <= set(deleted)


@pytest.mark.fault(30)
@pytest.mark.parametrize("status", [402, 403, 404])
def test_without_the_incidents_permission_notifications_are_still_counted(
    sandbox: Running, status: int
) -> None:
    sandbox.fault(path="/incidents", status=status, times=None)
    got = asyncio.run(whole(sandbox, months=2, days=5))
    assert got.completed() == {"members", "licences", "usage", "activity"}
    (gap,) = got.gaps()
    assert (gap.capability, gap.what) == ("usage", "Incidents and alerts cannot be read.")
    assert ("incidents.read" in gap.remedy) is (status == 403)
    channels = {f"notifications_{name}" for name in ("sms", "phone", "email", "push")}
    metrics = {u.metric for u in got.of(UsageRecord) if isinstance(u, UsageRecord)}
    assert metrics == channels | {"billable_alerts"}


@pytest.mark.fault(29)
def test_a_refusal_of_licences_is_a_gap_and_the_rest_goes_on(sandbox: Running) -> None:
    sandbox.fault(path="/licenses", status=403, times=None)
    got = asyncio.run(whole(sandbox, months=1, days=5))
    assert got.completed() == {"members", "usage", "activity"}
    assert [gap.capability for gap in got.gaps()] == ["licences"]


@pytest.mark.fault(46)
@pytest.mark.parametrize("body", [{"users": None, "more": False}, {"more": False}, {}])
def test_an_answer_without_users_is_never_an_empty_account(
    sandbox: Running, body: dict[str, object]
) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    sandbox.fault(path="/users", status=200, body=body or {"other": 1}, times=None)
    with pytest.raises(BrokenAnswer):
        asyncio.run(read(sandbox, account, grant.access_token, plan_for(NOW, 1, NOW)))


@pytest.mark.fault(53)
def test_a_page_that_does_not_say_whether_there_is_more_is_no_page(sandbox: Running) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    sandbox.fault(path="/users", status=200, body={"users": [{"id": "P1"}]}, times=None)
    with pytest.raises(BrokenAnswer):
        asyncio.run(read(sandbox, account, grant.access_token, plan_for(NOW, 1, NOW)))


@pytest.mark.fault(52)
def test_the_same_page_for_ever_is_an_error(sandbox: Running) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    page = {"users": [{"id": f"P{n}"} for n in range(100)], "more": True, "total": 500}
    sandbox.fault(path="/users", status=200, body=page, times=None)
    with pytest.raises(BrokenAnswer, match="same page"):
        asyncio.run(read(sandbox, account, grant.access_token, plan_for(NOW, 1, NOW)))


ODD_USERS = [
    {"id": "P1", "name": None, "email": None, "role": "wizard", "teams": None},
    {"id": 17, "name": "a\x00b\ud800c", "html_url": "javascript:alert(1)", "teams": [7, {}]},
    {"id": "P3", "name": "x" * 10_000, "html_url": "https://pagerduty.com.evil.example/users/P3"},
    {"id": "P4", "name": ["?"], "html_url": "https://h.pagerduty.com/users/P4", "extra": {"a": 1}},
]


@pytest.mark.fault(57)
@pytest.mark.fault(58)
@pytest.mark.fault(60)
@pytest.mark.fault(62)
@pytest.mark.fault(64)
def test_strange_fields_cost_the_field_and_not_the_person(sandbox: Running) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    page = {"users": ODD_USERS, "more": False, "total": None}
    fault = {"path": "/users", "status": 200, "body": page, "times": None}
    # Escaped by hand: half a surrogate pair can be written in JSON, but not in UTF-8.
    sandbox.control.post("/__control", content=json.dumps(fault)).raise_for_status()
    members = asyncio.run(_members(sandbox, account, grant.access_token))
    assert [member.external_id for member in members] == ["P1", "17", "P3", "P4"]
    assert members[0] == MemberRecord("P1", "", "", "wizard", invited=False)
    assert members[1].name == "abc"
    assert len(members[2].name) == 500
    assert [bool(member.url) for member in members] == [False, False, False, True]


async def _members(sandbox: Running, account: Account, token: str) -> list[MemberRecord]:
    async with connector().reader(sandbox.settings, account, FixedToken(token)) as reader:
        assert isinstance(reader, ReadsMembers)
        found = [record async for batch in reader.members() for record in batch.records]
    return [record for record in found if isinstance(record, MemberRecord)]


@pytest.mark.fault(41)
@pytest.mark.parametrize("kind", ["html", "truncate", "not_json", "empty", "status"])
def test_a_page_that_is_broken_once_is_asked_again(sandbox: Running, kind: str) -> None:
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, grant))
    sandbox.fault(path="/users", kind=kind, after=1, times=2)
    members = asyncio.run(_members(sandbox, account, grant.access_token))
    assert {m.external_id for m in members} == {m["id"] for m in sandbox.truth()["members"]}


@pytest.mark.fault(17)
def test_a_token_that_expires_between_pages_is_renewed_once(sandbox: Running) -> None:
    old = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    new = asyncio.run(authorize(sandbox, sandbox.someone("owner")))
    account = asyncio.run(identified(sandbox, old))
    renewals: list[str] = []

    class Renewing:
        async def token(self) -> str:
            return new.access_token if renewals else old.access_token

        async def renew(self, rejected: str) -> str:
            renewals.append(rejected)
            return new.access_token

    async def members() -> int:
        async with connector().reader(sandbox.settings, account, Renewing()) as reader:
            assert isinstance(reader, ReadsMembers)
            batches = [batch async for batch in reader.members()]
        return sum(len(batch.records) for batch in batches)

    sandbox.fault(path="/users", status=401, after=1, times=1)
    assert asyncio.run(members()) == len(sandbox.truth()["members"])
    assert renewals == [old.access_token]


def test_an_api_key_is_sent_as_one(sandbox: Running) -> None:
    key = f"Token token={sandbox.api_key()}"
    account = Account("", "", "US", sandbox.settings["API_URL"], "", "")
    members = asyncio.run(_members(sandbox, account, key))
    assert len(members) == len(sandbox.truth()["members"])
