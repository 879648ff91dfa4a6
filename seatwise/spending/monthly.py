"""A service's months: what was expected, what was invoiced, what was planned."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from seatwise import history
from seatwise.models import Budget, Contract, Cost, Invoice, Service
from seatwise.pricing import split_by_month
from seatwise.spending.refreshing import amount_of


@dataclass(frozen=True, slots=True)
class MonthOfSpend:
    """Amounts in `currency`. None is unknown, or not there."""

    month: date
    currency: str  # "" where nothing tells one
    costs: tuple[Cost, ...]  # by line, as the contract says it
    expected: Decimal | None  # their sum; None where one of them is not known
    invoiced: Decimal | None  # the month's part of all invoices; None: no invoice is for it
    budget: Decimal | None
    partial: str  # why something of it is missing or can still change, in a sentence; "": nothing
    is_current: bool

    @property
    def difference(self) -> Decimal | None:
        """By how much more was invoiced than expected."""
        if self.invoiced is None or self.expected is None:
            return None
        return self.invoiced - self.expected


def months(service: Service) -> list[MonthOfSpend]:
    """Every month of which a cost or an invoice is known, the newest first. Four queries."""
    costs: dict[date, list[Cost]] = defaultdict(list)
    for cost in Cost.objects.of(service):
        costs[cost.month].append(cost)
    invoices = list(Invoice.objects.of(service))
    budgets = list(Budget.objects.of(service))
    contract = Contract.objects.of(service).first()
    usual = contract.terms.currency if contract else next((i.currency for i in invoices), "")
    invoiced = parts_of(invoices)
    present = history.day_of(timezone.now(), settings.BILLING_ZONE).replace(day=1)
    there = {*costs, *(month for month, _currency in invoiced), *([present] if contract else [])}
    return [
        _month(month, costs.get(month, []), usual, invoiced, budgets, present)
        for month in sorted(there, reverse=True)
    ]


def parts_of(invoices: Iterable[Invoice]) -> dict[tuple[date, str], Decimal]:
    """{(first day of a month, currency): the part of the invoices that is for it}."""
    found: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for invoice in invoices:
        for month, part in split_by_month(invoice.amount, invoice.starts, invoice.ends).items():
            found[month, invoice.currency] += part
    return dict(found)


def budget_in(budgets: Sequence[Budget], month: date, currency: str) -> Decimal | None:
    """What was planned for that month; `budgets`: the newest first."""
    held = next((each for each in budgets if each.since <= month), None)
    return held.amount if held is not None and held.currency == currency else None


def _month(
    month: date,
    costs: Sequence[Cost],
    usual: str,
    invoiced: dict[tuple[date, str], Decimal],
    budgets: Sequence[Budget],
    present: date,
) -> MonthOfSpend:
    currency = costs[0].currency if costs else usual
    others = sorted({code for at, code in invoiced if at == month and code != currency})
    partial = ["The month is not over."] if month == present else []
    if others:
        partial.append(f"Invoices in {' and '.join(others)} are not in it.")
    return MonthOfSpend(
        month,
        currency,
        tuple(costs),
        amount_of(costs),
        invoiced.get((month, currency)),
        budget_in(budgets, month, currency),
        " ".join(partial),
        month == present,
    )
