"""Asking the pages over HTTP, as a browser that is signed in does."""

import http.client
import random
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

PATIENCE: Final = 120.0  # seconds for any answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took from the question to the last byte, in seconds."""

    status: int
    headers: dict[str, str]  # their names in lower case
    body: bytes  # as it came over the wire
    seconds: float


class Asker:
    """One browser's connection to the server, which is kept open."""

    def __init__(self, url: str, cookie: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=PATIENCE
        )
        self._cookie = f"sessionid={cookie}"

    def ask(self, path: str, **headers: str) -> Answer:
        """`headers`: with _ in place of -. Raises OSError and HTTPException."""
        sent = {"Cookie": self._cookie, "Accept-Encoding": "gzip"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        began = time.perf_counter()
        try:
            response = self._response(path, sent)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()  # the server closed it as idle; a browser asks anew, too
            response = self._response(path, sent)
        body = response.read()
        seconds = time.perf_counter() - began
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, body, seconds)

    def _response(self, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request("GET", path, headers=headers)
        return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()


def p95(seconds: Sequence[float]) -> float:
    """What nineteen of twenty did not exceed."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) * 95 // 100, len(ordered) - 1)]


@dataclass(slots=True)
class Crowd:
    """What people who clicked at once were answered: seconds each, and what went wrong."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lasted: float = 0.0  # seconds, from the first click to the last answer


def click(
    url: str,
    cookies: Iterable[str],
    paths: Sequence[str],
    during: float,
    pause: tuple[float, float] = (0.0, 0.0),
) -> Crowd:
    """Each of these people asks for one page after the other, for so many seconds.

    Each begins at another of `paths`; `pause` is what lies before a click, at least and at most, in
    seconds: without one all begin at the same moment.
    """
    crowd = Crowd()
    began = time.monotonic()
    people = [
        threading.Thread(
            target=_clicks, args=(url, cookie, paths, number, began + during, pause, crowd)
        )
        for number, cookie in enumerate(cookies)
    ]
    for each in people:
        each.start()
    for each in people:
        each.join()
    crowd.lasted = time.monotonic() - began
    return crowd


def _clicks(
    url: str,
    cookie: str,
    paths: Sequence[str],
    number: int,
    until: float,
    pause: tuple[float, float],
    crowd: Crowd,
) -> None:
    asker, chance = Asker(url, cookie), random.Random(number)
    while True:
        time.sleep(chance.uniform(*pause))
        if time.monotonic() > until:
            break
        path = paths[number % len(paths)]
        number += 7
        try:
            answer = asker.ask(path)
        except (OSError, http.client.HTTPException) as error:
            crowd.errors.append(f"{path}: {type(error).__name__}")
            asker.close()
            continue
        crowd.seconds.append(answer.seconds)
        if answer.status != 200:
            crowd.errors.append(f"{path}: {answer.status}")
    asker.close()
