"""What must be mended in a file of members: as a page, and as a file to work along."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from io import StringIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from seatwise.memberfile import MendFirst
from seatwise.models import Service
from seatwise.spreadsheet import safe_text

MISTAKES_SHOWN = 1000
MEND_HEADER = ["row", "column", "what is wrong", "how to mend it"]


def mend(
    request: HttpRequest,
    service: Service,
    error: MendFirst,
    chosen: Mapping[str, str] | None = None,
    again: str = "",
) -> HttpResponse:
    """The page with every mistake. `chosen`: the form's fields that lead to them once more, where
    the file still waits; `again`: the address where its columns are chosen anew."""
    context = context_of(service) | {
        "mistakes": error.mistakes[:MISTAKES_SHOWN],
        "found": len(error.mistakes),
        "more": max(0, len(error.mistakes) - MISTAKES_SHOWN),
        "chosen": chosen,
        "again": again,
    }
    return render(request, "byfile_mend.html", context, status=400)


def mend_csv(service: Service, error: MendFirst) -> HttpResponse:
    """The same as a download, without an end."""
    rows = [[each.row or "", each.column, each.what, each.remedy] for each in error.mistakes]
    return csv_of(f"{service.key}-members-to-mend", MEND_HEADER, rows)


def csv_of(
    name: str, header: Sequence[str], rows: Iterable[Sequence[str | int | date]]
) -> HttpResponse:
    """A small download in RFC 4180, UTF-8, without formulas."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe_text(cell) for cell in row] for row in rows)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def context_of(service: Service) -> dict[str, Any]:
    return {"service": service, "connection": service.connection, "tab": "settings"}


def number_of(given: str) -> int:
    """The number of a row that a form names; 0, which is none, for nonsense."""
    return int(given) if given.isdecimal() and len(given) < 19 else 0
