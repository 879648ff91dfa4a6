"""Writes a contract down: from a public plan, from the present state, or from nothing."""

from datetime import date

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from seatwise import history, spending
from seatwise.connectors.base import ListPrice
from seatwise.models import Contract, LicensePool, Service
from seatwise.pricing import CURRENCIES
from seatwise.views import cost, cost_form
from seatwise.views.cost_form import KINDS, LineWish, Wish
from seatwise.views.shell import person, require_admin, service_or_404


@require_http_methods(["GET", "HEAD", "POST"])
@require_admin("change a contract")
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?plan=business&term=year` fills the form with a public price."""
    service = service_or_404(key)
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    if request.method != "POST":
        return _shown(request, service, _begun(request, service, today))
    wish = cost_form.posted(request.POST)
    try:
        made = spending.set_contract(
            service, wish.terms, since=wish.month, note=wish.note, by=person(request)
        )
    except ValueError as error:
        return _shown(request, service, wish, str(error))
    cost.changed(service)
    messages.success(request, f"The contract holds from {made.since:%B %Y} on.")
    return redirect("service_spend", key)


def _begun(request: HttpRequest, service: Service, today: date) -> Wish:
    """What the form begins with."""
    contract = Contract.objects.of(service).first()
    month = today.replace(day=1)
    before = cost_form.of_terms(contract.terms, month) if contract else None
    plan = next((p for p in _plans(service) if p.key == request.GET.get("plan", "")), None)
    term = "year" if request.GET.get("term") == "year" else "month"
    if plan:
        return cost_form.of_list_price(plan, term, month, before)
    if before:
        return before
    first = LineWish(kind="full" if service.connector else "other")
    return Wish(since=f"{month:%Y-%m}", lines=(first,))


def _plans(service: Service) -> tuple[ListPrice, ...]:
    return service.connector.list_prices if service.connector else ()


def _shown(request: HttpRequest, service: Service, wish: Wish, error: str = "") -> HttpResponse:
    plan = next((each for each in _plans(service) if each.key == wish.plan), None)
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "spend",
        "wish": wish,
        "error": error,
        "plans": _plans(service),
        "plan": plan,
        "licenses": sorted(LicensePool.objects.kinds(service.accounts)),
        "kinds": KINDS.items(),
        "currencies": CURRENCIES,
        "states": Contract.objects.of(service).count(),
    }
    return render(request, "cost_contract.html", context, status=400 if error else 200)
