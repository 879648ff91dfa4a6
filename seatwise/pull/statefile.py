"""The file of `--state`: what earlier pulls read, and from where a later one may go on.

It is one SQLite file: the facts, and beside them one row that says of which account they are and
holds the connector's state. Both change in one transaction for each batch, written ahead in a
journal, so that the file is valid at whatever moment a pull is killed. One pull at a time has it.
"""

import errno
import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seatwise.connectors.records import Batch
from seatwise.connectors.state import State, StateRefused
from seatwise.pull import facts
from seatwise.pull.order import Order

OURS = 0x5EA75EA7  # SQLite's application id of such a file
VERSION = 1  # of the tables
SCHEMA = f"""
BEGIN;
{facts.SCHEMA}
CREATE TABLE known (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE reading (
    one INTEGER PRIMARY KEY CHECK (one = 1), vendor TEXT, base_url TEXT, zone TEXT, home TEXT,
    until TEXT, read_at TEXT, state TEXT
);
PRAGMA application_id = {OURS};
PRAGMA user_version = {VERSION};
COMMIT;
"""
ANEW = "To read everything anew, name another file."
LISTS = ("members", "licenses", "seats")  # of one pull alone
# Nothing is wrong with the file: no space, no right to write, a disk that fails.
OUTSIDE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}


@dataclass(frozen=True, slots=True)
class StateFile:
    """An open file; `state` is the connector's, {} where there was none."""

    path: Path
    base: sqlite3.Connection
    read_at: str | None  # when the newest of it was read; None: nothing was yet
    state: Mapping[str, Any]

    def keep(self, order: Order, batch: Batch) -> None:
        """Notes how far the batch brings the reading, in the transaction that keeps its facts.

        Raises StateRefused where the whole list of members is another account's.
        """
        if batch.stage == "members":
            if not (batch.complete or batch.ended):
                return  # whose account it is shows at the end
            self._recognise()
        plan, now = order.plan, datetime.now(UTC)
        self.base.execute(
            "INSERT INTO reading VALUES (1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE"
            " SET until = excluded.until, read_at = excluded.read_at, home = excluded.home,"
            " state = coalesce(excluded.state, state)",
            (
                order.connector.key,
                order.base_url,
                plan.zone.key,
                plan.home_code,
                plan.now.astimezone(UTC).isoformat(),
                f"{now:%Y-%m-%dT%H:%M:%SZ}",
                None if batch.state is None else json.dumps(batch.state),
            ),
        )

    def _recognise(self) -> None:
        """The people of the present list become those that are known."""
        (before,) = self.base.execute("SELECT count(*) FROM known").fetchone()
        (still,) = self.base.execute(
            "SELECT count(*) FROM known JOIN members USING (id)"
        ).fetchone()
        if before and not still:
            raise StateRefused(
                f"{self.path} keeps another account: none of the {before:,} people known from"
                f" there is in this one. {ANEW}"
            )
        self.base.execute("DELETE FROM known")
        self.base.execute("INSERT INTO known SELECT id FROM members")


@contextmanager
def opened(path: Path, order: Order) -> Iterator[StateFile]:
    """Holds the file, made if need be, for one pull. Lists are empty, for this run to read.

    Of another account nothing stays in it, and a file made here that came to hold nothing is
    removed. Raises StateRefused for a file that this order cannot go on from, and OSError.
    """
    with _alone(path) as made, _connected(path, made) as base:
        file = _entered(path, base, order)
        try:
            yield file
        except StateRefused:
            _forget_lists(base)
            raise


def from_outside(error: BaseException) -> bool:
    """Whether a failure of SQLite's has its cause outside of the file."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in OUTSIDE  # the rest tells what was being done


def damaged(path: Path) -> StateRefused:
    """What to say of a file in which something else stands than a pull writes."""
    return StateRefused(f"{path} is damaged, or no state of a pull. {ANEW}")


@contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Keeps other pulls from the file; tells whether it was made here.

    The door closes last: closing any descriptor of a file lets go of all SQLite's locks.
    """
    made = False
    try:
        door = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        made = True
        door = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(door), path.stat())  # not removed meanwhile
        except (BlockingIOError, FileNotFoundError):
            mine = False
        if not mine:
            raise StateRefused(f"Another pull is using {path}; one at a time can.")
        yield made
    finally:
        os.close(door)


