"""Makes ready what every command needs: the database, the settings, the newest schema."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from seatwise import database

MIGRATION_LOCK = 0x5EA7  # any number, the same in every process


@contextmanager
def prepared(*, migrate: bool = True) -> Iterator[None]:
    """The database runs and Django is set up inside; our own server is let go of at the end.

    Stops the program with one line when a setting is bad.
    """
    server = database.ensure()
    try:
        _set_up()
        if migrate:
            _migrate()
        yield
    finally:
        _hang_up()
        database.release(server)


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seatwise.settings")
    import django

    django.setup()
    from seatwise.connections.configuration import check_settings

    check_settings()


def _migrate() -> None:
    """One process at a time; whoever comes second finds nothing left to do."""
    from django.core.management import call_command
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise SystemExit(f"seatwise: {database.URL_SETTING} cannot be reached: {reason}") from None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            call_command("migrate", verbosity=0, interactive=False)
            call_command("createcachetable", verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def _hang_up() -> None:
    from django.conf import settings

    if settings.configured:
        from django.db import connections

        connections.close_all()
