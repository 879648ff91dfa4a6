"""Days and months of a time zone, also where a clock is put forward or back. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)  # the shortest time that is told apart


def midnight(day: date, zone: tzinfo) -> datetime:
    """When that day begins there, in UTC: times of one zone would be compared by the clock."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: tzinfo) -> datetime:
    """The last moment of that day there, be the day 23, 24 or 25 hours long."""
    return midnight(day + ONE_DAY, zone) - INSTANT


def day_of(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def month_after(first: date) -> date:
    return (first.replace(day=1) + timedelta(days=31)).replace(day=1)


def months_from(oldest: date, newest: date) -> Iterator[date]:
    """The first days of the months that hold the two days, and of all between."""
    month = oldest.replace(day=1)
    while month <= newest:
        yield month
        month = month_after(month)


def days_of(month: date) -> Iterator[date]:
    """Every day of the month that begins on this day."""
    day, following = month, month_after(month)
    while day < following:
        yield day
        day += ONE_DAY
