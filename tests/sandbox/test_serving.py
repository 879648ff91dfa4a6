"""The sandbox runs as a process of its own, announces itself, and ends when told to."""

import signal
import subprocess
import sys

import httpx2
import pytest

from seatwise.sandbox import settings_for

PROGRAM = (
    "from seatwise.sandbox import serve; "
    "serve('pagerduty', port=0, announce=lambda line: print(line, flush=True))"
)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_when_it_says_so_and_ends_cleanly(sent: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        base_url = process.stdout.readline().strip().rpartition(" ")[2]
        try:
            assert httpx2.get(f"{base_url}/__truth").status_code == 200
        finally:
            process.send_signal(sent)
        process.wait(timeout=10)
        said, complaints = process.stdout.read(), process.stderr.read()
    assert (process.returncode, complaints) == (0, "")
    for value in settings_for("pagerduty", base_url).values():
        assert value in said
    assert "(owner)" in said