@contextmanager
def _connected(path: Path, made: bool) -> Iterator[sqlite3.Connection]:
    kept = not made
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as base:
            try:
                yield base
            finally:
                kept = kept or _holds_something(base)
    finally:
        if not kept:
            for each in ("-wal", "-shm", ""):
                with suppress(OSError):
                    path.with_name(f"{path.name}{each}").unlink()


def _entered(path: Path, base: sqlite3.Connection, order: Order) -> StateFile:
    try:
        return _begun(path, base, order)
    except (sqlite3.DatabaseError, ValueError) as error:
        if from_outside(error):
            raise OSError(errno.EIO, str(error), str(path)) from error
        raise damaged(path) from None


def _begun(path: Path, base: sqlite3.Connection, order: Order) -> StateFile:
    _check(path, base)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = NORMAL")
    if not _tables(base):
        base.executescript(SCHEMA)
    row = base.execute(
        "SELECT vendor, base_url, zone, home, until, read_at, state FROM reading"
    ).fetchone()
    file = StateFile(path, base, None, {})
    if row is not None:
        vendor, base_url, zone, home, until, read_at, state = row
        _compare(path, order, {"vendor": vendor, "base_url": base_url, "zone": zone, "end": until})
        try:
            file = replace(file, read_at=read_at, state=_opened(state))
        except StateRefused as reason:
            raise StateRefused(f"{path}: {reason}") from None
        if home != order.plan.home_code:
            file = replace(file, state=_without_usage(file))
    _forget_lists(base)
    base.execute("UPDATE usage SET fresh = FALSE WHERE fresh")
    return file


def _forget_lists(base: sqlite3.Connection) -> None:
    """Nobody of them can be found in the file afterwards."""
    base.execute("PRAGMA secure_delete = ON")
    base.execute("BEGIN")
    for table in LISTS:
        base.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
    base.execute("COMMIT")


def _holds_something(base: sqlite3.Connection) -> bool:
    try:
        return base.execute("SELECT one FROM reading").fetchone() is not None
    except sqlite3.DatabaseError as error:
        return from_outside(error)  # else there is no such table yet


def _check(path: Path, base: sqlite3.Connection) -> None:
    """That it is a file of ours, and whole, before anything is written to it."""
    (whose,) = base.execute("PRAGMA application_id").fetchone()
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if not _tables(base) and not whose and not version:
        return
    if whose != OURS:
        raise StateRefused(f"{path} is a database, but no state of a pull. {ANEW}")
    if version != VERSION:
        newer = "a newer" if version > VERSION else "an older"
        raise StateRefused(
            f"{path} was written by {newer} Seatwise (version {version}, this one knows"
            f" {VERSION}). {ANEW}"
        )
    (found,) = base.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _tables(base: sqlite3.Connection) -> int:
    (tables,) = base.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return int(tables)


def _compare(path: Path, order: Order, kept: Mapping[str, str]) -> None:
    """That the order goes on where the file ends. Raises StateRefused."""
    wanted = {
        "vendor": order.connector.key,
        "base_url": order.base_url,
        "zone": order.plan.zone.key,
    }
    names = {"vendor": "the account at", "base_url": "the account at", "zone": "months in"}
    for name, now in wanted.items():
        if kept[name] != now:
            raise StateRefused(f"{path} keeps {names[name]} {kept[name]}, not {now}. {ANEW}")
    if datetime.fromisoformat(kept["end"]) > order.plan.now:
        raise StateRefused(
            f"{path} was read up to {datetime.fromisoformat(kept['end']):%Y-%m-%d %H:%M} UTC, and"
            f" this pull would end before that. {ANEW}"
        )


def _opened(state: str | None) -> dict[str, object]:
    """The connector's state, of a version that this Seatwise knows. Raises StateRefused."""
    if state is None:
        return {}
    raw = json.loads(state)
    if not isinstance(raw, dict):
        raise ValueError("no state")
    return State.opened(raw).as_json()


def _without_usage(file: StateFile) -> dict[str, object]:
    """Calls are told apart by another home now, so every month is read anew."""
    parts = dict(State.opened(file.state).parts)
    parts.pop("usage", None)
    state = State(parts).as_json()
    file.base.execute("BEGIN")
    file.base.execute("DELETE FROM usage")
    file.base.execute("UPDATE reading SET state = ?", (json.dumps(state),))
    file.base.execute("COMMIT")
    return state
