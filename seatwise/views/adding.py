"""Add a service: the catalogue with its search, and what happens at Add."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from seatwise import audit, catalogue
from seatwise.connectors.base import Connector, all_connectors
from seatwise.models import Service
from seatwise.models.audit_event import Action
from seatwise.views.shell import person, require_admin

MOST_SHOWN = 60  # products at once; whoever types or picks a category sees the others
LONGEST = 100  # characters of a name
ADDRESSES = frozenset({"add"})  # what would be taken for another page under /services/


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the popup."""

    product: catalogue.Product
    added: bool
    powers: str  # "Members, last seen, usage"; "" where there is no connector


@dataclass(frozen=True, slots=True)
class CategoryChip:
    """A category as a filter, and how many products would be found."""

    name: str
    found: int
    is_on: bool
    url: str


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """The page, with `?q=` and `?category=`; for htmx the popup's contents, or only the rows."""
    text = _clean(request.GET.get("q", ""))
    category = request.GET.get("category", "")
    category = category if category in catalogue.categories() else ""
    present = Service.objects.keys()
    found = catalogue.search(text, category)
    context = {
        "choices": [
            Choice(product, product.key in present, _powers(product.connector))
            for product in found[:MOST_SHOWN]
        ],
        "found": len(found),
        "left_out": max(0, len(found) - MOST_SHOWN),
        "q": text,
        "category": category,
        "chips": _chips(text, category),
        "categories": catalogue.categories(),
        "can_be_own": bool(text) and catalogue.named(text) is None,
        "total": len(catalogue.products()),
    }
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
    return _add_product(request, product)


@require_POST
@require_admin("add services")
def add_own(request: HttpRequest) -> HttpResponse:
    """A service that the catalogue does not know, by the `name` and `category` of the form."""
    name = _clean(request.POST.get("name", ""))
    if not name:
        messages.error(request, "Type the name of the service. Nothing was added.")
        return redirect("add_service")
    if product := catalogue.named(name):
        return _add_product(request, product)
    if there := Service.objects.called(name):
        messages.info(request, f"{there.name} is there already.")
        return redirect("service_settings", key=there.key)
    category = request.POST.get("category", "")
    service = Service(
        key=Service.objects.free_key(name, _taken()),
        name=name,
        category=category if category in catalogue.categories() else "",
    )
    return _add(request, service, "There is no connector for it: upload a file with its members.")


def _add_product(request: HttpRequest, product: catalogue.Product) -> HttpResponse:
    service = Service(
        key=product.key,
        name=product.name,
        vendor=product.vendor,
        category=product.category,
        website=product.website,
    )
    if product.connector is None:
        step = "There is no connector for it yet: upload a file with its members."
    else:
        step = "Integrate it to see who holds a seat."
    return _add(request, service, step)


def _add(request: HttpRequest, service: Service, next_step: str) -> HttpResponse:
    service.added_by = person(request)
    try:
        with transaction.atomic():
            service.save(force_insert=True)
            audit.record(Action.SERVICE_ADDED, service=service.key, about=service.name)
        messages.success(request, f"{service.name} was added. {next_step}")
    except IntegrityError:
        messages.info(request, f"{service.name} is there already.")
    return redirect("service_settings", key=service.key)


def _clean(text: str) -> str:
    """In one line, without what cannot be seen, and not endless."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:LONGEST]


def _taken() -> set[str]:
    """Keys that would make one's own service somebody else's."""
    return {*ADDRESSES, *catalogue.products(), *all_connectors()}


def _chips(text: str, category: str) -> list[CategoryChip]:
    """ "All" and the categories in which something matches."""
    counts = catalogue.by_category(text)
    shown = [name for name in catalogue.categories() if counts[name] or name == category]

    def address(name: str) -> str:
        pairs = {key: value for key, value in (("q", text), ("category", name)) if value}
        return reverse("add_service") + (f"?{urlencode(pairs)}" if pairs else "")

    every = CategoryChip("All", counts.total(), not category, address(""))
    chips = [CategoryChip(name, counts[name], name == category, address(name)) for name in shown]
    return [every, *chips]


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
