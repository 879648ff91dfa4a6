"""The simulated vendor as a program of its own, which no kill of ours reaches."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2

from seatwise.sandbox import settings_for
from tests.chaos.processes import ending_with_us
from tests.sandboxes import Running

READY = "Control:"


@contextmanager
def vendor(within: Sequence[str] = (), **options: Any) -> Iterator[Running]:
    """A sandbox with its control port; `options` as those of `seatwise sandbox`, with _ for -.

    `within` is a command that comes before, such as the one that enters another machine.
    """
    wanted = {"port": 0, "control_port": 0, "rate_limit": 10_000_000, **options}
    given = [f"--{name.replace('_', '-')}={value}" for name, value in wanted.items()]
    with subprocess.Popen(
        [*within, sys.executable, "-m", "seatwise", "sandbox", "pagerduty", *given],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=ending_with_us,
    ) as process:
        try:
            announced = _announced(process)
            base_url = _find(r"PagerDuty sandbox: (\S+)", announced)
            strings = _find(rf"{READY} (\S+)", announced)
            with (
                httpx2.Client(base_url=base_url, timeout=30) as http,
                httpx2.Client(base_url=strings, timeout=60) as controls,
            ):
                settings = settings_for("pagerduty", base_url)
                yield Running(base_url, settings, http, controls, announced)
        finally:
            process.terminate()


def _announced(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line.rstrip("\n"))
        if line.startswith(READY):
            return told
    raise RuntimeError("the simulated vendor did not start")


def _find(pattern: str, announced: list[str]) -> str:
    found = re.search(pattern, "\n".join(announced))
    assert found is not None
    return found[1]
