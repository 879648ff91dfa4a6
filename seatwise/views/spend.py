"""The home page: what the services cost, how much of it is used, and what needs somebody."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from seatwise import history, tallies
from seatwise.models import Service
from seatwise.views import spend_export, spend_rows
from seatwise.views.export import menu, wanted
from seatwise.views.members import is_fragment
from seatwise.views.paging import part_of, steps
from seatwise.views.spend_choice import FILTERS, SpendChoice
from seatwise.views.spend_needs import needs
from seatwise.views.spend_rows import Row

PAGE_SIZE = 50
SEARCH_BOX = "input#spend-search"


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """The page, or the table with its filters that htmx asks for, or what is filtered as a file."""
    today = history.day_of(timezone.now(), settings.BILLING_ZONE)
    rows = spend_rows.rows(list(Service.objects.for_list()), tallies.moment(), today)
    choice = SpendChoice.from_query(request.GET)
    if wanted(request):
        words = [label for label, _url in choice.words(choice.options(rows))]
        return spend_export.download(request, choice.chosen(rows), words)
    if is_fragment(request):
        response = render(request, "spend_block.html", _block(rows, choice))
        # Typing replaces the address; everything else is a step that Back undoes.
        typed = request.headers.get("HX-Source", "") == SEARCH_BOX
        header = "HX-Replace-Url" if typed else "HX-Push-Url"
        response[header] = request.path + choice.address(place=choice.place).removesuffix("?")
    else:
        context = {
            **_block(rows, choice),
            "all": spend_rows.total(rows),
            "needs": needs(rows),
            "costs": spend_rows.costs(rows),
            "savings": spend_rows.savings(rows),
            "priced": sum(row.money.cost is not None for row in rows),
            "unpriced": sum(row.money.cost is None for row in rows),
            "as_of": _oldest(rows),
            "read": sum(row.seats.total is not None for row in rows),
            "in_part": sum(row.is_in_part for row in rows),
            "lists": sum(row.read for row in rows),
            "month": timezone.now().astimezone(settings.BILLING_ZONE),
            "zone": settings.BILLING_ZONE.key,
        }
        response = render(request, "spend.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _block(rows: Sequence[Row], choice: SpendChoice) -> dict[str, object]:
    """What the part that changes with every filter shows."""
    found = choice.chosen(rows)
    by_key = {row.service.pk: row for row in found}
    shown = part_of(list(by_key), place=choice.place, size=PAGE_SIZE)
    options = choice.options(rows)
    return {
        "choice": choice,
        "total": len(rows),
        "count": len(found),
        "shown": shown,
        "rows": [by_key[pk] for pk in shown.pks],
        "filters": [(name, title, options[name]) for name, title in FILTERS.items()],
        "chips": choice.words(options),
        "columns": choice.sort_links(),
        "cleared": choice.cleared(),
        "exports": menu(choice.address()),
        "steps": steps(shown, lambda place: choice.address(place=place)),
    }


def _oldest(rows: Sequence[Row]) -> datetime | None:
    """When the oldest of the lists was read that the figures add up."""
    return min((at for row in rows if (at := row.service.members_as_of)), default=None)
