"""Sums over a whole account, kept until something is found at a look: what was, stays."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from django.conf import settings
from django.core.cache import caches

from seatwise.history.days import end_of
from seatwise.history.known import asked, held_at
from seatwise.models import Connection, MemberEvent, Service

LONG = 24 * 3600  # seconds
VERSION = 3  # of what is kept; raised where its shape or meaning changes
T = TypeVar("T")


def held_on(service: Service, day: date) -> dict[tuple[str, str], int]:
    """{(role, licence): seats held at the end of that day}."""

    def count() -> dict[tuple[str, str], int]:
        return held_at(service, end_of(day, settings.BILLING_ZONE)).tally_then()

    return kept(asked(service), f"held on {day}", count)


def kept(
    accounts: Sequence[Connection], what: str, make: Callable[[], T], *, seconds: int = LONG
) -> T:
    """`what` of these accounts as it was made since the newest event and the newest looks."""
    looks = [
        (each.pk, each.members_as_of, each.licenses_as_of, each.activity_as_of, each.replaced_at)
        for each in accounts
    ]
    newest = MemberEvent.objects.in_accounts(accounts).newest_number()
    stamp = (VERSION, what, settings.BILLING_ZONE.key, looks, newest)
    key = f"history-{hashlib.sha256(repr(stamp).encode()).hexdigest()}"
    found: T | None = caches["sums"].get(key)
    if found is None:
        found = make()
        caches["sums"].set(key, found, seconds)
    return found
