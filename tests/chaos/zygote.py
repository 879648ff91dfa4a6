"""Makes workers: one line of JSON in, one real worker process, in no time.

python -m tests.chaos.zygote

It has read all modules and holds neither a thread nor a database session, so that each fork is as
good as a program that was just started. A worker's wishes:

heartbeat   seconds between two signs of life
page        rows a page, so that more of them are read
poison      the account whose reading ends the process, as a crash in foreign code would
hunger      the account whose reading takes more memory than the process may have
"""

import gc
import json
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import django

from tests.chaos.processes import ending_with_us


def main() -> None:
    django.setup()
    _warm_up()
    signal.signal(signal.SIGCHLD, _bury)
    _tell({"ready": os.getpid()})
    for line in sys.stdin:
        wishes = json.loads(line)
        assert threading.active_count() == 1, "a fork would lose a thread"
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # first its birth, then its end
        pid = os.fork()
        if pid == 0:
            _work(wishes)
        _tell({"born": pid})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _warm_up() -> None:
    """What every fork would have to do by itself: reading modules, finding connectors."""
    from django.db import connection as database
    from procrastinate.contrib.django import app

    from seatwise import installation, tasks  # noqa: F401 - its tasks are registered
    from seatwise.connectors.base import all_connectors

    all_connectors()
    installation.hindrance()
    assert app.tasks
    database.close()
    gc.freeze()


def _work(wishes: dict[str, Any]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        ending_with_us()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        _name_sessions()
        _read_small_pages(wishes.get("page"))
        _plant(wishes)
        from seatwise import tasks

        tasks.run_worker(heartbeat=wishes.get("heartbeat", 10.0))
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _name_sessions() -> None:
    """So that the harness sees in the database what this process is in the middle of."""
    from django.db import connections

    connections.settings["default"]["OPTIONS"]["application_name"] = f"worker {os.getpid()}"


def _read_small_pages(rows: int | None) -> None:
    from seatwise.connectors.pagerduty import paging

    defaults = paging.overlapping.__kwdefaults__ or {}
    assert defaults["limit"] == paging.LIMIT
    if rows:
        defaults["limit"] = rows


def _plant(wishes: dict[str, Any]) -> None:
    """Puts a connector in the place of the real one that is poison to this process."""
    from seatwise.connectors import base

    real = base.all_connectors()

    def planted(each: Any) -> Any:
        class Planted(type(each)):  # type: ignore[misc]
            def reader(self, config: Any, account: Any, credentials: Any) -> Any:
                if account.name == wishes.get("poison"):
                    os._exit(9)
                if account.name == wishes.get("hunger"):
                    _starve()
                return super().reader(config, account, credentials)

        return Planted()

    if wishes.get("poison") or wishes.get("hunger"):
        changed = {key: planted(each) for key, each in real.items()}
        vars(base)["all_connectors"] = lambda: changed


def _starve() -> None:
    """Reads as if the account took up all the memory that this process may have."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + (64 << 20), held + (64 << 20)))
    taken = []
    while True:
        taken.append(bytearray(1 << 20))


def _bury(_number: int, _frame: FrameType | None) -> None:
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            _tell({"dead": pid, "how": os.waitstatus_to_exitcode(status)})


def _tell(told: dict[str, Any]) -> None:
    """One write, so that lines never mix."""
    os.write(1, json.dumps(told).encode() + b"\n")


if __name__ == "__main__":
    main()
