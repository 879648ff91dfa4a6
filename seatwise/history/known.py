"""From when to when an account was looked at: outside of that nothing is known."""

from dataclasses import dataclass
from datetime import datetime

from seatwise.models import Connection, Member, Service
from seatwise.models.member import MemberQuerySet


@dataclass(frozen=True, slots=True)
class Span:
    account: Connection
    since: datetime  # the first look
    until: datetime  # the last complete one

    @property
    def ends(self) -> datetime | None:
        """When another account took its place, and its seats ended to count; None: it did not."""
        return self.account.replaced_at


def known(service: Service) -> list[Span]:
    """The spans of the accounts that are asked and were ever read, in their order."""
    accounts = asked(service)
    first_looks = Member.objects.in_accounts(accounts).first_looks()
    spans = [_span(each, since) for each in accounts if (since := first_looks.get(each.pk))]
    return [span for span in spans if span.ends is None or span.since < span.ends]


def asked(service: Service) -> list[Connection]:
    """The accounts whose past is told: the chosen one, else all that are shown or ever were."""
    if service.account_query:
        return service.shown_connections
    replaced = [each for each in service.with_data if each.replaced_at is not None]
    return [*service.shown_connections, *replaced]


def held_at(service: Service, moment: datetime) -> MemberQuerySet:
    """Who held a seat at that moment, `as_of` it; an account counts until it was replaced."""
    counting = [
        each for each in asked(service) if each.replaced_at is None or moment < each.replaced_at
    ]
    return Member.objects.in_accounts(counting).as_of(moment)


def _span(account: Connection, since: datetime) -> Span:
    looks = [since, account.members_as_of, account.licenses_as_of]
    until = max(look for look in looks if look is not None)
    return Span(account, since, min(until, account.replaced_at or until))
