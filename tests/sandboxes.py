"""The simulated vendor for tests: over real HTTP, in a thread of its own, on free ports."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from seatwise.sandbox import VENDORS, Options, Server, listen, settings_for


@dataclass(frozen=True)
class Running:
    """A running sandbox."""

    base_url: str
    settings: dict[str, str]  # as `settings_for`: the scoped client
    http: httpx2.Client  # for requests to any of the vendor's addresses
    control: httpx2.Client  # for requests to the sandbox's own
    announced: list[str]
    people: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # seen so far

    def truth(
        self, account: str = "harbor-prod", zone: str = "UTC", at: str = ""
    ) -> dict[str, Any]:
        """What is really so in that account, see the sandbox's `truth`."""
        asked = {"account": account, "zone": zone} | ({"at": at} if at else {})
        told: dict[str, Any] = self.control.get("/__truth", params=asked).raise_for_status().json()
        return told

    def fault(self, **wanted: Any) -> None:
        """Scripts a fault or changes a control, see the sandbox's `Fault` and `Controls`."""
        self.control.post("/__control", json=wanted).raise_for_status()

    def clear_faults(self) -> None:
        """Forgets all scripted faults and changed controls."""
        self.control.delete("/__control").raise_for_status()

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """The newest requests, oldest first, of one path (with its prefix) if given."""
        asked = {"path": path} if path else {}
        told = self.control.get("/__requests", params=asked).raise_for_status().json()
        found: list[dict[str, Any]] = told["requests"]
        return found

    def counts(self) -> dict[str, int]:
        """How many requests there were, by method and route: `{"GET /us/users": 12, …}`."""
        asked = {"path": "nothing"}  # the counts are of all requests in any case
        told = self.control.get("/__requests", params=asked).raise_for_status().json()
        counted: dict[str, int] = told["counts"]
        return counted

    def forget_requests(self) -> None:
        """Starts a new list of requests."""
        self.control.delete("/__requests").raise_for_status()

    def someone(self, role: str = "owner", account: str = "harbor-prod") -> str:
        """The e-mail address of somebody who has that role in that account."""
        if account not in self.people:
            self.people[account] = self.truth(account)["members"]
        there = self.people[account]
        return next(str(p["email"]) for p in there if p["role"] == role and not p["invited"])

    def api_key(self, account: str = "harbor-prod") -> str:
        """The account's API key, as the sandbox announces it."""
        start = f"API key of {account}"
        return next(li.rpartition(" ")[2] for li in self.announced if li.startswith(start))

    def decide(
        self,
        authorize_url: str,
        email: str,
        account: str = "harbor-prod",
        decision: str = "authorize",
    ) -> str:
        """Walks through the vendor's pages as that person; returns where they are sent back to.

        Raises AssertionError when the pages lead nowhere.
        """
        self.http.cookies.clear()  # nobody is signed in yet
        page = self.http.get(authorize_url, follow_redirects=True)
        number = re.search(r'name="request" value="([^"]+)"', page.text)
        assert number is not None, page.text
        request = {"request": number[1]}
        for path, answer in (
            ("sign-in", {"email": email}),
            ("accounts", {"account": account}),
            ("consent", {"decision": decision}),
        ):
            page = self.http.post(f"/identity/{path}", data=request | answer)
            assert page.status_code == 303, page.text
        self.http.cookies.clear()
        return str(page.headers["location"])


@contextmanager
def running(vendor: str = "pagerduty", **options: Any) -> Iterator[Running]:
    """A sandbox for as long as the block lasts; options as in the sandbox's `Options`."""
    simulation = VENDORS[vendor].build(Options(**options))
    listeners = [listen("127.0.0.1", 0) for _ in range(2)]
    base_url, control = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in listeners)
    listening = threading.Event()
    doors = list(zip((simulation.app, simulation.control), listeners, strict=True))
    server = Server(doors, listening.set)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert listening.wait(30), "the sandbox did not start"
    try:
        with (
            httpx2.Client(base_url=base_url, timeout=30) as http,
            httpx2.Client(base_url=control, timeout=30) as strings,
        ):
            lines = simulation.announcement(base_url)
            yield Running(base_url, settings_for(vendor, base_url), http, strings, lines)
    finally:
        server.stop()
        thread.join(10)
        for listener in listeners:
            listener.close()
