"""Reads one account at a vendor into files: no database, no server, no Django.

    report = run(order, watch)          members, usage, licenses and run.json in order.out
    report.notes                        what could not be read, and why; empty: all was

Facts go from the network into a SQLite file and from there into the files, so memory stays flat in
the size of the account. Nothing is written under a final name before all is read. The SQLite file
is temporary, or the one of `--state`, with which a later pull asks only for what is not settled.
"""

import asyncio
import errno
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from seatwise.connectors.records import Batch
from seatwise.connectors.state import StateRefused
from seatwise.pull import columns, statefile
from seatwise.pull.facts import Facts, passing
from seatwise.pull.folder import Folder, folder
from seatwise.pull.formats import opened
from seatwise.pull.order import Order
from seatwise.pull.partial import Partial
from seatwise.pull.reading import read
from seatwise.pull.report import Coverage, Report
from seatwise.pull.tables import TABLES

__all__ = ["Order", "Report", "StateRefused", "run"]

RUN = "run.json"


def run(order: Order, watch: Callable[[Batch], None]) -> Report:
    """Carries out the order; `watch` is told of each batch once it is kept.

    Raises VendorError when the account cannot be read, StateRefused for a state that cannot be
    gone on from, OSError when something cannot be written or another pull is writing there. Then
    the files of an earlier run are as they were; the state keeps what was read.
    """
    try:
        with ExitStack() as stack:
            file = None
            if order.state is not None:
                file = stack.enter_context(statefile.opened(order.state, order))
                order = replace(order, plan=replace(order.plan, state=file.state))
            place = stack.enter_context(folder(order.out))
            return _run(order, place, file, watch)
    except sqlite3.DatabaseError as error:
        if statefile.from_outside(error):  # a full disk above all
            where = str(order.state or order.out)
            raise OSError(errno.EIO, str(error), where) from error
        if order.state is None:
            raise
        raise statefile.damaged(order.state) from None


def _run(
    order: Order,
    place: Folder,
    file: statefile.StateFile | None,
    watch: Callable[[Batch], None],
) -> Report:
    began, started = time.monotonic(), datetime.now(UTC)
    coverage = Coverage(order)
    with ExitStack() as stack:
        path = file.path if file else place.work / "facts.sqlite"
        base = file.base if file else stack.enter_context(passing(path))
        facts = Facts(base, order)
        with Partial(place, order) as partial:

            def keep(batch: Batch) -> None:
                with _at_once(base):
                    rows = facts.keep(batch)
                    if file is not None:
                        file.keep(order, batch)
                partial.add(rows)
                coverage.add(batch)
                watch(batch)

            requests = asyncio.run(read(order, keep))
        rows = _write(order, place, path, facts)
    seconds = time.monotonic() - began
    earlier = file.read_at if file else None
    report = Report(order, started, seconds, requests, rows, coverage, earlier)
    (place.work / RUN).write_text(report.as_json(), encoding="utf-8")
    place.publish([*rows, RUN])
    return report


@contextmanager
def _at_once(base: sqlite3.Connection) -> Iterator[None]:
    """All that is written in the block is kept, or nothing of it."""
    base.execute("BEGIN")
    try:
        yield
    except BaseException:
        if base.in_transaction:
            base.execute("ROLLBACK")
        raise
    base.execute("COMMIT")


def _write(order: Order, place: Folder, base: Path, facts: Facts) -> dict[str, int]:
    """Writes each file that was asked for, beside its final place; its rows by its name."""
    tables = {
        place.work / f"{table.name}.{order.format}": table
        for table in TABLES
        if order.wants(*table.stages)
    }
    if order.format == "parquet":
        columns.write(base, facts, tables)
        return {path.name: facts.count(table) for path, table in tables.items()}
    rows = {}
    for path, table in tables.items():
        with opened(path, table, order.format) as writer:
            rows[path.name] = sum(map(writer.write, facts.rows(table)))
    return rows
