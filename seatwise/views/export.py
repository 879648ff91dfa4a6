"""Tables as downloads, in CSV and XLSX: what somebody takes along, told on the audit trail.

A page asks `wanted`, and where a file is wanted it answers with `download`; else it offers `menu`.
"""

import errno
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import Literal, get_args

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from seatwise import audit
from seatwise.models import Service
from seatwise.models.audit_event import Action
from seatwise.spreadsheet import Cell, Column, Table, csv_lines
from seatwise.views.shell import person

log = logging.getLogger(__name__)

Format = Literal["csv", "xlsx"]
CSV = "text/csv; charset=utf-8; header=present"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST = 2000  # characters of the filters that are written down
# No room, or no folder for temporary files that can be written.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT}
OFFERS: Sequence[tuple[Format, str, str]] = (
    ("xlsx", "Excel (XLSX)", "with filters and definitions"),
    ("csv", "CSV", "for programs, UTF-8"),
)
READINGS = {
    "members": "Members",
    "licenses": "Licences",
    "usage": "Usage",
    "activity": "Activity",
}


@dataclass(frozen=True, slots=True)
class Export:
    """What somebody takes along."""

    file: str  # its name without the ending, in ASCII
    what: str  # on the trail: "members"
    title: str  # of the sheet: "Members"
    says: str  # what a row is, in a sentence
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    count: int | None = None  # of the rows, as far as it is known before they are read
    service: Service | None = None
    readings: Sequence[str] = ()  # keys of READINGS that the rows come from
    as_of: datetime | None = None  # where they are of one moment
    filters: Sequence[str] = ()  # in words


@dataclass(frozen=True, slots=True)
class Offer:
    """One line of the Export menu."""

    format: Format
    label: str
    note: str
    url: str


def wanted(request: HttpRequest) -> Format | None:
    """The kind of file that the address asks for; None: the page."""
    asked = request.GET.get("format", "")
    return next((known for known in get_args(Format) if known == asked), None)


def menu(query: str) -> list[Offer]:
    """The files of what a page shows at this address ("?", "?role=admin", "/audit/")."""
    joint = "" if query.endswith("?") else "&" if "?" in query else "?"
    return [
        Offer(kind, label, note, f"{query}{joint}format={kind}") for kind, label, note in OFFERS
    ]


def download(request: HttpRequest, export: Export) -> HttpResponseBase:
    """The file that the address asks for, as `wanted` says; a HEAD gets its headers alone.

    CSV is sent as it is read. A workbook is written to a temporary file first, which is gone once
    it is sent; where there is no room for it, a page says so.
    """
    kind = wanted(request) or "csv"
    if request.method == "HEAD":
        return _named(HttpResponse(), export, kind)
    if kind == "csv":
        _note(request, export, kind)
        lines = csv_lines([column.key for column in export.columns], export.rows)
        return _named(StreamingHttpResponse(lines), export, kind)
    try:
        workbook = _workbook(request, export)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        log.warning("no room for a workbook: %s", errno.errorcode[error.errno])
        return render(request, "export_no_room.html", {"csv": _csv_instead(request)}, status=503)
    _note(request, export, kind)
    return _named(workbook, export, kind)


def _workbook(request: HttpRequest, export: Export) -> HttpResponseBase:
    from seatwise.spreadsheet.workbook import write  # only who needs one loads its writer

    file = TemporaryFile(prefix="seatwise-export-")  # noqa: SIM115 (the response closes it)
    try:
        write(Table(export.title, export.columns, export.rows, _about(request, export)), file)
        file.seek(0)
        return FileResponse(file)
    except BaseException:
        file.close()
        raise


def _named(response: HttpResponseBase, export: Export, kind: Format) -> HttpResponseBase:
    response["Content-Type"] = CSV if kind == "csv" else XLSX
    response["Content-Disposition"] = f'attachment; filename="{export.file}.{kind}"'
    return response


def _note(request: HttpRequest, export: Export, kind: Format) -> None:
    """Puts on the trail who takes what along, with the filters as they stand in the address."""
    asked = request.GET.copy()
    asked.pop("format", None)
    filters = asked.urlencode()[:LONGEST]  # percent-encoded, so nothing in it can break a line
    rows = "" if export.count is None else f"{export.count} rows "
    audit.record(
        Action.EXPORTED,
        service=export.service.key if export.service else "",
        about=export.what,
        said=f"{rows}as {kind.upper()}.",
        detail={"filters": filters, "rows": export.count, "format": kind},
    )


def _about(request: HttpRequest, export: Export) -> list[tuple[str, Cell]]:
    """What the sheet beside the rows says of them."""
    who = person(request)
    lines: list[tuple[str, Cell]] = [("What", f"{export.title}. {export.says}")]
    if export.service:
        lines.append(("Service", export.service.name))
        lines += _accounts(export.service, export.readings)
    if export.as_of:
        lines.append(("As of (UTC)", export.as_of))
    lines += [
        ("Made at (UTC)", timezone.now()),
        ("Made by", f"{who.name} <{who.email}>"),
        ("Made with", "Seatwise"),
    ]
    lines += [("Filter", words) for words in export.filters] or [("Filter", "none")]
    zone = settings.BILLING_ZONE.key
    lines.append(("Times", f"UTC. Days and months are those of {zone}."))
    lines.append(("Empty cells", "are unknown, or there is nothing to say. Unknown is never 0."))
    return lines


def _accounts(service: Service, readings: Sequence[str]) -> Iterable[tuple[str, Cell]]:
    """Each account that is in it, and when each of its readings was taken."""
    for account in service.shown_connections:
        region = f" ({account.region})" if account.region else ""
        yield "Account", f"{account.account_name}{region}"
        for name in readings:
            at: datetime | None = getattr(account, f"{name}_as_of")
            yield f"{READINGS[name]} as of (UTC)", at or "never read"


def _csv_instead(request: HttpRequest) -> str:
    """The address of the same rows as CSV, which needs no temporary file."""
    asked = request.GET.copy()
    asked["format"] = "csv"
    return f"?{asked.urlencode()}"
