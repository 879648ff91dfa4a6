"""A service's months as charges: by invoice where there is one, else by contract; and its usage."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from seatwise import history
from seatwise.connectors.base import ListPrice
from seatwise.focus import Category, Charge, Period
from seatwise.models import Contract, Cost, Invoice, Service, UsagePoint
from seatwise.pricing import Line, Terms, share, split_by_month
from seatwise.spending.refreshing import ALERTS, BILLABLE

ONE_DAY = timedelta(days=1)
SEATS, UNSPLIT = "Seats", "subscription"


def charges(service: Service, first: date, last: date) -> Iterator[Charge]:
    """Every charge of the months that begin on these days or between, the oldest month first.

    The charges of an invoice add up to it, tax included, as far as it is for these months. A month
    without an invoice is told by contract, and provisional; where its price is not known either,
    nothing is told. Usage costs nothing beside what is charged for it.
    """
    whole = _Whole.of(service)
    month = first
    while month <= last:
        yield from whole.charges(month)
        month = history.month_after(month)


@dataclass(frozen=True, slots=True)
class _Whole:
    """All that the charges of a service are made of."""

    service: Service
    account: tuple[str, str]  # id and name
    states: Sequence[Contract]  # the newest first
    costs: dict[date, list[Cost]]
    invoices: Sequence[Invoice]
    points: dict[date, list[UsagePoint]]

    @classmethod
    def of(cls, service: Service) -> "_Whole":
        costs: dict[date, list[Cost]] = defaultdict(list)
        for cost in Cost.objects.of(service):
            costs[cost.month].append(cost)
        points: dict[date, list[UsagePoint]] = defaultdict(list)
        for point in UsagePoint.objects.of(service).order_by("metric", "pk"):
            points[point.month].append(point)
        accounts = [each for each in service.accounts if not each.is_by_file]
        only = accounts[0] if len(accounts) == 1 else None
        account = (only.account_id, only.account_name) if only else (service.key, service.name)
        states = list(Contract.objects.of(service))
        return cls(service, account, states, costs, list(Invoice.objects.of(service)), points)

    def charges(self, month: date) -> Iterator[Charge]:
        parts = list(self._parts(month))
        for invoice, amount, tax in parts:
            yield from self._invoiced(month, invoice, amount, tax, alone=len(parts) == 1)
        if not parts:
            yield from self._expected(month)
        yield from self._used(month)

    def _parts(self, month: date) -> Iterator[tuple[Invoice, Decimal, Decimal]]:
        """Each invoice that is for some of the month, with its part of it and of the tax."""
        for invoice in reversed(self.invoices):
            amounts = split_by_month(invoice.amount, invoice.starts, invoice.ends)
            if month in amounts:
                taxes = split_by_month(invoice.tax or Decimal(0), invoice.starts, invoice.ends)
                yield invoice, amounts[month], taxes[month]

    def _invoiced(
        self, month: date, invoice: Invoice, amount: Decimal, tax: Decimal, *, alone: bool
    ) -> Iterator[Charge]:
        costs = self.costs.get(month, [])
        known = [cost for cost in costs if cost.amount is not None]
        told = len(known) == len(costs) and any(cost.amount for cost in known)
        told = told and {cost.currency for cost in known} == {invoice.currency}
        if amount < 0:
            yield self._charge(month, amount, invoice, kind="Credit", what="Credit", line="credit")
        elif told:
            # What the contract expects is how an invoice without lines is told apart.
            amounts = share(amount, [cost.amount or Decimal(0) for cost in costs])
            for cost, part in zip(costs, amounts, strict=True):
                yield self._of_line(month, cost, part, invoice, alone=alone)
        else:
            yield self._charge(
                month,
                amount,
                invoice,
                what="Subscription",
                line=UNSPLIT,
                quantity=Decimal(1),
                is_recurring=True,
            )
        if tax:
            yield self._charge(month, tax, invoice, kind="Tax", what="Tax", line="tax")

    def _expected(self, month: date) -> Iterator[Charge]:
        for cost in self.costs.get(month, []):
            if cost.amount is not None:
                yield self._of_line(month, cost, cost.amount, None, alone=True)

    def _of_line(
        self, month: date, cost: Cost, amount: Decimal, invoice: Invoice | None, *, alone: bool
    ) -> Charge:
        terms = self._terms(month)
        line = terms.line(cost.line) if terms else None
        is_usage = cost.line == ALERTS
        price = terms.alerts.price if is_usage and terms else line.price if line else None
        return self._charge(
            month,
            amount,
            invoice,
            what=f"{cost.seats:,} {'alerts' if is_usage else 'seats'}: {cost.name}",
            line=cost.line,
            quantity=Decimal(cost.seats or 0),
            consumed=None if is_usage or cost.held is None else Decimal(cost.held),
            unit="Alerts" if is_usage else SEATS,
            is_recurring=not is_usage,
            # Of two invoices for a month nobody tells which of them is for how many seats.
            price=price if alone else None,
            listed=_listed(self.service, terms, line) if alone else None,
            currency=cost.currency,
        )

    def _used(self, month: date) -> Iterator[Charge]:
        """What the service was used for: charged for with the seats, so it costs nothing here."""
        connector = self.service.connector
        metrics = {each.key: each for each in connector.metrics} if connector else {}
        charged = {BILLABLE} if any(c.line == ALERTS for c in self.costs.get(month, [])) else set()
        wanted = set(connector.usage_headline if connector else ()) - charged
        currency = self._currency(month)
        for point in self.points.get(month, []) if currency else []:
            metric = metrics.get(point.metric)
            if metric and point.metric in wanted:
                yield self._charge(
                    month,
                    Decimal(0),
                    None,
                    what=f"{point.value:,} {metric.name.lower()}, included",
                    line=point.metric,
                    quantity=Decimal(point.value),
                    unit=metric.name,
                    price=Decimal(0),
                    currency=currency,
                    is_final=point.final,
                )

    def _charge(
        self,
        month: date,
        amount: Decimal,
        invoice: Invoice | None,
        *,
        what: str,
        line: str,
        kind: Category = "Usage",
        quantity: Decimal | None = None,
        consumed: Decimal | None = None,
        is_recurring: bool = False,
        unit: str = "Months",
        price: Decimal | None = None,
        listed: Decimal | None = None,
        currency: str = "",
        is_final: bool | None = None,
    ) -> Charge:
        whole = Period(month, history.month_after(month))
        is_usage = is_final is not None
        return Charge(
            service=self.service.key,
            name=self.service.name,
            vendor=self.service.vendor or self.service.name,
            category=self.service.category,
            account=self.account[0],
            account_name=self.account[1],
            month=whole,
            period=_within(whole, invoice) if invoice else whole,
            kind=kind,
            line=line,
            what=what,
            billed=amount,
            currency=invoice.currency if invoice else currency,
            source="invoice" if invoice else "usage" if is_usage else "contract",
            invoice=invoice.number if invoice else "",
            quantity=quantity,
            consumed=consumed,
            is_recurring=is_recurring,
            unit=unit,
            unit_price=price,
            list_price=listed,
            provisional=not is_final if is_usage else invoice is None,
        )

    def _terms(self, month: date) -> Terms | None:
        return next((each.terms for each in self.states if each.since <= month), None)

    def _currency(self, month: date) -> str:
        """In which a month's usage costs nothing; "" where no contract and no invoice tells."""
        terms = self._terms(month) or (self.states[-1].terms if self.states else None)
        told = (invoice.currency for invoice in self.invoices)
        return terms.currency if terms else next(told, "")


def _within(month: Period, invoice: Invoice) -> Period:
    return Period(max(month.starts, invoice.starts), min(month.ends, invoice.ends + ONE_DAY))


def _listed(service: Service, terms: Terms | None, line: Line | None) -> Decimal | None:
    """What the vendor asks everybody for such a seat; None where it is not known."""
    if terms is None or line is None or line.kind != "full" or service.connector is None:
        return None
    plans: Sequence[ListPrice] = service.connector.list_prices
    plan = next((each for each in plans if each.key == terms.plan), None)
    if plan is None or plan.currency != terms.currency:
        return None
    return plan.monthly if terms.term == "month" else plan.yearly
