"""The rows of the Spend page: each service with its seats, how it is connected, what it needs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seatwise import tallies
from seatwise.models import Connection, Service
from seatwise.models.connection import State
from seatwise.models.member_status import ACTIVE, IDLE, IDLE_90, INVITED, NEVER, UNKNOWN

ACTION, HELD, LATE, LIMITED, NOTHING_READ = "action", "held", "late", "limited", "nothing"
STILL, WAITING = "still", "waiting"
IDLE_SEATS, UNKNOWN_SEATS = "idle", "unknown"
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
class Row:
    """One service as the table shows it."""

    service: Service
    seats: Seats
    states: frozenset[str]  # values of `State`, or NOT_CONNECTED
    # {ACTION … UNKNOWN_SEATS: the accounts that have it}; none where it is about all of them.
    concerned: Mapping[str, Sequence[Connection]]

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


def rows(services: Sequence[Service], now: datetime) -> list[Row]:
    """In the order of `services`. `now`: a moment of `tallies`."""
    counts = tallies.by_service(services, now)
    return [_row(service, counts.get(service.pk, {}), now) for service in services]


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


def _row(service: Service, counts: Mapping[str, int], now: datetime) -> Row:
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
    return Row(service, seats, frozenset(states), _concerned(service, seats, now))


def _concerned(service: Service, seats: Seats, now: datetime) -> Mapping[str, Sequence[Connection]]:
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
    }
    found = {need: [a for a in accounts if has(a)] for need, has in of_accounts.items()}
    return {need: some for need, some in found.items() if some} | {
        need: [] for need, is_so in of_service.items() if is_so
    }
