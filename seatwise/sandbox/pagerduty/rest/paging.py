"""How lists are cut into pages, and how times are read and written."""

import calendar
import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from ..company.codes import DAY
from .answers import Body, Call, RestError, invalid

DEEPEST: Final = 10_000
YEARS: Final = range(1971, 2200)  # no account is older, and clocks cannot do with all later ones
Row = TypeVar("Row")


def page(
    call: Call, name: str, rows: Sequence[Row], show: Callable[[Row], Body | bytes], **more: Any
) -> bytes:
    """A classic page of rows, with limit, offset, more and (when asked for) total.

    `show` makes a row as it is sent. Raises RestError where the page lies beyond the cap.
    """
    limit, offset = cut(call)
    count = len(rows)
    tail = more | {
        "limit": limit,
        "offset": offset,
        "more": offset + limit < count,
        "total": count if call.params.get("total") == "true" else None,
    }
    return _sent(name, [show(row) for row in rows[offset : offset + limit]], tail)


def cut(call: Call) -> tuple[int, int]:
    """The limit and the offset of a page. Raises RestError where it lies beyond the cap."""
    limit, offset = min(number(call, "limit", 25, 1), 100), number(call, "offset", 0, 0)
    if offset + limit > DEEPEST:
        why = f"Offset must be less than {DEEPEST + 1 - limit}."
        raise RestError(400, 2002, "Arguments Caused Error", [why])
    return limit, offset


def number(call: Call, name: str, default: int, least: int) -> int:
    """A whole number among the parameters, of at least so much."""
    text = call.params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
        raise invalid(f"{name} must be a whole number of at least {least}.")
    return int(text)


def zone(call: Call) -> tzinfo | None:
    """The zone asked for with `time_zone`, or None."""
    name = call.params.get("time_zone")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"Time zone {name} is unknown.") from None


def moment(call: Call, name: str) -> datetime | None:
    """A time parameter in UTC; a bare time is in the account's zone. Missing: None."""
    text = call.params.get(name)
    return read_time(text, zone(call) or ZoneInfo(call.account.time_zone), name) if text else None


def read_time(text: str, bare: tzinfo, name: str) -> datetime:
    """A time in UTC from its text; without an offset it is in the zone `bare`.

    Raises RestError where it is no time, or one in a year that nobody can mean.
    """
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=bare)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise RestError(400, 2004, "Invalid Date Range", [f"{name} is no date."]) from None
    if at.year not in YEARS:
        why = f"The year of {name} must be between {YEARS[0]} and {YEARS[-1]}."
        raise RestError(400, 2004, "Invalid Date Range", [why])
    return at


def window(
    call: Call,
    *,
    months: int | None = None,
    days: int | None = None,
    required: bool = False,
    less: bool = False,
) -> tuple[int, int]:
    """The window [since, until) asked for, in seconds since 1970; by default the last month.

    Raises RestError when it is longer than so many months or days, or just as long where it
    must be `less`.
    """
    since, until = moment(call, "since"), moment(call, "until")
    if required and (since is None or until is None):
        raise RestError(400, 2004, "Invalid Date Range", ["since and until are required."])
    if since is None:
        until = until or call.clock
        since = months_after(until, -1)
    until = until or months_after(since, 1)
    bounds(since, until, months, days)
    if less and months is not None and until == months_after(since, months):
        raise _too_long(f"Less than {months} months are read.")
    return seconds(since), seconds(until)


def bounds(since: datetime, until: datetime, months: int | None, days: int | None) -> None:
    """Raises RestError when a window is upside down or too long."""
    if since > until:
        raise RestError(400, 2004, "Invalid Date Range", ["since must not be after until."])
    if months is not None and until > months_after(since, months):
        raise _too_long(f"At most {months} months are read.")
    if days is not None and (until - since).total_seconds() > days * DAY:
        raise _too_long(f"At most {days} days are read.")


def seconds(at: datetime) -> int:
    """The first whole second that is not before that moment: history happens at whole seconds."""
    return math.ceil(at.timestamp())


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last day that month has."""
    index = at.year * 12 + at.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def stamp(at: int, where: tzinfo | None = None) -> str:
    """A time as the API writes it: Z, or an offset where a zone was asked for."""
    if where is not None:
        return datetime.fromtimestamp(at, where).isoformat(timespec="seconds")
    day, rest = divmod(at, DAY)
    minutes, second = divmod(rest, 60)
    return f"{_date(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}Z"


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return date.fromordinal(day + 719_163).isoformat()


def _too_long(why: str) -> RestError:
    return RestError(400, 2005, "Date Range Too Large", [why])


def _sent(name: str, rows: list[Body | bytes], tail: Body) -> bytes:
    """The answer put together from rows of which many were made before."""
    made = b",".join(row if isinstance(row, bytes) else orjson.dumps(row) for row in rows)
    return b'{"%b":[%b],%b' % (name.encode(), made, orjson.dumps(tail)[1:])
