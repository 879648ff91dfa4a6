"""Which column of an uploaded file is what: proposed, chosen by an admin, and then read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from seatwise import memberfile, sync
from seatwise.memberfile import (
    DELIMITERS,
    ENCODINGS,
    LEFT_OUT,
    MEANINGS,
    ORDERS,
    SEEN,
    Manner,
    MendFirst,
    Opened,
    Order,
    Reading,
    Table,
)
from seatwise.models import Service, Upload
from seatwise.sync.byfile import NotByFile, NothingWaits, Understood
from seatwise.views.byfile_mend import context_of, mend, mend_csv, number_of
from seatwise.views.shell import person, require_admin, service_or_404

GONE = "The file waits no more: it was read, discarded or replaced. Nothing was changed."


@require_http_methods(["GET", "HEAD", "POST"])
@require_admin("say what the columns of a file are")
def page(request: HttpRequest, key: str) -> HttpResponse:
    """`?encoding=…&delimiter=…&sheet=…` reads the file otherwise, `&columns=…` proposes others.

    A good choice leads to the review; with `format=csv` a bad one gives the mistakes as a file.
    """
    service = service_or_404(key)
    upload = Upload.objects.of_service(key)
    decides = request.method == "POST"
    given = request.POST if decides else request.GET
    if upload is None or (decides and number_of(given.get("file", "")) != upload.pk):
        messages.info(request, GONE)
        return redirect("service_settings", key=key)
    try:
        found = memberfile.opened(bytes(upload.data), _manner(given))
    except MendFirst as error:
        return mend(request, service, error)
    if not decides:
        return _shown(request, upload, found, *_proposed(given, service, found.table))
    columns = _chosen(given, found.table)
    order = given.get("order", "")
    if said := memberfile.hindrance(columns):
        return _shown(request, upload, found, columns, order, said)
    told = _order(found.table, columns)
    if told == "ask" and order not in ORDERS:
        said = "Say whether the day or the month comes first: the days of the file do not tell."
        return _shown(request, upload, found, columns, order, said)
    how = Understood(found.table.names, columns, order)
    return _read(request, upload, found, how, "month" if "month" in (told, order) else "day")


@dataclass(frozen=True, slots=True)
class Shown:
    """One column of the file."""

    at: int
    letters: str
    name: str
    label: str
    examples: list[str]
    meaning: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a day like 03/04/2026 is in each order."""

    written: str
    orders: list[tuple[Order, str, str]]  # (key, words, the day it then is)


def _read(
    request: HttpRequest, upload: Upload, found: Opened, how: Understood, order: Order
) -> HttpResponse:
    """Takes a file that is good to the review; of any other, shows what to mend."""
    service = upload.service
    reading = Reading(how.columns, settings.BILLING_ZONE, timezone.now(), order)
    try:
        file = memberfile.read(found.table, reading)
        sync.byfile.accept(upload, file, how, by=person(request))
    except MendFirst as error:
        if request.POST.get("format") == "csv":
            return mend_csv(service, error)
        again = {**_manner_fields(found.manner), "columns": ",".join(how.columns)}
        address = f"{reverse('member_columns', args=[service.key])}?{urlencode(again)}"
        return mend(request, service, error, _fields(upload, found.manner, how), address)
    except (NothingWaits, NotByFile) as error:
        messages.error(request, f"{error} Nothing was changed.")
        return redirect("service_settings", key=service.key)
    return redirect("review_members", key=service.key)


def _shown(
    request: HttpRequest,
    upload: Upload,
    found: Opened,
    columns: Sequence[str],
    order: str,
    said: str = "",
) -> HttpResponse:
    """The page, with what is still to be said where a choice was not good enough."""
    table = found.table
    context = context_of(upload.service) | {
        "upload": upload,
        "table": table,
        "columns": [
            Shown(at, memberfile.letters(at), name, table.label(at), table.examples(at), meaning)
            for at, (name, meaning) in enumerate(zip(table.names, columns, strict=True))
        ],
        "meanings": MEANINGS,
        "order": order,
        "asked": _asked(table, columns),
        "manner": found.manner,
        "manner_fields": _manner_fields(found.manner),
        "encodings": [(key, ENCODINGS[key], how) for key, how in found.encodings.items()],
        "delimiters": DELIMITERS if found.is_text else {},
        "sheets": found.sheets,
        "said": said,
    }
    return render(request, "byfile_columns.html", context, status=400 if said else 200)


def _manner(given: QueryDict) -> Manner:
    return Manner(
        encoding=given.get("encoding", ""),
        delimiter=given.get("delimiter", ""),
        sheet=min(number_of(given.get("sheet", "")), 1000),
    )


def _manner_fields(manner: Manner) -> dict[str, str]:
    if not manner.encoding:
        return {"sheet": str(manner.sheet)}
    return {"encoding": manner.encoding, "delimiter": manner.delimiter}


def _proposed(given: QueryDict, service: Service, table: Table) -> tuple[tuple[str, ...], str]:
    """What each column is, and which comes first in a day: as the address says, as the last file of
    its kind was understood, or as it looks."""
    asked = tuple(given.get("columns", "").split(","))
    if len(asked) == len(table.names) and {*asked} <= {*MEANINGS, LEFT_OUT} and {*asked} != {""}:
        return asked, ""
    last = sync.byfile.understood(service)
    if columns := memberfile.remembered(table, last.names, last.columns):
        return columns, last.order
    return memberfile.guessed(table), ""


def _chosen(given: QueryDict, table: Table) -> tuple[str, ...]:
    told = [given.get(f"column-{at}", "") for at in range(len(table.names))]
    return tuple(meaning if meaning in MEANINGS else LEFT_OUT for meaning in told)


def _order(table: Table, columns: Sequence[str]) -> str:
    """As `memberfile.order_of` tells it, of the column with last seen."""
    days = [table.column(at) for at, meaning in enumerate(columns) if meaning == SEEN]
    return memberfile.order_of(days[0]) if days else "any"


def _asked(table: Table, columns: Sequence[str]) -> Asked | None:
    """Where the file's days could be meant in two ways, one of them in each."""
    if _order(table, columns) != "ask":
        return None
    written = memberfile.either(table.column(list(columns).index(SEEN)))
    orders = [(key, told, _day(written, key)) for key, told in ORDERS.items()]
    return Asked(written, orders)


def _day(written: str, order: Order) -> str:
    at: datetime | None = memberfile.moment(written, order, UTC)
    return f"{at:%-d %B %Y}" if at else ""


def _fields(upload: Upload, manner: Manner, how: Understood) -> dict[str, str]:
    """What the form has sent, to send it once more."""
    columns = {f"column-{at}": meaning for at, meaning in enumerate(how.columns)}
    return {"file": str(upload.pk), **_manner_fields(manner), **columns, "order": how.order}
