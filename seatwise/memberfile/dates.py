"""Days and times as people and programs write them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal

from seatwise.memberfile.words import LONGEST, NO_DAY, plain

Order = Literal["day", "month"]
ORDERS: Mapping[Order, str] = {"day": "Day first", "month": "Month first"}

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(.+))?", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:,?[T ]+(.+))?")
_DAY_AND_NAME = re.compile(r"(\d{1,2})\.?[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4}|\d{2})(?:,?[T ]+(.+))?")
_NAME_AND_DAY = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})(?:,?[T ]+(?:at )?(.+))?")
_TIME = re.compile(
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AP]\.?M\.?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(
    r"(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,? ", re.IGNORECASE
)
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


class NoDay(ValueError):
    """The text is no day that anybody can be sure of."""


def order_of(values: Iterable[object]) -> Order | Literal["ask", "any"]:
    """What the numbers between slashes and dashes mean, as far as the days themselves tell.

    "any": nothing depends on it. "ask": 03/04/2026 is either, or the days contradict each other.
    A weekday that stands before it tells which; one that fits in no order tells nothing.
    """
    day, month, either = False, False, False
    for value in values:
        text, weekday = _plain_day(value) if isinstance(value, str) else ("", None)
        found = _NUMBERS.fullmatch(text)
        if found is None or found[2] == ".":  # with dots everybody begins with the day
            continue
        first, second = int(found[1]), int(found[3])
        fits = [order for order in _BOTH if _is_written(text, order, weekday)]
        day |= first > 12 if weekday is None else fits == ["day"]
        month |= second > 12 if weekday is None else fits == ["month"]
        either |= len(fits) == len(_BOTH) and first != second
    if day != month:
        return "day" if day else "month"
    return "ask" if either or day else "any"


def either(values: Iterable[object]) -> str:
    """The first day that depends on the order; "" where there is none."""
    written = (value for value in values if isinstance(value, str))
    return next((value for value in written if order_of([value]) == "ask"), "")


def moment(value: str | date | datetime, order: Order, zone: tzinfo) -> datetime | None:
    """The moment, in UTC; None where the text says that there is none.

    What names no zone is of `zone`, and a day alone is its beginning. Raises NoDay, also where it
    is not on the weekday that is written before it.
    """
    if isinstance(value, str):
        if not any(mark.isalnum() for mark in value) or plain(value) in NO_DAY:
            return None
        try:
            found = _written(*_plain_day(value), order)
        except (ValueError, OverflowError):
            raise NoDay(value) from None
    elif isinstance(value, datetime):
        found = value
    else:
        found = datetime.combine(value, time())
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoDay(str(value)) from None


def is_day(text: str) -> bool:
    """Whether it can be read as a day, in whatever order."""
    try:
        return any(moment(text, order, UTC) is not None for order in _BOTH)
    except NoDay:
        return False


_BOTH: tuple[Order, Order] = ("day", "month")


def _plain_day(text: str) -> tuple[str, int | None]:
    """Without the weekday before it, and that: 0 is Monday. "" for what is too long for a day."""
    text = " ".join(text.split()) if len(text.strip()) <= LONGEST else ""
    found = _WEEKDAY.match(text)
    if found is None:
        return text, None
    return text[found.end() :], _WEEKDAYS.index(found[1][:3].lower())


def _is_written(text: str, order: Order, weekday: int | None) -> bool:
    try:
        _written(text, weekday, order)
    except (ValueError, OverflowError):
        return False
    return True


def _written(text: str, weekday: int | None, order: Order) -> datetime:
    if found := _ISO.fullmatch(text):
        year, month, day, rest = found.groups()
    elif found := _NUMBERS.fullmatch(text):
        first, mark, second, year, rest = found.groups()
        by_day = order == "day" or mark == "."
        day, month = (first, second) if by_day else (second, first)
    elif found := _DAY_AND_NAME.fullmatch(text):
        day, name, year, rest = found.groups()
        month = _month(name)
    elif found := _NAME_AND_DAY.fullmatch(text):
        name, day, year, rest = found.groups()
        month = _month(name)
    else:
        raise ValueError(text)
    whole = int(year) + (2000 if len(year) == 2 else 0)
    told = date(whole, int(month), int(day))
    if weekday not in (None, told.weekday()):
        raise ValueError(text)
    return datetime.combine(told, _time(rest or ""))


def _month(name: str) -> str:
    return str(_MONTHS.index(name[:3].lower()) + 1)


def _time(text: str) -> time:
    if not text.strip():
        return time()
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hour, minute, second, half, zone = found.groups()
    hours = int(hour)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError(text)
        hours = hours % 12 + (12 if half[0] in "pP" else 0)
    return time(hours, int(minute), int(second or 0), tzinfo=_zone(zone))


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if text[0] == "-" else away)
