"""Real `seatwise` programs for tests: started as a person would, stopped as a person would."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import canary

PATIENCE = 90.0  # seconds
OURS = {"PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Program:
    """A running program: what it said so far, and where its files are."""

    process: subprocess.Popen[str]
    home: Path
    said: list[str]

    def find(self, pattern: str) -> str:
        """The first group of `pattern` in what it said."""
        found = re.search(pattern, "".join(self.said))
        assert found is not None, "".join(self.said)
        return found[1]


def environment(home: Path, **settings: str) -> dict[str, str]:
    """A clean environment: nothing of the tests' own settings leaks into the program."""
    kept = {name: value for name, value in os.environ.items() if name in OURS}
    return {**kept, "SEATWISE_DATA_DIR": str(home), "PYTHONUNBUFFERED": "1", **settings}


@contextmanager
def home() -> Iterator[Path]:
    """A data directory with a short path, outside of root's closed home."""
    with tempfile.TemporaryDirectory(prefix="seatwise-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def running(
    *arguments: str,
    where: Path,
    until: str,
    stop: signal.Signals = signal.SIGTERM,
    module: str = "seatwise",
    **settings: str,
) -> Iterator[Program]:
    """Starts `seatwise ARGUMENTS`, waits until it said `until`, and stops it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment(where, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    listener = threading.Thread(target=_listen, args=[process, said], daemon=True)
    listener.start()
    try:
        _await(process, said, until)
        yield Program(process, where, said)
    finally:
        if process.poll() is None:
            process.send_signal(stop)
        process.wait(PATIENCE)
        listener.join(PATIENCE)
        assert process.stdout is not None
        process.stdout.close()
        if arguments[0] != "sandbox":  # that one announces its own secrets
            canary.write(f"output of {module} {arguments[0]}", "".join(said))


def _listen(process: subprocess.Popen[str], said: list[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)  # noqa: PERF402  (it is read while it grows)


def _await(process: subprocess.Popen[str], said: list[str], until: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while until not in "".join(said):
        assert time.monotonic() < deadline, "".join(said)
        assert process.poll() is None, "".join(said)
        time.sleep(0.05)


def processes_in(where: Path) -> list[str]:
    """Command lines of the processes that still belong to a data directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            variables = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile, or is not ours to look at
        if str(where) in command or f"SEATWISE_DATA_DIR={where}" in variables:
            found.append(command)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
