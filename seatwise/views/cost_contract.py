"""Writes a contract down: from a public plan, from the present state, or from nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from seatwise.spending import MendField
from seatwise.views import cost_form, cost_writing
from seatwise.views.cost_fields import Field, filled, same
from seatwise.views.cost_form import KINDS, LineWish, Wish
from seatwise.views.shell import person, require_admin, service_or_404

TERM = (
    Field("since", "Holds from", "month", hint="Months before keep the price they had.",
          required=True),
    Field("currency", "Currency", "select", options=same(CURRENCIES)),
    Field("term", "Can be left", "select",
          options=(("month", "every month"), ("year", "once a year"))),
    Field("starts", "Term starts", "date"),
    Field("ends", "Term ends, last day", "date"),
    Field("notice_days", "Days of notice", mode="numeric"),
    Field("renews", "Then", "select",
          options=(("", "not known"), ("yes", "it renews by itself"), ("no", "it ends"))),
)  # fmt: skip
ALERTS = (
    Field("allowance", "Included a month", mode="numeric"),
    Field("alert_price", "Each one more", mode="decimal"),
)
NOTE = Field("note", "Note", hint="Where the contract lies, or what changed.", longest=1_000)
LINE = (
    Field("name", "Called", longest=100),
    Field("kind", "For", "select", options=tuple(KINDS.items())),
    Field("price", "A seat and month", mode="decimal"),
    Field("packs", "Or packs a month", hint="Seats and price: 50: 150, 250: 700", longest=400),
    Field("committed", "Committed seats", mode="numeric"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form."""

    at: int
    wish: LineWish
    fields: list[Field]
    wrong_licenses: str


@require_http_methods(["GET", "HEAD", "POST"])
@require_admin("change a contract")
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?plan=business&term=year` fills the form with a public price."""
    service = service_or_404(key)
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    if request.method != "POST":
        return _shown(request, service, _begun(request, service, today), {})
    wish = cost_form.posted(request.POST)
    terms, since, errors = cost_form.read(wish)
    try:
        if errors:  # what else is wrong with it is told at once
            spending.check_terms(terms)
        else:
            spending.set_contract(service, terms, since=since, note=wish.note, by=person(request))
    except MendField as error:
        errors = cost_form.by_row(wish, error) | errors
    if errors:
        return _shown(request, service, wish, errors)
    cost_writing.look_again(service, money=True)
    messages.success(request, _said(service, since))
    return redirect("service_spend", key)


def _said(service: Service, since: date) -> str:
    """A state that was written for the past holds until the next one that is there already."""
    later = [each.since for each in Contract.objects.of(service) if each.since > since]
    until = f" until what was agreed from {min(later):%B %Y} on" if later else " on"
    return f"The contract holds from {since:%B %Y}{until}."


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
    first = (LineWish(kind="full"), LineWish(kind="stakeholder"))
    return Wish(since=f"{month:%Y-%m}", lines=first if service.connector else ())


def _plans(service: Service) -> tuple[ListPrice, ...]:
    return service.connector.list_prices if service.connector else ()


def _shown(
    request: HttpRequest, service: Service, wish: Wish, errors: Mapping[str, str]
) -> HttpResponse:
    rows = [_row(at, line, errors) for at, line in enumerate(wish.rows)]
    fields = {
        "term": filled("contract", TERM, wish.values, errors),
        "alerts": filled("contract", ALERTS, wish.values, errors),
        "note": filled("contract", [NOTE], wish.values, errors),
    }
    of_rows = [field for row in rows for field in row.fields]
    context = {
        "service": service,
        "connection": service.connection,
        "tab": "spend",
        "wish": wish,
        "rows": rows,
        "fields": fields,
        "errors": errors,
        "wrong": [
            f for f in [*fields["term"], *of_rows, *fields["alerts"], *fields["note"]] if f.error
        ],
        "plans": _plans(service),
        "plan": next((each for each in _plans(service) if each.key == wish.plan), None),
        "licenses": sorted(LicensePool.objects.kinds(service.accounts)),
        "has_states": Contract.objects.of(service).exists(),
    }
    return render(request, "cost_contract.html", context, status=400 if errors else 200)


def _row(at: int, line: LineWish, errors: Mapping[str, str]) -> Row:
    values = {f"{name}-{at}": value for name, value in line.values.items()}
    named = [replace(each, name=f"{each.name}-{at}") for each in LINE]
    fields = filled("line", named, values, errors)
    return Row(at, line, fields, errors.get(f"licenses-{at}", ""))
