"""Lists that move while they are read, and lists longer than the vendor admits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.pagerduty.enumerating import enumerated
from seatwise.connectors.pagerduty.paging import AHEAD, Chunk, Page, overlapping


async def everything(
    fetch: Callable[[int, int], Awaitable[Page[str]]], limit: int = 100, ceiling: int = 10_000
) -> tuple[list[str], Chunk[str]]:
    rows: list[str] = []
    async for chunk in overlapping(fetch, str, limit=limit, ceiling=ceiling):
        rows += chunk.rows
    return rows, chunk


# A change between two pages: the place in the list (as a share), and whether somebody comes.
CHANGES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=6)


@pytest.mark.fault(49)
@pytest.mark.fault(51)
@settings(max_examples=400, deadline=None)
@given(
    size=st.integers(0, 80),
    between=st.lists(CHANGES, max_size=30),
    limit=st.integers(11, 15),
    delays=st.lists(st.integers(0, 12), max_size=30),
)
def test_nobody_who_stayed_is_missed_while_others_come_and_go(
    size: int, between: list[list[tuple[float, bool]]], limit: int, delays: list[int]
) -> None:
    people = [f"P{n}" for n in range(size)]
    stayed = set(people)
    upcoming = iter(between)
    newcomers = iter(range(10_000))
    slow = iter(delays)

    async def fetch(offset: int, most: int) -> Page[str]:
        for _ in range(next(slow, 0)):  # pages asked for at once are answered in any order
            await asyncio.sleep(0)
        rows = people[offset : offset + most]
        page = Page(rows, offset + len(rows) < len(people), len(people))
        for share, comes in next(upcoming, []):
            place = int(share * len(people))
            if comes:
                people.insert(place, f"N{next(newcomers)}")
            elif people:
                stayed.discard(people.pop(min(place, len(people) - 1)))
        return page

    rows, last = asyncio.run(everything(fetch, limit))
    assert stayed <= set(rows)
    assert len(rows) == len(set(rows))
    assert last.last
    assert not last.cut


@pytest.mark.parametrize("size", [0, 1, 3, 4, 10, 97, 100, 101, 250])
@pytest.mark.parametrize("given_rows", [1, 2, 3, 4, 25, 100])
def test_a_vendor_that_gives_fewer_rows_than_asked_is_read_to_the_end(
    size: int, given_rows: int
) -> None:
    async def fetch(offset: int, most: int) -> Page[str]:
        rows = [str(n) for n in range(size)][offset : offset + min(most, given_rows)]
        return Page(rows, offset + len(rows) < size, None)

    rows, _ = asyncio.run(everything(fetch))
    assert rows == [str(n) for n in range(size)]


@pytest.mark.fault(52)
def test_a_vendor_that_ignores_the_offset_is_an_error() -> None:
    asked: list[int] = []

    async def fetch(offset: int, most: int) -> Page[str]:
        asked.append(offset)
        return Page([str(n) for n in range(100)], True, 1000)

    with pytest.raises(BrokenAnswer, match="same page"):
        asyncio.run(everything(fetch))
    assert len(asked) <= 1 + AHEAD


@pytest.mark.fault(52)
def test_an_empty_page_that_promises_more_is_an_error() -> None:
    async def fetch(offset: int, most: int) -> Page[str]:
        return Page([], True, 5)

    with pytest.raises(BrokenAnswer):
        asyncio.run(everything(fetch))


@pytest.mark.fault(52)
def test_a_list_that_is_another_one_each_time_is_given_up() -> None:
    asked: list[int] = []

    async def fetch(offset: int, most: int) -> Page[str]:
        asked.append(offset)
        return Page([f"{len(asked)} {n}" for n in range(most)], True, None)

    with pytest.raises(BrokenAnswer):
        asyncio.run(everything(fetch))
    assert len(asked) < 100


@pytest.mark.fault(50)
def test_a_list_beyond_the_ceiling_is_cut_and_says_so() -> None:
    async def fetch(offset: int, most: int) -> Page[str]:
        assert offset + most <= 1000
        assert most > 0
        rows = [str(n) for n in range(1200)][offset : offset + most]
        return Page(rows, True, 1200)

    rows, last = asyncio.run(everything(fetch, ceiling=1000))
    assert rows == [str(n) for n in range(1000)]
    assert last.cut
    assert last.total == 1200


@pytest.mark.fault(49)
def test_a_page_behind_four_departures_is_asked_again_from_further_back() -> None:
    people = [f"P{n:03}" for n in range(250)]
    offsets: list[int] = []

    async def fetch(offset: int, most: int) -> Page[str]:
        offsets.append(offset)
        page = Page(people[offset : offset + most], offset + most < len(people), None)
        if len(offsets) == 1:
            del people[10:14]
        return page

    rows, _ = asyncio.run(everything(fetch))
    assert set(people) <= set(rows)
    assert offsets[:3] == [0, 97, 94]


@pytest.mark.fault(53)
@pytest.mark.parametrize("later", [150, None])
def test_a_total_that_shrinks_or_is_not_told_any_more_hides_nobody(later: int | None) -> None:
    people = [f"P{n}" for n in range(250)]

    async def fetch(offset: int, most: int) -> Page[str]:
        if not offset:
            return Page(people[:most], True, 250)
        return Page(people[offset : offset + most], False, later)

    async def lacking() -> list[Chunk[str]]:
        return [chunk async for chunk in enumerated(fetch, str)]

    chunks = asyncio.run(lacking())
    assert [chunk.last for chunk in chunks] == [False, False, False, True]
    assert chunks[-1].lacking == 250 - 197 - 1


def test_somebody_who_goes_meanwhile_makes_no_list_incomplete() -> None:
    people = [f"P{n}" for n in range(250)]

    async def fetch(offset: int, most: int) -> Page[str]:
        page = Page(people[offset : offset + most], offset + most < len(people), len(people))
        if not offset:
            people.remove("P200")
        return page

    async def read() -> list[Chunk[str]]:
        return [chunk async for chunk in enumerated(fetch, str)]

    chunks = asyncio.run(read())
    assert len(chunks) == 3
    assert chunks[-1].last
    assert chunks[-1].lacking == 0
