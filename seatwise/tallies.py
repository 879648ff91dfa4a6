"""What the pages count over whole accounts, kept for as long as it cannot be otherwise.

A page and all that it leads to count from the same moment, which stands still for five minutes:
so a number on one page is the number of rows on the next.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from seatwise import history
from seatwise.history.days import ONE_DAY
from seatwise.models import Connection, Member, Service, SyncRun
from seatwise.models.member_order import Tally
from seatwise.models.sync_run import RunState

EVERY = 300  # seconds


def moment() -> datetime:
    """The moment that days without a sign of somebody are counted back from, in UTC."""
    now = timezone.now()
    return now.replace(minute=now.minute - now.minute % (EVERY // 60), second=0, microsecond=0)


def only_account(service: Service) -> Connection | None:
    """The account that is shown, where there is one alone."""
    accounts = service.shown_connections
    return accounts[0] if len(accounts) == 1 else None


def of_members(service: Service, now: datetime) -> list[Tally]:
    """Everybody of the accounts that are shown, also those who left. `now`: a `moment`."""

    def count() -> list[Tally]:
        members = Member.objects.of(service).with_status(now, only_account(service))
        return members.with_age(now, only_account(service)).tally()

    accounts = service.shown_connections
    if any(_is_read(account) for account in accounts):
        return count()
    return history.kept(accounts, f"members at {now}{_touched(accounts)}", count, seconds=EVERY)


class Moves(NamedTuple):
    """What became of members in a month: of each the net result, so many as a page lists."""

    joined: int = 0  # in the month, and there now
    left: int = 0  # in the month, and gone now
    returned: int = 0  # came back to a seat, be it after days without one
    role: int = 0  # have another role than when the month began


def moves(
    service: Service, months: Sequence[date], first_look: datetime | None
) -> Mapping[date, Moves]:
    """{first day of a month: what moved in it}, of an account first looked at then.

    Nothing of it changes without an event, so it is kept until there is one.
    """
    if first_look is None:
        return dict.fromkeys(months, Moves())
    looked = history.day_of(first_look, settings.BILLING_ZONE)

    def count() -> dict[date, Moves]:
        return {month: _moves(service, month, looked) for month in months}

    what = f"moves of {[*months]} since {looked}"
    return history.kept(service.shown_connections, what, count)


def _moves(service: Service, month: date, looked: date) -> Moves:
    following = history.month_after(month)
    start, end = (history.midnight(day, settings.BILLING_ZONE) for day in (month, following))
    members = Member.objects.of(service)
    # Nothing is known from before the first look, so the comparison begins there.
    before, last = max(month - ONE_DAY, looked), following - ONE_DAY
    net = history.counted(service, before, last) if before < last else Counter[str]()
    return Moves(
        joined=members.current().joined_between(start, end).count(),
        left=members.left_between(start, end).count(),
        returned=net["returned"] + net["away"],
        role=net["role"],
    )


def by_service(services: Sequence[Service], now: datetime) -> Mapping[int, Mapping[str, int]]:
    """{service id: {status: current members}} of all of their accounts. `now`: a `moment`."""

    def count(accounts: Sequence[Connection]) -> dict[int, dict[str, int]]:
        current = Member.objects.in_accounts(accounts).current()
        return current.with_status(now).count_by_service()

    accounts = [account for service in services for account in service.accounts]
    busy = [account for account in accounts if _is_read(account)]
    calm = [account for account in accounts if account not in busy]
    what = f"services at {now}{_touched(calm)}"
    found = dict(history.kept(calm, what, lambda: count(calm), seconds=EVERY))
    for service, statuses in count(busy).items() if busy else ():
        found[service] = Counter(statuses) + Counter(found.get(service, {}))
    return found


def _is_read(account: Connection) -> bool:
    """Whether a sync may write at this moment, so that what is counted does not stay."""
    run = account.open_run
    return run is not None and run.state == RunState.RUNNING


def _touched(accounts: Sequence[Connection]) -> str:
    """When a sync last wrote: what it saw people do is there though it did not come to an end."""
    return f", after {SyncRun.objects.in_accounts(accounts).last_touch()}"
