"""A simulated account whose clock moves on, at one address: what a later pull needs to go on."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from seatwise.sandbox import VENDORS, Options, Server, listen, settings_for
from tests.sandboxes import Running


@dataclass
class Moving:
    """The account; `go_to` stops its clock at another of its moments. All grants are forgotten."""

    vendor: Running
    moments: Sequence[datetime]
    at: int = 0

    @property
    def now(self) -> datetime:
        return self.moments[self.at]

    def go_to(self, step: int) -> None:
        self.at = step
        self.vendor.people.clear()


@contextmanager
def moving(
    moments: Sequence[datetime], *, months: int, monthly: int, **options: Any
) -> Iterator[Moving]:
    """An account with `months` of history at the first of these moments; one always has it."""
    begun = moments[0].year * 12 + moments[0].month - months
    lengths = [moment.year * 12 + moment.month - begun for moment in moments]
    made = [
        VENDORS["pagerduty"].build(
            Options(now=now, months=length, incidents=monthly * length, **options)
        )
        for now, length in zip(moments, lengths, strict=True)
    ]
    listeners = [listen("127.0.0.1", 0) for _ in range(2)]
    base_url, control = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in listeners)
    found: list[Moving] = []

    def door(apps: Sequence[ASGIApp]) -> ASGIApp:
        async def present(scope: Scope, receive: Receive, send: Send) -> None:
            await apps[found[0].at](scope, receive, send)

        return present

    doors = [door([each.app for each in made]), door([each.control for each in made])]
    listening = threading.Event()
    server = Server(list(zip(doors, listeners, strict=True)), listening.set)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert listening.wait(10), "the sandbox did not start"
    try:
        with (
            httpx2.Client(base_url=base_url, timeout=30) as http,
            httpx2.Client(base_url=control, timeout=30) as strings,
        ):
            settings = settings_for("pagerduty", base_url)
            lines = made[0].announcement(base_url)
            found.append(Moving(Running(base_url, settings, http, strings, lines), moments))
            yield found[0]
    finally:
        server.stop()
        thread.join(10)
        for listener in listeners:
            listener.close()
