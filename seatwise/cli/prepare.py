"""Makes ready what every command needs: the database, the settings, the newest schema."""

import os
import pwd
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import NoReturn

from seatwise import database

ENDINGS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)  # SIGINT is Python's own
MIGRATION_LOCK = 0x5EA7  # any number, the same in every process
_wishes: list[int] = []


@contextmanager
def prepared(
    program: str = "", *, migrate: bool = True, check: bool = True, stays: bool = False
) -> Iterator[None]:
    """The database runs and Django is set up inside; our own server is let go of at the end.

    `program` is its name among the database's sessions; one that `stays` is seen there all the
    time, so that nothing is restored from under it. With `check`, what is wrong with this
    installation is told on standard error, and all that needs no grant goes on. Stops the program
    with one line when a setting is bad. SIGTERM, SIGHUP and SIGQUIT end it in order (exit code 128
    + the signal's number) until somebody else handles them.
    """
    server = None
    with _ending_in_order():
        try:
            with _undisturbed():
                server = database.ensure()
            _set_up()
            _introduce(program)
            if migrate:
                _migrate()
                if check:
                    _tell_what_is_wrong()
            if wished := told_to_end():
                raise SystemExit(128 + wished)
            with _seen() if stays else nullcontext(), _on_the_trail():
                yield
        finally:
            with _undisturbed():
                _hang_up()
                database.release(server)


@contextmanager
def _ending_in_order() -> Iterator[None]:
    ours = [number for number in ENDINGS if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def told_to_end() -> int:
    """The signal that asked this program to end; 0 while none did.

    `SystemExit` alone does not carry the wish everywhere: Python drops an exception that is
    raised while a finalizer runs.
    """
    return next(iter(_wishes), 0)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    _wishes.append(number)
    for each in (*ENDINGS, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)  # once is enough; the next would cut the end short
    raise SystemExit(128 + number)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait: half a start or half a stop of the database would leave it running.

    Its own programs inherit that, or Ctrl-C would break an `initdb` that we wait for.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*ENDINGS, signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "seatwise.settings")
    import django

    django.setup()
    from seatwise.connections.configuration import check_settings

    check_settings()


def _introduce(program: str) -> None:
    from seatwise import presence

    if program:
        presence.introduce(program)


@contextmanager
def _seen() -> Iterator[None]:
    from seatwise import presence

    with presence.at_work():
        yield


@contextmanager
def _on_the_trail() -> Iterator[None]:
    """What a command does is told of whoever the system says runs it, not of a variable."""
    from seatwise import audit

    try:
        who = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        who = f"user {os.getuid()}"
    with audit.acting("command line", who=who):
        yield


def _migrate() -> None:
    """One process at a time; whoever comes second finds nothing left to do."""
    with schema_to_ourselves():
        make_schema()


@contextmanager
def schema_to_ourselves() -> Iterator[None]:
    """No other program changes the schema meanwhile, nor gets past its own start.

    Stops the program with one line when the database cannot be reached.
    """
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise SystemExit(f"seatwise: {database.URL_SETTING} cannot be reached: {reason}") from None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])


def make_schema() -> None:
    """Every table in its newest form; what is there already stays."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)


def _tell_what_is_wrong() -> None:
    """Keys that do not fit and a copied database are no reason to keep the pages from people."""
    from seatwise import audit, installation

    with audit.acting("start"):
        for sentence in installation.check():
            print(f"seatwise: {sentence}", file=sys.stderr, flush=True)


def _hang_up() -> None:
    from django.conf import settings

    if settings.configured:
        from django.db import connections

        connections.close_all()
