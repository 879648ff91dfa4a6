"""Simulated vendors: as strict and as truthful as the real ones, and independent of the product.

Nothing here imports anything of the product, so that a mistake cannot be made on both sides.
"""

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Final, Protocol

import uvicorn
from starlette.types import ASGIApp

from . import pagerduty

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


class Build(Protocol):
    """Makes a vendor's application from a seed."""

    def __call__(
        self, *, seed: int = 1, people: int = 250, months: int = 14, now: datetime | None = None
    ) -> ASGIApp: ...


class Announcement(Protocol):
    """Says where everything of a running vendor is."""

    def __call__(self, base_url: str, *, seed: int = 1, people: int = 250) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor that can be simulated."""

    name: str
    build: Build
    settings: Callable[[str], dict[str, str]]
    announcement: Announcement
    consent: tuple[str, ...]  # the buttons, by their words, that lead from sign-in to a yes


VENDORS: Final[Mapping[str, Vendor]] = {
    "pagerduty": Vendor(
        "PagerDuty",
        pagerduty.build,
        pagerduty.settings,
        pagerduty.announcement,
        consent=("Account Owner", "US service region", "Authorize"),
    ),
}


def settings_for(vendor: str, base_url: str) -> dict[str, str]:
    """What the product must be told to use that vendor's sandbox at that address."""
    return VENDORS[vendor].settings(base_url)


def serve(
    vendor: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8912,
    seed: int = 1,
    people: int = 250,
    months: int = 14,
    now: datetime | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Runs a vendor's sandbox until SIGTERM or SIGINT, and then returns.

    Port 0 takes a free one. `announce` is called, line by line, once requests are answered.
    Raises OSError when the address is taken, ValueError when the options make no sense.
    """
    chosen = VENDORS[vendor]
    app = chosen.build(seed=seed, people=people, months=months, now=now)
    listener = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    base_url = f"http://{shown}:{listener.getsockname()[1]}"

    def ready() -> None:
        for line in chosen.announcement(base_url, seed=seed, people=people):
            announce(line)
        sys.stdout.flush()  # whoever waits for these lines reads them through a pipe

    server = Server(app, ready)
    with listener, server.stopping_on_signals():
        server.run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to that address (port 0: a free one). Raises OSError when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns off Nagle's delay (40 ms an answer) only where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class Server(uvicorn.Server):
    """A quiet web server that says when it listens and stops at once when told to."""

    def __init__(self, app: ASGIApp, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="error",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen, then says so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Makes SIGTERM and SIGINT a clean end, also while the server is still starting.

        When it has stopped, the server raises the signal once more for whoever handled it before;
        that would end the process with an error. Does nothing outside the main thread.
        """

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.should_exit = True

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, stop) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
