"""Many processes that want the same token, and a way to kill one of them."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.db import connection as database

from seatwise.models import Connection
from tests import canary
from tests.sandboxes import Running

PATIENCE = 60.0  # seconds until a test gives up on a process


@dataclass
class Crowd:
    """Give it a connection's key; what became of each asking is told by its number."""

    process: "subprocess.Popen[str]"
    patience: dict[str, float | str] = field(default_factory=dict)
    pids: dict[int, int] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    heard: threading.Condition = field(default_factory=threading.Condition)
    asked: int = 0

    def wait(
        self, *, waits: float, deadline: float, storing: float = 0.2, grace: float = 0
    ) -> None:
        """From here on the processes have these patiences, in seconds."""
        told = f"{grace:g}" if grace else ""
        self.patience = {"waits": waits, "deadline": deadline, "storing": storing, "grace": told}

    def ask(self, connection_id: int, resident: int | None = None) -> int:
        """Has a process ask for the token, a new one or one that stays; the asking's number."""
        self.asked += 1
        assert self.process.stdin is not None
        asked = {"id": self.asked, "connection": connection_id, **self.patience}
        if resident is not None:
            asked["resident"] = resident
        print(json.dumps(asked), file=self.process.stdin)
        self.process.stdin.flush()
        return self.asked

    def answer(self, number: int) -> dict[str, Any]:
        """What it was told, as soon as it is."""
        with self.heard:
            assert self.heard.wait_for(lambda: number in self.answers, PATIENCE), "no answer"
        return self.answers[number]

    def insist(self, connection_id: int, resident: int | None = None) -> dict[str, Any]:
        """Asks again and again, as a run does, until it is told something that lasts."""
        until = time.monotonic() + PATIENCE
        while True:
            told = self.answer(self.ask(connection_id, resident))
            if told.get("error") != "TryAgainLater" or time.monotonic() > until:
                return told
            threading.Event().wait(0.05)

    def kill_while_refreshing(self, connection: Connection, number: int, after: float) -> bool:
        """Kills it so many seconds after the refresh was noted on the row, unless it has finished.

        Returns whether that was in the middle: the row, which is read anew, says that it began.
        """
        assert connection.refreshing_since is None, "an earlier one was not settled"
        with self.heard:
            assert self.heard.wait_for(lambda: number in self.pids, PATIENCE), "no process"
        until = time.monotonic() + PATIENCE
        while connection.refreshing_since is None and number not in self.answers:
            assert time.monotonic() < until, "no refresh"
            connection.refresh_from_db()
        with self.heard:
            self.heard.wait_for(lambda: number in self.answers, after)
            if number not in self.answers:
                with suppress(ProcessLookupError):  # it has just gone by itself
                    os.kill(self.pids[number], signal.SIGKILL)
        connection.refresh_from_db()
        return connection.refreshing_since is not None

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            with self.heard:
                if "pid" in told:
                    self.pids[told["id"]] = told["pid"]
                elif "id" in told:
                    self.answers[told["id"]] = told
                self.heard.notify_all()


@contextmanager
def crowd(vendor: Running) -> Iterator[Crowd]:
    """Processes on the present database."""
    grown = {f"SEATWISE_PAGERDUTY_{name}": value for name, value in vendor.settings.items()}
    grown["SEATWISE_DATABASE_URL"] = _address()
    grown["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    command = [sys.executable, "-W", "ignore", "-m", "tests.connections.refresher"]
    with (
        tempfile.TemporaryFile() as logged,
        subprocess.Popen(
            command,
            env=os.environ | grown,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=logged,
            text=True,
        ) as process,
    ):
        there = Crowd(process)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline(), "the processes did not start"
        ear = threading.Thread(target=there.listen, daemon=True)
        ear.start()
        try:
            yield there
        finally:
            process.stdin.close()
            process.terminate()
            ear.join(10)
            logged.seek(0)
            canary.write("log of the processes that refresh", logged.read())


def _address() -> str:
    known = database.settings_dict
    host = quote(str(known["HOST"]), safe="")
    secret = f":{quote(str(known['PASSWORD']), safe='')}" if known["PASSWORD"] else ""
    port = f"&port={known['PORT']}" if known["PORT"] else ""
    return f"postgresql://{known['USER']}{secret}@/{known['NAME']}?host={host}{port}"
