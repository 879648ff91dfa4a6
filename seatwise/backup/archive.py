"""What a backup's file is: read to its end before anything is touched."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from django.db.migrations.loader import MigrationLoader

from seatwise.backup import programs
from seatwise.backup.programs import NotPossible, Programs

MAGIC = b"PGDMP"
# Nobody is signed in by a copy, and what was only kept is found anew.
PASSED_OVER = ("django_session", "seatwise_cache", "seatwise_sums")
MIGRATIONS = "django_migrations"
ENTRY = re.compile(r"^\d+; \d+ \d+ (TABLE|SCHEMA|COMMENT - SCHEMA|ACL - SCHEMA) (\S+) (\S+)")


@dataclass(frozen=True, slots=True)
class Archive:
    """A whole backup that this release can restore."""

    path: Path
    at: datetime
    schema: str
    tools: Programs
    listing: str  # pg_restore's list of what to restore

    @property
    def tables(self) -> set[str]:
        """Their names; an earlier release had fewer."""
        return {found[3] for found in _entries(self.listing, "TABLE")}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises NotPossible for what is none, is cut off, or is from a newer release."""
        try:
            with path.open("rb") as file:
                begins = file.read(len(MAGIC))
        except OSError as error:
            raise NotPossible(f"{path} cannot be read: {error.strerror}.") from None
        if begins != MAGIC:
            raise NotPossible(f"{path} is no backup made by `seatwise backup`.")
        tools, listing = _listed(path)
        tables = {(found[2], found[3]) for found in _entries(listing, "TABLE")}
        schema = next((schema for schema, name in tables if name == "seatwise_service"), "")
        if not schema or (schema, MIGRATIONS) not in tables:
            raise NotPossible(f"{path} is a backup of another program's database.")
        check_whole(tools, path)
        _refuse_newer(tools, path)
        return cls(path, _made_at(listing), schema, tools, _without_schemas(listing))


def check_whole(tools: Programs, path: Path) -> None:
    """Unpacks all of it to nowhere. Raises NotPossible for a file that is cut off or damaged."""
    for arguments in (("--list",), ("--file=/dev/null",)):
        done = tools.run("pg_restore", *arguments, str(path))
        if done.returncode:
            why = programs.complaint(done.stderr)
            raise NotPossible(f"{path} is cut off or damaged: {why}.")


def _listed(path: Path) -> tuple[Programs, str]:
    """By the first programs that know how it was written."""
    why = ""
    for tools in programs.fitting():
        done = tools.run("pg_restore", "--list", str(path))
        if not done.returncode:
            return tools, done.stdout.decode()
        why = why or programs.complaint(done.stderr)
    raise NotPossible(f"{path} cannot be read as a backup: {why}.")


def _entries(listing: str, kind: str) -> list[re.Match[str]]:
    found = [ENTRY.match(line) for line in listing.splitlines()]
    return [entry for entry in found if entry and entry[1] == kind]


def _refuse_newer(tools: Programs, path: Path) -> None:
    """By the migrations that were applied where it was made."""
    told = tools.run(
        "pg_restore", "--data-only", f"--table={MIGRATIONS}", "--file=-", str(path)
    ).stdout.decode()
    rows = [line.split("\t") for line in told.splitlines()]
    applied = {(row[1], row[2]) for row in rows if len(row) == 4 and row[0].isdecimal()}
    known = set(MigrationLoader(None).disk_migrations)
    unknown = sorted(f"{app} {name}" for app, name in applied - known)
    if unknown:
        raise NotPossible(
            f"{path} is from a newer release of Seatwise than this one, which does not know "
            f"{', '.join(unknown)}. Install that release, or a newer one, and restore with it."
        )
    if not applied:
        raise NotPossible(f"{path} does not tell from which release it is.")


def _made_at(listing: str) -> datetime:
    found = re.search(r"Archive created at (\d+-\d+-\d+ \d+:\d+:\d+)", listing)
    told = found[1] if found else "1970-01-01 00:00:00"
    return datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _without_schemas(listing: str) -> str:
    """Its schema is there already, and may be another owner's."""
    unwanted = {
        found[0]
        for kind in ("SCHEMA", "COMMENT - SCHEMA", "ACL - SCHEMA")
        for found in _entries(listing, kind)
    }
    lines = [
        line
        for line in listing.splitlines()
        if not any(line.startswith(entry) for entry in unwanted)
    ]
    return "\n".join(lines) + "\n"
