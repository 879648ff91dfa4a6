"""The Spend tab of a service: what it costs, by which contract, against invoices and budget."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import history, spending
from seatwise.models import Budget, Contract, Invoice, Reduction, Service
from seatwise.pricing import Terms, split_by_month
from seatwise.views import cost_chart, cost_export
from seatwise.views.cost_export import Sums
from seatwise.views.cost_fields import BUDGET, INVOICE, REDUCTION, Field, filled
from seatwise.views.export import Offer, download, menu, wanted
from seatwise.views.shell import service_or_404

MONTHS = 12  # unless all are asked for
INVOICES = 6  # likewise


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into one of the page's forms, and what is wrong with it."""

    form: str = ""  # "reduction", "budget", "invoice"
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


NOTHING = Typed()


@dataclass(frozen=True, slots=True)
class State:
    """One state of the contract, in words."""

    contract: Contract
    terms: Terms
    said: str
    standing: str  # "now", "to come", "replaced", "past"


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The page, or its months as a file. `months=all` and `invoices=all` show older ones, too."""
    service = service_or_404(key)
    if wanted(request):
        today = history.day_of(timezone.now(), settings.BILLING_ZONE)
        return download(request, cost_export.of(service, spending.months(service), today))
    return shown(request, service)


def shown(request: HttpRequest, service: Service, typed: Typed = NOTHING) -> HttpResponse:
    """The page; with what is wrong in a form, as it was filled in."""
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    months = spending.months(service)
    invoices = list(Invoice.objects.of(service))
    asked = request.GET
    shown_months = months if asked.get("months") == "all" else months[:MONTHS]
    shown_invoices = invoices if asked.get("invoices") == "all" else invoices[:INVOICES]
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "spend",
        "today": today,
        "rows": [(each, Sums.of(each)) for each in shown_months],
        "month_count": len(months),
        "columns": cost_export.COLUMNS[2:],
        "now": next((each for each in months if each.is_current), None),
        "chart": cost_chart.drawn(months),
        "budgets": list(Budget.objects.of(service)),
        "invoices": [(each, _parts(each)) for each in shown_invoices],
        "invoice_count": len(invoices),
        "asked_to_remove": asked.get("remove", ""),
        "exports": [*menu("?"), *_focus(service)],
        "typed": typed,
        **_agreed(service, today),
    }
    context["forms"] = _forms(context["terms"], context["standing"].currency, today, typed)
    return render(request, "cost.html", context, status=400 if typed.errors else 200)


def _agreed(service: Service, today: date) -> dict[str, Any]:
    """The contract with its past, and what it means for the months to come."""
    contracts = list(Contract.objects.of(service))
    current = next((each for each in contracts if each.since <= today), None)
    terms = current.terms if current else None
    standing = spending.standings([service], today)[service.pk]
    ahead = spending.forecast(service, today)
    return {
        "states": list(_states(contracts, current, today)),
        "terms": terms,
        "standing": standing,
        "currency": standing.currency or "USD",
        "days_left": (standing.renewal.ends - today).days if standing.renewal else None,
        "is_over": bool(terms and terms.ends and not standing.renewal),
        "forecast": ahead,
        "forecast_sum": _sum(ahead),
        "reductions": [
            (each, _name_of(each.line, contracts)) for each in Reduction.objects.of(service)
        ],
    }


def _states(
    contracts: Sequence[Contract], current: Contract | None, today: date
) -> Iterator[State]:
    seen: set[date] = set()
    for each in contracts:
        if each.since in seen:
            standing = "replaced"
        elif each == current:
            standing = "now"
        else:
            standing = "to come" if each.since > today else "past"
        seen.add(each.since)
        terms = each.terms
        yield State(each, terms, spending.in_words(terms), standing)


def _name_of(line: str, contracts: Sequence[Contract]) -> str:
    """As the newest state that has it calls a line."""
    found = (each.terms.line(line) for each in contracts)
    return next((each.name for each in found if each), line)


def _forms(terms: Terms | None, currency: str, today: date, typed: Typed) -> dict[str, list[Field]]:
    """The fields of each form, begun with what is likely."""
    usual = {"currency": currency or "USD", "since": f"{today:%Y-%m}"}
    lines = tuple((line.key, line.name) for line in terms.lines) if terms else ()
    reduction = [replace(REDUCTION[0], options=lines), *REDUCTION[1:]]
    begun: dict[str, tuple[Sequence[Field], dict[str, str]]] = {
        "reduction": (reduction, {"since": f"{history.month_after(today):%Y-%m}"}),
        "budget": (BUDGET, usual),
        "invoice": (INVOICE, usual),
    }
    return {
        name: filled(
            name,
            fields,
            {**usually, **typed.values} if name == typed.form else usually,
            typed.errors if name == typed.form else {},
        )
        for name, (fields, usually) in begun.items()
    }


def _parts(invoice: Invoice) -> list[tuple[date, Decimal]]:
    return list(split_by_month(invoice.amount, invoice.starts, invoice.ends).items())


def _sum(ahead: Sequence[spending.Forecast]) -> Decimal | None:
    amounts = [each.amount for each in ahead if each.amount is not None]
    alike = len({each.currency for each in ahead}) == 1
    return sum(amounts, Decimal(0)) if alike and len(amounts) == len(ahead) else None


def _focus(service: Service) -> Iterator[Offer]:
    address = reverse("focus", args=[service.key])
    for kind, label in (("csv", "FOCUS 1.2, CSV"), ("parquet", "FOCUS 1.2, Parquet")):
        yield Offer("csv", label, "for tools of finance", f"{address}?format={kind}")
