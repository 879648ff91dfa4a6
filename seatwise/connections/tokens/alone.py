"""One process at a time for a grant: a lock that dies with the process that holds it.

It is no row lock, so the row stays free while a vendor is slow: revoking and finishing a sync
never wait for it. It belongs to the database session; behind a pooler that hands a session to
somebody else after each transaction it would not hold.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error
from django.db import connection as database

GRANTS = 0x5EA7  # tells these locks from any others in the same database
MOST = 0x7FFFFFFF  # what the lock's number can be; two rows with one number merely wait


@contextmanager
def alone(connection_id: int) -> Iterator[bool]:
    """Whether this process has the connection's grant to itself until the block ends."""
    mine = _asked("SELECT pg_try_advisory_lock(%s, %s)", connection_id)
    try:
        yield mine
    finally:
        if mine:
            _let_go(connection_id)


def _let_go(connection_id: int) -> None:
    try:
        _asked("SELECT pg_advisory_unlock(%s, %s)", connection_id)
    except Error:
        if not database.in_atomic_block:
            database.close()  # the end of the session frees the lock


def _asked(question: str, connection_id: int) -> bool:
    with database.cursor() as cursor:
        cursor.execute(question, [GRANTS, connection_id % MOST])
        return bool(cursor.fetchone()[0])
