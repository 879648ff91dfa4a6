"""How the contract of each service stands, of hundreds of services in a few queries."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from seatwise.models import Budget, Contract, Cost, Invoice, Service
from seatwise.pricing import Renewal, Terms, renewal_after, total_of
from seatwise.pricing.billing import cost_of
from seatwise.spending.monthly import budget_in, parts_of
from seatwise.spending.refreshing import ALERTS, amount_of

MONTHS = {"month": 1, "year": 12}


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one service in the present month. None is unknown."""

    service: int
    currency: str  # "" where nothing tells one
    terms: Terms | None
    expected: Decimal | None  # this month's, by contract
    invoiced: Decimal | None  # this month's part of the invoices
    budget: Decimal | None  # a month's
    committed: int | None  # seats that are paid for whether held or not; None: none agreed
    held: int | None  # of the lines with a commitment, at the month's fullest moment
    billed: int | None  # of all lines
    value: Decimal | None  # of what is committed, over the whole term
    renewal: Renewal | None

    @property
    def gap(self) -> int | None:
        """Seats that are committed and held by nobody; less than 0: more are held."""
        if self.committed is None or self.held is None:
            return None
        return self.committed - self.held

    @property
    def over_budget(self) -> bool:
        """Whether this month costs more than planned, by the invoices or else by contract."""
        spent = self.invoiced if self.invoiced is not None else self.expected
        return spent is not None and self.budget is not None and spent > self.budget


def standings(services: Sequence[Service], today: date) -> dict[int, Standing]:
    """{service id: how it stands}, of all of them, also those with nothing known. Four queries.

    `today`: a day of settings.BILLING_ZONE.
    """
    month = today.replace(day=1)
    costs: dict[int, list[Cost]] = defaultdict(list)
    for cost in Cost.objects.in_services(services).between(month, month):
        costs[cost.service_id].append(cost)
    invoices: dict[int, list[Invoice]] = defaultdict(list)
    for invoice in Invoice.objects.in_services(services).touching(month):
        invoices[invoice.service_id].append(invoice)
    contracts = Contract.objects.by_service(services)
    budgets = Budget.objects.by_service(services)
    return {
        service.pk: _standing(
            service.pk,
            next((c.terms for c in contracts.get(service.pk, []) if c.since <= today), None),
            costs.get(service.pk, []),
            invoices.get(service.pk, []),
            budgets.get(service.pk, []),
            today,
        )
        for service in services
    }


def _standing(
    pk: int,
    terms: Terms | None,
    costs: Sequence[Cost],
    invoices: Sequence[Invoice],
    budgets: Sequence[Budget],
    today: date,
) -> Standing:
    currency = terms.currency if terms else next((each.currency for each in invoices), "")
    month = today.replace(day=1)
    seats = [cost for cost in costs if cost.line != ALERTS]
    committed = [line for line in terms.lines if line.committed is not None] if terms else []
    keys = {line.key for line in committed}
    held = [cost.held for cost in seats if cost.line in keys]
    return Standing(
        service=pk,
        currency=currency,
        terms=terms,
        expected=amount_of(costs),
        invoiced=parts_of(invoices).get((month, currency)),
        budget=budget_in(budgets, month, currency),
        committed=sum(line.committed or 0 for line in committed) if committed else None,
        held=_sum(held),
        billed=_sum([cost.seats for cost in seats]),
        value=_value(terms) if terms and committed else None,
        renewal=renewal_after(terms, today) if terms else None,
    )


def _value(terms: Terms) -> Decimal | None:
    """Of the committed seats, over one term."""
    costs = [cost_of(line, line.committed) for line in terms.lines if line.committed is not None]
    a_month = total_of(costs)
    return None if a_month is None else a_month * MONTHS[terms.term]


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None
