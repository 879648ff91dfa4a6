"""Tables as JSON Lines, CSV or Parquet, row by row."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

from seatwise.pull.order import Format
from seatwise.pull.tables import Kind, Row, Table, Value
from seatwise.spreadsheet import safe_text

GROUP = 5_000  # rows that a Parquet file takes at once


class Writer(Protocol):
    """Takes the rows of one table."""

    def write(self, row: Row) -> int:
        """Adds a row; returns how many that were: 1."""

    def flush(self) -> None:
        """Makes what was added so far readable by others, where the format can."""


@contextmanager
def opened(path: Path, table: Table, form: Format) -> Iterator[Writer]:
    """A file of that format, made anew and whole at the end of the block."""
    if form == "parquet":
        with _parquet(path, table) as writer:
            yield writer
        return
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


@contextmanager
def _parquet(path: Path, table: Table) -> Iterator[Writer]:
    import pyarrow as pa  # its weight is for this alone
    from pyarrow import parquet

    types = {
        "text": pa.string(),
        "flag": pa.bool_(),
        "number": pa.int64(),
        "moment": pa.timestamp("ms", tz="UTC"),
    }
    schema = pa.schema([(column.name, types[column.kind]) for column in table.columns])
    with parquet.ParquetWriter(path, schema) as file:
        writer = _Parquet(file, schema, table)
        yield writer
        writer.flush()


class _Parquet:
    def __init__(self, file: Any, schema: Any, table: Table) -> None:
        self._file = file
        self._schema = schema
        self._kinds = [column.kind for column in table.columns]
        self._rows: list[dict[str, Value | datetime]] = []
        self._header = table.header

    def write(self, row: Row) -> int:
        cells = map(_typed, row, self._kinds)
        self._rows.append(dict(zip(self._header, cells, strict=True)))
        if len(self._rows) >= GROUP:
            self.flush()
        return 1

    def flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._file.write_table(pa.Table.from_pylist(self._rows, self._schema))
            self._rows = []


def _typed(value: Value, kind: Kind) -> Value | datetime:
    if kind == "moment" and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value
