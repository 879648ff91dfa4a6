"""The sums of a month's incidents, and what of them is remembered until the next reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from seatwise.connectors.pagerduty.usage.counted import Stretch, aware, whole

MOST_OPEN = 2_000  # open incidents of a month to remember; with more it is read whole

Opened = tuple[int, datetime]  # how many alerts an open incident had, and when it was created


@dataclass(frozen=True, slots=True)
class Known:
    """A month's incidents created before `until`, as an earlier reading left them."""

    until: datetime
    count: int
    alerts: int
    open: Mapping[str, Opened]

    @classmethod
    def opened(cls, raw: Mapping[str, object] | None) -> Self | None:
        """What `as_json` wrote; None where there is nothing. Raises ValueError or TypeError."""
        if raw is None:
            return None
        still = raw["open"]
        if not isinstance(still, Mapping):
            raise TypeError("no open incidents")
        return cls(
            aware(raw["until"]),
            whole(raw["count"]),
            whole(raw["alerts"]),
            {str(name): (whole(n), aware(at)) for name, (n, at) in still.items()},
        )

    def as_json(self) -> dict[str, object]:
        """Plain JSON."""
        return {
            "until": self.until.isoformat(),
            "count": self.count,
            "alerts": self.alerts,
            "open": {name: [n, at.isoformat()] for name, (n, at) in self.open.items()},
        }

    def helps(self, stretch: Stretch) -> bool:
        """Whether reading may go on from here: a clock that went back would tear it."""
        return stretch.start < self.until <= stretch.now


@dataclass(slots=True)
class Heap:
    """Some incidents: how many, with how many alerts, and which of them are open."""

    count: int = 0
    alerts: int = 0
    any_open: bool = False
    open: dict[str, Opened] = field(default_factory=dict)


class Tally:
    """The sums while they are made: of the early incidents, and of those of the last hour.

    The latter are read again by the next reading, for the vendor may show some of them late.
    `torn` says that what was remembered does not fit what is seen now, and that sums of both
    together would be wrong.
    """

    def __init__(self, cut: datetime, known: Known | None = None) -> None:
        self.early, self.late = Heap(), Heap()
        self.cut = max(cut, known.until) if known else cut
        self.lacking = 0  # incidents that the vendor counts and does not show
        self.blank = False  # whether one came without the number of its alerts
        self.torn = False
        self._lasting = True  # whether the early ones can be remembered
        if known:
            open_ones = dict(known.open)
            self.early = Heap(known.count, known.alerts, bool(open_ones), open_ones)

    @property
    def count(self) -> int:
        """Incidents."""
        return self.early.count + self.late.count

    @property
    def alerts(self) -> int | None:
        """Alerts under them; None where one of them does not tell."""
        return None if self.blank else self.early.alerts + self.late.alerts

    @property
    def any_open(self) -> bool:
        """Whether one of them may still gain alerts."""
        return self.early.any_open or self.late.any_open

    def take(self, name: str, at: datetime | None, alerts: int | None, is_open: bool) -> None:
        """Counts an incident."""
        heap = self.early if at is not None and at < self.cut else self.late
        self._lasting &= at is not None
        self.blank |= alerts is None
        heap.count += 1
        heap.alerts += alerts or 0
        heap.any_open |= is_open
        if is_open and at is not None and heap is self.early:
            if len(heap.open) < MOST_OPEN:
                heap.open[name] = (alerts or 0, at)
            else:
                self._lasting = False

    def settle(self, name: str, alerts: int | None, is_open: bool) -> None:
        """What has become of an early incident that was open."""
        before, at = self.early.open.pop(name)
        self.blank |= alerts is None
        self.early.alerts += (alerts or 0) - before
        if is_open:
            self.early.open[name] = (alerts or 0, at)
        self.early.any_open = bool(self.early.open)

    def kept(self) -> Known | None:
        """What to remember; None where that would not be sure."""
        if self.lacking or self.blank or self.torn or not self._lasting:
            return None
        return Known(self.cut, self.early.count, self.early.alerts, self.early.open)
