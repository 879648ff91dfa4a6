"""Answers that are made to fill the memory of whoever reads them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.programs import environment
from tests.sandboxes import Running, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=5, users=20, months=1, incidents=0, accounts=1) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()


@pytest.mark.fault(44)
@pytest.mark.parametrize("kind", ["endless", "gzip_bomb"])
def test_a_bomb_is_put_down_before_it_fills_the_memory(
    sandbox: Running, tmp_path: Path, kind: str
) -> None:
    _, peak = _pulled_by_the_program(sandbox, tmp_path / "good")
    sandbox.fault(path="/users", region="us", kind=kind, times=None)
    code, peak_then = _pulled_by_the_program(sandbox, tmp_path / "bad")
    assert code == 1
    assert not (tmp_path / "bad" / "members.jsonl").exists()
    assert peak_then - peak < 64 * 1024  # kilobytes


def _pulled_by_the_program(sandbox: Running, out: Path) -> tuple[int, int]:
    """The exit code of `seatwise pull`, and the most memory it had, in kilobytes."""
    where = ["--base-url", f"{sandbox.base_url}/us", "--out", str(out), "--only", "members"]
    process = subprocess.Popen(
        [sys.executable, "-m", "seatwise", "pull", "pagerduty", "--api-key-env", "KEY", *where],
        env=environment(Path("/nowhere"), KEY=sandbox.api_key()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_maxrss
