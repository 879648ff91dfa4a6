"""What a reading of activity leaves for the next one: which stretches were read, who was met.

    {"covered": [[since, until], …], "awaited": [member, …] or null,
     "analysed": [since, until] or null, "audited": [[since, until], …], "due": {member: day}}

Times are ISO 8601 with an offset, days are counted since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from seatwise.connectors.pagerduty.activity.intervals import Interval, merged
from seatwise.connectors.state import StateRefused

MOST_AWAITED = 10_000  # ids in a state


@dataclass(slots=True)
class Remembered:
    """The activity part of a state, opened."""

    covered: list[Interval] = field(default_factory=list)  # of the log
    # Of whom nothing is known that is newer than the oldest moment read. None: nobody knows who,
    # or they are more than a state should hold.
    awaited: frozenset[str] | None = None
    analysed: Interval | None = None  # of the incidents in analytics
    audited: list[Interval] = field(default_factory=list)  # of the audit trail
    due: dict[str, int] = field(default_factory=dict)  # from when on to ask for each by name

    @classmethod
    def opened(cls, part: Mapping[str, Any]) -> Self:
        """What an earlier reading left. Raises StateRefused where it is damaged."""
        try:
            analysed = part.get("analysed")
            return cls(
                _intervals(part.get("covered", ())),
                _names(part.get("awaited")),
                _interval(analysed) if analysed is not None else None,
                _intervals(part.get("audited", ())),
                {str(name): int(day) for name, day in part.get("due", {}).items()},
            )
        except (ValueError, TypeError, AttributeError, OverflowError):
            raise StateRefused(
                "What an earlier reading left of activity is damaged. Read everything anew."
            ) from None

    def as_part(self, horizon: datetime) -> dict[str, object]:
        """A fresh copy as JSON, without what is older than is ever read again."""
        return {
            "covered": _told(self.covered, horizon),
            "awaited": None if self.awaited is None else sorted(self.awaited),
            "analysed": next(iter(_told([self.analysed], horizon)), None)
            if self.analysed
            else None,
            "audited": _told(self.audited, horizon),
            "due": dict(self.due),
        }


def _interval(value: Any) -> Interval:
    since, until = (datetime.fromisoformat(text) for text in value)
    if since.tzinfo is None or until.tzinfo is None or since > until:
        raise ValueError("no stretch of time")
    return since, until


def _intervals(values: Any) -> list[Interval]:
    return merged(_interval(value) for value in values)


def _names(values: Any) -> frozenset[str] | None:
    return None if values is None else frozenset(str(value) for value in values)


def _told(intervals: list[Interval], horizon: datetime) -> list[list[str]]:
    kept = [interval for interval in merged(intervals) if interval[1] >= horizon]
    return [[since.isoformat(), until.isoformat()] for since, until in kept]
