"""When a connection is read, and what is asked for then."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from seatwise.connectors.base import ReadPlan
from seatwise.models import Connection


def plan_now() -> ReadPlan:
    """The plan for this moment. Months begin and end in the workspace's billing zone."""
    return ReadPlan.at(timezone.now(), settings.BILLING_ZONE)


def next_daily(connection: Connection, now: datetime) -> datetime:
    """A day from now, spread by up to an hour so that connections do not sync all at once."""
    return now + timedelta(days=1, minutes=connection.pk * 17 % 60)
