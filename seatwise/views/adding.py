"""Add a service: the catalogue with its search, and what happens at Add."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from seatwise import audit, catalogue
from seatwise.connectors.base import Connector
from seatwise.models import Service
from seatwise.models.audit_event import Action
from seatwise.views.shell import person, require_admin


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the popup."""

    product: catalogue.Product
    added: bool
    powers: str  # "Members, last seen, usage"; "" where there is no connector


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """The whole page; for htmx only the popup's contents, or only the rows that match `?q=`."""
    text = request.GET.get("q", "").strip()[:100]
    present = Service.objects.keys()
    choices = [
        Choice(product, product.key in present, _powers(product.connector))
        for product in catalogue.search(text)
    ]
    context = {"choices": choices, "q": text, "total": len(catalogue.products())}
    response = render(request, _template(request), context)
    response["Vary"] = "HX-Request, HX-Target"
    return response


@require_POST
@require_admin("add services")
def add(request: HttpRequest, key: str) -> HttpResponse:
    """Adding what is there already changes nothing."""
    product = catalogue.products().get(key)
    if product is None:
        raise Http404("The catalogue has no such product.")
    try:
        with transaction.atomic():
            service = Service.objects.create(
                key=product.key,
                name=product.name,
                vendor=product.vendor,
                category=product.category,
                website=product.website,
                added_by=person(request),
            )
            audit.record(Action.SERVICE_ADDED, service=service.key, about=service.name)
        messages.success(request, f"{product.name} was added. {_next_step(product)}")
    except IntegrityError:
        messages.info(request, f"{product.name} is there already.")
    return redirect("service_settings", key=key)


def _template(request: HttpRequest) -> str:
    if not request.headers.get("HX-Request"):
        return "catalogue.html"
    rows_only = "choices" in request.headers.get("HX-Target", "")
    return "catalogue_rows.html" if rows_only else "catalogue_choose.html"


def _powers(connector: Connector | None) -> str:
    if connector is None:
        return ""
    facts = {"members": connector.roles, "last seen": connector.sources, "usage": connector.metrics}
    return ", ".join(name for name, known in facts.items() if known).capitalize()


def _next_step(product: catalogue.Product) -> str:
    if product.connector is None:
        return "There is no connector for it yet: upload a file with its members."
    return "Integrate it to see who holds a seat."
