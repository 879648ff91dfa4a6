"""The simulated vendor for tests: over real HTTP, in a thread of its own, on a free port."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from seatwise.sandbox import VENDORS, Server, listen, settings_for


@dataclass(frozen=True)
class Running:
    """A running sandbox."""

    base_url: str
    settings: dict[str, str]  # as `settings_for`: the scoped client
    http: httpx2.Client  # for requests to any of its addresses
    vendor: str = "pagerduty"
    people: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # seen so far

    def truth(self, account: str = "harbor-prod", zone: str = "UTC") -> dict[str, Any]:
        """What is really so in that account, see the sandbox's `truth`."""
        answer = self.http.get("/__truth", params={"account": account, "zone": zone})
        told: dict[str, Any] = answer.raise_for_status().json()
        return told

    def fault(self, **wanted: Any) -> None:
        """Scripts a fault or changes a control, see the sandbox's `Fault` and `Controls`."""
        self.http.post("/__faults", json=wanted).raise_for_status()

    def clear_faults(self) -> None:
        """Forgets all scripted faults and changed controls."""
        self.http.delete("/__faults").raise_for_status()

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """The requests seen so far, oldest first, of one path (with its prefix) if given."""
        seen: list[dict[str, Any]] = self.http.get("/__requests").json()
        return [request for request in seen if path in ("", request["path"])]

    def forget_requests(self) -> None:
        """Starts a new list of requests."""
        self.http.delete("/__requests").raise_for_status()

    def someone(self, role: str = "owner", account: str = "harbor-prod") -> str:
        """The e-mail address of somebody who has that role in that account."""
        if account not in self.people:
            self.people[account] = self.truth(account)["members"]
        there = self.people[account]
        return next(str(p["email"]) for p in there if p["role"] == role and not p["invited"])

    def api_key(self, account: str = "harbor-prod", **options: Any) -> str:
        """The account's API key, as the sandbox announces it."""
        lines = VENDORS[self.vendor].announcement(self.base_url, **options)
        return next(li.rpartition(" ")[2] for li in lines if li.startswith(f"API key of {account}"))

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
    """A sandbox for as long as the block lasts; options as for the vendor's `build`."""
    listener = listen("127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    listening = threading.Event()
    server = Server(VENDORS[vendor].build(**options), listening.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    assert listening.wait(10), "the sandbox did not start"
    try:
        with httpx2.Client(base_url=base_url, timeout=30) as http:
            yield Running(base_url, settings_for(vendor, base_url), http, vendor)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
