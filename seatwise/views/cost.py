"""The Spend tab of a service: what it costs, by which contract, against invoices and budget."""

from collections.abc import Iterator, Sequence
from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import history, insights, spending
from seatwise.models import Budget, Contract, Invoice, Reduction, Service
from seatwise.pricing import CURRENCIES, split_by_month
from seatwise.spending import MonthOfSpend
from seatwise.spreadsheet import Cell, Column
from seatwise.views import cost_form
from seatwise.views.export import Export, Offer, download, menu, wanted
from seatwise.views.shell import person, require_admin, service_or_404

SHOWN = 12  # invoices
COLUMNS = (
    Column("month", "Month", "date", "The month’s first day, in the billing zone."),
    Column("currency", "Currency", "text", "Of all amounts of the row, by ISO 4217."),
    Column("held", "Held", "number", "The most seats held at one moment of the month."),
    Column("billed", "Billed", "number", "Seats that are paid for by the contract."),
    Column("expected", "Expected", "number", "What the contract makes of it; empty: not known."),
    Column("invoiced", "Invoiced", "number", "The month’s part of all invoices, by days."),
    Column("difference", "Difference", "number", "How much more was invoiced than expected."),
    Column("budget", "Budget", "number", "What was planned for the month."),
)


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The page, or its months as a file."""
    service = service_or_404(key)
    months = spending.months(service)
    if wanted(request):
        return download(request, _export(service, months))
    return _shown(request, service, months)


@require_POST
@require_admin("write down a confirmed reduction")
def reduction(request: HttpRequest, key: str) -> HttpResponse:
    """That the vendor confirmed a lower number of seats."""
    service = service_or_404(key)
    try:
        seats = cost_form.number(request.POST.get("seats", ""), "Seats")
        if seats is None:
            raise ValueError("Seats: write how many are billed from then on.")
        spending.confirm_reduction(
            service,
            request.POST.get("line", ""),
            seats,
            since=cost_form.month(request.POST.get("since", "")),
            note=request.POST.get("note", "").replace("\x00", ""),
            by=person(request),
        )
    except ValueError as error:
        return _again(request, service, "reduction", error)
    return _done(request, service, "The reduction is written down. What it saves is booked.")


@require_POST
@require_admin("set a budget")
def budget(request: HttpRequest, key: str) -> HttpResponse:
    """What may be spent in a month; nothing typed ends the budget."""
    service = service_or_404(key)
    try:
        spending.set_budget(
            service,
            cost_form.amount(request.POST.get("amount", ""), "Budget"),
            request.POST.get("currency", ""),
            since=cost_form.month(request.POST.get("since", "")),
            by=person(request),
        )
    except ValueError as error:
        return _again(request, service, "budget", error)
    return _done(request, service, "The budget is written down.")


@require_POST
@require_admin("add an invoice")
def add_invoice(request: HttpRequest, key: str) -> HttpResponse:
    """One that is typed in."""
    service = service_or_404(key)
    try:
        [made] = spending.add_invoices(service, [_draft(request)], by=person(request))
    except ValueError as error:
        return _again(request, service, "invoice", error)
    return _done(request, service, f"Invoice {made.number} is written down.")


@require_POST
@require_admin("remove an invoice")
def remove_invoice(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    service = service_or_404(key)
    found = Invoice.objects.numbered(service, pk)
    if found is None:
        messages.info(request, "This invoice is not there any more.")
        return redirect("service_spend", key)
    spending.remove_invoice(service, found)
    return _done(request, service, f"Invoice {found.number} was removed.")


def changed(service: Service) -> None:
    """What can be saved hangs on the contract: the findings' money is worked out anew."""
    fresh = Service.objects.for_table().get(pk=service.pk)
    insights.run(fresh, timezone.now())


def _draft(request: HttpRequest) -> spending.InvoiceDraft:
    """Raises ValueError."""
    form = request.POST
    starts = cost_form.day(form.get("starts", ""), "From")
    ends = cost_form.day(form.get("ends", ""), "To")
    amount = cost_form.amount(form.get("amount", ""), "Amount")
    if starts is None or ends is None or amount is None:
        raise ValueError("An invoice needs its period and its amount.")
    return spending.InvoiceDraft(
        number=form.get("number", "").replace("\x00", ""),
        starts=starts,
        ends=ends,
        amount=amount,
        tax=cost_form.amount(form.get("tax", ""), "Tax"),
        currency=form.get("currency", ""),
        issued=cost_form.day(form.get("issued", ""), "Issued"),
        note=form.get("note", "").replace("\x00", ""),
    )


