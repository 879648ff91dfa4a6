"""The rows of the Spend page: each service with its seats, how it is connected, what it needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatwise import tallies
from seatwise.models import Connection, Service
from seatwise.models.connection import Every, State
from seatwise.models.member import ACTIVE, IDLE, IDLE_90, NEVER, UNKNOWN

ACTION, HELD, LATE, LIMITED, NOTHING_READ = "action", "held", "late", "limited", "nothing"
IDLE_SEATS, UNKNOWN_SEATS = "idle", "unknown"
NOT_CONNECTED = "none"
# A list of members that is older was not read for long.
LATE_AFTER: Mapping[str, timedelta] = {
    Every.SIX_HOURS: timedelta(days=2),
    Every.DAY: timedelta(days=3),
    Every.WEEK: timedelta(days=15),
    Every.NEVER: timedelta(days=31),
}
FILE_LATE_AFTER = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Seats:
    """How many hold a seat, and what is known about their use. None: never read."""

    total: int | None
    active: int
    idle: int
    never: int
    unknown: int
    idle_90: int = 0

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
    needs: frozenset[str]  # ACTION … UNKNOWN_SEATS

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
    )


def is_late(account: Connection, now: datetime) -> bool:
    """Whether its members were not read for much longer than its schedule promises."""
    if account.is_by_file:
        read, most = account.members_as_of, FILE_LATE_AFTER
    elif account.is_alive:
        read, most = account.members_as_of or account.connected_at, LATE_AFTER[account.sync_every]
    else:
        return False
    return read is not None and read < now - most


def _row(service: Service, counts: Mapping[str, int], now: datetime) -> Row:
    seats = Seats(
        # Everybody the vendor lists is billed, the invited included.
        total=sum(counts.values()) if service.members_as_of else None,
        active=counts.get(ACTIVE, 0),
        idle=sum(counts.get(status, 0) for status in IDLE),
        never=counts.get(NEVER, 0),
        unknown=counts.get(UNKNOWN, 0),
        idle_90=counts.get(IDLE_90, 0),
    )
    states = frozenset(account.state for account in service.accounts) or {NOT_CONNECTED}
    return Row(service, seats, frozenset(states), _needs(service, seats, now))


def _needs(service: Service, seats: Seats, now: datetime) -> frozenset[str]:
    accounts = service.accounts
    runs = [run for account in accounts if (run := account.open_run)]
    needs = {
        ACTION: any(account.state == State.NEEDS_RECONNECT for account in accounts),
        HELD: any(run.is_doubted for run in runs),
        LATE: any(is_late(account, now) for account in accounts),
        LIMITED: any(account.state == State.LIMITED for account in accounts),
        NOTHING_READ: seats.total is None and not any(account.is_alive for account in accounts),
        IDLE_SEATS: seats.total is not None and seats.savable > 0,
        UNKNOWN_SEATS: seats.total is not None and seats.unknown > 0,
    }
    return frozenset(name for name, is_so in needs.items() if is_so)
