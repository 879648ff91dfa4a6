"""A quiet web server with one or more doors, which says when it listens and stops when told to."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from .wire import WireProtocol

STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


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


class Server:
    """Serves each application at its own socket, all in one loop, until told to stop.

    `ready` is called once, when every door is open.
    """

    def __init__(
        self, doors: Sequence[tuple[ASGIApp, socket.socket]], ready: Callable[[], None]
    ) -> None:
        self._ready, self._closed = ready, len(doors)
        self._doors = [(_Door(app, self._opened), listener) for app, listener in doors]

    def run(self) -> None:
        """Serves until `stop`, in a loop of its own."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """Makes `run` return soon; from any thread."""
        for door, _ in self._doors:
            door.should_exit = True

    @contextmanager
    def stopping_on_signals(self) -> Iterator[None]:
        """Makes SIGTERM and SIGINT a clean end, also while the server is still starting.

        Does nothing outside the main thread.
        """

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stop()

        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, stop) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def _run(self) -> None:
        await asyncio.gather(*(door.serve(sockets=[listener]) for door, listener in self._doors))

    def _opened(self) -> None:
        self._closed -= 1
        if self._closed == 0:
            self._ready()


class _Door(uvicorn.Server):
    def __init__(self, app: ASGIApp, opened: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=WireProtocol,
                log_config=None,
                log_level="error",
                access_log=False,
                lifespan="off",
                ws="none",
                server_header=False,
                date_header=False,  # the vendor's clock may be wrong on purpose: it says the date
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._opened = opened

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._opened()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leaves signals to whoever runs all the doors."""
        yield
