"""How long a person waits: from the command to a page, from Authorize to members."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, Final

from seatwise import sandbox
from seatwise.cli.visitor import Lost, Visitor

VENDOR: Final = "pagerduty"
START: Final = "`seatwise demo` to a served sign-in page, s"
FIRST_MEMBER: Final = "Authorize to the first member on the page, s"
FIRST_SYNC: Final = "Authorize to the end of the first sync (250 people, 12 months), s"
STOP: Final = "SIGTERM to the end of every process, s"
DEADLINE: Final = 120.0  # seconds for any of these


def measure() -> dict[str, float]:
    """One walk through the main job on a demo of its own; seconds by figure."""
    with tempfile.TemporaryDirectory(prefix="seatwise-bench-") as home:
        began = time.monotonic()
        demo = subprocess.Popen(
            [sys.executable, "-m", "seatwise", "demo"],
            env={**os.environ, "SEATWISE_DATA_DIR": home},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            figures = _walk(demo, began)
        finally:
            stopping = time.monotonic()
            demo.send_signal(signal.SIGTERM)
            demo.wait(DEADLINE)
        return {**figures, STOP: time.monotonic() - stopping}


def _walk(demo: subprocess.Popen[str], began: float) -> dict[str, float]:
    assert demo.stdout is not None
    url, email, password = _announced(demo.stdout)
    visitor = Visitor()
    visitor.visit(f"{url}/")
    started = time.monotonic() - began
    visitor.press("Sign in", login=email, password=password)
    visitor.visit(f"{url}/services/add/?q={VENDOR}")
    visitor.press("Add")
    visitor.visit(f"{url}/services/{VENDOR}/settings/")
    visitor.press("Authorize")
    *steps, last = sandbox.VENDORS[VENDOR].consent
    for words in steps:
        visitor.press(words)
    authorized = time.monotonic()
    visitor.press(last)
    service = f"{url}/services/{VENDOR}"
    members = _until(visitor, f"{service}/members/", lambda page: "@harbor.example" in page)
    finished = _until(visitor, f"{service}/usage/", lambda page: 'class="spinner"' not in page)
    return {
        START: started,
        FIRST_MEMBER: members - authorized,
        FIRST_SYNC: finished - authorized,
    }


def _announced(output: IO[str]) -> tuple[str, str, str]:
    told = ""
    for line in output:
        told += line
        found = re.search(r"ready: (\S+)\s+Sign in as\s+(\S+)\s+Password\s+(\S+)", told)
        if found:
            return found[1], found[2], found[3]
    raise Lost(f"the demo did not start: {told}")


def _until(visitor: Visitor, address: str, there: Callable[[str], bool]) -> float:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        visitor.visit(address)
        if there(visitor.page):
            return time.monotonic()
        time.sleep(0.05)
    raise Lost(f"what was waited for did not appear on {address}")
