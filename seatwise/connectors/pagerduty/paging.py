"""Reading lists that move while they are read, and lists longer than the API admits.

PagerDuty pages by offset, refuses offsets beyond 10,000, and rows shift when people come and
go between two pages. https://developer.pagerduty.com/docs/pagination

Pages are asked for ahead of time, several at once, and handed over in their order, each as it
comes: what is read is never held whole.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from seatwise.connectors.errors import BrokenAnswer

R = TypeVar("R")

LIMIT = 100  # rows a page, the most PagerDuty gives
CEILING = 10_000  # offset + limit may not go beyond this
OVERLAP = 3  # rows a page shares with the one before
AHEAD = 8  # pages asked for before the first of them is used; the pace allows no more at once
MOST_RETREATS = 20
MOST_BARREN = 40  # pages read again on the way forward after a retreat
BORDER = timedelta(seconds=1)
SHORTEST = 4 * BORDER  # what is this short cannot be split usefully


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page as it arrived. `total` is None where the vendor did not say."""

    rows: Sequence[R]
    more: bool
    total: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a list was read, and what is found there again while the list stands still."""

    offset: int = 0
    tail: tuple[str, ...] = ()  # the keys of the first rows from there on, read already
    total: int | None = None
    met: int = 0  # rows so far
    pages: int = 0
    largest: int = 0  # of the totals that came with those pages

    def is_in(self, page: Page[R], keys: Sequence[str]) -> bool:
        """Whether a page from that offset on shows the list as it was left."""
        return page.total == self.total and tuple(keys[: len(self.tail)]) == self.tail


@dataclass(frozen=True, slots=True)
class Chunk(Generic[R]):
    """What one page brought that was new.

    `total` is what the vendor says the whole list has, None where it does not say. Of a list
    between two moments `reached` says how far it is known: in the order of reading, nothing is
    missing up to there. `cut` says that the ceiling ended the reading, `lacking` how many rows the
    vendor counts and does not show, however often it is asked; a crowd on a border counts twice.
    From its `place` another attempt may go on. It is `anew` where the list had moved since the
    attempt before, so that this is the first of all pages.
    """

    rows: tuple[R, ...]
    total: int | None
    last: bool
    cut: bool = False
    reached: datetime | None = None
    lacking: int = 0
    place: Place = Place()
    anew: bool = False


Fetch = Callable[[int, int], Awaitable[Page[R]]]  # offset and limit to a page
Key = Callable[[R], str]
At = Callable[[R], datetime | None]  # the time by which the vendor puts a row into a window
WindowFetch = Callable[[datetime, datetime, int, int], Awaitable[Page[R]]]


async def overlapping(
    fetch: Fetch[R],
    key: Key[R],
    *,
    limit: int = LIMIT,
    ceiling: int = CEILING,
    ahead: int = AHEAD,
    place: Place | None = None,
) -> AsyncGenerator[Chunk[R], None]:
    """Every row that is there throughout the reading, each once, though others come and go.

    Pages overlap: a page is believed only when it holds a row already seen, for then nobody
    can have slipped between the two; otherwise it is asked again from further back. From a
    `place` only the rest is read, but all of it, anew, where the list is not as it was left: far
    more can have moved since than between two pages. Raises BrokenAnswer when a page brings
    nothing new although more was promised.
    """
    left = place if place and place.tail else None
    seen = set(left.tail if left else ())
    offset, back, overlap = left.offset if left else 0, OVERLAP, len(seen)
    retreats = barren = 0
    anew = place is not None and left is None
    async with aclosing(_Asked(fetch, limit, ceiling, ahead)) as asked:
        while True:
            page = await asked.page(offset)
            keys = [key(row) for row in page.rows]
            if left and not left.is_in(page, keys):
                left, anew, offset, overlap, seen = None, True, 0, 0, set()
                continue
            left = None
            if overlap and offset and seen.isdisjoint(keys):
                retreats += 1
                if retreats > MOST_RETREATS:
                    raise BrokenAnswer("A list at PagerDuty changed faster than it could be read.")
                offset, back = max(0, offset - back), back * 2
                continue
            new = unseen(page.rows, keys, seen)
            barren += not new
            if page.more and not new and (back == OVERLAP or barren > MOST_BARREN):
                raise BrokenAnswer("PagerDuty sent the same page again and promised more.")
            overlap = min(OVERLAP, len(keys) - 1)
            offset += len(keys) - overlap
            # A page of which nothing is new must not undo the way back that led to it.
            back = OVERLAP if new else back
            cut = page.more and ceiling - offset <= overlap
            last = cut or not page.more
            here = Place(offset, tuple(keys[len(keys) - overlap :]), page.total)
            yield Chunk(new, page.total, last, cut, place=here, anew=anew)
            anew = False
            if last:
                return
            if new and len(keys) == limit:
                asked.look_ahead(offset, limit - overlap, (page.total or 0) - overlap)


async def windowed(
    fetch: WindowFetch[R],
    key: Key[R],
    at: At[R],
    since: datetime,
    until: datetime,
    *,
    newest_first: bool = False,
    ceiling: int = CEILING,
    ahead: int = AHEAD,
) -> AsyncGenerator[Chunk[R], None]:
    """Every row from `since` until before `until`, each once, a page at a time.

    The list must be in the order of its times, `newest_first` or oldest first. It is split into
    shorter windows until the ceiling holds each. They reach a second over their borders, for the
    vendor's own are not to be trusted to the second; what lies outside is dropped by its time. A
    row without one is taken. Where total and rows contradict each other the window is read again,
    row for row; the last chunk says what is lacking then. Whoever may stop early has fewer pages
    asked for `ahead`.
    """
    windows = _Windows(fetch, key, at, newest_first, ceiling, ahead)
    total = lacking = 0
    async with aclosing(windows.read(since, until, set())) as chunks:
        async for chunk in chunks:
            total, lacking = total + (chunk.total or 0), lacking + chunk.lacking
            yield replace(chunk, total=None, lacking=0)
    end = since if newest_first else until
    yield Chunk((), total, last=True, reached=end, lacking=lacking)


async def together(jobs: Iterable[Coroutine[object, object, R]]) -> list[R]:
    """The results of jobs that run at once; when one fails, the others are stopped."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await _stop(tasks)


