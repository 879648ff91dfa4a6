"""A schedule as a form says it: how often an account is synced, at which time, on which day."""

import re
from copy import copy
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.conf import settings
from django.utils import timezone

from seatwise.models import Connection
from seatwise.models.connection import Every
from seatwise.sync import schedule
from seatwise.sync.schedule import WEEKDAYS


@dataclass(frozen=True, slots=True)
class Wish:
    """The form as somebody filled it in; "" where Seatwise is to choose."""

    every: str
    time: str = ""  # "03:30", in the billing zone
    weekday: str = ""  # "0": Monday

    @classmethod
    def of(cls, connection: Connection) -> "Wish":
        minute, weekday = connection.sync_minute, connection.sync_weekday
        return cls(
            every=connection.sync_every,
            time="" if minute is None else _clock(minute),
            weekday="" if weekday is None else str(weekday),
        )

    @property
    def minute(self) -> int | None:
        """Of the day. Raises ValueError, with a sentence for the form."""
        if not self.time:
            return None
        if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", self.time, re.ASCII):
            raise ValueError("Write the time as hours and minutes, for example 03:30.")
        given = time.fromisoformat(self.time.zfill(5))
        return given.hour * 60 + given.minute

    @property
    def day(self) -> int | None:
        """0 is Monday. Raises ValueError, with a sentence for the form."""
        if self.weekday not in ("", *map(str, range(len(WEEKDAYS)))):
            raise ValueError("Choose one of the days.")
        return int(self.weekday) if self.weekday else None


@dataclass(frozen=True, slots=True)
class Spread:
    """When Seatwise itself would sync an account, so that not all are synced at once."""

    time: str  # "03:17"
    weekday: str  # "Thursday"


def of(connection: Connection) -> dict[str, Any]:
    """What the settings say about the schedule and offer to choose."""
    return {
        "wish": Wish.of(connection),
        "spread": _spread(connection),
        "schedule_words": schedule.in_words(connection),
        "every_choices": Every.choices,
        "weekdays": list(enumerate(WEEKDAYS)),
        "zone": settings.BILLING_ZONE.key,
    }


def _spread(connection: Connection) -> Spread:
    """As the schedule itself says it, asked about one that chooses nothing."""
    free = copy(connection)
    free.sync_every, free.sync_minute, free.sync_weekday = Every.WEEK, None, None
    found = schedule.next_sync(free, timezone.now())
    assert found is not None
    there = found.astimezone(settings.BILLING_ZONE)
    return Spread(f"{there:%H:%M}", WEEKDAYS[there.weekday()])


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
