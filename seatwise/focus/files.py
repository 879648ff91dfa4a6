"""Rows as files: CSV, streamed, and Parquet, with the columns' own types."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from io import StringIO
from itertools import islice
from typing import IO, Literal

from seatwise.focus.columns import COLUMNS, VERSION, Row, Value
from seatwise.spreadsheet import safe_text

Format = Literal["csv", "parquet"]
FORMATS: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}
GROUP = 5_000  # rows that are in memory at once
PLACES = 12  # of an amount behind the point


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """RFC 4180, a line at a time, the header first. Null is an empty field.

    What a spreadsheet would take for a formula is marked as text, as in every file of ours.
    """
    yield _line(COLUMNS)
    for row in rows:
        yield _line(_cell(row[name]) for name in COLUMNS)


def as_parquet(rows: Iterable[Row], file: IO[bytes]) -> int:
    """Writes all rows and returns how many there were. Amounts are decimals, times are of UTC."""
    import pyarrow as pa  # only who needs one loads its writer
    from pyarrow import parquet

    types = {
        "text": pa.string(),
        "amount": pa.decimal128(38, PLACES),
        "moment": pa.timestamp("us", tz="UTC"),
        "flag": pa.bool_(),
    }
    told = {"FocusVersion": VERSION, "DataGenerator": "Seatwise"}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()], metadata=told)
    count, left = 0, iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(left, GROUP)):
            count += len(group)
            columns = {name: [_rounded(row[name]) for row in group] for name in COLUMNS}
            writer.write_table(pa.table(columns, schema=schema))
    return count


def _line(cells: Iterable[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _cell(value: Value) -> str:
    if isinstance(value, Decimal):
        written = f"{_rounded(value):f}"
        return written if "." in written else f"{written}.0"  # else it is read as an integer
    return safe_text(value)


def _rounded(value: Value) -> Value:
    """An amount with no more digits behind the point than the columns of a file hold."""
    if not isinstance(value, Decimal):
        return value
    exponent = value.as_tuple().exponent
    too_long = isinstance(exponent, int) and exponent < -PLACES
    return round(value, PLACES) if too_long else value
