"""Months as a person's calendar has them: in a zone, daylight saving included."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def borders(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of the month and of the next one, in UTC."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return _midnight(month.replace(day=1), zone), _midnight(following, zone)


def last_months(day: date, count: int) -> list[date]:
    """The first days of the `count` months that end with that of `day`, newest first."""
    newest = day.year * 12 + day.month - 1
    return [date(index // 12, index % 12 + 1, 1) for index in range(newest, newest - count, -1)]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
