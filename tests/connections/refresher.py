"""Processes that ask for a token: one line of JSON in, one process, one line out.

python -m tests.connections.refresher

Each line names a connection and the patiences in seconds; a process of its own asks for the
token and tells what came. All of them are forks of this one, so fifty are there in no time.
A line that numbers a `resident` is for a process that stays and keeps its database session, as a
worker does.
"""

import gc
import hashlib
import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any

import django


def main() -> None:
    django.setup()
    _warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    _tell({"ready": True})
    residents: dict[int, int] = {}  # where each of them listens
    for line in sys.stdin:
        asked = json.loads(line)
        number = asked.get("resident")
        if number is None:
            pid = os.fork()
            if pid == 0:
                _tell({"id": asked["id"], **_answer(asked)})
                os._exit(0)
            _tell({"id": asked["id"], "pid": pid})
            continue
        if number not in residents:
            residents[number] = _settle_in(list(residents.values()))
        os.write(residents[number], line.encode())


def _settle_in(of_others: list[int]) -> int:
    """Starts a process that answers line by line; it ends when nobody can write to it any more."""
    from django.db import connection as database

    mine, theirs = os.pipe()
    if os.fork():
        os.close(mine)
        return theirs
    for each in (theirs, *of_others):
        os.close(each)
    with os.fdopen(mine) as lines:
        for line in lines:
            asked = json.loads(line)
            _tell({"id": asked["id"], **_answer(asked)})
            database.close_if_unusable_or_obsolete()  # a test may have ended the session
    os._exit(0)


def _warm_up() -> None:
    """What every fork would have to do by itself: reading modules, finding connectors."""
    from django.db import connection as database

    from seatwise import installation
    from seatwise.connections import tokens
    from seatwise.connectors.base import all_connectors
    from seatwise.connectors.errors import CredentialsRejected

    all_connectors()
    installation.hindrance()
    with suppress(CredentialsRejected):
        tokens.fresh_token(0)
    database.close()
    gc.freeze()


def _answer(asked: dict[str, Any]) -> dict[str, str]:
    from seatwise.connections import tokens
    from seatwise.connections.tokens import refreshing

    os.environ["SEATWISE_PAGERDUTY_REFRESH_GRACE"] = asked["grace"]
    tokens.WAITS, refreshing.DEADLINE = asked["waits"], asked["deadline"]
    refreshing.STORING = asked["storing"]
    tokens.LOOKS_AGAIN = (0.02, 0.06)
    try:
        token = tokens.fresh_token(asked["connection"])
    except Exception as error:  # whatever it is, it is the answer
        return {"error": type(error).__name__, "said": str(error)[:500]}
    return {"token": hashlib.sha256(token.encode()).hexdigest()[:16]}


def _tell(told: dict[str, Any]) -> None:
    """One write, so that lines of several processes never mix."""
    os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main()
