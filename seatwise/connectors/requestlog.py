"""One log line for each request: what was asked, how it ended, how long it took. No secret.

    GET /users 200, 83 ms, 10,240 bytes, try 1, offset=97, limit=100

The lines go to the logger `seatwise.requests` at level INFO. Of a question only its paging words
are told; nothing of bodies, headers, credentials or any other parameter ever is.
"""

import logging
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

log = logging.getLogger("seatwise.requests")

PAGING = ("offset", "limit", "since", "until")
PLAIN = re.compile(r"[0-9A-Z:.+-]{1,40}")  # a number or a time, and no way to write anything else


@dataclass(slots=True)
class Told:
    """One request, as the log tells it."""

    method: str
    endpoint: str  # "/users"
    attempt: int  # the try of one question, from 1
    paging: dict[str, str] = field(default_factory=dict)
    status: int | None = None  # None where no answer came
    error: str | None = None  # the name of what came in between
    milliseconds: int = 0
    size: int = 0  # bytes of the body, unpacked

    def answered(self, status: int, size: int) -> None:
        """Notes the answer."""
        self.status, self.size = status, size

    def __str__(self) -> str:
        ending = [str(self.status)] if self.status is not None else []
        ending += [self.error] if self.error else []
        words = [
            f"{self.method} {self.endpoint} {' '.join(ending)}",
            f"{self.milliseconds:,} ms",
            f"{self.size:,} bytes",
            f"try {self.attempt}",
            *(f"{word}={value}" for word, value in self.paging.items()),
        ]
        return ", ".join(words)


@contextmanager
def told(
    endpoint: str, attempt: int, params: Sequence[tuple[str, str]] = (), *, secret: str = ""
) -> Iterator[Told]:
    """Logs the request that is sent in the block, however it ends; `endpoint` is "GET /users".

    `secret` is blotted out, should an endpoint be named after it.
    """
    method, _, path = _one_line(endpoint, secret).partition(" ")
    paging = {word: value for word, value in params if word in PAGING and PLAIN.fullmatch(value)}
    line = Told(method, path, attempt, paging)
    began = time.monotonic()
    try:
        yield line
    except BaseException as error:
        line.error = next(
            kind.__name__ for kind in type(error).__mro__ if not kind.__name__.startswith("_")
        )
        raise
    finally:
        line.milliseconds = round((time.monotonic() - began) * 1000)
        log.info("%s", line, extra={"told": line})


def _one_line(endpoint: str, secret: str) -> str:
    """Without what a question adds to its address, and without anything that breaks a line."""
    path = endpoint.partition("?")[0]
    path = path.replace(secret, "…") if secret else path
    return "".join(c if c.isprintable() else "?" for c in path)[:200]
