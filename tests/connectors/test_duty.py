"""Who is called when something fails: read whole or not at all, and never an address of anybody."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from seatwise.connectors.base import scopes_to_ask
from seatwise.connectors.collect import collect
from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.records import Batch, DutyRecord, MemberRecord, ReachRecord
from tests.connectors.accounts import authorize, connector, identified, plan_for
from tests.sandboxes import Running, running

USUAL = scopes_to_ask(facts.SCOPES)
WHOLE = [*USUAL, *sorted(facts.DUTY)]


def duty_of(vendor: Running, scopes: Iterable[str]) -> tuple[list[Batch], dict[str, int]]:
    """What the stages of members and duty bring with those scopes, and the requests for it."""

    async def read() -> tuple[list[Batch], dict[str, int]]:
        grant = await authorize(vendor, vendor.someone(), scopes=scopes)
        account = await identified(vendor, grant)
        now = datetime.now(UTC)
        plan = plan_for(now, 1, now - timedelta(days=1))
        token = FixedToken(grant.access_token)
        async with connector().reader(vendor.settings, account, token) as reader:
            found = [batch async for batch in collect(reader, plan, ("members", "duty"))]
            return found, dict(reader.requests)

    return asyncio.run(read())


def records(batches: Iterable[Batch], kind: type) -> list:  # type: ignore[type-arg]
    return [each for batch in batches for each in batch.records if isinstance(each, kind)]


def test_who_is_called_is_read_with_few_requests(small_vendor: Running) -> None:
    batches, requests = duty_of(small_vendor, WHOLE)
    members = {each.external_id for each in records(batches, MemberRecord)}
    duties = records(batches, DutyRecord)
    assert {each.kind for each in duties} == {"schedule", "policy", "oncall"}
    assert {each.member_id for each in duties} & members
    assert all(each.place and each.place_id for each in duties)
    assert len({(each.member_id, each.kind, each.place_id) for each in duties}) == len(duties)
    asked = {path: n for path, n in requests.items() if path != "GET /users"}
    assert set(asked) == {"GET /schedules", "GET /escalation_policies", "GET /oncalls"}
    assert sum(asked.values()) <= 12, asked


def test_only_the_kinds_of_contact_are_told(small_vendor: Running) -> None:
    batches, _requests = duty_of(small_vendor, WHOLE)
    reach = records(batches, ReachRecord)
    assert reach
    assert {way for each in reach for way in each.channels} <= {"email", "sms", "phone", "push"}
    on_call = {each.member_id for each in records(batches, DutyRecord) if each.kind == "oncall"}
    assert {each.member_id for each in reach} == on_call


def test_without_all_three_permissions_nothing_is_asked(small_vendor: Running) -> None:
    for scopes in (USUAL, [*USUAL, "schedules.read"], [*USUAL, "schedules.read", "oncalls.read"]):
        batches, requests = duty_of(small_vendor, scopes)
        assert {batch.stage for batch in batches} == {"members"}
        assert not {"GET /schedules", "GET /oncalls"} & set(requests)


def test_what_is_refused_is_a_gap_and_nobody_is_off_duty_for_it() -> None:
    with running(users=20, incidents=10, months=2, accounts=1) as vendor:
        vendor.fault(path="/oncalls", status=403)
        batches, _requests = duty_of(vendor, WHOLE)
    [last] = [batch for batch in batches if batch.stage == "duty"]
    assert (last.complete, last.ended, last.records) == (False, True, ())
    assert last.gaps[0].capability == "duty"
