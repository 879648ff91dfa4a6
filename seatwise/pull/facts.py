"""What was read so far, in a SQLite file, so that no list of it is ever in memory."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

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

SCHEMA = """
CREATE TABLE members (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE, email TEXT, name TEXT, role TEXT, base_role TEXT,
    invited INTEGER
);
CREATE TABLE licenses (
    place INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT, kind TEXT, used INTEGER, available INTEGER
);
CREATE TABLE seats (member TEXT PRIMARY KEY, license TEXT) WITHOUT ROWID;
CREATE TABLE signals (member TEXT PRIMARY KEY, at INTEGER, source TEXT) WITHOUT ROWID;
CREATE TABLE usage (
    month TEXT, metric TEXT, value INTEGER, final INTEGER, source TEXT, fresh INTEGER,
    PRIMARY KEY (month, metric)
) WITHOUT ROWID;
"""
QUESTIONS = {
    "members": """
        SELECT m.id, m.email, m.name, m.role, m.base_role, l.name, m.invited,
            strftime('%Y-%m-%dT%H:%M:%SZ', s.at / 1000000, 'unixepoch'), s.source
        FROM members m
        LEFT JOIN seats ON seats.member = m.id
        LEFT JOIN licenses l ON l.id = seats.license
        LEFT JOIN signals s ON s.member = m.id AND s.at >= :since
        ORDER BY m.place
    """,
    "usage": """
        SELECT month, metric, usage.value, final, source FROM usage
        LEFT JOIN json_each(:metrics) known ON known.value = metric
        WHERE month IN (SELECT value FROM json_each(:months))
            AND (final OR fresh OR (metric NOT IN (SELECT value FROM json_each(:lacking))
                AND 'usage' NOT IN (SELECT value FROM json_each(:lacking))))
        ORDER BY month, known.key IS NULL, known.key, metric
    """,
    "licenses": "SELECT id, name, kind, used, available FROM licenses ORDER BY place",
}
FOR_EVER = 1 << 62  # microseconds since 1970; no evidence is as new
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@contextmanager
def passing(path: Path) -> Iterator[sqlite3.Connection]:
    """A base that does not outlive the run, so nothing in it is kept safe from a crash."""
    with closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {SCHEMA}")
        yield base


class Facts:
    """Records go in by `keep`, rows of a table come out by `question`.

    The base may hold evidence and months of earlier runs; lists it holds of this run alone.
    """

    def __init__(self, base: sqlite3.Connection, order: Order) -> None:
        self._base = base
        self._order = order
        self._lacking: set[str] = set()  # of usage, what could not be read this time

    def keep(self, batch: Batch) -> list[Row]:
        """Keeps a batch; returns its members as rows, with what is not known yet left empty."""
        fresh: list[Row] = []
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
        if batch.stage == "usage":
            self._lacking.update(gap.capability for gap in batch.gaps)
        return fresh

    def question(self, table: Table) -> tuple[str, Mapping[str, str | int]]:
        """What to ask the base for a table's rows, in the order of its columns.

        Of usage that could not be read this time, only what is final is told. Evidence from
        before the horizon is met by chance only and need not be the newest, so it is left out.
        """
        plan = self._order.plan
        with_activity = self._order.wants("activity")
        asked: Mapping[str, Mapping[str, str | int]] = {
            "members": {"since": _micros(plan.activity_since) if with_activity else FOR_EVER},
            "usage": {
                "metrics": json.dumps([info.key for info in self._order.connector.metrics]),
                "months": json.dumps([f"{month:%Y-%m}" for month in plan.months]),
                "lacking": json.dumps(sorted(self._lacking)),
            },
        }
        return QUESTIONS[table.name], asked.get(table.name, {})

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        question, values = self.question(table)
        counted = f"SELECT count(*) FROM ({question})"  # noqa: S608 - a question of our own
        (rows,) = self._base.execute(counted, values).fetchone()
        return int(rows)

    def rows(self, table: Table) -> Iterator[Row]:
        """Every row of a table, in the order of its columns."""
        flags = [at for at, column in enumerate(table.columns) if column.kind == "flag"]
        for found in self._base.execute(*self.question(table)):
            row = list(found)
            for at in flags:
                row[at] = bool(row[at])
            yield tuple(row)

    def _keep_member(self, record: MemberRecord) -> Row:
        base_role = role_info(self._order.connector, record.role).seat
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
        month = f"{record.month:%Y-%m}"
        self._base.execute(
            "INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, TRUE)",
            (month, record.metric, record.value, record.final, record.source),
        )

    def _keep_signal(self, record: SignalRecord) -> None:
        """Older evidence, too, for a later run may look further back. What is newest wins."""
        if record.at < self._order.plan.now:
            self._base.execute(
                "INSERT INTO signals VALUES (?, ?, ?) ON CONFLICT (member)"
                " DO UPDATE SET at = excluded.at, source = excluded.source"
                " WHERE (excluded.at, excluded.source) > (signals.at, signals.source)",
                (record.member_id, _micros(record.at), record.source),
            )


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
