"""What is written down on the Spend tab itself: reductions, budgets and invoices."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from seatwise import alerts, insights, spending
from seatwise.models import Invoice, Service
from seatwise.spending import InvoiceDraft, MendField
from seatwise.views import cost, cost_form
from seatwise.views.cost_form import Fields, MendFields
from seatwise.views.shell import person, require_admin, service_or_404


@require_POST
@require_admin("write down a confirmed reduction")
def reduction(request: HttpRequest, key: str) -> HttpResponse:
    """That the vendor confirmed a lower number of seats."""

    def write(service: Service, typed: Fields) -> None:
        seats = typed.needed("seats", cost_form.number, 0)
        since = typed.needed("since", cost_form.month, date.min)
        line, note = typed.text("line"), typed.text("note")
        typed.check()
        spending.confirm_reduction(service, line, seats, since=since, note=note, by=person(request))

    said = "The reduction is written down. What it saves is booked once the seats are gone."
    return _written(request, key, "reduction", write, said, money=True)


@require_POST
@require_admin("set a budget")
def budget(request: HttpRequest, key: str) -> HttpResponse:
    """What may be spent in a month; nothing typed ends the budget."""

    def write(service: Service, typed: Fields) -> None:
        amount = typed.read("amount", cost_form.amount)
        since = typed.needed("since", cost_form.month, date.min)
        currency = typed.text("currency")
        typed.check()
        spending.set_budget(service, amount, currency, since=since, by=person(request))

    return _written(request, key, "budget", write, "The budget is written down.")


@require_POST
@require_admin("add an invoice")
def add_invoice(request: HttpRequest, key: str) -> HttpResponse:
    """One that is typed in."""

    def write(service: Service, typed: Fields) -> None:
        draft = InvoiceDraft(
            number=typed.needed("number", str, ""),
            starts=typed.needed("starts", cost_form.day, date.min),
            ends=typed.needed("ends", cost_form.day, date.min),
            amount=typed.needed("amount", cost_form.amount, Decimal(0)),
            tax=typed.read("tax", cost_form.amount),
            currency=typed.text("currency"),
            issued=typed.read("issued", cost_form.day),
            note=typed.text("note"),
        )
        typed.check()
        spending.add_invoices(service, [draft], by=person(request))

    return _written(request, key, "invoice", write, "The invoice is written down.")


@require_POST
@require_admin("remove an invoice")
def remove_invoice(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    service = service_or_404(key)
    found = Invoice.objects.numbered(service, pk)
    if found is None:
        messages.info(request, "This invoice is not there any more.")
        return redirect("service_spend", key)
    spending.remove_invoice(service, found)
    look_again(service)
    messages.success(request, f"Invoice {found.number} was removed.")
    return redirect("service_spend", key)


def look_again(service: Service, *, money: bool = False) -> None:
    """After a change: the alerts; with `money` what can be saved, which hangs on the contract."""
    fresh = Service.objects.for_table().get(pk=service.pk)
    if money:
        insights.run(fresh, timezone.now())
    alerts.watch(timezone.now(), [fresh])


def _written(
    request: HttpRequest,
    key: str,
    form: str,
    write: Callable[[Service, Fields], None],
    said: str,
    *,
    money: bool = False,
) -> HttpResponse:
    """Writes it down, or shows the page with the form as it was filled in and what is wrong."""
    service = service_or_404(key)
    typed = Fields(request.POST.dict())
    try:
        write(service, typed)
    except MendFields as wrong:
        return cost.shown(request, service, cost.Typed(form, typed.values, wrong.errors))
    except MendField as wrong:
        errors = {wrong.field: str(wrong)}
        return cost.shown(request, service, cost.Typed(form, typed.values, errors))
    look_again(service, money=money)
    messages.success(request, said)
    return redirect("service_spend", key)
