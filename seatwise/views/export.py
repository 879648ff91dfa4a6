"""Tables as downloads in CSV."""

import csv
from collections.abc import Iterable, Iterator

from django.http import HttpRequest, StreamingHttpResponse

from seatwise import audit
from seatwise.models.audit_event import Action
from seatwise.spreadsheet import Cell, safe_text

LONGEST = 2000  # characters of the filters that are written down


def csv_response(name: str, header: list[str], rows: Iterable[list[Cell]]) -> StreamingHttpResponse:
    """A download in RFC 4180, UTF-8, sent as it is read. Times are UTC; unknown is empty."""
    response = StreamingHttpResponse(
        _lines(header, rows), content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def note(request: HttpRequest, what: str, *, rows: int | None = None, service: str = "") -> None:
    """Puts on the trail who takes what along, with the filters as they stand in the address."""
    if request.method != "GET":
        return  # HEAD takes nothing
    asked = request.GET.copy()
    asked.pop("format", None)
    filters = asked.urlencode()[:LONGEST]  # percent-encoded, so nothing in it can break a line
    said = f"{rows} rows." if rows is not None else ""
    detail = {"filters": filters, "rows": rows}
    audit.record(Action.EXPORTED, service=service, about=what, said=said, detail=detail)


class _Echo:
    """Where csv.writer writes: hands each line straight back."""

    def write(self, line: str) -> str:
        return line


def _lines(header: list[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_text(cell) for cell in row])