def _done(request: HttpRequest, service: Service, said: str) -> HttpResponse:
    changed(service)
    messages.success(request, said)
    return redirect("service_spend", service.key)


def _again(request: HttpRequest, service: Service, which: str, error: ValueError) -> HttpResponse:
    """The page with the form as it was filled in, and what is wrong with it."""
    told: dict[str, object] = {"wrong": which, "error": str(error), "typed": request.POST}
    return _shown(request, service, spending.months(service), told, status=400)


def _shown(
    request: HttpRequest,
    service: Service,
    months: Sequence[MonthOfSpend],
    told: dict[str, object] | None = None,
    status: int = 200,
) -> HttpResponse:
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    states = list(Contract.objects.of(service))
    current = next((each for each in states if each.since <= today), None)
    standing = spending.standings([service], today)[service.pk]
    invoices = list(Invoice.objects.of(service))
    ahead = spending.forecast(service, today)
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "spend",
        "states": [(each, spending.in_words(each.terms)) for each in states],
        "contract": current,
        "terms": current.terms if current else None,
        "standing": standing,
        "days_left": (standing.renewal.ends - today).days if standing.renewal else None,
        "months": months,
        "now": next((each for each in months if each.is_current), None),
        "chart": _chart(months) if len(months) > 1 or any(m.expected for m in months) else None,
        "forecast": ahead,
        "forecast_sum": _sum(ahead),
        "reductions": list(Reduction.objects.of(service)),
        "budgets": list(Budget.objects.of(service)),
        "invoices": [(each, _parts(each)) for each in invoices[:SHOWN]],
        "invoice_count": len(invoices),
        "currencies": CURRENCIES,
        "currency": standing.currency or "USD",
        "today": today,
        "this_month": f"{today:%Y-%m}",
        "next_month": f"{history.month_after(today):%Y-%m}",
        "exports": [*menu("?"), *_focus(service)],
        "typed": {},
        **(told or {}),
    }
    return render(request, "cost.html", context, status=status)


def _parts(invoice: Invoice) -> list[tuple[date, object]]:
    return list(split_by_month(invoice.amount, invoice.starts, invoice.ends).items())


def _sum(ahead: Sequence[spending.Forecast]) -> object:
    amounts = [each.amount for each in ahead if each.amount is not None]
    alike = len({each.currency for each in ahead}) == 1
    return sum(amounts) if ahead and len(amounts) == len(ahead) and alike else None


def _focus(service: Service) -> Iterator[Offer]:
    address = reverse("focus", args=[service.key])
    for kind, label in (("csv", "FOCUS 1.2, CSV"), ("parquet", "FOCUS 1.2, Parquet")):
        yield Offer("csv", label, "for tools of finance", f"{address}?format={kind}")


def _chart(months: Sequence[MonthOfSpend]) -> dict[str, object]:
    """Oldest month first; what is not known is None. Numbers, for a chart draws no decimals."""
    oldest_first = list(reversed(months))

    def values(name: str) -> list[float | None]:
        found = [getattr(each, name) for each in oldest_first]
        return [None if each is None else float(each) for each in found]

    drawn = (
        ("Expected", "bar", "chart-2", "expected"),
        ("Invoiced", "bar", "chart-1", "invoiced"),
        ("Budget", "line", "chart-3", "budget"),
    )
    return {
        "months": [
            {
                "slug": f"{each.month:%Y-%m}",
                "short": f"{each.month:%b}" if len(months) <= 12 else f"{each.month:%b %y}",
                "name": f"{each.month:%B %Y}",
                "provisional": each.is_current,
                "mark": "so far" if each.is_current else "",
                "why": each.partial,
            }
            for each in oldest_first
        ],
        "series": [
            {"name": name, "kind": kind, "colour": colour, "values": values(of)}
            for name, kind, colour, of in drawn
            if any(value is not None for value in values(of))
        ],
    }


def _export(service: Service, months: Sequence[MonthOfSpend]) -> Export:
    return Export(
        file=f"{service.key}-spend",
        what="spend by month",
        title="Spend",
        says="One row for each month of which a cost or an invoice is known.",
        columns=COLUMNS,
        rows=map(_line, months),
        count=len(months),
        service=service,
        readings=("members", "licenses"),
    )


def _line(month: MonthOfSpend) -> list[Cell]:
    seats = [cost for cost in month.costs if cost.line != spending.ALERTS]
    held, billed = ([getattr(cost, name) for cost in seats] for name in ("held", "seats"))
    return [
        month.month,
        month.currency,
        sum(held) if seats and None not in held else None,
        sum(billed) if seats and None not in billed else None,
        month.expected,
        month.invoiced,
        month.difference,
        month.budget,
    ]