def unseen(rows: Sequence[R], keys: Sequence[str], seen: set[str]) -> tuple[R, ...]:
    """The rows whose keys were not seen, which they are from now on."""
    new = []
    for row, name in zip(rows, keys, strict=True):
        if name not in seen:
            seen.add(name)
            new.append(row)
    return tuple(new)


@dataclass(slots=True)
class _Windows(Generic[R]):
    """A stretch of time, read in windows that the ceiling holds."""

    fetch: WindowFetch[R]
    key: Key[R]
    at: At[R]
    newest_first: bool
    ceiling: int
    ahead: int
    timeless: set[str] = field(default_factory=set)  # no border tells these rows apart

    async def read(
        self, since: datetime, until: datetime, before: set[str]
    ) -> AsyncGenerator[Chunk[R], None]:
        """The rows between these times, without those in `before`.

        The last chunk of each window that needs no splitting has a total, and what is lacking.
        """

        async def ask(offset: int, limit: int) -> Page[R]:
            return await self.fetch(since - BORDER, until + BORDER, offset, limit)

        window = _Window(self, since, until, before)
        divisible = until - since > SHORTEST
        async with aclosing(_Asked(ask, LIMIT, self.ceiling, self.ahead)) as asked:
            first = await asked.page(0)
            cut = divisible and (first.total or 0) > self.ceiling
            if cut:
                self._check_heeded(first, since, until)
            page = first
            if not cut:
                async with aclosing(_straight(asked, first, self.ceiling)) as pages:
                    async for page in pages:
                        yield window.chunk(page.rows)
        total = first.total
        if not cut and (page.more or len(window.listed) != total):
            async with aclosing(overlapping(ask, self.key, ceiling=self.ceiling)) as again:
                async for chunk in again:
                    yield window.chunk(chunk.rows)
                    total, cut = chunk.total, chunk.cut and divisible
        if cut:
            async with aclosing(self._in_parts(total, window)) as parts:
                async for chunk in parts:
                    yield chunk
        else:
            yield window.end(total)

    def _check_heeded(self, page: Page[R], since: datetime, until: datetime) -> None:
        """That the vendor keeps to the times asked for: splitting them would never end."""
        times = [at for row in page.rows if (at := self.at(row)) is not None]
        if any(not since - 3 * BORDER <= at <= until + 3 * BORDER for at in times):
            raise BrokenAnswer("PagerDuty does not keep to the times that it is asked for.")

    async def _in_parts(
        self, total: int | None, window: "_Window[R]"
    ) -> AsyncGenerator[Chunk[R], None]:
        """So many parts that even of an uneven stretch most are short enough."""
        count = max(-(-(total or 0) * 4 // (self.ceiling * 3)), 2)
        length = (window.until - window.since) / count
        starts = [window.since + length * n for n in range(count)]
        parts = list(zip(starts, [*starts[1:], window.until], strict=True))
        for start, end in reversed(parts) if self.newest_first else parts:
            async with aclosing(self.read(start, end, window.known)) as chunks:
                async for chunk in chunks:
                    yield chunk


class _Window(Generic[R]):
    """One window: which of its rows have come, and up to where none is missing."""

    def __init__(
        self, windows: _Windows[R], since: datetime, until: datetime, before: set[str]
    ) -> None:
        self.since, self.until = since, until
        self.listed: set[str] = set()  # what the vendor counts, a second over the borders, too
        self._windows, self._before = windows, before
        self._reached = until if windows.newest_first else since
        self._in_order = True

    @property
    def known(self) -> set[str]:
        """What need not be handed over again by the parts of this window."""
        return self._before | self.listed

    def chunk(self, rows: Sequence[R]) -> Chunk[R]:
        """What these rows bring."""
        windows, new = self._windows, []
        for row in rows:
            name, at = windows.key(row), windows.at(row)
            self._go_on(at)
            if name in self.listed:
                continue
            self.listed.add(name)
            if name in self._before or name in windows.timeless:
                continue
            if at is None:
                windows.timeless.add(name)
            elif not self.since <= at < self.until:
                continue
            new.append(row)
        return Chunk(tuple(new), None, last=False, reached=self._reached)

    def end(self, total: int | None) -> Chunk[R]:
        """That this was all of the window."""
        lacking = max((total or 0) - len(self.listed), 0)
        reached = self.since if self._windows.newest_first else self.until
        return Chunk((), len(self.listed) + lacking, False, reached=reached, lacking=lacking)

    def _go_on(self, at: datetime | None) -> None:
        """Others of the same second may follow. Out of order, nothing is known before the end."""
        if at is None or not self._in_order:
            return
        if self._windows.newest_first:
            self._in_order = at < self._reached + 2 * BORDER
            self._reached = min(self._reached, max(at + BORDER, self.since))
        else:
            self._in_order = at > self._reached - 2 * BORDER
            self._reached = max(self._reached, min(at, self.until))


class _Asked(Generic[R]):
    """Pages of one list, some of them asked for ahead of time."""

    def __init__(self, fetch: Fetch[R], limit: int, ceiling: int, ahead: int) -> None:
        self._fetch, self._limit, self._ceiling, self._most = fetch, limit, ceiling, ahead
        self._tasks: dict[int, asyncio.Task[Page[R]]] = {}  # by offset

    async def page(self, offset: int) -> Page[R]:
        """The page there; what was asked ahead for another place is given up."""
        if (task := self._tasks.pop(offset, None)) is not None:
            return await task
        await self.aclose()
        return await self._ask(offset)

    def look_ahead(self, offset: int, stride: int, end: int) -> None:
        """Asks for pages from that offset on, up to `end`, which the vendor may correct."""
        for at in range(offset, min(end, self._ceiling), stride):
            if len(self._tasks) >= self._most:
                return
            if at not in self._tasks:
                self._tasks[at] = asyncio.ensure_future(self._ask(at))

    async def aclose(self) -> None:
        """Stops what is under way."""
        tasks, self._tasks = list(self._tasks.values()), {}
        await _stop(tasks)

    async def _ask(self, offset: int) -> Page[R]:
        return await self._fetch(offset, min(self._limit, self._ceiling - offset))


async def _straight(
    asked: _Asked[R], first: Page[R], ceiling: int
) -> AsyncGenerator[Page[R], None]:
    """The pages of a list that stands still, one after the other, without overlap."""
    page, offset = first, 0
    end = min(first.total or 0, ceiling)
    while True:
        yield page
        offset += len(page.rows)
        if not page.more or not page.rows or offset >= end:
            return
        asked.look_ahead(offset, len(first.rows), end)
        page = await asked.page(offset)


async def _stop(tasks: Sequence[asyncio.Task[R]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
