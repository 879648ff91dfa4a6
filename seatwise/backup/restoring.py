"""Restores a backup: all of it or nothing, and then paused until a person says who goes on."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import DEVNULL, PIPE
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import IO

from django.db import connection
from django.utils import timezone
from psycopg.sql import Literal

from seatwise import audit, installation, presence
from seatwise.backup import programs
from seatwise.backup.archive import PASSED_OVER, Archive
from seatwise.backup.programs import NotPossible
from seatwise.models.audit_event import Action

OURS = ("seatwise_", "procrastinate_", "django_", "auth_", "account_")
NAMED = 5  # of the tables and programs that are in the way
LOCK_WAIT = "10s"

# What is there goes first, in the same transaction, by what it is and not by what a backup calls
# it: so tables go, too, that came with a later release. Nothing of an extension's.
EMPTY = """
DO $$
DECLARE
    here oid := '"{schema}"'::regnamespace;
    one text;
BEGIN
    FOR one IN SELECT format('DROP %s IF EXISTS %s CASCADE', CASE relkind WHEN 'v' THEN 'VIEW'
                WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                oid::regclass)
            FROM pg_class c WHERE relnamespace = here AND relkind IN ('v', 'm', 'r', 'p', 'S')
                AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                        AND d.deptype IN ('e', 'a', 'i'))
            ORDER BY relkind = 'S', oid
    LOOP EXECUTE one; END LOOP;
    FOR one IN SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure) FROM pg_proc p
            WHERE pronamespace = here
                AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP EXECUTE one; END LOOP;
    FOR one IN SELECT format('DROP TYPE IF EXISTS %s CASCADE', t.oid::regtype) FROM pg_type t
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE typnamespace = here AND (typtype IN ('e', 'd') OR c.relkind = 'c')
                AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    LOOP EXECUTE one; END LOOP;
END $$;
"""

PAUSE = """
UPDATE {table} SET paused_at = coalesce(paused_at, now()), paused_why = trim({why} || paused_why);
"""


def ready_for(archive: Archive, *, replace: bool) -> None:
    """Raises NotPossible where the database holds something that is not to be lost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = cursor.fetchone()[0]
        if schema != archive.schema:
            raise NotPossible(
                f"The backup is of the schema {archive.schema}, and this database's is {schema}."
            )
        tables = sorted(connection.introspection.table_names(cursor))
        foreign = [name for name in tables if not name.startswith(OURS)]
        if foreign:
            raise NotPossible(
                f"This database also holds tables that are not Seatwise's ({_some(foreign)}). "
                "Restore into a database of its own."
            )
        if not replace and _holds_something(tables):
            raise NotPossible(
                "This database holds Seatwise's data already. Restore into an empty one; or, to "
                "lose what is in this one, make a backup of it first and then give --replace."
            )


@contextmanager
def alone() -> Iterator[None]:
    """No program of Seatwise is at work inside, nor comes to work before the end.

    Raises NotPossible where somebody is connected to the database: programs of ours would go on
    with what they know of the tables that are no more.
    """
    with presence.alone() as company:
        if company:
            raise NotPossible(
                f"Somebody is connected to this database ({_some(company)}). Stop every program of "
                "Seatwise on every machine first: serve, web, worker, sync."
            )
        yield


def restore(archive: Archive) -> None:
    """Puts what the backup holds in the place of what is there, in one transaction.

    Raises NotPossible; then everything is as it was. It is paused from the first moment on. Hold
    the lock on the schema, be `alone`, and bring the schema up to date before `settle`.
    """
    with NamedTemporaryFile("w", encoding="utf-8") as listing, TemporaryFile() as errors:
        listing.write(archive.listing)
        listing.flush()
        unpacking = archive.tools.start(
            "pg_restore",
            "--no-owner",
            "--no-privileges",
            f"--use-list={listing.name}",
            "--file=-",
            str(archive.path),
            stdout=PIPE,
            stderr=errors,
        )
        filling = archive.tools.start(
            "psql",
            *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
            f"--dbname={programs.address()}",
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=errors,
        )
        try:
            _pour(archive, unpacking.stdout, filling.stdin)  # type: ignore[arg-type]
            whole = unpacking.wait() == 0
            if whole:
                filling.stdin.write(_ending(archive).encode())  # type: ignore[union-attr]
            filling.stdin.close()  # type: ignore[union-attr]
        except BrokenPipeError:
            whole = False  # psql gave up, and says why
        finally:
            unpacking.kill()  # where it is at work still, somebody stopped us or psql gave up
            unpacking.wait()
            unpacking.stdout.close()  # type: ignore[union-attr]
            _close(filling.stdin)
            code = filling.wait()
        if not whole or code:
            errors.seek(0)
            raise NotPossible(
                f"It was not restored, and everything is as it was: "
                f"{programs.complaint(errors.read())}."
            )


def settle(archive: Archive) -> list[str]:
    """Pauses what was restored and notes it; returns what the operator must know of its keys."""
    why = _why(archive)
    installation.pause(why)  # where nobody had started a program when it was made
    audit.record(
        Action.RESTORED,
        about=archive.path.name,
        said=why,
        detail={"as_of": archive.at.isoformat(), "restored": timezone.now().isoformat()},
    )
    told = installation.check()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return told


def _holds_something(tables: list[str]) -> bool:
    with connection.cursor() as cursor:
        for name in ("seatwise_user", "seatwise_service", "seatwise_auditevent"):
            if name in tables:
                cursor.execute(f'SELECT EXISTS (SELECT FROM "{name}")')  # noqa: S608  (ours)
                if cursor.fetchone()[0]:
                    return True
    return False


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _pour(archive: Archive, source: IO[bytes], target: IO[bytes]) -> None:
    """psql commits only at `_ending`; cut off before that, it leaves everything as it was."""
    beginning = f"BEGIN;\nSET LOCAL lock_timeout = '{LOCK_WAIT}';\n"
    target.write((beginning + EMPTY.format(schema=archive.schema)).encode())
    shutil.copyfileobj(source, target, 1 << 20)


def _ending(archive: Archive) -> str:
    """Paused in the same transaction, whatever becomes of us afterwards.

    A file that somebody made by hand may bring sessions along.
    """
    emptied = [f'"{archive.schema}"."{name}"' for name in PASSED_OVER if name in archive.tables]
    said = f"\nTRUNCATE {', '.join(emptied)};\n" if emptied else "\n"
    if (table := "seatwise_installation") in archive.tables:
        why = Literal(f"{_why(archive)} ").as_string()
        said += PAUSE.format(table=f'"{archive.schema}"."{table}"', why=why)
    return f"{said}COMMIT;\n"


def _why(archive: Archive) -> str:
    return f"This is a backup of {archive.at:%Y-%m-%d %H:%M} UTC that was restored."


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except BrokenPipeError:
        pass
