"""What changed between two days: the net result in sentences, and whom it concerns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.connectors.base import RoleInfo
from seatwise.history import Difference
from seatwise.models import Member
from seatwise.spreadsheet import Cell
from seatwise.views.export import csv_response, note
from seatwise.views.seats import PAGE_SIZE, Looks, address, day_of, steps

USUAL_SPAN = timedelta(days=30)
CHUNK = 1000  # members loaded at once for a file
LONGEST_NUMBER = 9  # digits of a page
WORDS = {  # what a comparison counts: of one person, and its tone
    "joined": ("joined", "ok"),
    "returned": ("came back", "ok"),
    "left": ("left", "neutral"),
    "role": ("changed role", "info"),
    "license": ("changed licence", "info"),
    "away": ("away in between", "neutral"),
    "passed": ("came and went in between", "neutral"),
}
EXPORT_HEADER = [
    "external_id",
    "name",
    "email",
    "what",
    "role_before",
    "role_after",
    "license_before",
    "license_after",
    "changed_at",
    "account",
]


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """Between the ends of the days `from` and `to`, else of the last 30 days; or that as CSV."""
    looks = Looks.at(request, key)
    context = looks.context("seat_changes")
    if looks.earliest is None:
        return render(request, "seats_changes.html", context)
    first, last = _days(request, looks, looks.earliest)
    if request.GET.get("format") == "csv":
        lines = _lines(looks, first, last)
        rows = history.between(looks.service, first, last).members
        note(request, "changes of seats", rows=rows, service=key)
        return csv_response(f"{key}-changes-{first}-to-{last}", EXPORT_HEADER, lines)
    number = request.GET.get("page", "")
    wanted = int(number) if number.isdecimal() and len(number) < LONGEST_NUMBER else 1
    found = history.between(looks.service, first, last, keep=_places(wanted))
    shown = Paginator(range(found.members), PAGE_SIZE).get_page(number)
    if shown.number != wanted:  # a page beyond the end: the last one is shown
        found = history.between(looks.service, first, last, keep=_places(shown.number))
    context |= {
        "first": first,
        "last": last,
        "too_early": (day_of(request.GET.get("from", "")) or first) < looks.earliest,
        "found": found,
        "counts": [(found.counts[what], *WORDS[what]) for what in history.WHAT],
        "shown": shown,
        "rows": list(_rows(looks, found.kept)),
        **steps(request, shown),
        "csv_url": address(request, **{"from": first, "to": last, "format": "csv"}),
    }
    return render(request, "seats_changes.html", context)


def _places(number: int) -> range:
    """Which of all differences stand on that page."""
    return range((number - 1) * PAGE_SIZE, number * PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Row:
    """One member whose seat is not as it was."""

    member: Member
    what: list[tuple[str, str]]  # words and tone
    role_before: RoleInfo | None
    role_after: RoleInfo | None
    license_before: str | None
    license_after: str | None
    at: datetime


def _days(request: HttpRequest, looks: Looks, earliest: date) -> tuple[date, date]:
    """The two days, the earlier one first, and both of the time that is known."""
    last = day_of(request.GET.get("to", "")) or looks.today
    first = day_of(request.GET.get("from", "")) or last - USUAL_SPAN
    first, last = sorted(min(max(day, earliest), looks.today) for day in (first, last))
    return first, last


def _rows(looks: Looks, differences: Iterable[Difference]) -> Iterator[Row]:
    stream = iter(differences)
    while chunk := list(islice(stream, CHUNK)):
        keys = [each.member for each in chunk]
        members = {member.pk: member for member in Member.objects.with_keys(keys).for_table()}
        for each in chunk:
            was, now = each.net.was, each.net.now
            yield Row(
                members[each.member],
                [WORDS[what] for what in each.net.what],
                looks.role(was.role) if was else None,
                looks.role(now.role) if now else None,
                was.license if was else None,
                now.license if now else None,
                each.at,
            )


def _lines(looks: Looks, first: date, last: date) -> Iterator[list[Cell]]:
    for row in _rows(looks, history.differences(looks.service, first, last)):
        yield [
            row.member.external_id,
            row.member.name,
            row.member.email,
            ", ".join(words for words, _tone in row.what),
            row.role_before.name if row.role_before else None,
            row.role_after.name if row.role_after else None,
            row.license_before,
            row.license_after,
            row.at,
            row.member.connection.account_name,
        ]
