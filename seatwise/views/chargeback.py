"""Chargeback: what each department's seats cost in a month, for finance. It names nobody."""

from collections.abc import Iterator, Sequence
from datetime import date

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.models import Cost, Person
from seatwise.spreadsheet import Cell, Column
from seatwise.views.chargeback_rows import Charged, charged
from seatwise.views.export import Export, download, menu, wanted

LONGEST = 12  # months of a file
COLUMNS = (
    Column("month", "Month", "text", "Of the cost, as YYYY-MM."),
    Column("department", "Department", "text", "By the people file as it is now."),
    Column(
        "rest",
        "Nobody’s",
        "yes/no",
        "Seats that nobody holds, or whose holder has no department in the people file.",
    ),
    Column("key", "Key", "text", "How addresses of Seatwise name the service."),
    Column("service", "Service", "text", "Its name."),
    Column("seats", "Seats", "number", "At the month’s end, or now."),
    Column("amount", "Amount", "number", "By contract; of a month and currency they add up."),
    Column("currency", "Currency", "text", "Of the amount; those of different ones never add up."),
    Column("provisional", "Provisional", "yes/no", "The month is not over."),
)


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """A month of the address, else the newest; or as a file, with `months` of up to twelve."""
    known = Cost.objects.months()
    month = month_of(request.GET.get("month", ""), known)
    if wanted(request):
        return download(request, _export(_asked(request, known, month)))
    at = known.index(month) if month in known else 0
    opened = request.GET.get("department", "")
    query = f"?month={month:%Y-%m}" if month else "?"
    context = {
        "month": month,
        "charged": charged(month) if month else None,
        "older": known[at + 1] if month and at + 1 < len(known) else None,
        "newer": known[at - 1] if month and at else None,
        "is_current": month == present(),
        "opened": opened,
        "has_people": Person.objects.as_of() is not None,
        "exports": menu(query) if month else [],
        "year": menu(f"{query}&months={LONGEST}") if len(known) > 1 else [],
        "zone": settings.BILLING_ZONE.key,
    }
    return render(request, "chargeback.html", context)


def month_of(asked: str, known: Sequence[date]) -> date | None:
    """The month that an address names, where it is known; else the newest."""
    named = next((month for month in known if f"{month:%Y-%m}" == asked), None)
    return named or next(iter(known), None)


def present() -> date:
    """The first day of the month that is not over, in the billing zone."""
    return history.day_of(timezone.now(), settings.BILLING_ZONE).replace(day=1)


def _asked(request: HttpRequest, known: Sequence[date], month: date | None) -> list[date]:
    """The months of a file, the newest first."""
    if month is None:
        return []
    many = request.GET.get("months", "")
    count = min(int(many), LONGEST) if many.isdecimal() and len(many) < 4 else 1
    at = known.index(month)
    return list(known[at : at + max(count, 1)])


def _export(months: Sequence[date]) -> Export:
    last, first = (months[0], months[-1]) if months else (present(), present())
    span = f"{last:%Y-%m}" if first == last else f"{first:%Y-%m}-to-{last:%Y-%m}"
    return Export(
        file=f"chargeback-{span}",
        what="chargeback",
        title="Chargeback",
        says="One row for each month, department and service.",
        columns=COLUMNS,
        rows=(line for month in months for line in _lines(charged(month))),
        filters=[f"Months: {span}"],
    )


def _lines(of: Charged) -> Iterator[list[Cell]]:
    for sheet in of.sheets:
        for department in sheet.departments:
            for part in department.parts:
                yield [
                    f"{of.month:%Y-%m}",
                    department.name,
                    department.is_rest,
                    part.service.key,
                    part.service.name,
                    part.group.seats,
                    part.group.amount,
                    sheet.currency,
                    of.month == present(),
                ]
