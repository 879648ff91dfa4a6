"""The web server: gunicorn, with threads, because pages wait for the database."""

import gc
import signal
import socket
from types import FrameType
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from seatwise.presence import Presence

WORKERS = 2
THREADS = 8


class Web(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIHandler:
        from seatwise.wsgi import application

        connections.close_all()  # a database connection must not cross a fork
        _leave_alone_what_stays()
        return application


def run(listener: socket.socket) -> None:
    """Serves on this socket until SIGTERM, SIGINT or the terminal is closed; closes the socket."""
    Web(
        {
            "when_ready": _end_with_the_terminal,
            "post_worker_init": _be_seen,
            "bind": f"fd://{listener.detach()}",
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "preload_app": True,
            "timeout": 60,
            "keepalive": 75,  # a reader's next click; one that waits occupies no thread
            "graceful_timeout": 65,  # a page may be renewing a token, which must not be cut off
            "loglevel": "warning",
            "control_socket_disable": True,  # nothing of ours uses it, and it lives in the home
        }
    ).run()


def _leave_alone_what_stays() -> None:
    """What is there before the fork stays until the end: no page waits while it is looked through.

    And a page makes more objects than Python's usual pauses between two looks are meant for.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _be_seen(_worker: Worker) -> None:
    """Each process for itself, behind the fork: one that answers no request is seen, too."""
    Presence().begin()


def _end_with_the_terminal(arbiter: Arbiter) -> None:
    """gunicorn takes SIGHUP for a wish to read its configuration anew; there is none."""

    def stop(_number: int, frame: FrameType | None) -> None:
        arbiter.signal(signal.SIGTERM, frame)

    signal.signal(signal.SIGHUP, stop)
