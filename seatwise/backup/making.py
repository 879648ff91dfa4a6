"""Makes a backup: beside its place first, and there only when it is whole and was read again."""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from seatwise import audit, keys
from seatwise.backup import programs
from seatwise.backup.archive import PASSED_OVER, check_whole
from seatwise.backup.programs import NotPossible, Programs
from seatwise.models.audit_event import Action

CHUNK = 1 << 20  # bytes
LOCK_WAIT = "60s"  # for a table that a change of the schema holds
COUNTED = {
    "seatwise_service": "services",
    "seatwise_connection": "connections",
    "seatwise_member": "members",
    "seatwise_memberevent": "events of members",
    "seatwise_usagepoint": "figures of usage",
    "seatwise_syncrun": "syncs",
    "seatwise_user": "people who sign in",
    "seatwise_auditevent": "entries of the audit trail",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    path: Path
    at: datetime  # all of it is as it was then
    size: int  # bytes
    seconds: float
    counts: dict[str, int]  # {"members": 250, …}
    keys: list[str]  # ids of those that sealed what is in it


def make(
    path: Path, *, force: bool = False, tell: Callable[[int], None] = lambda _bytes: None
) -> Made:
    """Writes everything but sessions and the cache, as of one moment, while all goes on.

    `tell` is called with the number of bytes after each piece. A file that is there stays unless
    `force`. Raises NotPossible; then there is no new file under that name.
    """
    began = time.monotonic()
    _refuse_if_taken(path, force)
    tools = programs.fitting()[0]
    try:
        with _partial(path) as (place, file):
            at, counts, sealed = _dump(tools, file, tell)
            file.flush()
            os.fsync(file.fileno())
            check_whole(tools, place)
            _publish(place, path, force)
            size = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise NotPossible(f"{path} cannot be written: {error.strerror or error}.") from None
    made = Made(path, at, size, time.monotonic() - began, counts, sealed)
    with contextlib.suppress(DatabaseError):  # an earlier release's schema may have no trail
        audit.record(
            Action.BACKED_UP,
            about=path.name,
            said=f"A backup as of {at:%Y-%m-%d %H:%M} UTC was made.",
            detail={"bytes": size, **counts},
        )
    return made


def _refuse_if_taken(path: Path, force: bool) -> None:
    if path.is_dir():
        raise NotPossible(f"{path} is a folder: name a file in it.")
    if path.exists() and not (force and stat.S_ISREG(path.stat().st_mode)):
        raise NotPossible(f"{path} is there already: name another file, or give --force.")


@contextmanager
def _partial(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """The file beside, for us alone, readable by nobody else; gone at the end.

    What a killed backup left behind is taken over.
    """
    place = path.with_name(f"{path.name}.partial")
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(place, flags, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotPossible(f"Another backup is writing {path} just now.") from None
        try:
            os.fchmod(file.fileno(), 0o600)
            file.truncate()
            yield place, file
        finally:
            place.unlink(missing_ok=True)


def _dump(
    tools: Programs, file: IO[bytes], tell: Callable[[int], None]
) -> tuple[datetime, dict[str, int], list[str]]:
    """What is counted and what is written are of one moment, by one snapshot for both."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot(), current_schema()")
        snapshot, schema = cursor.fetchone()
        at = timezone.now()
        tables = set(connection.introspection.table_names(cursor))
        if "seatwise_service" not in tables:
            raise NotPossible("There is nothing to back up: the database has no Seatwise in it.")
        counts = {}
        for table, name in COUNTED.items():
            if table in tables:
                cursor.execute(f'SELECT count(*) FROM "{table}"')  # noqa: S608  (a name of ours)
                counts[name] = cursor.fetchone()[0]
        left_out = [f'--exclude-table-data="{schema}".{name}' for name in PASSED_OVER]
        arguments = (
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            "--no-password",
            f'--schema="{schema}"',
            f"--snapshot={snapshot}",
            f"--lock-wait-timeout={LOCK_WAIT}",
            *left_out,
            f"--dbname={programs.address()}",
        )
        with TemporaryFile() as errors:
            dump = tools.start("pg_dump", *arguments, stdout=PIPE, stderr=errors)
            _copy(dump, file, tell)
            if dump.returncode:
                errors.seek(0)
                raise NotPossible(f"pg_dump failed: {programs.complaint(errors.read())}.")
        return at, counts, _keys_in_use()


def _copy(dump: Popen[bytes], file: IO[bytes], tell: Callable[[int], None]) -> None:
    """Through our own hands, so that the dump ends when we do."""
    assert dump.stdout is not None
    try:
        while chunk := dump.stdout.read(CHUNK):
            file.write(chunk)
            tell(len(chunk))
    except BaseException:
        dump.kill()
        raise
    finally:
        dump.stdout.close()
        dump.wait()


def _keys_in_use() -> list[str]:
    try:
        with transaction.atomic():
            return sorted(each for each in keys.uses() if each)
    except DatabaseError:
        return []  # an earlier release's tables; `seatwise keys status` of that release tells


def _publish(place: Path, path: Path, force: bool) -> None:
    if force:
        place.rename(path)
    else:
        try:
            path.hardlink_to(place)  # unlike a rename, never over somebody else's file
        except FileExistsError:
            raise NotPossible(f"{path} has come to be there meanwhile; it was left.") from None
        except OSError:  # a file system without links
            _refuse_if_taken(path, force)
            place.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
