"""Renewals: when terms end and notice has to be given, what is at stake, and a calendar of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import accounts, history
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.renewals_feed import address_of
from seatwise.views.renewals_rows import MONTHS, Day, Stake, days, stakes
from seatwise.views.shell import person

COLUMNS = (
    Column("date", "Date", "date", "The day that it is about, whole."),
    Column("what", "What", "text", "notice: the last day to give notice; end: of the term."),
    Column("overdue", "Overdue", "yes/no", "The day of notice is over and the term is not."),
    Column("key", "Key", "text", "How addresses of Seatwise name the service."),
    Column("service", "Service", "text", "Its name."),
    Column("renews", "Renews by itself", "yes/no", "Whether it goes on; empty: not known."),
    Column("value", "Contract value", "number", "Of the committed seats over one term."),
    Column("month", "Cost a month", "number", "Of the present month; empty: not known."),
    Column("savable", "Savable a month", "number", "What findings can realise; empty: no price."),
    Column("currency", "Currency", "text", "Of the amounts; those of different ones never add up."),
    Column("committed", "Committed seats", "number", "Paid for, held or not; empty: none agreed."),
    Column("held", "Held seats", "number", "Of these, at the month’s fullest moment."),
    Column("gap", "Gap", "number", "Committed and held by nobody; less than 0: more are held."),
)


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    """The days of the next months, or the same as a file."""
    today = _today()
    found = stakes(today)
    if wanted(request):
        return download(request, _export(list(days(found, today)), today))
    return _page(request, found, today)


@require_POST
def make_link(request: HttpRequest) -> HttpResponse:
    """A new address of one's own calendar, in place of the one before; shown in this answer only.

    For everybody: it shows what its owner sees on the page anyway.
    """
    secret = accounts.make_calendar_link(person(request))
    today = _today()
    return _page(request, stakes(today), today, address_of(secret))


@require_POST
def remove_link(request: HttpRequest) -> HttpResponse:
    accounts.remove_calendar_link(person(request))
    return redirect("renewals")


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the calendar."""

    first: date
    days: list[Day]

    @property
    def notices(self) -> int:
        return sum(day.is_notice for day in self.days)

    @property
    def ends(self) -> int:
        return len(self.days) - self.notices


def _page(
    request: HttpRequest, found: Sequence[Stake], today: date, link: str = ""
) -> HttpResponse:
    coming = list(days(found, today))
    months = list(_months([day for day in coming if not day.is_overdue], today))
    context = {
        "today": today,
        "overdue": [day for day in coming if day.is_overdue],
        "months": months,
        "filled": [month for month in months if month.days],
        "rolling": [stake for stake in found if stake.is_rolling],
        "open": [stake for stake in found if stake.renewal is None],
        "total": len(found),
        "count": len(coming),
        "stakes": at_stake(found, today),
        "span": MONTHS,
        "zone": settings.BILLING_ZONE.key,
        "exports": menu("?"),
        "link": link,
        "has_link": person(request).calendar_hash is not None,
    }
    return render(request, "renewals.html", context)


def at_stake(found: Sequence[Stake], today: date) -> dict[str, Decimal]:
    """{currency: what the terms that can still be given notice for are worth}, once a service."""
    totals: dict[str, Decimal] = {}
    for stake in {day.stake.service.pk: day.stake for day in days(found, today)}.values():
        if stake.standing.value is not None:
            code = stake.standing.currency
            totals[code] = totals.get(code, Decimal(0)) + stake.standing.value
    return totals


def _months(coming: Sequence[Day], today: date) -> Iterator[Month]:
    month = today.replace(day=1)
    for _ in range(MONTHS + 1):
        yield Month(month, [day for day in coming if day.at.replace(day=1) == month])
        month = history.month_after(month)


def _export(coming: Sequence[Day], today: date) -> Export:
    return Export(
        file=f"renewals-{today}",
        what="renewals",
        title="Renewals",
        says="One row for each day of notice and each end of a term, the overdue notices first.",
        columns=COLUMNS,
        rows=[_line(day) for day in coming],
        count=len(coming),
    )


def _line(day: Day) -> list[Cell]:
    stake, standing = day.stake, day.stake.standing
    renewal = stake.renewal
    return [
        day.at,
        "notice" if day.is_notice else "end",
        day.is_overdue,
        stake.service.key,
        stake.service.name,
        renewal.renews if renewal else None,
        standing.value,
        standing.expected,
        stake.savable,
        standing.currency or None,
        standing.committed,
        standing.held,
        standing.gap,
    ]


def _today() -> date:
    return history.day_of(timezone.now(), settings.BILLING_ZONE)
