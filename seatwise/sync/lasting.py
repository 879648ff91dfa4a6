"""Carries out a short transaction although the database stumbles, restarts or is away a while."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, transaction
from django.db import connection as database

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 60.0  # seconds for a database that is away
LITTLE_PATIENCE = 3.0  # seconds, for a process that is to stop
TRIES = 3  # at once, of what others were in the way of
RESTS = (0.2, 1.0)  # seconds between two tries, at random so that many do not keep step
SHORT_RESTS = (0.01, 0.1)

CROSSED = {"40P01", "40001"}  # deadlock, serialization failure
DISK_FULL = {"53100"}
READ_ONLY = {"25006"}  # the one that is answering is a copy now
# Cut off by the operator, by a crash, or for having been idle; starting; too many sessions.
AWAY = {"57P01", "57P02", "57P03", "57P05", "53300", "25P03"}
GONE = ("08", "58")  # kinds of errors: of the connection, and of the machine below

SENTENCES = {
    "disk full": "The database's disk is full.",
    "read only": "The database takes no changes at the moment.",
    "away": "The database does not answer.",
    "crossed": "The database was changed by others at the same time, again and again.",
}
REMEDIES = {
    "disk full": "The operator frees space; nothing that was stored before is lost.",
    "read only": "The operator looks whether SEATWISE_DATABASE_URL names the right server.",
    "away": "The operator looks after the database; what was stored before is kept.",
    "crossed": "Nobody has to do anything but try again.",
}


class DatabaseAway(OperationalError):
    """The database was waited for in vain; says what and who acts, and no error text of its."""

    def __init__(self, trouble: str) -> None:
        super().__init__(f"{SENTENCES[trouble]} {REMEDIES[trouble]}")
        self.trouble = trouble
        self.sentence, self.remedy = SENTENCES[trouble], REMEDIES[trouble]


def lasting(
    work: Callable[[], T],
    *,
    patience: float = PATIENCE,
    stopping: Callable[[], bool] = lambda: False,
) -> T:
    """What `work` returns, carried out in one transaction, again where the database failed it.

    Raises DatabaseAway when it stays away for `patience` seconds, or for a few where this process
    is `stopping`, or crosses others three times;
    RuntimeError inside an open transaction, which cannot be begun anew from within. If the
    database goes away at the commit, nobody knows whether it took place: `work` is then done
    again and must bear that.
    """
    until, crossed = time.monotonic() + patience, 0
    while True:
        try:
            with transaction.atomic(durable=True):
                return work()
        except (OperationalError, InterfaceError, InternalError) as error:
            trouble = trouble_of(error)
            if trouble is None or database.in_atomic_block:  # the latter in a test's transaction
                raise
            crossed += trouble == "crossed"
            if stopping():
                until = min(until, time.monotonic() + LITTLE_PATIENCE)
                stopping = lambda: False  # noqa: E731 - said once
            if crossed >= TRIES or time.monotonic() > until:
                raise DatabaseAway(trouble) from error
            log.warning("%s It is tried again.", SENTENCES[trouble])
        if trouble == "crossed":
            _rest(SHORT_RESTS)
        else:
            database.close()
            _rest(RESTS)


def trouble_of(error: BaseException) -> str | None:
    """What is the matter with the database, a key of `SENTENCES`; None: it is not that."""
    if isinstance(error, DatabaseAway):
        return error.trouble
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return None
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:  # nobody answered who could have told one
        return None if isinstance(error, InternalError) else "away"
    for trouble, states in (
        ("crossed", CROSSED),
        ("disk full", DISK_FULL),
        ("read only", READ_ONLY),
    ):
        if state in states:
            return trouble
    return "away" if state in AWAY or state.startswith(GONE) else None


def _rest(between: tuple[float, float]) -> None:
    time.sleep(random.uniform(*between))  # noqa: S311 - spreads load, guards no secret
