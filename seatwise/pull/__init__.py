"""Reads one account at a vendor into files: no database, no server, no Django.

    report = run(order, watch)          members, usage, licenses and run.json in order.out
    report.notes                        what could not be read, and why; empty: all was

Facts go from the network into a temporary SQLite file and from there into the files, so memory
stays flat in the size of the account. Nothing is written under a final name before all is read.
"""

import asyncio
import errno
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime

from seatwise.connectors.records import Batch
from seatwise.pull.facts import Facts
from seatwise.pull.folder import Folder, folder
from seatwise.pull.formats import opened
from seatwise.pull.order import Order
from seatwise.pull.partial import Partial
from seatwise.pull.reading import read
from seatwise.pull.report import Coverage, Report
from seatwise.pull.tables import TABLES

__all__ = ["Order", "Report", "run"]

RUN = "run.json"


def run(order: Order, watch: Callable[[Batch], None]) -> Report:
    """Carries out the order; `watch` is told of each batch once it is kept.

    Raises VendorError when the account cannot be read, OSError when the folder cannot be written
    or another pull is writing there. Then the files of an earlier run are as they were.
    """
    try:
        with folder(order.out) as place:
            return _run(order, place, watch)
    except sqlite3.OperationalError as error:  # a full disk above all
        raise OSError(errno.EIO, str(error), str(order.out)) from error


def _run(order: Order, place: Folder, watch: Callable[[Batch], None]) -> Report:
    began, started = time.monotonic(), datetime.now(UTC)
    coverage = Coverage(order)
    with Facts(place.work / "facts.sqlite", order) as facts:
        with Partial(place, order) as partial:

            def keep(batch: Batch) -> None:
                partial.add(facts.keep(batch))
                coverage.add(batch)
                watch(batch)

            requests = asyncio.run(read(order, keep))
        rows = _write(order, place, facts)
    seconds = time.monotonic() - began
    report = Report(order, started, seconds, requests, rows, coverage)
    (place.work / RUN).write_text(report.as_json(), encoding="utf-8")
    place.publish([*rows, RUN])
    return report


def _write(order: Order, place: Folder, facts: Facts) -> dict[str, int]:
    """Writes each file that was asked for, beside its final place; its rows by its name."""
    rows = {}
    for table in TABLES:
        if order.wants(*table.stages):
            name = f"{table.name}.{order.format}"
            with opened(place.work / name, table, order.format) as writer:
                rows[name] = sum(map(writer.write, facts.rows(table)))
    return rows
