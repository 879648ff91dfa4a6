"""More people than the vendor lists at once."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from urllib.parse import parse_qs

import pytest

from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty.api import API_KEY, Api
from seatwise.connectors.pagerduty.members import read_members
from seatwise.connectors.pagerduty.places import Begun, opened
from seatwise.connectors.records import Batch, MemberRecord
from tests.connectors.accounts import impatient
from tests.sandboxes import Running, running

CEILING = 210  # of these accounts; the vendor's own is 10,000


@pytest.fixture(scope="module")
def vendor() -> Iterator[Running]:
    with running(seed=5, users=1_500, months=2, rate_limit=1_000_000) as started:
        yield started


@pytest.fixture(autouse=True)
def _as_it_was(vendor: Running) -> None:
    vendor.clear_faults()
    vendor.forget_requests()


def read(
    vendor: Running, ceiling: int = CEILING, before: Sequence[Batch] = (), most: int = 10_000
) -> list[Batch]:
    """The batches that come, or the first of them; after what came `before`, if anything."""

    async def members() -> list[Batch]:
        key = FixedToken(f"{API_KEY}{vendor.api_key()}")
        found: list[Batch] = []
        begun = None
        if before:
            place = json.loads(json.dumps(before[-1].place))
            begun = Begun(opened("members", place, ended=False), ids(before))
        async with (
            Api(f"{vendor.base_url}/us", key, impatient()) as api,
            aclosing(read_members(api, ceiling, begun)) as batches,
        ):
            async for batch in batches:
                found.append(batch)
                if len(found) == most:
                    break
        return found

    return asyncio.run(members())


def ids(batches: Sequence[Batch]) -> list[str]:
    return [
        record.external_id
        for batch in batches
        for record in batch.records
        if isinstance(record, MemberRecord)
    ]


@pytest.mark.fault(50)
@pytest.mark.parametrize("ceiling", [CEILING, 1_000])
def test_more_people_than_are_listed_at_once_are_all_read_each_once(
    vendor: Running, ceiling: int
) -> None:
    batches = read(vendor, ceiling)
    assert Counter(ids(batches)) == Counter(member["id"] for member in vendor.truth()["members"])
    assert batches[-1].complete
    assert not any(batch.complete or batch.ended for batch in batches[:-1])
    assert not any(batch.gaps for batch in batches)
    offsets = [
        int(parse_qs(request["query"])["offset"][0]) for request in vendor.requests("/us/users")
    ]
    assert max(offsets) < ceiling


@pytest.mark.fault(50)
def test_twelve_thousand_people_are_read_for_little_more_than_their_pages() -> None:
    with running(seed=5, users=12_000, months=1, rate_limit=1_000_000) as large:
        batches = read(large, 10_000)
        assert len(ids(batches)) == len(set(ids(batches))) == 12_000
        assert batches[-1].complete
        assert sum(large.counts().values()) <= 120 + 9 + 60


@pytest.mark.fault(50)
def test_where_searching_does_not_find_them_all_nobody_counts_as_gone(vendor: Running) -> None:
    nobody = {"users": [], "limit": 100, "offset": 0, "more": False, "total": 0}
    vendor.fault(path="/users", query="query=n%40", times=None, kind="json", body=nobody)
    batches = read(vendor)
    found = len(ids(batches))
    assert 1_000 < found < 1_500
    assert batches[-1].ended
    assert not any(batch.complete for batch in batches)
    assert batches[-1].gaps[0].what.startswith(f"{found:,} of 1,500 members were read")


@pytest.mark.fault(52)
def test_a_vendor_that_does_not_heed_a_search_is_asked_a_bounded_number_of_times(
    vendor: Running,
) -> None:
    rows = [{"id": f"P{n}", "email": f"p{n}@x.example"} for n in range(100)]
    everybody = {"users": rows, "limit": 100, "offset": 0, "more": True, "total": 1_500}
    vendor.fault(path="/users", query="query=", times=None, kind="json", body=everybody)
    batches = read(vendor)
    assert not any(batch.complete for batch in batches)
    assert batches[-1].ended
    assert sum(vendor.counts().values()) < 100


@pytest.mark.fault(49)
@pytest.mark.fault(50)
def test_people_who_come_and_go_meanwhile_cost_nobody_who_stays(vendor: Running) -> None:
    before = {member["id"] for member in vendor.truth()["members"]}
    vendor.fault(churn=1.0)
    batches = read(vendor)
    after = {member["id"] for member in vendor.truth()["members"]}
    assert before - after
    found = ids(batches)
    assert (before & after) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.fault(50)
def test_a_search_for_everybody_is_gone_on_with_by_one_reader_after_the_other(
    vendor: Running,
) -> None:
    whole = read(vendor)
    asked = sum(vendor.counts().values())
    vendor.forget_requests()
    batches: list[Batch] = []
    while not (batches and batches[-1].ended):
        batches += read(vendor, before=batches, most=25)
    assert Counter(ids(batches)) == Counter(ids(whole))
    assert batches[-1].complete
    attempts = -(-len(batches) // 25)
    assert attempts > 2
    # Each attempt asks how many there are, and again for pages of the search that was begun.
    assert sum(vendor.counts().values()) <= asked + attempts * (1 + CEILING // 100 + 8)
    last = batches[: 25 * (attempts - 1)]
    vendor.forget_requests()
    assert read(vendor, before=last)[-1].complete
    assert sum(vendor.counts().values()) < asked / 2


@pytest.mark.fault(49)
@pytest.mark.fault(50)
def test_people_who_come_and_go_between_the_readers_cost_nobody_who_stays(vendor: Running) -> None:
    before = {member["id"] for member in vendor.truth()["members"]}
    vendor.fault(churn=1.0)
    batches: list[Batch] = []
    for most in (1, 30, 10_000):
        batches += read(vendor, before=batches, most=most)
        anew = [number for number, batch in enumerate(batches) if batch.anew]
        batches = batches[anew[-1] :] if anew else batches  # what came before it is void
    found = ids(batches)
    stayed = before & {member["id"] for member in vendor.truth()["members"]}
    assert len(found) == len(set(found))
    assert stayed <= set(found)
    assert before - stayed
