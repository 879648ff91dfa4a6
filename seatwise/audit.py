"""Writes the audit trail: who did what to which account, from where.

Whoever opens the door says who is there; every verb then records without being told:

    with audit.acting("command line", who="ada"): …
    audit.record(Action.CONNECTED, service="acme", about="harbor-prod", said="…")
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.core.cache import cache
from django.utils import timezone

from seatwise.models import AuditEvent, User
from seatwise.models.audit_event import Action

LONGEST = 300  # characters of what it was about
SEATWISE = "Seatwise"  # acts by itself: the schedule, a worker
STRANGER = "Nobody signed in"
QUIET = 60  # seconds in which the same refusal is told once


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting, and from where."""

    name: str = SEATWISE
    user_id: int | None = None
    origin: str = ""  # an IP address, "command line", "worker"


ITSELF = Actor()
_actor: ContextVar[Actor] = ContextVar("actor", default=ITSELF)


@contextmanager
def acting(origin: str, *, user: User | None = None, who: str = "") -> Iterator[None]:
    """Inside, what is recorded is done by that person, or by `who`, from `origin`."""
    name = f"{user.name} <{user.email}>" if user else who or SEATWISE
    token = _actor.set(Actor(name, user.pk if user else None, origin))
    try:
        yield
    finally:
        _actor.reset(token)


def record(
    action: Action,
    *,
    service: str = "",
    about: object = "",
    said: str = "",
    by: User | None = None,
    detail: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Adds one event, in the transaction one is in. Never give it a secret.

    `by` is for a person who is only about to be signed in; else it is whoever is acting.
    """
    actor = _actor.get()
    name = f"{by.name} <{by.email}>" if by else actor.name
    return AuditEvent.objects.create(
        at=timezone.now(),
        action=action,
        actor_id=by.pk if by else actor.user_id,
        actor=name[:320],
        origin=actor.origin[:100],
        service=service,
        about=str(about)[:LONGEST],
        said=said,
        detail=dict(detail or {}),
    )


def is_news(*what: object) -> bool:
    """Whether this was not said within the last minute, by whoever acts from where they are.

    For what a program could repeat without end: the trail should stay readable.
    """
    actor = _actor.get()
    said = "|".join(map(str, (actor.user_id, actor.origin, *what)))
    key = hashlib.sha256(said.encode()).hexdigest()
    return bool(cache.add(f"audit-{key}", 1, QUIET))
