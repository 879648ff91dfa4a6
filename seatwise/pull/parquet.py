"""A program of its own that turns tables of a SQLite file into Parquet files.

It imports nothing but SQLite and pyarrow, which weighs as much as all the rest of a pull, and
takes one line of JSON on standard input:

    {"base": path, "parent": pid, "tables": [{"path", "question", "values", "columns"}, …]}

where `columns` are pairs of a name and one of "text", "flag", "number" and "moment". Exit code 0,
or 1 with one line on standard error.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

GROUP = 2_000  # rows that are in memory at once, and in a row group

# pyarrow imports pandas where that is installed, only to look whether a column is one of its own.
sys.modules["pandas"] = None  # type: ignore[assignment]

import pyarrow as pa  # noqa: E402
from pyarrow import parquet  # noqa: E402

TYPES = {
    "text": pa.string(),
    "flag": pa.bool_(),
    "number": pa.int64(),
    "moment": pa.timestamp("ms", tz="UTC"),
}


def main() -> None:
    """Writes all the tables; raises OSError, sqlite3.Error or pyarrow's own."""
    order = json.loads(sys.stdin.readline())
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    where = f"{Path(order['base']).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(where, uri=True)) as base:
        for table in order["tables"]:
            _write(base, int(order["parent"]), **table)


def _write(
    base: sqlite3.Connection,
    parent: int,
    *,
    path: str,
    question: str,
    values: dict[str, Any],
    columns: list[tuple[str, str]],
) -> None:
    schema = pa.schema([(name, TYPES[kind]) for name, kind in columns])
    kinds = [kind for _name, kind in columns]
    with parquet.ParquetWriter(path, schema) as file:
        for rows in _groups(base.execute(question, values)):
            if os.getppid() != parent:
                raise OSError("the pull has ended")
            cells = zip(*rows, strict=True)
            arrays = [
                pa.array([_typed(cell, kind) for cell in column], TYPES[kind])
                for column, kind in zip(cells, kinds, strict=True)
            ]
            file.write_batch(pa.record_batch(arrays, schema=schema), row_group_size=GROUP)


def _groups(found: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := found.fetchmany(GROUP):
        yield rows


def _typed(cell: Any, kind: str) -> Any:
    if cell is None:
        return None
    if kind == "flag":
        return bool(cell)
    return datetime.fromisoformat(cell) if kind == "moment" else cell


if __name__ == "__main__":
    try:
        main()
    except (OSError, sqlite3.Error, pa.ArrowException) as error:
        sys.exit(" ".join(str(error).split()))
