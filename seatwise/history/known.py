"""From when to when an account was looked at: outside of that nothing is known."""

from dataclasses import dataclass
from datetime import datetime

from seatwise.models import Connection, Member, Service


@dataclass(frozen=True, slots=True)
class Span:
    account: Connection
    since: datetime  # the first look
    until: datetime  # the last complete one


def known(service: Service) -> list[Span]:
    """The spans of the accounts that are shown and were ever read, in their order."""
    first_looks = Member.objects.of(service).first_looks()
    return [
        Span(account, since, max(since, account.members_as_of or since))
        for account in service.shown_connections
        if (since := first_looks.get(account.pk))
    ]


def known_since(service: Service) -> datetime | None:
    """The first look at any of the accounts that are shown; None before it."""
    return min((span.since for span in known(service)), default=None)
