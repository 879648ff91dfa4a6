"""Programs apart from the one that measures: the simulated vendor, and whoever reads it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2

from seatwise.sandbox import settings_for
from tests.sandboxes import Running

VENDOR: Final = "pagerduty"
WATCHED: Final = Path(__file__).with_name("watched.py")
SECRET: Final = "BENCH_SECRET"  # the variable that holds a reader's credential
KEPT: Final = ("PATH", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Watched:
    """How a program went. Moments are seconds of the wall clock, `peak` is in MB."""

    began: float
    seconds: float
    peak: float
    appeared: float | None  # when the file that was waited for had content
    said: str


@contextmanager
def simulated(*options: str, port: int = 0) -> Iterator[Running]:
    """One account of the simulated vendor, in a process of its own; its control port is open."""
    command = [sys.executable, "-m", "seatwise", "sandbox", VENDOR, "--accounts", "1"]
    command += ["--port", str(port), "--control-port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not lines or not lines[-1].startswith("Control:"):
                line = process.stdout.readline()
                assert line, "the sandbox did not start"
                lines.append(line.strip())
            base_url, control = lines[0].split()[-1], lines[-1].split()[-1]
            with (
                httpx2.Client(base_url=base_url, timeout=60) as http,
                httpx2.Client(base_url=control, timeout=120) as strings,
            ):
                yield Running(base_url, settings_for(VENDOR, base_url), http, strings, lines)
        finally:
            process.terminate()


def watched(
    *arguments: str, secret: str, at_most: float, appearing: Path | None = None, well: int = 0
) -> Watched:
    """Runs `python ARGUMENTS` to its end, with a credential in the variable `SECRET`.

    Raises AssertionError when it ends with another code than 0 or `well`; it is killed after
    `at_most` seconds.
    """
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    waited_for = str(appearing) if appearing else ""
    # A small program starts it, for a child's peak is never told below its parent's size.
    watch = [sys.executable, "-I", "-S", str(WATCHED)]
    with tempfile.TemporaryDirectory(prefix="seatwise-bench-") as home:
        ended = subprocess.run(
            [*watch, str(at_most), waited_for, sys.executable, *arguments],
            env={**kept, "HOME": home, SECRET: secret},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    told = json.loads(ended.stdout)
    assert told["code"] in (0, well), f"{arguments} ended with {told['code']}: {told['complained']}"
    names = ("began", "seconds", "peak", "appeared", "said")
    return Watched(**{name: told[name] for name in names})
