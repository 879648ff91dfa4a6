"""The web server: gunicorn, with threads, because pages wait for the database."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from gunicorn.app.base import BaseApplication

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
        return application


def run(host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT. A host `fd://3` is a bound socket that was handed over."""
    Web(
        {
            "bind": host if host.startswith("fd://") else f"{host}:{port}",
            "workers": WORKERS,
            "threads": THREADS,
            "worker_class": "gthread",
            "preload_app": True,
            "timeout": 60,
            "graceful_timeout": 10,
            "loglevel": "warning",
            "control_socket_disable": True,  # nothing of ours uses it, and it lives in the home
        }
    ).run()
