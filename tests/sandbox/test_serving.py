"""The sandbox runs as a process of its own, announces itself, and ends when told to."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from seatwise.sandbox import Options, serve, settings_for
from seatwise.sandbox.pagerduty.strings.faults import KINDS

PROGRAM = """
from pathlib import Path
from seatwise.sandbox import Options, serve
print_now = lambda line: print(line, flush=True)
serve("pagerduty", Options(users=20, months=1), port=0, announce=print_now, {more})
"""
SIGNALS = pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])


@contextmanager
def program(more: str = "") -> Iterator[subprocess.Popen[str]]:
    """The sandbox in a process of its own; it is ended if the test does not end it."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(more=more)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def said_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """The lines up to the first that holds that word."""
    assert process.stdout is not None
    said: list[str] = []
    while not said or word not in said[-1]:
        line = process.stdout.readline()
        assert line, said
        said.append(line.strip())
    return said


@SIGNALS
@pytest.mark.parametrize("more", ["", "control_port=0"])
def test_it_listens_when_it_says_so_and_ends_cleanly(sent: signal.Signals, more: str) -> None:
    with program(more) as process:
        started = said_until(process, "Control: " if more else "API key of harbor-eu")
        base_url = started[0].rpartition(" ")[2]
        assert httpx2.get(f"{base_url}/us/users").status_code == 401
        key = next(line for line in started if line.startswith("API key: ")).split()[-1]
        headers = {"Authorization": f"Token token={key}"}
        assert httpx2.get(f"{base_url}/us/users", headers=headers).status_code == 200
        for path in ("/__control", "/__truth", "/__requests"):
            assert httpx2.get(base_url + path).status_code == 404
        process.send_signal(sent)
        process.wait(timeout=10)
        assert process.stdout is not None
        assert process.stderr is not None
        said = "\n".join([*started, process.stdout.read()])
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (0, "")
    for value in settings_for("pagerduty", base_url).values():
        assert value in said
    assert ("Control: " in said) == bool(more)


def test_the_control_port_is_on_this_machine_only_whatever_the_vendors_host_is() -> None:
    with program('host="127.0.0.2", control_port=0') as process:
        said = said_until(process, "Control: ")
        assert said[0].rpartition("/")[2].startswith("127.0.0.2:")
        control = urlsplit(said[-1].removeprefix("Control: "))
        assert control.hostname == "127.0.0.1"
        assert httpx2.get(f"{control.geturl()}/__truth").status_code == 200
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"http://127.0.0.2:{control.port}/__truth")


@pytest.mark.parametrize(
    ("kind", "delay"),
    [("hang", 30), ("trickle", 30), ("slow", 30), ("endless", 0), ("endless", 30)],
)
def test_it_ends_at_once_and_quietly_whatever_a_fault_is_doing(
    kind: str, delay: int, tmp_path: Path
) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps([{"path": "*", "kind": kind, "delay": delay}]))
    with program(f"scenario=Path({str(scenario)!r}), control_port=0") as process:
        said = said_until(process, "Control: ")
        address = urlsplit(said[0].rpartition(" ")[2])
        control = said[-1].removeprefix("Control: ")
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            connection.sendall(b"GET /us/users HTTP/1.1\r\nHost: x\r\n\r\n")
            deadline = time.monotonic() + 10
            while not httpx2.get(f"{control}/__control").json()["faults"][0]["struck"]:
                assert time.monotonic() < deadline
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=10)
    assert (process.returncode, complaints) == (0, "")
    assert time.monotonic() - began < 2


def test_no_fault_makes_the_server_complain(tmp_path: Path) -> None:
    quick: dict[str, dict[str, Any]] = {
        "hang": {"delay": 0.01},
        "trickle": {"delay": 0.01, "piece": 1000},
        "endless": {"size": 1000},
        "gzip_bomb": {"size": 1000},
    }
    faults = [{"path": "/users", "kind": kind, **quick.get(kind, {})} for kind in KINDS]
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps(faults))
    with program(f"scenario=Path({str(scenario)!r})") as process:
        said = said_until(process, "API key of harbor-prod")
        base_url, key = said[0].rpartition(" ")[2], said[-1].rpartition(" ")[2]
        with httpx2.Client(headers={"Authorization": f"Token token={key}"}) as http:
            for _ in KINDS:
                with suppress(httpx2.TransportError, httpx2.DecodingError):
                    http.get(f"{base_url}/us/users?limit=2")
            assert http.get(f"{base_url}/us/users").status_code == 200
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=10)
    assert (process.returncode, complaints) == (0, "")


def test_a_scenario_is_there_from_the_first_request(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text('[{"path": "/users", "status": 502}, {"latency_ms": 1}]')
    with program(f"scenario=Path({str(scenario)!r}), control_port=0") as process:
        said = said_until(process, "Control: ")
        base_url = said[0].rpartition(" ")[2]
        assert [httpx2.get(f"{base_url}/us/users").status_code for _ in range(2)] == [502, 401]
        told = httpx2.get(said[-1].removeprefix("Control: ") + "/__control").json()
    assert (told["controls"]["latency_ms"], told["faults"][0]["struck"]) == (1, 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[", "is no JSON"),
        ('{"latency": 3}', "'latency'"),
        ('[{"path": "/users", "kind": "nothing"}]', "'nothing'"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_scenario_keeps_it_from_starting(
    text: str | None, sentence: str, tmp_path: Path
) -> None:
    scenario = tmp_path / "scenario.json"
    if text is not None:
        scenario.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        serve("pagerduty", Options(users=20, months=1), port=0, scenario=scenario)


@pytest.mark.parametrize("which", ["port", "control_port"])
def test_an_address_that_is_taken_is_an_error(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"port": 0, "control_port": 0} | {which: taken.getsockname()[1]}
        with pytest.raises(OSError, match="in use"):
            serve("pagerduty", Options(users=20, months=1), **ports)
