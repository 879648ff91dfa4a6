"""What can be said of a member by when they were last seen, and how the database says it."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Least

if TYPE_CHECKING:
    from seatwise.models.connection import Connection

ACTIVE, IDLE_30, IDLE_60, IDLE_90 = "active", "idle_30", "idle_60", "idle_90"
NEVER, UNKNOWN, INVITED, LEFT = "never", "unknown", "invited", "left"
STATUSES: Mapping[str, str] = {
    ACTIVE: "Active",
    IDLE_30: "Idle 30 days",
    IDLE_60: "Idle 60 days",
    IDLE_90: "Idle 90 days",
    NEVER: "Never seen",
    UNKNOWN: "Unknown",
    INVITED: "Invited",
    LEFT: "Left",
}
IDLE = (IDLE_30, IDLE_60, IDLE_90)
AGES: Mapping[str, str] = {
    "7": "within 7 days",
    "30": "8 to 30 days ago",
    "60": "31 to 60 days ago",
    "90": "61 to 90 days ago",
    "older": "over 90 days ago",
    NEVER: "never, as the vendor knows",
    UNKNOWN: "unknown",
    INVITED: "invited, not yet in",
}

# Each excludes all others, and is told by columns alone: so the database can walk along an index.
Condition = Callable[[Combinable], Q]
_THERE = Q(invited=False)
_NEVER = _THERE & Q(last_seen_at=None, never_read_at__isnull=False)
_UNKNOWN = _THERE & Q(last_seen_at=None, never_read_at=None)


def _seen(most: int | None, least: int | None = None) -> Condition:
    """At most so many days before, and more than `least`."""

    def condition(until: Combinable) -> Q:
        found = _THERE
        if most is not None:
            found &= Q(last_seen_at__gte=until - timedelta(days=most))
        if least is not None:
            found &= Q(last_seen_at__lt=until - timedelta(days=least))
        return found

    return condition


_OF_STATUS: Mapping[str, Condition] = {
    LEFT: lambda _until: Q(left_at__isnull=False),
    INVITED: lambda _until: Q(left_at=None, invited=True),
    NEVER: lambda _until: Q(left_at=None) & _NEVER,
    UNKNOWN: lambda _until: Q(left_at=None) & _UNKNOWN,
    ACTIVE: lambda until: Q(left_at=None) & _seen(30)(until),
    IDLE_30: lambda until: Q(left_at=None) & _seen(60, 30)(until),
    IDLE_60: lambda until: Q(left_at=None) & _seen(90, 60)(until),
    IDLE_90: lambda until: Q(left_at=None) & _seen(None, 90)(until),
}
_OF_AGE: Mapping[str, Condition] = {
    INVITED: lambda _until: Q(invited=True),
    NEVER: lambda _until: _NEVER,
    UNKNOWN: lambda _until: _UNKNOWN,
    "7": _seen(7),
    "30": _seen(30, 7),
    "60": _seen(60, 30),
    "90": _seen(90, 60),
    "older": _seen(None, 90),
}


def looked_until(account: "Connection") -> datetime | None:
    """How far the evidence reaches that a status is told by; None: nothing was ever read."""
    return account.activity_as_of or account.members_as_of


def counted_from(now: datetime, only: "Connection | None") -> Combinable:
    """From when days are counted back: `now`, or the last reading where that is longer ago.

    Nobody is idle only because nobody has looked since. `only`: the account of all of the members,
    where there is one alone, so that accounts need not be read beside each of them.
    """
    if only is not None:
        return Value(min(now, looked_until(only) or now))
    # LEAST passes over what is null.
    return Least(Value(now), Coalesce("connection__activity_as_of", "connection__members_as_of"))


def status_after(until: datetime, *, invited: bool, seen: datetime | None, never: bool) -> str:
    """Which of STATUSES a current member has, as the database says it. `until`: days are counted
    back from there."""
    if invited:
        return INVITED
    if seen is None:
        return NEVER if never else UNKNOWN
    idle = until - seen
    limits = ((30, ACTIVE), (60, IDLE_30), (90, IDLE_60))
    return next((name for days, name in limits if idle <= timedelta(days=days)), IDLE_90)


def in_status(status: str, until: Combinable) -> Q:
    """Members with this one of STATUSES. `until`: see `counted_from`."""
    return _OF_STATUS[status](until)


def in_age(age: str, until: Combinable) -> Q:
    """Members with this one of AGES. `until`: see `counted_from`."""
    return _OF_AGE[age](until)


def status_of(until: Combinable) -> Case:
    """Which of STATUSES. No evidence is unknown, never idle; the vendor's "never" is neither."""
    return _which(_OF_STATUS, until)


def age_of(until: Combinable) -> Case:
    """Which of AGES: how long ago a current member was last seen."""
    return _which(_OF_AGE, until)


def _which(conditions: Mapping[str, Condition], until: Combinable) -> Case:
    found = [When(condition(until), then=Value(name)) for name, condition in conditions.items()]
    return Case(*found, output_field=models.CharField())
