"""A month's costs by department, across all services: parts that add up to the cent."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.core.cache import caches

from seatwise import spending
from seatwise.models import Cost, Person, Service
from seatwise.spending import Group

KEPT_FOR = 86_400  # seconds; a newer reading, price or people file makes it anew at once


@dataclass(frozen=True, slots=True)
class Part:
    """What one service costs one department in a month."""

    service: Service
    group: Group


@dataclass(frozen=True, slots=True)
class Department:
    """One department's share of a month, in one currency. No seats of nobody are hidden in it."""

    name: str
    is_rest: bool  # seats held by nobody, or by people of whom no department is told
    parts: tuple[Part, ...]  # the dearest first

    @property
    def amount(self) -> Decimal:
        return sum((part.group.amount or Decimal(0) for part in self.parts), Decimal(0))

    @property
    def seats(self) -> Decimal:
        return sum((part.group.seats for part in self.parts), Decimal(0))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A month in one currency."""

    currency: str
    departments: tuple[Department, ...]  # the dearest first, what is nobody's last

    @property
    def amount(self) -> Decimal:
        return sum((each.amount for each in self.departments), Decimal(0))

    @property
    def services(self) -> int:
        return len({part.service.pk for each in self.departments for part in each.parts})


@dataclass(frozen=True, slots=True)
class Charged:
    """A month: a sheet for each currency, and the services that are in none."""

    month: date
    sheets: tuple[Sheet, ...]  # the largest first
    unpriced: tuple[Service, ...]  # with seats in that month, and the price of some not known


def charged(month: date) -> Charged:
    """What that month costs each department. `month`: its first day.

    Worked out once; after that it takes a fixed number of queries, until something is newer.
    """
    made = Cost.objects.between(month, month).worked_out()
    services = [each for each in Service.objects.for_list() if each.pk in made]
    parts, unpriced = [], []
    for service, groups in _groups(services, month, made):
        # One part without a price leaves the whole month of that service without a sum.
        if any(group.amount is None for group in groups):
            unpriced.append(service)
        else:
            parts += [Part(service, group) for group in groups]
    return Charged(month, tuple(_sheets(parts)), tuple(unpriced))


def _groups(
    services: Sequence[Service], month: date, made: dict[int, datetime]
) -> Iterable[tuple[Service, list[Group]]]:
    people = Person.objects.as_of()
    cache = caches["sums"]
    keys = {
        service.pk: f"charged-{service.pk}-{month}-{made[service.pk].timestamp()}-"
        f"{people.timestamp() if people else 0}"
        for service in services
    }
    known = cache.get_many(keys.values())
    fresh = {}
    for service in services:
        key = keys[service.pk]
        if key not in known:
            fresh[key] = known[key] = spending.groups(service, month, "department")
        yield service, known[key]
    if fresh:
        cache.set_many(fresh, KEPT_FOR)


def _sheets(parts: Iterable[Part]) -> list[Sheet]:
    found: dict[str, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        found[part.group.currency][part.group.name].append(part)
    sheets = [
        Sheet(currency, tuple(sorted(map(_department, names.values()), key=_dearest)))
        for currency, names in found.items()
    ]
    return sorted(sheets, key=lambda sheet: (-sheet.amount, sheet.currency))


def _department(parts: list[Part]) -> Department:
    by_cost = sorted(parts, key=lambda part: (-(part.group.amount or 0), part.service.name))
    return Department(parts[0].group.name, parts[0].group.is_rest, tuple(by_cost))


def _dearest(each: Department) -> tuple[bool, Decimal, str]:
    return each.is_rest, -each.amount, each.name
