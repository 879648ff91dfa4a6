"""Tables as CSV files that a spreadsheet opens without running anything in them."""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from django.http import StreamingHttpResponse

# The first character by which a spreadsheet takes a cell for a formula, half and full width.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")

Cell = str | int | bool | date | datetime | None


def csv_response(name: str, header: list[str], rows: Iterable[list[Cell]]) -> StreamingHttpResponse:
    """A download in RFC 4180, UTF-8, sent as it is read. Times are UTC; unknown is empty."""
    response = StreamingHttpResponse(
        _lines(header, rows), content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def safe_text(value: Cell) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    risky = value.startswith(FORMULA_STARTS) or value.lstrip().startswith(FORMULA_STARTS)
    return f"'{value}" if risky else value


class _Echo:
    """Where csv.writer writes: hands each line straight back."""

    def write(self, line: str) -> str:
        return line


def _lines(header: list[str], rows: Iterable[list[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_text(cell) for cell in row])
