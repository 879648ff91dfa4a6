"""The people file: uploaded, its columns guessed, looked at with every mistake, and applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from seatwise import company, history, memberfile, peoplefile
from seatwise.memberfile import ORDERS, MendFirst, Mistake, Opened, Order
from seatwise.models import PeopleUpload
from seatwise.peoplefile import LEFT, LEFT_OUT, MEANINGS, PeopleFile, Reading
from seatwise.views.byfile_mend import csv_of, number_of
from seatwise.views.shell import person, require_admin

MISTAKES_SHOWN = 200
KINDS = [("new", "New"), ("changed", "Changed"), ("gone", "Not in it any more"), ("left", "Left")]
SAMPLE_HEADER = ["e-mail", "name", "department", "cost centre", "left on"]


@require_POST
@require_admin("upload the people file")
def upload(request: HttpRequest) -> HttpResponse:
    """Takes a file that can be opened to where it is looked at; else says what is wrong."""
    try:
        name, data = _content(request.FILES.get("file"))
        company.upload(data, name=name, by=person(request))
    except MendFirst as error:
        return _refused(request, error)
    return redirect("review_people")


@require_safe
@require_admin("look at an uploaded people file")
def review(request: HttpRequest) -> HttpResponse:
    """What is in it and what it changes, by the columns of the address, else as they look."""
    waiting = PeopleUpload.objects.waiting()
    if waiting is None:
        messages.info(request, "No people file waits to be applied.")
        return redirect("people")
    try:
        found = peoplefile.opened(bytes(waiting.data))
    except MendFirst as error:  # what was opened once can be opened, unless a rule has changed
        return _refused(request, error)
    return _shown(request, waiting, found, _choice(request.GET, found))


@require_POST
@require_admin("apply a people file")
def apply(request: HttpRequest) -> HttpResponse:
    """By the columns that the form names; one that is not good enough is shown again."""
    waiting = PeopleUpload.objects.waiting()
    number = number_of(request.POST.get("file", ""))
    if waiting is None or waiting.pk != number:
        messages.error(request, f"{company.Gone()} Nothing was changed.")
        return redirect("people")
    found = peoplefile.opened(bytes(waiting.data))
    chosen = _choice(request.POST, found)
    file = chosen.read(found)
    if not isinstance(file, PeopleFile):
        return _shown(request, waiting, found, chosen, status=400)
    try:
        count = company.apply(number, file)
    except company.Gone as error:
        messages.error(request, f"{error} Nothing was changed.")
    else:
        messages.success(request, f"The people are now the {count:,} of the file.")
    return redirect("people")


@require_POST
@require_admin("discard a people file")
def put_aside(request: HttpRequest) -> HttpResponse:
    try:
        company.forget(number_of(request.POST.get("file", "")))
        messages.info(request, "The file was discarded and is kept nowhere. Nothing was changed.")
    except company.Gone as error:
        messages.error(request, str(error))
    return redirect("people")


@require_safe
def sample(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001
    """A file to fill in."""
    left = _today() - timedelta(days=20)
    rows: list[list[str | date]] = [
        ["ada@example.com", "Ada Lovelace", "Engineering", "4100", ""],
        ["grace@example.com", "Grace Hopper", "Operations", "4200", ""],
        ["alan@example.com", "Alan Turing", "Engineering", "4100", left],
    ]
    return csv_of("people-sample", SAMPLE_HEADER, rows)


@dataclass(frozen=True, slots=True)
class Shown:
    """One column of the file."""

    at: int
    letters: str
    label: str
    examples: list[str]
    meaning: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which column is what, and how days are meant."""

    columns: tuple[str, ...]
    order: str  # of ORDERS; "": not said

    def told_order(self, found: Opened) -> str:
        """As `memberfile.order_of` tells it, of the column with the day of leaving."""
        days = [found.table.column(at) for at, each in enumerate(self.columns) if each == LEFT]
        return memberfile.order_of(days[0]) if days else "any"

    def hindrance(self, found: Opened) -> str:
        """Why the rows cannot be read yet, in a sentence; "" where they can."""
        if said := peoplefile.hindrance(self.columns):
            return said
        if self.told_order(found) == "ask" and self.order not in ORDERS:
            return "Say whether the day or the month comes first: the days do not tell."
        return ""

    def read(self, found: Opened) -> PeopleFile | list[Mistake]:
        """The people, or what to mend first: nothing where the columns are still to be said."""
        if self.hindrance(found):
            return []
        by_month = "month" in (self.told_order(found), self.order)
        order: Order = "month" if by_month and self.told_order(found) != "day" else "day"
        try:
            return peoplefile.read(found.table, Reading(self.columns, order))
        except MendFirst as error:
            return list(error.mistakes)


def _choice(given: QueryDict, found: Opened) -> Chosen:
    names = found.table.names
    told = [given.get(f"column-{at}", "") for at in range(len(names))]
    asked = tuple(meaning if meaning in MEANINGS else LEFT_OUT for meaning in told)
    said = any(f"column-{at}" in given for at in range(len(names)))
    return Chosen(asked if said else peoplefile.guessed(found.table), given.get("order", ""))


def _shown(
    request: HttpRequest, waiting: PeopleUpload, found: Opened, chosen: Chosen, status: int = 200
) -> HttpResponse:
    read, table = chosen.read(found), found.table
    file = read if isinstance(read, PeopleFile) else None
    mistakes: Sequence[Mistake] = [] if isinstance(read, PeopleFile) else read
    context = {
        "upload": waiting,
        "table": table,
        "columns": [
            Shown(at, memberfile.letters(at), table.label(at), table.examples(at), meaning)
            for at, meaning in enumerate(chosen.columns)
        ],
        "meanings": MEANINGS,
        "order": chosen.order,
        "orders": _orders(found, chosen),
        "said": chosen.hindrance(found),
        "file": file,
        "change": company.change(file, _today()) if file else None,
        "kinds": KINDS,
        "mistakes": mistakes[:MISTAKES_SHOWN],
        "found": len(mistakes),
        "more": max(0, len(mistakes) - MISTAKES_SHOWN),
        "title": "People file",
    }
    return render(request, "people_review.html", context, status=status)


def _orders(found: Opened, chosen: Chosen) -> list[tuple[str, str, str, str]]:
    """Where the file's days could be meant in two ways: (key, words, as written, the day)."""
    if chosen.told_order(found) != "ask":
        return []
    written = memberfile.either(found.table.column(chosen.columns.index(LEFT)))
    return [(key, told, written, _day(written, key)) for key, told in ORDERS.items()]


def _day(written: str, order: Order) -> str:
    at = memberfile.moment(written, order, UTC)
    return f"{at:%-d %B %Y}" if at else ""


def _refused(request: HttpRequest, error: MendFirst) -> HttpResponse:
    context = {
        "mistakes": error.mistakes[:MISTAKES_SHOWN],
        "found": len(error.mistakes),
        "title": "People file",
    }
    return render(request, "people_refused.html", context, status=400)


def _content(given: "UploadedFile[Any] | None") -> tuple[str, bytes]:
    """The file's name and bytes; of one that is too large only so many as prove it."""
    if given is None:
        remedy = "Choose a CSV file or an Excel workbook and upload it again."
        raise MendFirst([Mistake(None, "No file was chosen.", remedy)])
    return given.name or "", given.read(memberfile.MOST_BYTES + 1)


def _today() -> date:
    return history.day_of(timezone.now(), settings.BILLING_ZONE)
