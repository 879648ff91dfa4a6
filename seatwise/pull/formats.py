"""Tables as JSON Lines or CSV, row by row. Parquet is written by `columns`."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol, TextIO

from seatwise.pull.tables import Row, Table
from seatwise.spreadsheet import safe_text


class Writer(Protocol):
    """Takes the rows of one table."""

    def write(self, row: Row) -> int:
        """Adds a row; returns how many that were: 1."""

    def flush(self) -> None:
        """Makes what was added so far readable by others."""


@contextmanager
def opened(path: Path, table: Table, form: Literal["jsonl", "csv"]) -> Iterator[Writer]:
    """A file of that format, made anew and whole at the end of the block."""
    with path.open("w", encoding="utf-8", newline="") as file:
        yield _JsonLines(file, table) if form == "jsonl" else _Csv(file, table)


class _JsonLines:
    def __init__(self, file: TextIO, table: Table) -> None:
        self._file = file
        self._header = table.header

    def write(self, row: Row) -> int:
        fields = dict(zip(self._header, row, strict=True))
        self._file.write(f"{json.dumps(fields, ensure_ascii=False)}\n")
        return 1

    def flush(self) -> None:
        self._file.flush()


class _Csv:
    """RFC 4180, as the product's own downloads: no cell is taken for a formula."""

    def __init__(self, file: TextIO, table: Table) -> None:
        self._file = file
        self._csv = csv.writer(file, lineterminator="\r\n")
        self._csv.writerow(table.header)

    def write(self, row: Row) -> int:
        self._csv.writerow([safe_text(cell) for cell in row])
        return 1

    def flush(self) -> None:
        self._file.flush()
