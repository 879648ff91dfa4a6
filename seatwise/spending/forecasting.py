"""What the months to the renewal will cost, if nobody comes or goes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from seatwise import history
from seatwise.models import Contract, Service
from seatwise.pricing import Reset, renewal_after
from seatwise.spending.lines import Lines, by_line, resets_of

AHEAD = 12  # months, where no end is known


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of a month to come. Without an amount the price of something is not known."""

    month: date
    amount: Decimal | None
    currency: str
    seats: int  # that will be billed


def forecast(service: Service, today: date) -> list[Forecast]:
    """The months after this one, to the end of the term or for a year; [] without a contract.

    At the seats of today, by the states of the contract and the reductions that are written down
    already. What is charged beyond seats is not in it: nobody knows how many alerts will come.
    """
    states = list(Contract.objects.of(service))
    current = next((each for each in states if each.since <= today), None)
    if current is None or service.members_as_of is None:
        return []
    renewal, resets = renewal_after(current.terms, today), resets_of(service)
    month, found = history.month_after(today), []
    known: dict[int, _Held] = {}
    for _ in range(AHEAD):
        if renewal is not None and month > renewal.ends:
            break
        state = next(each for each in states if each.since <= month)
        if state.pk not in known:
            lines = Lines.of(service, state.terms)
            known[state.pk] = _Held(lines, by_line(lines.marks()), lines.held_now())
        found.append(_month(known[state.pk], month, resets))
        month = history.month_after(month)
    return found


class _Held(NamedTuple):
    """The seats of one state of the contract: of the past, and of now."""

    lines: Lines
    most: dict[str, dict[date, int]]
    now: Counter[str]


def _month(held: _Held, month: date, resets: Mapping[str, Sequence[Reset]]) -> Forecast:
    terms = held.lines.terms
    for line in terms.lines:
        held.most.setdefault(line.key, {})[month] = held.now[line.key]
    billed = held.lines.billed(month, held.most, resets)
    costs = [each.cost for each in billed if each.seats or each.cost is None]
    known = [cost for cost in costs if cost is not None]
    amount = sum(known, Decimal(0)) if len(known) == len(costs) else None
    return Forecast(month, amount, terms.currency, sum(each.seats for each in billed))
