"""Reading lists that move while they are read, and lists longer than the API admits.

PagerDuty pages by offset, refuses offsets beyond 10,000, and rows shift when people come and
go between two pages. https://developer.pagerduty.com/docs/pagination
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from seatwise.connectors.errors import BrokenAnswer

R = TypeVar("R")

LIMIT = 100  # rows a page, the most PagerDuty gives
CEILING = 10_000  # offset + limit may not go beyond this
OVERLAP = 3  # rows a page shares with the one before
MOST_RETREATS = 20
MOST_BARREN = 40  # pages read again on the way forward after a retreat
BORDER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page as it arrived. `total` is None where the vendor did not say."""

    rows: Sequence[R]
    more: bool
    total: int | None


@dataclass(frozen=True, slots=True)
class Chunk(Generic[R]):
    """What one page brought that was new. `cut` says that the ceiling ended the reading."""

    rows: tuple[R, ...]
    total: int | None
    last: bool
    cut: bool = False


Fetch = Callable[[int, int], Awaitable[Page[R]]]  # offset and limit to a page
Key = Callable[[R], str]
WindowFetch = Callable[[datetime, datetime, int, int], Awaitable[Page[R]]]


async def overlapping(
    fetch: Fetch[R], key: Key[R], *, limit: int = LIMIT, ceiling: int = CEILING
) -> AsyncIterator[Chunk[R]]:
    """Every row that is there throughout the reading, each once, though others come and go.

    Pages overlap: a page is believed only when it holds a row already seen, for then nobody
    can have slipped between the two; otherwise it is asked again from further back. Raises
    BrokenAnswer when a page brings nothing new although more was promised.
    """
    seen: set[str] = set()
    offset, back, overlap = 0, OVERLAP, 0
    retreats = barren = 0
    while True:
        page = await fetch(offset, min(limit, ceiling - offset))
        keys = [key(row) for row in page.rows]
        if overlap and offset and seen.isdisjoint(keys):
            retreats += 1
            if retreats > MOST_RETREATS:
                raise BrokenAnswer("A list at PagerDuty changed faster than it could be read.")
            offset, back = max(0, offset - back), back * 2
            continue
        new = _unseen(page.rows, keys, seen)
        barren += not new
        if page.more and not new and (back == OVERLAP or barren > MOST_BARREN):
            raise BrokenAnswer("PagerDuty sent the same page again and promised more.")
        overlap = min(OVERLAP, len(keys) - 1)
        offset += len(keys) - overlap
        # A page of which nothing is new must not undo the way back that led to it.
        back = OVERLAP if new else back
        cut = page.more and ceiling - offset <= overlap
        yield Chunk(new, page.total, last=cut or not page.more, cut=cut)
        if cut or not page.more:
            return


async def whole_window(
    fetch: WindowFetch[R],
    key: Key[R],
    since: datetime,
    until: datetime,
    *,
    ceiling: int = CEILING,
) -> list[R]:
    """Every row between two moments, each once; the window is halved until the ceiling holds it.

    The windows reach a second over their borders, so that no row is lost on one: the caller
    drops what lies outside. Pages are asked at once as soon as their number is known.
    """

    async def ask(offset: int, limit: int) -> Page[R]:
        return await fetch(since - BORDER, until + BORDER, offset, limit)

    first = await ask(0, min(LIMIT, ceiling))
    rows = await _unless_too_long(ask, first, key, ceiling)
    if rows is None:
        if until - since <= 4 * BORDER:
            raise BrokenAnswer("PagerDuty has more rows in a few seconds than it can list.")
        middle = since + (until - since) / 2
        earlier = await whole_window(fetch, key, since, middle, ceiling=ceiling)
        rows = earlier + await whole_window(fetch, key, middle, until, ceiling=ceiling)
    return list({key(row): row for row in rows}.values())


async def together(jobs: Iterable[Coroutine[object, object, R]]) -> list[R]:
    """The results of jobs that run at once; when one fails, the others are stopped."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _unseen(rows: Sequence[R], keys: Sequence[str], seen: set[str]) -> tuple[R, ...]:
    new = []
    for row, name in zip(rows, keys, strict=True):
        if name not in seen:
            seen.add(name)
            new.append(row)
    return tuple(new)


async def _unless_too_long(
    fetch: Fetch[R], first: Page[R], key: Key[R], ceiling: int
) -> list[R] | None:
    """All rows of a list, or None where it is longer than the ceiling."""
    if first.total is not None:
        if first.total > ceiling:
            return None
        rows = await _at_once(fetch, first, first.total, ceiling)
        if rows is not None and len({key(row) for row in rows}) == first.total:
            return rows
    rows = []
    async for chunk in overlapping(fetch, key, ceiling=ceiling):
        rows += chunk.rows
        if chunk.cut:
            return None
    return rows


async def _at_once(fetch: Fetch[R], first: Page[R], total: int, ceiling: int) -> list[R] | None:
    """The pages after the first, asked together; None where there is more after the last."""
    if not first.more or not first.rows:
        return list(first.rows)
    stride = len(first.rows)
    offsets = range(stride, total, stride)
    pages = await together(_page(fetch, at, min(LIMIT, ceiling - at)) for at in offsets)
    if not pages or pages[-1].more:
        return None
    return [row for page in (first, *pages) for row in page.rows]


async def _page(fetch: Fetch[R], offset: int, limit: int) -> Page[R]:
    return await fetch(offset, limit)
