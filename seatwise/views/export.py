"""Tables as downloads in CSV."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

from seatwise.spreadsheet import Cell, safe_text


def csv_response(name: str, header: list[str], rows: Iterable[list[Cell]]) -> StreamingHttpResponse:
    """A download in RFC 4180, UTF-8, sent as it is read. Times are UTC; unknown is empty."""
    response = StreamingHttpResponse(
        _lines(header, rows), content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


class _Echo:
    """Where csv.writer writes: hands each line straight back."""

    def write(self, line: str) -> str:
        return line


def _lines(header: list[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_text(cell) for cell in row])
