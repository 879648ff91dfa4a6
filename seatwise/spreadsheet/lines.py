"""Tables as CSV: RFC 4180, one line at a time."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from seatwise.spreadsheet.cells import Cell, safe_text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The header and then each row, with CRLF behind. Times are UTC; unknown is empty."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe_text(cell) for cell in row])


class _Echo:
    """Where csv.writer writes: hands each line straight back."""

    def write(self, line: str) -> str:
        return line
