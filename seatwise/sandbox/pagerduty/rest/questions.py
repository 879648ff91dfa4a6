"""What analytics is asked in the body of a request, and how its answers are cut into batches.

Data is as of the last midnight (UTC), so that it is up to 24 hours old. Times without an offset
are UTC, and so are those of the answers unless another zone is asked for.
"""

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from ..company.codes import DAY
from ..company.sequences import Backwards
from .answers import Body, Call, RestError, invalid
from .filters import able
from .paging import bounds, months_after, read_time, seconds

Row = TypeVar("Row")
Key = tuple[Any, ...]
MOST: Final = 1000  # rows of a batch
LONGEST: Final = 12  # months of a window
ORDERS: Final = ("asc", "desc")


class Question:
    """The body of one request: filters, order, zone. Raises RestError for what is not known."""

    def __init__(self, call: Call, filters: Sequence[str], columns: Sequence[str]) -> None:
        self.call, self.posted = call, call.posted
        self.as_of = midnight(call.now)
        given = self.posted.get("filters")
        if given is not None and not isinstance(given, dict):
            raise invalid("filters must be an object.")
        self.filters: Body = {k: v for k, v in (given or {}).items() if v is not None}
        unknown = self.filters.keys() - set(filters)
        if unknown:
            raise invalid(f"filters cannot have {', '.join(sorted(unknown))}.")
        if self.filters.get("team_ids"):
            able(call, "teams")
        self.order = self._one_of("order", ORDERS, "desc")
        self.order_by = self._one_of("order_by", columns, columns[0])
        self.zone_name = self.posted.get("time_zone") or "Etc/UTC"
        self.zone = _zone(self.zone_name)

    def words(self, name: str) -> frozenset[str] | None:
        """A filter that is a list of words; None when there is no such filter."""
        value = self.filters.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise invalid(f"{name} must be a list of strings.")
        return frozenset(value) or None

    def word(self, name: str, known: Sequence[str]) -> str | None:
        """A filter that is one of the known words."""
        value = self.filters.get(name)
        if value is not None and value not in known:
            raise invalid(f"{name} must be one of {', '.join(known)}.")
        return value

    def switch(self, name: str) -> bool | None:
        """A filter that is true or false."""
        value = self.filters.get(name)
        if value is not None and not isinstance(value, bool):
            raise invalid(f"{name} must be true or false.")
        return value

    def least(self, name: str) -> int:
        """A filter that is the smallest number allowed; 0 when there is none."""
        value = self.filters.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(f"{name} must be a number.")
        return value

    def time(self, name: str) -> datetime | None:
        """A filter that is a time, in UTC."""
        value = self.filters.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(f"{name} must be a time.")
        return read_time(value, UTC, name)

    def window(self, first: str, last: str) -> tuple[int, int]:
        """The window asked for: at most a year, by default the last one there is data of."""
        since, until = self.time(first), self.time(last)
        until = until or datetime.fromtimestamp(self.as_of, UTC)
        since = since or months_after(until, -LONGEST)
        bounds(since, until, LONGEST, None)
        return seconds(since), min(seconds(until), self.as_of)

    def narrowed(self, *names: str) -> None:
        """Refuses people who do not filter by one of these: only account keys may ask for all."""
        if self.call.caller.person is not None and not any(self.words(name) for name in names):
            raise invalid(f"A filter is required for this token: {' or '.join(names)}.")

    def stamp(self, at: int) -> str:
        """A time as analytics writes it: by the clock of the zone asked for, without an offset."""
        return datetime.fromtimestamp(at, self.zone).replace(tzinfo=None).isoformat()

    def told(self) -> Body:
        """What every answer repeats of its question."""
        return {"filters": self.filters, "time_zone": self.zone_name}

    def batch(
        self,
        rows: Sequence[Row],
        key: Callable[[Row], Key],
        show: Callable[[Sequence[Row]], list[Body]],
    ) -> Body:
        """The batch of rows asked for. `rows` are in ascending order of `key`."""
        limit = self.posted.get("limit", MOST)
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
            raise invalid(f"limit must be between 1 and {MOST}.")
        after, before = (self._cursor(name) for name in ("starting_after", "ending_before"))
        if after and before:
            raise invalid("starting_after and ending_before cannot be used together.")
        try:
            start, end = self._reach(rows, key, after, before, limit)
        except TypeError:
            raise invalid("The cursor is unknown.") from None
        ordered = rows if self.order == "asc" else Backwards(rows)
        found = list(ordered[start:end])
        return {
            "first": self._mark(key(found[0])) if found else None,
            "last": self._mark(key(found[-1])) if found else None,
            "limit": limit,
            "more": start > 0 if before else end < len(rows),
            "order": self.order,
            "order_by": self.order_by,
            **self.told(),
            "data": show(found),
        }

    def _reach(
        self,
        rows: Sequence[Row],
        key: Callable[[Row], Key],
        after: Key | None,
        before: Key | None,
        limit: int,
    ) -> tuple[int, int]:
        """Where in the wanted order the batch starts and ends."""
        total, rising = len(rows), self.order == "asc"
        if before is not None:
            end = (
                bisect_left(rows, before, key=key)
                if rising
                else total - bisect_right(rows, before, key=key)
            )
            return max(0, end - limit), end
        start = 0
        if after is not None:
            start = (
                bisect_right(rows, after, key=key)
                if rising
                else total - bisect_left(rows, after, key=key)
            )
        return start, min(total, start + limit)

    def _mark(self, key: Key) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.order_by, *key])).decode()

    def _cursor(self, name: str) -> Key | None:
        text = self.posted.get(name)
        if not text:
            return None
        try:
            column, *key = orjson.loads(base64.urlsafe_b64decode(text))
        except (ValueError, TypeError):
            raise invalid(f"{name} is unknown.") from None
        if column != self.order_by:
            raise invalid(f"{name} belongs to another order.")
        return tuple(key)

    def _one_of(self, name: str, known: Sequence[str], default: str) -> str:
        value = self.posted.get(name) or default
        if value not in known:
            raise invalid(f"{name} must be one of {', '.join(known)}.")
        return str(value)


def midnight(now: int) -> int:
    """The moment that analytics knows everything before: the last midnight UTC."""
    return now // DAY * DAY


def _zone(name: Any) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError):
        raise RestError(400, 2001, "Invalid Input Provided", ["time_zone is unknown."]) from None
