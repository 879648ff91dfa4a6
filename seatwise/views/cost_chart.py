"""The chart of the Spend tab: what each line should cost, what was invoiced, the budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from seatwise.models import Cost
from seatwise.spending import MonthOfSpend

LINES = ("chart-1", "chart-4", "chart-5", "chart-2")  # colours of lines; what is more is one
REST = ("rest", "Other lines", "chart-7")
MOST = 24  # months
EXPECTED = "expected"  # what stands on each other


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    colour: str
    values: tuple[float | None, ...]
    stack: str = ""  # "": a line

    def as_json(self) -> dict[str, object]:
        kind = {"kind": "bar", "stack": self.stack} if self.stack else {"kind": "line"}
        return {"name": self.name, "colour": self.colour, "values": self.values, **kind}


def drawn(months: Sequence[MonthOfSpend]) -> dict[str, object] | None:
    """For charts.js, the oldest month first; None where no month has an amount.

    Amounts are of one currency, the newest month's; months of another one say so and are empty.
    They are floats: what is drawn needs no cents, and the table has them.
    """
    shown = list(reversed(months[:MOST]))
    currency = shown[-1].currency if shown else ""
    of_it = [each if each.currency == currency else None for each in shown]
    series = [
        *_lines([each.costs if each else () for each in of_it]),
        _line("Invoiced", "chart-3", [each.invoiced if each else None for each in of_it]),
        _line("Budget", "chart-6", [each.budget if each else None for each in of_it]),
    ]
    series = [each for each in series if any(value is not None for value in each.values)]
    if not series:
        return None
    return {
        "currency": currency,
        "months": [_month(each, currency, len(shown)) for each in shown],
        "series": [each.as_json() for each in series],
    }


def _lines(months: Sequence[Sequence[Cost]]) -> list[_Series]:
    """A bar for each line of any month, called as it was last; the smallest ones as one."""
    names: dict[str, str] = {}
    sums: dict[str, float] = {}
    for costs in months:
        for cost in costs:
            names[cost.line] = cost.name
            sums[cost.line] = sums.get(cost.line, 0) + float(cost.amount or 0)
    largest = sorted(sums, key=lambda line: -sums[line])
    apart = largest if len(largest) <= len(LINES) else largest[: len(LINES) - 1]
    parts = [
        ([line], names[line], LINES[place])
        for place, line in enumerate([line for line in names if line in apart])
    ]
    rest = [line for line in names if line not in apart]
    if rest:
        parts.append((rest, *REST[1:]))
    taken = {"Invoiced", "Budget"}
    found = []
    for lines, called, colour in parts:
        name = called
        while name in taken:  # a legend tells series apart by their names
            name = f"{name}, seats"
        taken.add(name)
        values = tuple(_amount(costs, lines) for costs in months)
        found.append(_Series(name, colour, values, EXPECTED))
    return found


def _line(name: str, colour: str, amounts: Sequence[Decimal | None]) -> _Series:
    return _Series(name, colour, tuple(None if a is None else float(a) for a in amounts))


def _amount(costs: Sequence[Cost], lines: Sequence[str]) -> float | None:
    amounts = [cost.amount for cost in costs if cost.line in lines and cost.amount is not None]
    return float(sum(amounts)) if amounts else None


def _month(month: MonthOfSpend, currency: str, count: int) -> Mapping[str, object]:
    is_other = month.currency != currency
    return {
        "slug": f"{month.month:%Y-%m}",
        "short": f"{month.month:%b}" if count <= 12 else f"{month.month:%b %y}",
        "name": f"{month.month:%B %Y}",
        "provisional": month.is_current,
        "mark": "so far" if month.is_current else "",
        "why": f"Its amounts are in {month.currency}, see the table."
        if is_other
        else month.partial,
    }
