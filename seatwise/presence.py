"""Who is at work on this database, so that a restore does not take it from under a program.

A program that serves or works holds a session with a shared lock for as long as it lives, also
while it is idle. A restore takes the same lock for itself alone, or learns who is there.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connection

log = logging.getLogger(__name__)

LOCK = 0x5EA8  # any number, the same in every process; the schema's is another
EVERY = 3.0  # seconds between two looks whether the session is still there
REST = 1.0  # seconds before the next try where it is not
ENDING = 2.0  # seconds that the end of a program waits for the session's end
NAMED = "fallback_application_name"  # what the operator's address says instead, wins

# Rows of other roles are there, too, but to most readers without their kind; the server's own
# workers, such as autovacuum, are nobody's.
COMPANY = """
SELECT coalesce(nullif(application_name, ''), 'a program') FROM pg_stat_activity
WHERE datname = current_database() AND usename IS NOT NULL AND pid <> pg_backend_pid()
AND coalesce(backend_type, 'client backend') = 'client backend'
"""


def introduce(program: str) -> None:
    """From now on the sessions of this process are "seatwise PROGRAM" to the database."""
    connection.settings_dict["OPTIONS"][NAMED] = f"seatwise {program}"


class Presence:
    """This process is at work from `begin` on, until it ends or `end` is called.

    After a restart of the database the lock is taken again. Never fails: where the database is
    away, there is nothing to be at work on. Begin it behind a fork, for a session is one process'.
    """

    def __init__(self) -> None:
        self._over = threading.Event()
        self._tried = threading.Event()
        self._thread = threading.Thread(target=self._stay, name="presence", daemon=True)

    def begin(self) -> None:
        """Returns when the lock is held, which waits for a restore, or cannot be had now."""
        self._thread.start()
        self._tried.wait()

    def end(self) -> None:
        self._over.set()
        self._thread.join(ENDING)

    def _stay(self) -> None:
        """In a thread, which has a session of its own."""
        while not self._over.is_set():
            try:
                self._hold()
            except Error as error:
                log.info("the session that shows us at work broke (%s)", type(error).__name__)
            finally:
                connection.close()
                self._tried.set()
            self._over.wait(REST)

    def _hold(self) -> None:
        """Until the end, or until the session breaks."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock_shared(%s)", [LOCK])
            self._tried.set()
            while not self._over.wait(EVERY):
                cursor.execute("SELECT 1")


@contextmanager
def at_work() -> Iterator[None]:
    """This process is at work inside."""
    presence = Presence()
    try:
        presence.begin()
        yield
    finally:
        presence.end()


@contextmanager
def alone() -> Iterator[list[str]]:
    """Nobody comes to work inside; gives who is there already, by name: then it is not so.

    Whoever comes meanwhile waits for the end.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (is_ours,) = cursor.fetchone()
        try:
            cursor.execute(COMPANY)
            there = sorted(name for (name,) in cursor.fetchall())
            yield there or ([] if is_ours else ["a program"])
        finally:
            if is_ours:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
