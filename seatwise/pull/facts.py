"""What was read so far, in a SQLite file, so that no list of it is ever in memory."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from seatwise.connectors.base import role_info
from seatwise.connectors.records import (
    Batch,
    LicenseRecord,
    MemberRecord,
    SeatRecord,
    SignalRecord,
    UsageRecord,
)
from seatwise.pull.order import Order
from seatwise.pull.tables import MEMBERS, Row, Table

# Nothing here outlives the run, so nothing is kept safe from a crash.
SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE members (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE, email TEXT, name TEXT, role TEXT, base_role TEXT,
    invited INTEGER
);
CREATE TABLE licenses (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT, kind TEXT, used INTEGER, available INTEGER
);
CREATE TABLE seats (member TEXT PRIMARY KEY, license TEXT) WITHOUT ROWID;
CREATE TABLE signals (member TEXT PRIMARY KEY, at TEXT, source TEXT) WITHOUT ROWID;
CREATE TABLE usage (
    month TEXT, metric TEXT, rank INTEGER, value INTEGER, final INTEGER, source TEXT,
    PRIMARY KEY (month, metric)
) WITHOUT ROWID;
"""
QUESTIONS = {
    "members": """
        SELECT m.id, m.email, m.name, m.role, m.base_role, l.name, m.invited, s.at, s.source
        FROM members m
        LEFT JOIN seats ON seats.member = m.id
        LEFT JOIN licenses l ON l.id = seats.license
        LEFT JOIN signals s ON s.member = m.id
        ORDER BY m.place
    """,
    "usage": "SELECT month, metric, value, final, source FROM usage ORDER BY month, rank, metric",
    "licenses": "SELECT id, name, kind, used, available FROM licenses ORDER BY place",
}


class Facts:
    """Records go in by `keep`, rows of a table come out of `rows`. Use it in a `with` block."""

    def __init__(self, path: Path, order: Order) -> None:
        self._connector = order.connector
        self._plan = order.plan
        self._with_activity = order.wants("activity")
        self._ranks = {info.key: rank for rank, info in enumerate(order.connector.metrics)}
        self._path = path

    def __enter__(self) -> Self:
        self._base = sqlite3.connect(self._path, isolation_level=None)
        self._base.executescript(SCHEMA)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()

    def keep(self, batch: Batch) -> list[Row]:
        """Keeps a batch; returns its members as rows, with what is not known yet left empty."""
        fresh: list[Row] = []
        self._base.execute("BEGIN")
        for record in batch.records:
            match record:
                case MemberRecord():
                    fresh.append(self._keep_member(record))
                case LicenseRecord():
                    self._keep_license(record)
                case SeatRecord():
                    self._base.execute(
                        "INSERT OR REPLACE INTO seats VALUES (?, ?)",
                        (record.member_id, record.license_id),
                    )
                case UsageRecord():
                    self._keep_usage(record)
                case SignalRecord():
                    self._keep_signal(record)
        self._base.execute("COMMIT")
        return fresh

    def rows(self, table: Table) -> Iterator[Row]:
        """Every row of a table, in the order of its columns."""
        flags = [at for at, column in enumerate(table.columns) if column.kind == "flag"]
        for found in self._base.execute(QUESTIONS[table.name]):
            row = list(found)
            for at in flags:
                row[at] = bool(row[at])
            yield tuple(row)

    def _keep_member(self, record: MemberRecord) -> Row:
        base_role = role_info(self._connector, record.role).seat
        facts = (record.external_id, record.email, record.name, record.role, base_role)
        self._base.execute(
            "INSERT INTO members (id, email, name, role, base_role, invited)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET email = excluded.email,"
            " name = excluded.name, role = excluded.role, base_role = excluded.base_role,"
            " invited = excluded.invited",
            (*facts, record.invited),
        )
        unknown = (None,) * (len(MEMBERS.columns) - len(facts) - 2)
        return (*facts, None, record.invited, *unknown)

    def _keep_license(self, record: LicenseRecord) -> None:
        self._base.execute(
            "INSERT INTO licenses (id, name, kind, used, available) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
            " used = excluded.used, available = excluded.available",
            (record.external_id, record.name, record.kind, record.used, record.available),
        )

    def _keep_usage(self, record: UsageRecord) -> None:
        rank = self._ranks.get(record.metric, len(self._ranks))
        self._base.execute(
            "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?)",
            (
                f"{record.month:%Y-%m}",
                record.metric,
                rank,
                record.value,
                record.final,
                record.source,
            ),
        )

    def _keep_signal(self, record: SignalRecord) -> None:
        """Outside of the horizon evidence is met by chance only and need not be the newest."""
        if not self._with_activity:
            return
        if self._plan.activity_since <= record.at < self._plan.now:
            self._base.execute(
                "INSERT INTO signals VALUES (?, ?, ?) ON CONFLICT (member)"
                " DO UPDATE SET at = excluded.at, source = excluded.source"
                " WHERE excluded.at > signals.at",
                (record.member_id, _stamp(record.at), record.source),
            )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
