"""Several programs of ours as one: started together, stopped together, none left behind."""

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from http.client import HTTPConnection, HTTPException
from math import inf
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self
from urllib.parse import urlsplit

from seatwise.cli.prepare import told_to_end

SET_PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG, on Linux
PATIENCE = 65.0  # seconds a program may take to stop: one that renews a token needs them
STOPPED_BY = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}


class Supervisor:
    """Runs `seatwise …` programs as children; leaving the `with` block stops all of them."""

    def __init__(self) -> None:
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._told_to_stop = threading.Event()
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in STOPPED_BY:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started under `nohup`
            self._before[number] = signal.signal(number, self._stop)
        if told_to_end():
            self._told_to_stop.set()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.terminate()
        for child in self._children.values():
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def stopping(self) -> bool:
        return self._told_to_stop.is_set()

    def start(
        self,
        program: str,
        *arguments: str,
        log: Path | None = None,
        hand_over: Collection[int] = (),
    ) -> None:
        """Starts `seatwise PROGRAM ARGUMENTS`; with `log`, its output goes to that file.

        `hand_over` are file descriptors that stay open in the program, under their numbers.
        """
        output = log.open("wb") if log else None
        self._children[program] = subprocess.Popen(
            [sys.executable, "-m", "seatwise", program, *arguments],
            stdin=subprocess.DEVNULL,
            pass_fds=tuple(hand_over),
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        if output:
            output.close()

    def failed(self) -> str:
        """Which program has ended without being asked to, in words; "" while all run."""
        for name, child in self._children.items():
            code = child.poll()
            if code is not None:
                return f"{name} ended unexpectedly (exit code {code})"
        return ""

    def wait_until_answered(self, address: str, *, until: float = inf, saying: bytes = b"") -> bool:
        """Until something there speaks HTTP; False when a program or the wish ended first.

        `until` is a time of the monotonic clock that is waited for at most. With `saying`, until
        that stands in the answer.
        """
        while not self._told_to_stop.wait(0.05) and not self.failed():
            if answers(address, saying):
                return True
            if time.monotonic() > until:
                return False
        return False

    def wait(self) -> int:
        """Until told to stop (returns 0) or until a program ends by itself (returns 1)."""
        while not self._told_to_stop.wait(0.5):
            if sentence := self.failed():
                print(f"seatwise: {sentence}; stopping the others.", file=sys.stderr)
                return 1
        return 0

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._told_to_stop.set()


def answers(address: str, saying: bytes = b"") -> bool:
    """Whether something at this http address speaks HTTP, and says that."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=2)
    try:
        connection.request("GET", parts.path or "/")
        return saying in connection.getresponse().read(4096)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _die_with_parent() -> None:
    """So that not even a kill -9 of the supervisor leaves a program running."""
    ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
