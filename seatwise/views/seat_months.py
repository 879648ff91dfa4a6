"""Months: seat-days and high-water marks, by licence and by role."""

from collections.abc import Iterator, Sequence

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.history import Line, Month
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.seats import NO_LICENSE, Looks, address

COLUMNS = (
    Column("month", "Month", "text", "A month of the billing zone."),
    Column("by", "By", "text", "Whether the row is of all seats, of one licence or of one role."),
    Column("name", "Name", "text", "Of the licence, or the API’s word for the role."),
    Column(
        "seat_days",
        "Seat-days",
        "number",
        "Seats held at the end of each day that is over and known, added up.",
    ),
    Column(
        "high_water_mark",
        "High-water mark",
        "number",
        "The most seats held at one moment; empty: of this nothing can be said.",
    ),
    Column("first_reached_at", "First reached", "time", "When that mark was first reached."),
    Column("at_end", "At the end", "number", "Seats held at the last known moment of the month."),
    Column("days", "Days", "number", "Days of the month that are over and known."),
    Column("partial", "What is missing", "text", "Why the month is not whole; empty: it is."),
)
WAYS = {"license": "By licence", "role": "By role"}


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The newest month first, `by` license or role; or both as a file."""
    looks = Looks.at(request, key)
    months = history.months(looks.service)
    if wanted(request):
        return download(request, _export(looks, months))
    by = request.GET.get("by", "")
    by = by if by in WAYS else "license"
    context = {
        **looks.context("seat_months"),
        "by": by,
        "ways": [(name, title, address(request, by=name)) for name, title in WAYS.items()],
        "months": [(month, _named(looks, month, by)) for month in months],
        "exports": menu(address(request, by="")),
    }
    return render(request, "seats_months.html", context)


def _named(looks: Looks, month: Month, by: str) -> Sequence[tuple[str, Line]]:
    if by == "role":
        # As everywhere: the most powerful first. The sort keeps the largest of one rank first.
        roles = sorted(month.roles, key=lambda line: looks.role(line.name).rank)
        return [(looks.role(line.name).name, line) for line in roles]
    return [(line.name or NO_LICENSE, line) for line in month.licenses]


def _export(looks: Looks, months: Sequence[Month]) -> Export:
    rows = [line for month in months for line in _lines(month)]
    return Export(
        file=f"{looks.service.key}-seat-months-{looks.today:%Y-%m}",
        what="seats by month",
        title="Seats by month",
        says="One row for each month with everybody, each licence and each role.",
        columns=COLUMNS,
        rows=rows,
        count=len(rows),
        service=looks.service,
        readings=("members", "licenses"),
    )


def _lines(month: Month) -> Iterator[list[Cell]]:
    groups = (("all", [month.everybody]), ("license", month.licenses), ("role", month.roles))
    for by, lines in groups:
        for line in lines:
            cells: list[Cell] = [month.slug, by, line.name, line.seat_days, line.most]
            yield [*cells, line.most_at, line.at_end, month.days, month.partial]
