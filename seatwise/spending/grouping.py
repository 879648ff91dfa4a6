"""Who a month's cost falls to: by licence, team or department, to the cent."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, get_args

from django.conf import settings
from django.utils import timezone

from seatwise import history
from seatwise.history.days import ONE_DAY
from seatwise.models import Contract, Cost, Member, Person, Service
from seatwise.models.holder import Holder
from seatwise.pricing import share
from seatwise.spending.lines import Lines
from seatwise.spending.refreshing import ALERTS

By = Literal["license", "team", "department"]
BY: tuple[By, ...] = get_args(By)
NOBODY = "Held by nobody"
NONE: Mapping[By, str] = {
    "license": "No licence known",
    "team": "No team",
    "department": "No department",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One group of one month. Seats are a fraction where somebody is in several teams."""

    name: str
    seats: Decimal  # at the month's end, or now
    amount: Decimal | None  # None: the price of one of the seats is not known
    currency: str
    is_rest: bool = False  # NOBODY, or one of NONE


def groups(service: Service, month: date, by: By) -> list[Group]:
    """The month's cost in parts that add up to it; the dearest first, what is nobody's last.

    Seats are those of the month's end, or of now; whoever is in two teams counts half for each.
    Teams and departments are those of today, for nobody tells those of the past. What is charged
    beyond seats falls to all by their seats.
    """
    costs = list(Cost.objects.of(service).between(month, month))
    contract = Contract.objects.in_force(service, month)
    if not costs or contract is None:
        return []
    lines = Lines.of(service, contract.terms)
    departments = Person.objects.departments() if by == "department" else {}
    held: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for holder in _holders(service, month):
        line = lines.of_seat(holder.role, holder.license)
        names = list(_names(holder, by, departments)) or [NONE[by]]
        for name in names:
            held[line][name] += Decimal(1) / len(names)
    return _made(costs, held)


def _made(costs: list[Cost], held: Mapping[str, Mapping[str, Decimal]]) -> list[Group]:
    seats: dict[str, Decimal] = defaultdict(Decimal)
    amounts: dict[str, Decimal | None] = defaultdict(Decimal)
    for cost in costs:
        if cost.line == ALERTS:
            weights = _together(held)
        else:
            weights = dict(held.get(cost.line, {}))
            empty = (cost.seats or 0) - round(sum(weights.values()))
            if empty > 0 or not weights:
                weights[NOBODY] = Decimal(max(empty, 0))
            for name, count in weights.items():
                seats[name] += count
        _share_out(cost, weights or {NOBODY: Decimal(1)}, amounts)
    rest = {NOBODY, *NONE.values()}
    found = [
        Group(name, seats[name].quantize(Decimal("0.01")), amounts[name], costs[0].currency,
              name in rest)
        for name in {**seats, **amounts}
        if seats[name] or amounts[name]
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.is_rest, -(each.amount or 0), each.name))


def _share_out(
    cost: Cost, weights: Mapping[str, Decimal], amounts: dict[str, Decimal | None]
) -> None:
    parts: Iterable[Decimal | None] = (
        [None] * len(weights) if cost.amount is None else share(cost.amount, list(weights.values()))
    )
    for name, part in zip(weights, parts, strict=True):
        before = amounts[name]
        amounts[name] = None if part is None or before is None else before + part


def _together(held: Mapping[str, Mapping[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line, names in held.items():
        for name, count in names.items() if line else ():
            found[name] += count
    return found


def _holders(service: Service, month: date) -> Iterator[Holder]:
    now = timezone.now()
    last = history.month_after(month) - ONE_DAY
    if last >= history.day_of(now, settings.BILLING_ZONE):
        return Member.objects.of(service).current().holders()
    return history.held_at(service, history.end_of(last, settings.BILLING_ZONE)).holders_then()


def _names(holder: Holder, by: By, departments: Mapping[str, str]) -> Iterator[str]:
    if by == "team":
        yield from dict.fromkeys(name for name in holder.teams if name)
    else:
        told = holder.license if by == "license" else departments.get(holder.email.lower())
        if told:
            yield told
