"""When a connection is synced next: by the clock of the billing zone, or spread over the day.

A time of day that does not exist, because clocks are put forward, is taken an hour later; of one
that exists twice, the first counts. So each day has exactly one.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import Connection, User
from seatwise.models.audit_event import Action
from seatwise.models.connection import Every

DAY = 24 * 60  # minutes
QUARTER = 6 * 60
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Multiples of the golden ratio, without what is before the point, fill the day evenly, however
# many there are: each falls into one of the widest spaces between those before it.
GOLDEN = 0x9E3779B97F4A7C15
TURN = 1 << 64


def next_sync(connection: Connection, now: datetime) -> datetime | None:
    """The next time by its schedule, after `now`; None where only a person starts it."""
    if connection.sync_every == Every.NEVER:
        return None
    zone = settings.BILLING_ZONE
    start = now.astimezone(zone).date() - timedelta(days=1)
    return next(at for at in _times(connection, start, zone) if at > now)


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether its time has come, as the database knows it at this moment."""
    return Connection.objects.due(now).filter(pk=connection.pk).exists()


@transaction.atomic
def choose(
    connection: Connection, *, every: str, minute: int | None, weekday: int | None, by: User
) -> None:
    """Sets the schedule, and the next sync by it. Raises ValueError with a sentence.

    `minute` of the day in the billing zone, `weekday` from 0 for Monday; None leaves either to
    Seatwise. Only a weekly sync has a weekday.
    """
    _check(every, minute, weekday)
    rows = Connection.objects.select_related("service")
    row = rows.select_for_update(of=("self",), no_key=True).get(pk=connection.pk)
    before = in_words(row)
    row.sync_every, row.sync_minute = every, minute
    row.sync_weekday = weekday if every == Every.WEEK else None
    row.next_sync_at = next_sync(row, timezone.now()) if row.is_alive else None
    chosen = ["sync_every", "sync_minute", "sync_weekday", "next_sync_at"]
    row.save(update_fields=chosen)
    for name in chosen:
        setattr(connection, name, getattr(row, name))
    if (after := in_words(row)) != before:
        audit.record(
            Action.SCHEDULE_CHANGED,
            service=row.service.key,
            about=row.account_name,
            said=f"{after}. Before: {before}.",
            detail={"connection": row.pk, "before": before, "now": after},
            by=by,
        )


def in_words(connection: Connection) -> str:
    """For a person, without a full stop: `Every day at 06:30 (Europe/Berlin)`."""
    zone, minute = settings.BILLING_ZONE.key, _minute(connection)
    match connection.sync_every:
        case Every.NEVER:
            return "Only when somebody asks"
        case Every.SIX_HOURS:
            *first, last = (_clock(each) for each in _quarters(minute))
            return f"Every 6 hours, at {', '.join(first)} and {last} ({zone})"
        case Every.WEEK:
            return f"Every {WEEKDAYS[_weekday(connection)]} at {_clock(minute)} ({zone})"
        case _:
            return f"Every day at {_clock(minute)} ({zone})"


def _times(connection: Connection, start: date, zone: ZoneInfo) -> Iterator[datetime]:
    """All its times from that day on, ascending."""
    minute = _minute(connection)
    minutes = _quarters(minute) if connection.sync_every == Every.SIX_HOURS else [minute]
    day = start
    while True:
        if connection.sync_every != Every.WEEK or day.weekday() == _weekday(connection):
            for each in minutes:
                at = datetime.combine(day, time(each // 60, each % 60), zone)
                yield at.astimezone(UTC)
        day += timedelta(days=1)


def _minute(connection: Connection) -> int:
    if connection.sync_minute is not None:
        return connection.sync_minute
    return (connection.pk * GOLDEN % TURN) * DAY // TURN


def _weekday(connection: Connection) -> int:
    return connection.pk % 7 if connection.sync_weekday is None else connection.sync_weekday


def _quarters(minute: int) -> list[int]:
    return [minute % QUARTER + QUARTER * each for each in range(DAY // QUARTER)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _check(every: str, minute: int | None, weekday: int | None) -> None:
    if every not in Every.values:
        raise ValueError("A sync is every 6 hours, every day, every week, or when somebody asks.")
    if minute is not None and not 0 <= minute < DAY:
        raise ValueError("The time must be one of the day, from 00:00 to 23:59.")
    if weekday is not None and not 0 <= weekday < len(WEEKDAYS):
        raise ValueError("The weekday must be one from Monday to Sunday.")
