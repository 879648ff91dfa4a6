"""What a vendor's folder builds: the vendor as the world sees it, and the strings behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp


@dataclass(frozen=True, slots=True)
class Simulation:
    """A simulated vendor that is ready to be served."""

    app: ASGIApp  # what the vendor shows the world
    control: ASGIApp  # the sandbox's own: control, truth, requests; never on the same port
    script: Callable[[Any], None]  # takes what POST /__control takes; ValueError with a sentence
    announcement: Callable[[str], list[str]]  # of the base URL: what is where, line by line
