"""`seatwise demo`: the whole product with a simulated vendor, in one command.

Everything it makes lives in `demo` under the data directory, with a database and secrets of
its own, and is begun anew at each start: the simulated vendor forgets its grants too.
"""

import fcntl
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from seatwise import database, sandbox, vault
from seatwise.cli.listening import HANDED_OVER, listen, try_to_listen
from seatwise.cli.prepare import make_schema, prepared
from seatwise.cli.processes import Supervisor

HOST = "127.0.0.1"
FIRST_PORT = 8000
EMAIL = "admin@demo.example"
READY_WITHIN = 60.0  # seconds
KEPT = {database.DATA_SETTING, "SEATWISE_NODE_MODULES", "SEATWISE_LOG_LEVEL"}


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: where it is and how to sign in."""

    url: str
    email: str
    password: str
    vendors: dict[str, str]  # simulated vendor: its address
    programs: Supervisor


def stay(port: int, seed: int) -> int:
    """Runs the demo until Ctrl-C or SIGTERM. Returns the exit code."""
    console = Console()
    with running("demo", port, seed) as demo:
        console.print(f"\n[bold]Seatwise is ready:[/bold] {demo.url}")
        console.print(f"  Sign in as  {demo.email}")
        console.print(f"  Password    {demo.password}")
        for vendor, url in demo.vendors.items():
            console.print(f"  A simulated {vendor} to connect to is at {url}")
        console.print("  Then: Add a service, Settings, Integrate, Authorize. Ctrl-C stops it.\n")
        code = demo.programs.wait()
        console.print("Stopping …")
    return code


def once(port: int, seed: int) -> int:
    """Connects, syncs and prints what was found, all through real HTTP. Returns the exit code."""
    with running("demo-once", port, seed) as demo:
        from seatwise.cli.journey import connect_and_report

        return connect_and_report(demo.url, demo.email, demo.password, tuple(demo.vendors))


@contextmanager
def running(name: str, port: int, seed: int) -> Iterator[Demo]:
    """Starts database, web, worker and the simulated vendors; stops all of them at the end."""
    home = database.data_dir() / name
    try:
        home.mkdir(exist_ok=True)
    except OSError as error:
        raise SystemExit(
            f"seatwise: {database.DATA_SETTING} cannot be used: {error.strerror} ({home})."
        ) from None
    with _alone(home), _listening(port) as listener:
        yield from _run(home, listener, seed)


def _run(home: Path, listener: socket.socket, seed: int) -> Iterator[Demo]:
    url = f"http://localhost:{listener.getsockname()[1]}"
    vendors = {vendor: f"http://{HOST}:{_free_port()}" for vendor in sandbox.VENDORS}
    for name in [each for each in os.environ if each.startswith("SEATWISE_")]:
        if name not in KEPT:  # the operator's own database and secrets are nothing to play with
            del os.environ[name]
    os.environ.update(_environment(home, url, vendors))
    password = secrets.token_urlsafe(9)
    with prepared("demo", migrate=False), Supervisor() as programs:
        _begin_anew(password)
        for vendor, address in vendors.items():
            vendor_port = address.rpartition(":")[2]
            programs.start(
                "sandbox",
                vendor,
                "--port",
                vendor_port,
                "--seed",
                str(seed),
                log=home / f"{vendor}.log",
            )
        door = listener.fileno()
        programs.start(
            "web", "--host", f"{HANDED_OVER}{door}", log=home / "web.log", hand_over=[door]
        )
        programs.start("worker", log=home / "worker.log")
        _wait_until_ready(programs, [f"{url}/healthz", *vendors.values()], home)
        yield Demo(url, EMAIL, password, vendors, programs)


def _environment(home: Path, url: str, vendors: dict[str, str]) -> dict[str, str]:
    settings = {
        database.DATA_SETTING: str(home),
        "SEATWISE_BASE_URL": url,
        "SEATWISE_ALLOWED_HOSTS": "localhost,127.0.0.1",
        "SEATWISE_SECRET_KEY": secrets.token_urlsafe(50),
        "SEATWISE_ENCRYPTION_KEYS": vault.new_key(),
        "SEATWISE_DESIGN_PAGE": "1",
    }
    for vendor, address in vendors.items():
        for name, value in sandbox.settings_for(vendor, address).items():
            settings[f"SEATWISE_{vendor.upper()}_{name}"] = value
    return settings


def _begin_anew(password: str) -> None:
    """An empty schema and one admin. Only ever our own embedded database: see `running`."""
    from django.db import connection

    from seatwise.models import User

    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    make_schema()
    User.objects.create_user(EMAIL, password, name="Demo Admin", role="admin")


def _wait_until_ready(programs: Supervisor, addresses: list[str], home: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    for address in addresses:
        if not programs.wait_until_answered(address, until=until):
            late = f"{address} did not answer within {READY_WITHIN:.0f} s"
            trouble = programs.failed() or ("stopped" if programs.stopping else late)
            print(f"seatwise: the demo did not start: {trouble}. Logs: {home}", file=sys.stderr)
            raise SystemExit(1)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """A second demo in the same place would begin the first one's database anew."""
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(
                f"seatwise: a demo runs in {home} already. Stop it, or set "
                f"{database.DATA_SETTING} to another directory."
            ) from None
        yield


def _listening(wanted: int) -> socket.socket:
    """The socket that the web pages will answer on, taken before anybody else can."""
    if not wanted:
        for port in range(FIRST_PORT, FIRST_PORT + 50):
            with suppress(OSError):
                return try_to_listen(HOST, port)
    return listen(HOST, wanted)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
