"""What changed between two days: the net result in sentences, and whom it concerns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from seatwise import history
from seatwise.connectors.base import RoleInfo
from seatwise.history import Comparison
from seatwise.models import Member
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export, download, menu, wanted
from seatwise.views.paging import part_of, steps
from seatwise.views.seats import ACCOUNT, PAGE_SIZE, WHO, Looks, address, day_of, links

USUAL_SPAN = timedelta(days=30)
CHUNK = 1000  # members loaded at once for a file
WORDS = {  # what a comparison counts: of one person, and its tone
    "listed": ("there at the first look", "neutral"),
    "joined": ("joined", "ok"),
    "returned": ("came back", "ok"),
    "left": ("left", "neutral"),
    "replaced": ("account replaced", "neutral"),
    "role": ("changed role", "info"),
    "license": ("changed licence", "info"),
    "away": ("away in between", "neutral"),
    "passed": ("came and went in between", "neutral"),
}
CAME = ("listed", "joined", "returned", "passed")  # held a seat then, but none at the beginning
COLUMNS = (
    *(replace(column, definition="As it is known now.") for column in WHO),
    Column("what", "What changed", "text", "The net result between the two days, in words."),
    Column("role_before", "Role before", "text", "At the end of the first day; empty: no seat."),
    Column("role_after", "Role after", "text", "At the end of the last day; empty: no seat."),
    Column(
        "license_before",
        "Licence before",
        "text",
        "At the end of the first day; empty: no seat, or none known.",
    ),
    Column(
        "license_after",
        "Licence after",
        "text",
        "At the end of the last day; empty: no seat, or none known.",
    ),
    Column("changed_at", "Changed at", "time", "When the last of it happened or was first seen."),
    ACCOUNT,
)


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """Between the ends of the days `from` and `to`, else of the last 30 days; or that as a file.

    What is asked for beyond the last look is told as unknown: the comparison ends there.
    """
    looks = Looks.at(request, key)
    context = looks.context("seat_changes")
    if looks.earliest is None or looks.latest is None:
        return render(request, "seats_changes.html", context)
    asked = _asked(request, looks, looks.earliest, looks.latest)
    first, last = (min(max(day, looks.earliest), looks.latest) for day in asked)
    found = history.between(looks.service, first, last)
    if wanted(request):
        return download(request, _export(looks, found))
    shown = part_of(found.members, place=request.GET.get("place", ""), size=PAGE_SIZE)
    context |= {
        "first": first,
        "last": last,
        "too_early": asked[0] < looks.earliest,
        "too_late": asked[1] > looks.latest,
        "is_unknown": asked[1] > looks.latest and asked[0] >= looks.latest,
        "is_behind": looks.is_behind(last),
        "found": found,
        "ever": found.before + sum(found.counts[what] for what in CAME),
        "counts": [(found.counts[what], *WORDS[what]) for what in history.WHAT],
        "shown": shown,
        "count": len(found.members),
        "rows": list(_rows(looks, found, shown.pks)),
        "steps": steps(shown, lambda place: address(request, place=place)),
        **links(request),
        "exports": menu(address(request, **{"from": first, "to": last})),
    }
    return render(request, "seats_changes.html", context)


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

    @property
    def label(self) -> str:
        return str(self.member)

    @property
    def email(self) -> str:
        return self.member.email


def _asked(request: HttpRequest, looks: Looks, earliest: date, latest: date) -> tuple[date, date]:
    """The two days, the earlier one first, none of them to come: by default the 30 days up to
    today, or up to the last look where that was earlier."""
    last = day_of(request.GET.get("to", ""))
    first = day_of(request.GET.get("from", ""))
    ends = last or looks.today
    if first is None:
        first = max(min(ends, latest) - USUAL_SPAN, earliest)
    first, ends = sorted((min(first, looks.today), min(ends, looks.today)))
    return first, ends


def _rows(looks: Looks, found: Comparison, keys: Sequence[int]) -> Iterator[Row]:
    members = {member.pk: member for member in Member.objects.with_keys(keys).for_table()}
    for each in history.differences(looks.service, found.first, found.last, keys):
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


def _export(looks: Looks, found: Comparison) -> Export:
    first, last = found.first, found.last
    return Export(
        file=f"{looks.service.key}-changes-{first}-to-{last}",
        what="changes of seats",
        title="What changed",
        says="One row for each member whose seat is not as it was.",
        columns=COLUMNS,
        rows=_lines(looks, found),
        count=len(found.members),
        service=looks.service,
        readings=("members", "licenses"),
        filters=[f"From the end of {first} to the end of {last}"],
    )


def _lines(looks: Looks, found: Comparison) -> Iterator[list[Cell]]:
    for start in range(0, len(found.members), CHUNK):
        for row in _rows(looks, found, found.members[start : start + CHUNK]):
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
