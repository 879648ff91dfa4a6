"""`seatwise serve`: the web pages and a worker as one program."""

import socket

from seatwise.cli.listening import HANDED_OVER, address_of
from seatwise.cli.prepare import prepared
from seatwise.cli.processes import Supervisor

PAGES = b"database ok\nschema ok\n"


def serve(listener: socket.socket) -> int:
    """Answers on this socket until Ctrl-C or SIGTERM. Returns the exit code."""
    with (
        prepared("serve", check=False),
        Supervisor() as programs,
    ):  # its programs look for themselves
        from django.conf import settings

        door = listener.fileno()
        programs.start("web", "--host", f"{HANDED_OVER}{door}", hand_over=[door])
        programs.start("worker")
        # It may be short of disk, or its keys be wrong, and has pages all the same.
        if programs.wait_until_answered(f"{address_of(listener)}/readyz", saying=PAGES):
            print(f"Seatwise is served at {settings.BASE_URL}. Ctrl-C stops it.", flush=True)
        return programs.wait()
