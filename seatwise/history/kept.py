"""Sums over a whole account, kept until something is found at a look: what was, stays."""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache

from seatwise.history.days import end_of
from seatwise.models import Member, MemberEvent, Service

LONG = 24 * 3600  # seconds
VERSION = 1  # of what is kept; raised where its shape or meaning changes
T = TypeVar("T")


def held_on(service: Service, day: date) -> dict[tuple[str, str], int]:
    """{(role, licence): seats held at the end of that day}."""

    def count() -> dict[tuple[str, str], int]:
        moment = end_of(day, settings.BILLING_ZONE)
        return Member.objects.of(service).as_of(moment).tally_then()

    return kept(service, f"held on {day}", count)


def kept(service: Service, what: str, make: Callable[[], T]) -> T:
    """`what` of this service as it was made since the newest event and the newest looks."""
    accounts = service.shown_connections
    looks = [(each.pk, each.members_as_of, each.licenses_as_of) for each in accounts]
    newest = MemberEvent.objects.of(service).newest_number()
    stamp = (VERSION, what, settings.BILLING_ZONE.key, looks, newest)
    key = f"history-{hashlib.sha256(repr(stamp).encode()).hexdigest()}"
    found: T | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, LONG)
    return found
