"""What the pages count over whole accounts, kept for as long as it cannot be otherwise.

A page and all that it leads to count from the same moment, which stands still for five minutes:
so a number on one page is the number of rows on the next.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.conf import settings
from django.utils import timezone

from seatwise import history
from seatwise.models import Member, MemberEvent, Service
from seatwise.models.member import Tally

EVERY = 300  # seconds


def moment() -> datetime:
    """The moment that days without a sign of somebody are counted back from, in UTC."""
    now = timezone.now()
    return now.replace(minute=now.minute - now.minute % (EVERY // 60), second=0, microsecond=0)


def of_members(service: Service, now: datetime) -> list[Tally]:
    """Everybody of the accounts that are shown, also those who left. `now`: a `moment`."""

    def count() -> list[Tally]:
        return Member.objects.of(service).with_status(now).with_age(now).tally()

    accounts = service.shown_connections
    if any(account.open_run for account in accounts):
        return count()
    return history.kept(accounts, f"members at {now}", count, seconds=EVERY)


def moves(service: Service, start: datetime) -> Mapping[date, Mapping[str, int]]:
    """{month: {kind of event about seats, or the field that changed: events}} since `start`."""
    events = MemberEvent.objects.of(service).about_seats().since(start)
    return history.kept(
        service.shown_connections,
        f"moves since {start}",
        lambda: events.count_by_month(settings.BILLING_ZONE),
        seconds=EVERY,
    )


def by_service(services: Sequence[Service], now: datetime) -> Mapping[int, Mapping[str, int]]:
    """{service id: {status: current members}} of all of their accounts. `now`: a `moment`."""

    def count() -> dict[int, dict[str, int]]:
        return Member.objects.current().with_status(now).count_by_service()

    accounts = [account for service in services for account in service.accounts]
    if any(account.open_run for account in accounts):
        return count()
    return history.kept(accounts, f"services at {now}", count, seconds=EVERY)
