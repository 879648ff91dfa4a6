"""What can be watched of a service, and the value of each at this moment.

Values of all services that are asked about come in a fixed number of queries.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from django.conf import settings

from seatwise import history, spending, tallies
from seatwise.models import Alert, LicensePool, Service, UsagePoint
from seatwise.models.connection import State
from seatwise.models.member_status import ACTIVE, IDLE, NEVER

METRIC = "metric:"
SEATS_LEFT, IDLE_SHARE, SPEND_BUDGET = "seats_left", "idle_share", "spend_budget"
TROUBLE = "trouble"
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that can be watched."""

    key: str  # kept on alerts, never renamed
    name: str  # "Incidents this month"
    what: str  # what exactly it is, in a sentence
    sign: str = ""  # behind its numbers: "%"
    way: str = Alert.Way.ABOVE  # which way is usual
    is_number: bool = True  # else it is there or not, and needs no limit
    monthly: bool = False  # whether each month begins anew


class Value(NamedTuple):
    """A value, or None where it is unknown; why it is unknown, or what is the matter."""

    value: Decimal | None
    why: str = ""


OF_ALL = (
    Unit(
        SEATS_LEFT,
        "Seats left",
        "Seats that can still be given, of the licence with the fewest left. A licence without a "
        "limit is left out.",
        way=Alert.Way.BELOW,
    ),
    Unit(
        IDLE_SHARE,
        "Share of idle seats",
        "Of the seats whose last use is known: how many per cent nobody used for 30 days or ever. "
        "Unknown ones are in neither number, nor are invitations.",
        sign="%",
    ),
    Unit(
        SPEND_BUDGET,
        "Spend against the budget",
        "What this month costs by its invoices, or else by the contract, in per cent of the "
        "month’s budget.",
        sign="%",
        monthly=True,
    ),
    Unit(
        TROUBLE,
        "Trouble with a connection",
        "Somebody must authorize again, something cannot be read, or the list of members is older "
        "than its schedule promises.",
        is_number=False,
    ),
)


def units_of(service: Service) -> list[Unit]:
    """What can be watched of it: its connector's metrics first."""
    metrics = service.connector.metrics if service.connector else ()
    return [
        *(
            Unit(f"{METRIC}{each.key}", f"{each.name} this month", each.definition, monthly=True)
            for each in metrics
        ),
        *OF_ALL,
    ]


def unit_of(service: Service, key: str) -> Unit:
    """One of them. A metric that its connector does not know any more is its own name."""
    name = key.removeprefix(METRIC).replace("_", " ").capitalize()
    gone = Unit(key, f"{name} this month", "It is not read any more.", monthly=True)
    return next((unit for unit in units_of(service) if unit.key == key), gone)


def in_words(unit: Unit, value: Decimal | None) -> str:
    """ "1,234", "12.5 %"; of what is no number, and of the unknown, in words."""
    if value is None:
        return "unknown"
    if not unit.is_number:
        return "trouble" if value > 0 else "no trouble"
    number = f"{value.quantize(CENT):,}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {unit.sign}".strip()


class Units:
    """The values of these services as of `now`; what nobody asks for is not looked up."""

    def __init__(self, services: Sequence[Service], now: datetime) -> None:
        """`services`: as `for_table` gives them."""
        self._services = services
        self._now = now
        self._today = history.day_of(now, settings.BILLING_ZONE)

    def value(self, service: Service, key: str) -> Value:
        """Of one of the services; what is not known any more is unknown."""
        if key.startswith(METRIC):
            return self._metric(service, key.removeprefix(METRIC))
        asked = {
            SEATS_LEFT: self._seats_left,
            IDLE_SHARE: self._idle_share,
            SPEND_BUDGET: self._spend_budget,
            TROUBLE: self._trouble,
        }.get(key)
        return asked(service) if asked else Value(None, "This is not watched any more.")

    def _metric(self, service: Service, metric: str) -> Value:
        read = [account.pk for account in service.accounts if account.holds_a_grant]
        found = self._usage.get(metric, {})
        known = [found[account] for account in read if account in found]
        if not read:
            return Value(None, "No account of it is connected.")
        if len(known) < len(read):
            return Value(None, "This month’s number is not read yet, or cannot be read.")
        return Value(Decimal(sum(known)))

    def _seats_left(self, service: Service) -> Value:
        read = [account.pk for account in service.accounts if account.holds_a_grant]
        left = [pair for account in read for pair in self._left.get(account, ())]
        if not left:
            return Value(None, "No licence tells how many seats are left.")
        fewest, name = min(left)
        return Value(Decimal(fewest), f"Licence: {name}.")

    def _idle_share(self, service: Service) -> Value:
        counts = self._statuses.get(service.pk, {})
        idle = sum(counts.get(status, 0) for status in (*IDLE, NEVER))
        known = idle + counts.get(ACTIVE, 0)
        if not known:
            return Value(None, "Nobody’s last use is known.")
        share = (Decimal(100 * idle) / known).quantize(CENT)
        return Value(share, f"{idle:,} of {known:,} seats whose last use is known.")

    def _spend_budget(self, service: Service) -> Value:
        standing = self._standings[service.pk]
        by_invoice = standing.invoiced is not None
        spent = standing.invoiced if by_invoice else standing.expected
        if not standing.budget:
            return Value(None, "No budget is set for this month.")
        if spent is None:
            return Value(None, "What this month costs is not known.")
        share = (100 * spent / standing.budget).quantize(CENT)
        return Value(share, "By invoice." if by_invoice else "By contract.")

    def _trouble(self, service: Service) -> Value:
        """How many accounts have some."""
        found = []
        for account in service.accounts:
            if account.state == State.NEEDS_RECONNECT:
                found.append(f"{account.account_name}: somebody must authorize again.")
            elif account.is_late(self._now):
                found.append(f"{account.account_name}: not read for a long time.")
            elif account.state == State.LIMITED:
                found.append(f"{account.account_name}: something cannot be read.")
        if not service.accounts:
            return Value(None, "No account of it is connected.")
        return Value(Decimal(len(found)), " ".join(found))

    @cached_property
    def _accounts(self) -> list[int]:
        return [account.pk for service in self._services for account in service.accounts]

    @cached_property
    def _usage(self) -> Mapping[str, Mapping[int, int]]:
        return UsagePoint.objects.of_month(self._accounts, self._today.replace(day=1))

    @cached_property
    def _left(self) -> Mapping[int, Sequence[tuple[int, str]]]:
        found = defaultdict(list)
        for account, left, name in LicensePool.objects.limited(self._accounts):
            found[account].append((left, name))
        return found

    @cached_property
    def _statuses(self) -> Mapping[int, Mapping[str, int]]:
        return tallies.by_service(self._services, tallies.moment())

    @cached_property
    def _standings(self) -> Mapping[int, spending.Standing]:
        return spending.standings(self._services, self._today)
