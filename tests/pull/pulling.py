"""Pulls an account of the simulated vendor, in this process or as the real program."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from seatwise import pull
from seatwise.connectors.records import Batch
from seatwise.pull.order import Order, plan_until
from tests.connectors.accounts import connector
from tests.journey.programs import environment
from tests.sandboxes import Running

NOW = datetime(2025, 11, 20, 9, 30, tzinfo=UTC)
PATIENCE = 60.0  # seconds


def order(vendor: Running, out: Path, zone: str = "UTC", **wanted: Any) -> Order:
    """Everything in that zone up to `NOW`, read with the account's API key, without waits."""
    pagerduty = connector()
    key = vendor.api_key()
    days = timedelta(days=wanted.pop("activity_days", 90))
    return Order(
        connector=pagerduty,
        base_url=f"{vendor.base_url}/us",
        token=pagerduty.token_of(key),
        secret=key,
        plan=plan_until(None, ZoneInfo(zone), wanted.pop("months", 4), days, NOW),
        out=out,
        **wanted,
    )


def pulled(wanted: Order, watch: Callable[[Batch], None] = lambda _batch: None) -> pull.Report:
    return pull.run(wanted, watch)


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def told(out: Path) -> dict[str, Any]:
    """What run.json says."""
    found: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Ended:
    """A program that has come to its end."""

    code: int
    said: str  # on standard output
    complained: str  # on standard error


def started(
    vendor: Running,
    out: Path,
    *arguments: str,
    key: str = "",
    bearer: str = "",
    most_bytes: int | None = None,
) -> subprocess.Popen[str]:
    """`seatwise pull` under way, with the account's API key unless another credential is given.

    `most_bytes`: no file may grow beyond.
    """
    secrets = {"HARBOR_KEY": key or vendor.api_key(), "HARBOR_TOKEN": bearer}
    credential = ["--bearer-env", "HARBOR_TOKEN"] if bearer else ["--api-key-env", "HARBOR_KEY"]
    where = ["--base-url", f"{vendor.base_url}/us", "--out", str(out)]
    return program(["pagerduty", *credential, *where, *arguments], most_bytes, **secrets)


def program(
    arguments: list[str], most_bytes: int | None = None, **variables: str
) -> subprocess.Popen[str]:
    """`seatwise pull` with nothing in its environment but these variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seatwise", "pull", *arguments],
        env=environment(Path("/nowhere"), **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if most_bytes is not None:  # long before it has come so far as to write
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    return process


def ended(process: subprocess.Popen[str], by: signal.Signals | None = None) -> Ended:
    """Waits for the program's end, after sending it a signal if one is given."""
    with process:
        if by is not None:
            os.kill(process.pid, by)
        said, complained = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, said, complained)


def wait_until(true: Callable[[], bool]) -> None:
    """Raises AssertionError when that has not come true in a minute."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
