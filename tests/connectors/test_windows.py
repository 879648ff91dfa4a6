"""Lists between two moments: longer than the vendor admits, miscounted, read in either order."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.pagerduty.paging import AHEAD, Chunk, Page, WindowFetch, windowed

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Event:
    id: str
    at: datetime | None


def events_at(seconds: list[int]) -> list[Event]:
    return [Event(f"E{n}", START + timedelta(seconds=at)) for n, at in enumerate(sorted(seconds))]


async def everything(
    fetch: WindowFetch[Event], *, newest_first: bool = False, ceiling: int = 10_000
) -> tuple[list[Event], list[Chunk[Event]]]:
    """Everything within an hour; at each step what was said to be reached must be true."""
    read = windowed(
        fetch,
        lambda event: event.id,
        lambda event: event.at,
        START,
        START + HOUR,
        newest_first=newest_first,
        ceiling=ceiling,
    )
    async with aclosing(read) as arriving:
        chunks = [chunk async for chunk in arriving]
    return [event for chunk in chunks for event in chunk.rows], chunks


@dataclass
class Vendor:
    """A list of events, as the vendor pages through it."""

    events: list[Event]
    most: int = 100
    newest_first: bool = False
    closed: bool = True
    counted: bool = True
    ceiling: int = 10_000
    asked: int = 0

    async def fetch(self, since: datetime, until: datetime, offset: int, most: int) -> Page[Event]:
        assert offset + most <= self.ceiling
        assert most > 0
        self.asked += 1
        # Whether a border belongs to the window is not documented: read right either way.
        found = [
            event
            for event in self.events
            if event.at is None
            or (since <= event.at <= until if self.closed else since < event.at < until)
        ]
        if self.newest_first:
            found.reverse()
        rows = found[offset : offset + min(most, self.most)]
        return Page(rows, offset + len(rows) < len(found), len(found) if self.counted else None)


SECONDS = st.lists(st.integers(-5, 3605), max_size=120)


@pytest.mark.fault(50)
@settings(max_examples=150, deadline=None)
@given(
    seconds=SECONDS,
    counted=st.booleans(),
    closed=st.booleans(),
    most=st.integers(4, 9),
    newest_first=st.booleans(),
)
def test_a_window_beyond_the_ceiling_is_split_and_no_row_lost_or_doubled(
    seconds: list[int], counted: bool, closed: bool, most: int, newest_first: bool
) -> None:
    events, ceiling = events_at(seconds), 40
    vendor = Vendor(events, most, newest_first, closed, counted, ceiling)
    rows, chunks = asyncio.run(everything(vendor.fetch, newest_first=newest_first, ceiling=ceiling))
    inside = [event for event in events if event.at and START <= event.at < START + HOUR]
    crowded = any(sum(abs(a - b) <= 6 for b in seconds) >= ceiling for a in seconds)
    assert len(rows) == len({event.id for event in rows})
    if crowded:
        assert {event.id for event in rows} <= {event.id for event in inside}
    else:
        assert {event.id for event in rows} == {event.id for event in inside}
    assert chunks[-1].last
    assert not any(chunk.last for chunk in chunks[:-1])
    met: set[str] = set()
    for chunk in chunks:
        met.update(event.id for event in chunk.rows)
        if not crowded and chunk.reached:
            for event in inside:
                assert event.at
                beyond = event.at >= chunk.reached if newest_first else event.at < chunk.reached
                assert event.id in met or not beyond


def test_a_crowd_in_one_second_is_read_as_far_as_it_goes_and_the_rest_is_told() -> None:
    vendor = Vendor(events_at([7] * 60), ceiling=40)
    rows, chunks = asyncio.run(everything(vendor.fetch, ceiling=40))
    assert len(rows) == 40
    assert chunks[-1].lacking >= 20


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("total", "lacking"), [(0, 0), (1, 0), (100, 0), (149, 0), (151, 1), (9_999, 9_849)]
)
def test_a_wrong_total_does_not_lose_a_row_and_what_is_lacking_is_told(
    total: int, lacking: int
) -> None:
    vendor = Vendor(events_at(list(range(150))))

    async def fetch(since: datetime, until: datetime, offset: int, most: int) -> Page[Event]:
        page = await vendor.fetch(since, until, offset, most)
        return Page(page.rows, page.more, total)

    rows, chunks = asyncio.run(everything(fetch))
    assert rows == vendor.events
    assert chunks[-1].lacking == lacking


@pytest.mark.fault(53)
def test_a_total_that_was_wrong_once_is_believed_when_it_is_right_the_second_time() -> None:
    vendor = Vendor(events_at(list(range(150))))

    async def fetch(since: datetime, until: datetime, offset: int, most: int) -> Page[Event]:
        page = await vendor.fetch(since, until, offset, most)
        return Page(page.rows, page.more, 151 if vendor.asked <= 2 else page.total)

    rows, chunks = asyncio.run(everything(fetch))
    assert rows == vendor.events
    assert chunks[-1].lacking == 0
    assert vendor.asked == 4


def test_pages_that_grow_shorter_do_not_lose_a_row() -> None:
    vendor = Vendor(events_at(list(range(250))))

    async def fetch(since: datetime, until: datetime, offset: int, most: int) -> Page[Event]:
        vendor.most = 50 if offset else 100
        return await vendor.fetch(since, until, offset, most)

    rows, _ = asyncio.run(everything(fetch))
    assert sorted(rows, key=lambda event: int(event.id[1:])) == vendor.events


def test_a_list_that_stands_still_is_asked_for_page_by_page_and_no_more() -> None:
    vendor = Vendor(events_at(list(range(1_000))))
    rows, _ = asyncio.run(everything(vendor.fetch))
    assert len(rows) == 1_000
    assert vendor.asked == 10


def test_a_window_of_many_lists_costs_one_request_more_for_each_split() -> None:
    vendor = Vendor(events_at([n % 3_600 for n in range(30_000)]))
    rows, _ = asyncio.run(everything(vendor.fetch))
    assert len(rows) == 30_000
    assert vendor.asked <= 300 + 4 + 4 * 2


def test_rows_without_a_time_are_taken_once_however_the_window_is_split() -> None:
    odd = [Event(f"odd {n}", None) for n in range(3)]
    vendor = Vendor(events_at([n * 30 for n in range(120)]) + odd, most=10, ceiling=40)
    rows, _ = asyncio.run(everything(vendor.fetch, ceiling=40))
    assert sorted(event.id for event in rows) == sorted(event.id for event in vendor.events)


def test_a_reading_that_is_stopped_early_asks_for_no_more_than_what_was_under_way() -> None:
    vendor = Vendor(events_at([n % 3_600 for n in range(9_000)]), newest_first=True)

    async def two_pages() -> Chunk[Event]:
        read = windowed(
            vendor.fetch,
            lambda event: event.id,
            lambda event: event.at,
            START,
            START + HOUR,
            newest_first=True,
        )
        async with aclosing(read) as chunks:
            await anext(chunks)
            return await anext(chunks)

    assert asyncio.run(two_pages()).rows
    assert vendor.asked <= 2 + AHEAD


@pytest.mark.fault(52)
def test_a_vendor_that_does_not_keep_to_the_times_asked_for_is_an_error() -> None:
    vendor = Vendor(events_at([n % 3_600 for n in range(20_000)]))

    async def everything_always(
        since: datetime, until: datetime, offset: int, most: int
    ) -> Page[Event]:
        return await vendor.fetch(START - HOUR, START + 9 * HOUR, offset, most)

    with pytest.raises(BrokenAnswer, match="times"):
        asyncio.run(everything(everything_always))
    assert vendor.asked < 20
