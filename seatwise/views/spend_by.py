"""A service's month by licence, team or department: parts that add up to it, and nobody's name."""

from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from seatwise import spending
from seatwise.models import Cost, Person
from seatwise.spending import BY, By
from seatwise.spreadsheet import Column
from seatwise.views.chargeback import month_of, present
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.shell import service_or_404

TITLES: dict[By, str] = {"license": "Licence", "team": "Team", "department": "Department"}
COLUMNS = (
    Column("month", "Month", "text", "Of the cost, as YYYY-MM."),
    Column("by", "By", "text", "license, team or department."),
    Column("name", "Group", "text", "Teams and departments are those of now."),
    Column("rest", "Nobody’s", "yes/no", "Seats that nobody holds, or without such a group."),
    Column("seats", "Seats", "number", "At the month’s end, or now; who is in two teams is half."),
    Column("amount", "Amount", "number", "By contract; empty: the price is not known."),
    Column("currency", "Currency", "text", "Of the amount."),
)


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The month and the way of the address, else the newest month by department; or as a file."""
    service = service_or_404(key)
    known = Cost.objects.of(service).months()
    month = month_of(request.GET.get("month", ""), known)
    by: By = next((each for each in BY if each == request.GET.get("by")), "department")
    groups = spending.groups(service, month, by) if month else []
    if wanted(request):
        rows = [
            [f"{month:%Y-%m}", by, each.name, each.is_rest, each.seats, each.amount, each.currency]
            for each in groups
        ]
        table = Export(
            file=f"{key}-spend-by-{by}" + (f"-{month:%Y-%m}" if month else ""),
            what=f"spend by {by}",
            title="Spend",
            says=f"One row for each {TITLES[by].lower()} in the month.",
            columns=COLUMNS,
            rows=rows,
            count=len(rows),
            service=service,
        )
        return download(request, table)
    at = known.index(month) if month else 0
    at_month = f"month={month:%Y-%m}" if month else ""
    amounts = [each.amount for each in groups]
    total = None if None in amounts else sum(filter(None, amounts), Decimal(0))
    context = {
        "service": service,
        "tab": "spend",
        "month": month,
        "by": by,
        "title_of": TITLES[by],
        "ways": [(each, title, f"?by={each}&{at_month}") for each, title in TITLES.items()],
        "groups": [(each, _share(each.amount, total)) for each in groups],
        "total": total,
        "seats": sum((each.seats for each in groups), Decimal(0)),
        "currency": groups[0].currency if groups else "",
        "older": known[at + 1] if month and at + 1 < len(known) else None,
        "newer": known[at - 1] if month and at else None,
        "is_current": month == present(),
        "has_people": by != "department" or Person.objects.as_of() is not None,
        "exports": menu(f"?by={by}&{at_month}") if groups else [],
        "zone": settings.BILLING_ZONE.key,
    }
    return render(request, "spend_by.html", context)


def _share(amount: Decimal | None, total: Decimal | None) -> float | None:
    """Per cent; None where there is nothing to share, or something of it is not known."""
    return float(100 * amount / total) if amount is not None and total else None
