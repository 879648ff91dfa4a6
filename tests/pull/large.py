"""Writes a large account out of a base that is made up here: `python large.py ROWS FORMAT OUT`.

Prints its own peak memory and that of the process that it started, in MB.
"""

import resource
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from seatwise import pull
from seatwise.connectors.base import find
from seatwise.connectors.records import (
    Batch,
    LicenseRecord,
    MemberRecord,
    Record,
    SeatRecord,
    SignalRecord,
    UsageRecord,
)
from seatwise.pull.facts import Facts, passing
from seatwise.pull.folder import folder
from seatwise.pull.order import Format, Order, plan_until

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def main(rows: int, form: Format, out: Path) -> None:
    connector = find("pagerduty")
    assert connector is not None
    plan = plan_until(None, ZoneInfo("UTC"), 36, timedelta(days=90), NOW)
    order = Order(
        connector=connector, base_url="", token="", secret="-", plan=plan, out=out, format=form
    )
    with folder(out) as place:
        path = place.work / "facts.sqlite"
        with passing(path) as base:
            facts = Facts(base, order)
            _fill(base, facts, rows, order)
            written = pull._write(order, place, path, facts)
            place.publish(written)
    status = Path("/proc/self/status").read_text()
    own = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{own:.0f} {started:.0f}")


def _fill(base: sqlite3.Connection, facts: Facts, rows: int, order: Order) -> None:
    base.execute("BEGIN")
    months = [
        UsageRecord(month, info.key, 1_000_000, True, "GET /incidents")
        for month in order.plan.months
        for info in order.connector.metrics
    ]
    facts.keep(Batch("usage", tuple(months)))
    facts.keep(Batch("licences", (LicenseRecord("L1", "Full User", "full", rows, None),)))
    for number in range(rows):
        who = f"P{number:07d}"
        told: tuple[Record, ...] = (
            MemberRecord(
                who, f"{who}@{'x' * 40}.example", f"Somebody {'y' * 30} {who}", "user", False
            ),
            SeatRecord(who, "L1", None),
            SignalRecord(who, "acknowledged", NOW - timedelta(seconds=number + 1), ""),
        )
        facts.keep(Batch("members", told))
    base.execute("COMMIT")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))  # type: ignore[arg-type]
