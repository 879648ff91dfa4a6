"""Processes that never outlive whoever started them, however that one ends."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

SET_PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG, on Linux
_libc = ctypes.CDLL(None)


def ending_with_us() -> None:
    """Called in a child that was just made: the system kills it when its parent is gone."""
    _libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def ending_in_order() -> None:
    """SIGTERM unwinds what was begun, as Ctrl-C does."""

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(number, signal.SIG_IGN)
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


def run_to_its_end(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """The exit code. Where we are told to end, it is told, too, and waited for."""
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def send(pid: int, number: signal.Signals) -> bool:
    """Whether it was still there to be told."""
    assert pid > 0, "everybody is meant by that"
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def is_stopped(pid: int) -> bool:
    """Whether all of it stands still, as after SIGSTOP."""
    try:
        states = [
            task.joinpath("stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return all(state in {"T", "t", "Z"} for state in states)
