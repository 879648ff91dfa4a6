"""Whether this installation can do its work now, for whoever watches over it.

Every answer is one of a few words, for strangers may read it: no host, no path, no number.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from shutil import disk_usage

from django.conf import settings
from django.db import Error, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from seatwise import database, installation, tasks, vault
from seatwise.models import Installation
from seatwise.models.installation import ONLY

LEAST_FREE = 500 * 10**6  # bytes
LONGEST_WAIT = timedelta(minutes=5)  # of a job that could run
ASK_WITHIN = 2  # seconds to connect, and seconds for each question
ANSWER_WITHIN = 3.0  # seconds for everything together
OK, DOWN, BEHIND, WRONG, WAITING, LOW, UNKNOWN = (
    "ok",
    "down",
    "behind",
    "wrong",
    "waiting",
    "low",
    "unknown",
)


def checks() -> dict[str, str]:
    """{what is looked at: in a word how it is}, in a fixed order; "ok" is well.

    Answers within four seconds, whatever the database does.
    """
    free = disk_free()
    return {**_asked_in_time(), "disk": LOW if free is not None and free < LEAST_FREE else OK}


def is_ready(found: Mapping[str, str]) -> bool:
    """Whether all of it is well."""
    return all(word == OK for word in found.values())


def keys_fit() -> bool:
    """Whether the keys open the known words; so, too, where no start has sealed any yet."""
    row = Installation.objects.filter(pk=ONLY).first()
    try:
        if row is not None:
            row.prove_keys()
    except vault.CannotOpen:
        return False
    return True


def disk_free() -> int | None:
    """Bytes that are free where our data lies; None where all of it is somebody else's."""
    chosen = os.environ.get(database.DATA_SETTING, "").strip()
    return _least_free([*_embedded(), *([Path(chosen).expanduser()] if chosen else [])])


def database_is_short_of_disk() -> bool:
    """Whether the disk of the embedded database is nearly full; asks nothing of the database."""
    free = _least_free(_embedded())
    return free is not None and free < LEAST_FREE


@dataclass
class _Round:
    """One look at everything that the database tells; whoever asks meanwhile shares it."""

    began: float = field(default_factory=time.monotonic)
    over: threading.Event = field(default_factory=threading.Event)
    found: dict[str, str] = field(
        default_factory=lambda: (
            {"database": DOWN} | dict.fromkeys(("schema", "keys", "queue"), UNKNOWN)
        )
    )


_turn = threading.Lock()
_rounds: list[_Round] = []  # the one that is going on


def _asked_in_time() -> dict[str, str]:
    """A server that is frozen answers nothing, not even that it is too late; so a thread asks it,
    one at a time, and nobody waits longer than the time there is."""
    with _turn:
        if not _rounds:
            _rounds.append(_Round())
            threading.Thread(target=_look, args=[_rounds[0]], daemon=True).start()
        going_on = _rounds[0]
    left = going_on.began + ANSWER_WITHIN - time.monotonic()
    going_on.over.wait(max(left, 0))
    return dict(going_on.found)


def _look(one: _Round) -> None:
    try:
        _hurry()
        for name, look in LOOKS.items():
            one.found[name] = look()
    except Error:
        pass  # what was found so far is told, and the rest is unknown
    finally:
        connections["default"].close()
        with _turn:
            _rounds.remove(one)
        one.over.set()


def _hurry() -> None:
    """In this thread, a fresh connection that gives up after ASK_WITHIN."""
    quick = connections["default"].copy()
    options = str(quick.settings_dict["OPTIONS"].get("options", ""))
    quick.settings_dict["OPTIONS"] |= {
        "connect_timeout": ASK_WITHIN,
        "options": f"{options} -c statement_timeout={ASK_WITHIN}s -c lock_timeout={ASK_WITHIN}s",
    }
    quick.settings_dict["CONN_MAX_AGE"] = 0
    connections["default"] = quick


def _database() -> str:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _schema() -> str:
    applied = MigrationRecorder(connections["default"]).applied_migrations()
    return OK if all(each in applied for each in _newest_migrations()) else BEHIND


@cache
def _newest_migrations() -> list[tuple[str, str]]:
    """Of each app, as this release brings them; what a newer one has applied does no harm."""
    return list(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())


def _keys() -> str:
    return OK if keys_fit() else WRONG


def _queue() -> str:
    """While this installation is paused, what is on the queue is meant to wait."""
    if installation.standing() is not None:
        return OK
    oldest = tasks.queue_now().oldest_due
    return WAITING if oldest and timezone.now() - oldest > LONGEST_WAIT else OK


LOOKS: Mapping[str, Callable[[], str]] = {
    "database": _database,
    "schema": _schema,
    "keys": _keys,
    "queue": _queue,
}


def _least_free(places: Iterable[Path]) -> int | None:
    free = []
    for place in places:
        try:
            free.append(disk_usage(place).free)
        except OSError:
            continue  # it went away since, and the database says so if it is its own
    return min(free, default=None)


def _embedded() -> list[Path]:
    """The folder of the embedded database, known by its socket."""
    socket = Path(str(settings.DATABASES["default"]["HOST"]) or "nowhere")
    return [socket] if (socket / "PG_VERSION").exists() else []
