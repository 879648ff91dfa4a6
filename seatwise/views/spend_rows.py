"""The rows of the Spend page: each service with its seats, how it is connected, what it needs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from seatwise import spending, tallies
from seatwise.models import Connection, Finding, Service
from seatwise.models.connection import State
from seatwise.models.member_status import ACTIVE, IDLE, IDLE_90, INVITED, NEVER, UNKNOWN

ACTION, HELD, LATE, LIMITED, NOTHING_READ = "action", "held", "late", "limited", "nothing"
STILL, WAITING = "still", "waiting"
IDLE_SEATS, UNKNOWN_SEATS = "idle", "unknown"
NOTICE, OVER_BUDGET, NO_PRICE = "notice", "over-budget", "no-price"
NOTICE_DAYS = 60  # so long before the last day of notice somebody should think of it
NOT_CONNECTED = "none"


@dataclass(frozen=True, slots=True)
class Seats:
    """How many hold a seat, and what is known about their use. None: never read."""

    total: int | None
    active: int
    idle: int
    never: int
    unknown: int
    idle_90: int = 0
    invited: int = 0

    @property
    def savable(self) -> int:
        """Idle for 30 days or more, or never seen by the vendor's own word."""
        return self.idle + self.never

    @property
    def known(self) -> int:
        """Those whose last seen is known."""
        return self.active + self.savable

    @property
    def active_percent(self) -> int | None:
        """Of those whose last seen is known."""
        return round(100 * self.active / self.known) if self.known else None


@dataclass(frozen=True, slots=True)
class Money:
    """What one service costs in the present month, and how its contract goes on."""

    currency: str
    cost: Decimal | None  # by contract, else by invoice; None: no price is known
    spent: Decimal | None  # by invoice, else by contract: what the budget is compared with
    savable: Decimal | None  # a month, that can be realised; None: no price is known
    budget: Decimal | None
    over_budget: bool
    ends: date | None  # of the term; None: not known, or no end
    notice_by: date | None  # the last day
    missed: bool  # notice cannot be given any more for this term
    renews: bool | None  # by itself
    in_days: int | None  # until the last day of notice; None: none is known, or it is over

    @property
    def notice_is_soon(self) -> bool:
        return self.in_days is not None and self.in_days <= NOTICE_DAYS


@dataclass(frozen=True, slots=True)
class Row:
    """One service as the table shows it."""

    service: Service
    seats: Seats
    states: frozenset[str]  # values of `State`, or NOT_CONNECTED
    # {ACTION … NO_PRICE: the accounts that have it}; none where it is about all of them.
    concerned: Mapping[str, Sequence[Connection]]
    money: "Money"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.concerned)

    @property
    def read(self) -> int:
        """How many of its accounts were ever read."""
        return sum(account.members_as_of is not None for account in self.service.accounts)

    @property
    def is_in_part(self) -> bool:
        """Whether its figures lack an account that was never read."""
        return 0 < self.read < len(self.service.accounts)

    @property
    def owner(self) -> str:
        return str(self.service.owner or "")


def rows(services: Sequence[Service], now: datetime, today: date) -> list[Row]:
    """In the order of `services`. `now`: a moment of `tallies`; `today`: in the billing zone."""
    counts = tallies.by_service(services, now)
    standings = spending.standings(services, today)
    found = Finding.objects.money()
    return [
        _row(
            service,
            counts.get(service.pk, {}),
            _money(standings[service.pk], found.get(service.pk, {}), today),
            now,
        )
        for service in services
    ]


def costs(found: Iterable[Row]) -> dict[str, Decimal]:
    """{currency: what a month costs}, of the services whose price is known; the largest first."""
    return _by_currency((row.money.currency, row.money.cost) for row in found)


def savings(found: Iterable[Row]) -> dict[str, Decimal]:
    """{currency: what can be realised a month}, the largest first."""
    return _by_currency((row.money.currency, row.money.savable or None) for row in found)


def total(found: Iterable[Row]) -> Seats:
    """Of all that were read; what was never read is left out, not counted as none."""
    read = [row.seats for row in found if row.seats.total is not None]
    return Seats(
        total=sum(seats.total or 0 for seats in read) if read else None,
        active=sum(seats.active for seats in read),
        idle=sum(seats.idle for seats in read),
        never=sum(seats.never for seats in read),
        unknown=sum(seats.unknown for seats in read),
        idle_90=sum(seats.idle_90 for seats in read),
        invited=sum(seats.invited for seats in read),
    )


def _by_currency(amounts: Iterable[tuple[str, Decimal | None]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        if amount is not None:
            found[currency] += amount
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _money(
    standing: spending.Standing, found: Mapping[str, tuple[int, Decimal | None]], today: date
) -> Money:
    cost = standing.expected if standing.expected is not None else standing.invoiced
    _findings, amount = found.get(standing.currency, (0, None))
    savable = None if cost is None else amount or Decimal(0)
    renewal = standing.renewal
    notice_by = renewal.notice_by if renewal else None
    return Money(
        currency=standing.currency,
        cost=cost,
        spent=standing.invoiced if standing.invoiced is not None else standing.expected,
        savable=savable,
        budget=standing.budget,
        over_budget=standing.over_budget,
        ends=renewal.ends if renewal else None,
        notice_by=notice_by,
        missed=bool(renewal and renewal.missed),
        renews=renewal.renews if renewal else None,
        in_days=(notice_by - today).days if notice_by and notice_by >= today else None,
    )


def _row(service: Service, counts: Mapping[str, int], money: Money, now: datetime) -> Row:
    seats = Seats(
        # Everybody the vendor lists is billed, the invited included.
        total=sum(counts.values()) if service.members_as_of else None,
        active=counts.get(ACTIVE, 0),
        idle=sum(counts.get(status, 0) for status in IDLE),
        never=counts.get(NEVER, 0),
        unknown=counts.get(UNKNOWN, 0),
        idle_90=counts.get(IDLE_90, 0),
        invited=counts.get(INVITED, 0),
    )
    states = frozenset(account.state for account in service.accounts) or {NOT_CONNECTED}
    return Row(service, seats, frozenset(states), _concerned(service, seats, money, now), money)


def _concerned(
    service: Service, seats: Seats, money: Money, now: datetime
) -> Mapping[str, Sequence[Connection]]:
    accounts = service.accounts
    of_accounts: Mapping[str, Callable[[Connection], bool]] = {
        ACTION: lambda account: account.state == State.NEEDS_RECONNECT,
        HELD: lambda account: (run := account.open_run) is not None and run.is_doubted,
        LATE: lambda account: account.is_late(now),
        STILL: lambda account: (
            account.state == State.DISCONNECTED and account.members_as_of is not None
        ),
        LIMITED: lambda account: account.state == State.LIMITED,
        WAITING: lambda account: account.is_alive and account.members_as_of is None,
    }
    of_service = {
        NOTHING_READ: seats.total is None and not any(account.is_alive for account in accounts),
        IDLE_SEATS: seats.total is not None and seats.savable > 0,
        UNKNOWN_SEATS: seats.total is not None and seats.unknown > 0,
        NOTICE: money.notice_is_soon,
        OVER_BUDGET: money.over_budget,
        NO_PRICE: money.cost is None,
    }
    found = {need: [a for a in accounts if has(a)] for need, has in of_accounts.items()}
    return {need: some for need, some in found.items() if some} | {
        need: [] for need, is_so in of_service.items() if is_so
    }
