"""Numbers that are counted row by row, and what of them a later reading need not ask for again.

Rows are counted in two heaps: the early ones, of which the vendor will show no more, and those of
the last hour, which are read again next time. So nothing is counted twice and nothing remembered
by its id.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self, TypeVar

from seatwise.connectors.pagerduty.paging import Chunk

R = TypeVar("R")

OVERLAP = timedelta(hours=1)  # how late the vendor may show what has happened


@dataclass(frozen=True, slots=True)
class Stretch:
    """A month, as far as it lies behind us."""

    start: datetime
    end: datetime
    now: datetime  # up to which is read
    read_at: datetime  # when; `now` or later

    @property
    def over(self) -> bool:
        """Whether nothing more can happen in it."""
        return self.end <= self.now

    @property
    def until(self) -> datetime:
        """Up to where there is something to read."""
        return min(self.end, self.now)

    @property
    def cut(self) -> datetime:
        """Before it nothing more will turn up."""
        return min(self.now, self.read_at - OVERLAP)

    @property
    def settled(self) -> bool:
        """Whether it is over, and everything that happened in it can be seen by now."""
        return self.end <= self.cut


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there were before `until`, by word."""

    until: datetime
    counts: Mapping[str, int]

    @classmethod
    def opened(cls, raw: Mapping[str, object] | None) -> Self | None:
        """What `as_json` wrote; None where there is nothing. Raises ValueError or TypeError."""
        if raw is None:
            return None
        until, counts = raw["until"], raw["counts"]
        if not isinstance(counts, Mapping):
            raise TypeError("no counts")
        return cls(aware(until), {str(word): whole(number) for word, number in counts.items()})

    def as_json(self) -> dict[str, object]:
        """Plain JSON."""
        return {"until": self.until.isoformat(), "counts": dict(self.counts)}

    def helps(self, stretch: Stretch) -> bool:
        """Whether counting may go on from here.

        A month that has ended since is counted anew, so that its last numbers are of one reading.
        """
        if stretch.over:
            return stretch.end <= self.until <= stretch.now
        return stretch.start <= self.until <= stretch.now


@dataclass(slots=True)
class Counting:
    """Counts the rows of a stretch by the words that each stands for."""

    stretch: Stretch
    known: Counted | None = None
    early: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    lacking: int = 0  # rows that the vendor counts and does not show
    timeless: bool = False  # whether a row could not be placed

    def __post_init__(self) -> None:
        if self.known is not None and not self.known.helps(self.stretch):
            self.known = None
        self.early.update(self.known.counts if self.known else {})

    @property
    def since(self) -> datetime:
        """From where there is something to read, up to `stretch.until`; there or later: nothing."""
        return self.known.until if self.known else self.stretch.start

    @property
    def total(self) -> Counter[str]:
        """All that was counted."""
        return self.early + self.late

    async def add(
        self,
        chunks: AsyncGenerator[Chunk[R], None],
        words: Callable[[R], Iterable[str]],
        at: Callable[[R], datetime | None],
    ) -> None:
        """Counts what comes, page by page."""
        async with aclosing(chunks):
            async for chunk in chunks:
                self.lacking += chunk.lacking
                for row in chunk.rows:
                    time = at(row)
                    self.timeless |= time is None
                    heap = self.early if time and time < self.stretch.cut else self.late
                    heap.update(words(row))

    def kept(self, words: Iterable[str]) -> Counted | None:
        """What to remember of these words; None where that would not be sure."""
        if self.lacking or self.timeless:
            return None
        until = max(self.stretch.cut, self.since)
        return Counted(until, {word: self.early[word] for word in words})


def whole(value: object) -> int:
    """A number that was kept. Raises TypeError where it is none."""
    if not isinstance(value, int):
        raise TypeError("no number")
    return value


def aware(value: object) -> datetime:
    """A time that was kept. Raises ValueError where it is none, or one without a zone."""
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        raise ValueError("no zone")
    return found
