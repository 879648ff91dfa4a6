"""Parquet files, written by a process of its own: see `parquet`.

pyarrow takes as much memory as the whole rest of a pull, and gives none of it back.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from seatwise.pull.facts import Facts
from seatwise.pull.tables import Table

PROGRAM = Path(__file__).with_name("parquet.py")
HANDED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")  # above all, no credential


def write(base: Path, facts: Facts, tables: Mapping[Path, Table]) -> None:
    """Writes each table to its path, out of the base at `base`. Raises OSError."""
    order = {
        "base": str(base),
        "parent": os.getpid(),
        "tables": [_described(path, table, facts) for path, table in tables.items()],
    }
    # Ctrl-C is for the pull, which then ends the process it started; `-P`: that one's neighbours
    # are no modules.
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-P", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in HANDED_ON if name in os.environ}
        | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
        start_new_session=True,
        text=True,
    ) as process:
        try:
            _, complaint = process.communicate(f"{json.dumps(order)}\n")
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        said = (complaint.strip().splitlines() or ["its process was ended"])[-1]
        raise OSError(errno.EIO, f"Parquet could not be written: {said}")


def _described(path: Path, table: Table, facts: Facts) -> dict[str, object]:
    question, values = facts.question(table)
    return {
        "path": str(path),
        "question": question,
        "values": values,
        "columns": [(column.name, column.kind) for column in table.columns],
    }
