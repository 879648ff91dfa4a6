"""What a very large simulated account costs: time to start, memory, requests a second."""

import itertools
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

SIZE: Final = ("--users", "100000", "--incidents", "1000000", "--months", "24")
START: Final = "Sandbox with 100,000 users and 1,000,000 incidents: to its first answer, s"
MEMORY: Final = "Sandbox, most memory it ever held, MB"
USERS: Final = "Sandbox, requests/s for /users?limit=100"
INCIDENTS: Final = "Sandbox, requests/s for /incidents?limit=100"
FRESH: Final = "Sandbox, requests/s for /incidents?limit=100 never asked before"
LINES: Final = 4  # connections
SECONDS: Final = 5.0  # each of the loads lasts so long
PAGES: Final = 99  # as deep as the vendor's cap lets one look


def measure() -> dict[str, float]:
    """Seconds, megabytes and requests a second of one large sandbox in a process of its own."""
    began = time.monotonic()
    with _large() as (address, key, pid):
        _get(address, "/us/users?limit=1", key)
        started = time.monotonic() - began
        users = itertools.cycle(f"/us/users?limit=100&offset={n * 100}" for n in range(PAGES))
        known = itertools.cycle(_pages(datetime.now(UTC) - timedelta(days=40), PAGES))
        fresh = _forever_new()
        figures = {
            FRESH: _load(address, key, lambda: next(fresh)),
            USERS: _load(address, key, lambda: next(users)),
            INCIDENTS: _load(address, key, lambda: next(known)),
        }
        # a month's worth of every kind of reading, so that the memory told is no idle one's
        for channel in ("sms", "email", "phone", "push"):
            until = datetime.now(UTC) - timedelta(days=60)
            window = f"since={until - timedelta(days=30):%Y-%m-%dT%TZ}&until={until:%Y-%m-%dT%TZ}"
            wanted = f"filter={channel}_notification&total=true&limit=1"
            _get(address, f"/us/notifications?{window}&{wanted}", key)
            _get(address, f"/us/log_entries?{window}&is_overview=true&limit=100", key)
        return {START: started, **figures, MEMORY: _peak(pid)}


@contextmanager
def _large() -> Iterator[tuple[str, str, int]]:
    """The sandbox's address, the API key of its largest account, and its process."""
    command = [sys.executable, "-m", "seatwise", "sandbox", "pagerduty", "--port", "0", *SIZE]
    command += ["--rate-limit", "10000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            base_url = process.stdout.readline().split()[-1]
            lines = iter(process.stdout.readline, "")
            key = next(line for line in lines if line.startswith("API key of harbor-prod"))
            yield urlsplit(base_url).netloc, key.split()[-1], process.pid
        finally:
            process.terminate()


def _load(address: str, key: str, path: Callable[[], str]) -> float:
    """Requests a second over several connections, each asking as soon as it was answered."""
    until, counts = time.monotonic() + SECONDS, [0] * LINES

    def ask(line: int) -> None:
        with socket.create_connection(_place(address)) as connection:
            while time.monotonic() < until:
                _ask(connection, path(), key)
                counts[line] += 1

    threads = [threading.Thread(target=ask, args=(line,)) for line in range(LINES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def _ask(connection: socket.socket, path: str, key: str) -> None:
    """One request by the barest client there is: a richer one would take the server's share."""
    asked = f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Token token={key}\r\n\r\n"
    connection.sendall(asked.encode())
    received = connection.recv(65_536)
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), received
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    rest = bytearray(length - len(body))
    got = connection.recv_into(rest, len(rest), socket.MSG_WAITALL) if rest else 0
    assert len(body) + got == length


def _get(address: str, path: str, key: str) -> None:
    with socket.create_connection(_place(address)) as connection:
        _ask(connection, path, key)


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)


def _pages(since: datetime, count: int) -> list[str]:
    """The addresses of so many neighbouring pages of incidents."""
    window = f"since={since:%Y-%m-%dT%TZ}&until={since + timedelta(days=30):%Y-%m-%dT%TZ}"
    return [f"/us/incidents?{window}&limit=100&offset={n * 100}" for n in range(count)]


def _forever_new() -> Iterator[str]:
    """Pages of the past two years, none of them twice: about a week at a time."""
    for week in itertools.count(1):
        yield from _pages(datetime.now(UTC) - timedelta(days=7 * week), 95)


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
