"""Simulated vendors: as strict and as truthful as the real ones, and independent of the product.

Nothing here imports anything of the product, so that a mistake cannot be made on both sides.
"""

import gc
import json
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import pagerduty
from .options import Options
from .server import Server, listen
from .simulation import Simulation

__all__ = [
    "VENDORS",
    "Options",
    "Server",
    "Simulation",
    "Vendor",
    "listen",
    "serve",
    "settings_for",
]

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor that can be simulated."""

    name: str
    build: Callable[[Options], Simulation]
    settings: Callable[[str], dict[str, str]]
    consent: tuple[str, ...]  # the buttons, by their words, that lead from sign-in to a yes


VENDORS: Final[Mapping[str, Vendor]] = {
    "pagerduty": Vendor(
        "PagerDuty",
        pagerduty.build,
        pagerduty.settings,
        consent=("Account Owner", "US service region", "Authorize"),
    ),
}


def settings_for(vendor: str, base_url: str) -> dict[str, str]:
    """What the product must be told to use that vendor's sandbox at that address."""
    return VENDORS[vendor].settings(base_url)


def serve(
    vendor: str,
    options: Options | None = None,
    *,
    host: str = LOOPBACK,
    port: int = 8912,
    control_port: int | None = None,
    scenario: Path | None = None,
    announce: Callable[[str], None] = print,
) -> None:
    """Runs a vendor's sandbox until SIGTERM or SIGINT, and then returns.

    Port 0 takes a free one. With a `control_port` the sandbox's own addresses (control, truth,
    requests) answer there, on this machine only. `scenario` is a JSON file that holds what
    `POST /__control` takes. `announce` is called, line by line, once requests are answered.
    Raises OSError when an address is taken, ValueError with a plain sentence when the scenario
    cannot be read or understood.
    """
    simulation = VENDORS[vendor].build(options or Options())
    if scenario is not None:
        simulation.script(_read(scenario))
    gc.freeze()  # a hundred thousand people are not worth looking through again and again,
    gc.set_threshold(100_000, 50, 1000)  # nor are thousands of incidents that are still wanted
    doors = [(simulation.app, listen(host, port))]
    try:
        if control_port is not None:
            doors.append((simulation.control, listen(LOOPBACK, control_port)))
        base_url, *controls = [_address(listener) for _, listener in doors]

        def ready() -> None:
            for line in simulation.announcement(base_url):
                announce(line)
            for address in controls:
                announce(f"Control: {address}")
            sys.stdout.flush()  # whoever waits for these lines reads them through a pipe

        server = Server(doors, ready)
        with server.stopping_on_signals():
            server.run()
    finally:
        for _, listener in doors:
            listener.close()


def _read(scenario: Path) -> object:
    try:
        return json.loads(scenario.read_bytes())
    except OSError as error:
        raise ValueError(f"{scenario} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{scenario} is no JSON") from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
