"""Databases to restore into, and what two databases have in common."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection as database

from tests import canary
from tests.installation.vaulted import database_url, program_settings
from tests.journey import programs

KEYS = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
NOT_BROUGHT = {"django_session", "seatwise_cache", "seatwise_sums"}
OF_THE_PLACE = {"seatwise_installation", "seatwise_auditevent"}  # restoring itself is noted there


@contextmanager
def empty_database() -> Iterator[str]:
    """Its name; on the server of the tests, gone at the end."""
    name = f"{database.settings_dict['NAME']}_empty"
    with database.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield name
    finally:
        with database.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def run(*arguments: str, where: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """`seatwise ARGUMENTS` on the tests' database or another one on its server."""
    with programs.home() as home:
        given = {**program_settings(KEYS), "SEATWISE_DATABASE_URL": database_url(where), **settings}
        done = subprocess.run(
            [sys.executable, "-m", "seatwise", *arguments],
            env=programs.environment(home, **given),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    canary.write(f"output of seatwise {arguments[0]}", done.stdout + done.stderr)
    return done


def rows(name: str = "") -> dict[str, Any]:
    """{table: every row of it as text, in order; sequence: its value}, of that database."""
    with psycopg.connect(database_url(name)) as there:
        tables = there.execute(
            "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'S')"
        ).fetchall()
        return {
            table: there.execute(
                f'SELECT t::text FROM "{table}" t ORDER BY 1'
                if kind == "r"
                else f'SELECT last_value, is_called FROM "{table}"'
            ).fetchall()
            for table, kind in tables
        }


def cut(path: Path, size: int) -> Path:
    """A file with the first bytes of another; a negative size leaves out so many at the end."""
    part = path.with_name("part.backup")
    part.write_bytes(path.read_bytes()[:size])
    return part
