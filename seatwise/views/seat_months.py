"""Months: seat-days and high-water marks, by licence and by role."""

from collections.abc import Iterator, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.history import Line, Month
from seatwise.spreadsheet import Cell
from seatwise.views.export import csv_response, note
from seatwise.views.seats import NO_LICENSE, Looks, address

EXPORT_HEADER = [
    "month",
    "by",
    "name",
    "seat_days",
    "high_water_mark",
    "first_reached_at",
    "at_end",
    "days",
    "partial",
]
WAYS = {"license": "By licence", "role": "By role"}


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The newest month first, `by` license or role; or both as CSV."""
    looks = Looks.at(request, key)
    months = history.months(looks.service)
    if request.GET.get("format") == "csv":
        lines = [line for month in months for line in _lines(month)]
        note(request, "seats by month", rows=len(lines), service=key)
        return csv_response(f"{key}-seat-months-{looks.today:%Y-%m}", EXPORT_HEADER, lines)
    by = request.GET.get("by", "")
    by = by if by in WAYS else "license"
    context = {
        **looks.context("seat_months"),
        "by": by,
        "ways": [(name, title, address(request, by=name)) for name, title in WAYS.items()],
        "months": [(month, _named(looks, month, by)) for month in months],
        "csv_url": address(request, by="", format="csv"),
    }
    return render(request, "seats_months.html", context)


def _named(looks: Looks, month: Month, by: str) -> Sequence[tuple[str, Line]]:
    if by == "role":
        return [(looks.role(line.name).name, line) for line in month.roles]
    return [(line.name or NO_LICENSE, line) for line in month.licenses]


def _lines(month: Month) -> Iterator[list[Cell]]:
    groups = (("all", [month.everybody]), ("license", month.licenses), ("role", month.roles))
    for by, lines in groups:
        for line in lines:
            cells: list[Cell] = [month.slug, by, line.name, line.seat_days, line.most]
            yield [*cells, line.most_at, line.at_end, month.days, month.partial]
