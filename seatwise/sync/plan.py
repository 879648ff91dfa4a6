"""What one sync asks for: which months, in which zone, how far back activity."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from seatwise.connectors.base import ReadPlan
from seatwise.models import Connection

MONTHS = 12  # the current, provisional one included
HORIZON = timedelta(days=90)  # older silence needs no more proof: it is idle for 90 days


def plan_now() -> ReadPlan:
    """The plan for this moment. Months begin and end in the workspace's billing zone."""
    now = timezone.now()
    return ReadPlan(
        months=months_back(now.astimezone(settings.BILLING_ZONE).date(), MONTHS),
        zone=settings.BILLING_ZONE,
        now=now,
        activity_since=now - HORIZON,
    )


def months_back(day: date, count: int) -> list[date]:
    """The first days of `count` months, newest first, beginning with that of `day`."""
    months = [day.replace(day=1)]
    while len(months) < count:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months


def next_daily(connection: Connection, now: datetime) -> datetime:
    """A day from now, spread by up to an hour so that connections do not sync all at once."""
    return now + timedelta(days=1, minutes=connection.pk * 17 % 60)
