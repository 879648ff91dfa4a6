"""`seatwise serve`: the web pages and a worker as one program."""

import socket

from seatwise.cli.listening import HANDED_OVER, address_of
from seatwise.cli.prepare import prepared
from seatwise.cli.processes import Supervisor


def serve(listener: socket.socket) -> int:
    """Answers on this socket until Ctrl-C or SIGTERM. Returns the exit code."""
    with prepared(check=False), Supervisor() as programs:  # its programs look for themselves
        from django.conf import settings

        door = listener.fileno()
        programs.start("web", "--host", f"{HANDED_OVER}{door}", hand_over=[door])
        programs.start("worker")
        if programs.wait_until_answered(f"{address_of(listener)}/healthz"):
            print(f"Seatwise is served at {settings.BASE_URL}. Ctrl-C stops it.", flush=True)
        return programs.wait()
