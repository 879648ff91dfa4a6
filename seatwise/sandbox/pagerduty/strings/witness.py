"""Stands before the vendor: keeps a record of every request, and lets the faults happen."""

import hashlib
import re
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...wire import Wire
from .controls import Controls
from .faults import Fault, spoil
from .routes import Templates
from .strike import NOTE, Strike

REMEMBERED: Final = 20_000  # requests; all of them are counted
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SHOWN: Final = frozenset(  # parameters whose values are no secrets; any other may hold one
    (
        *("limit", "offset", "cursor", "total", "query", "name", "sort_by", "include", "filter"),
        *("since", "until", "date_range", "time_zone", "earliest", "overflow", "editable"),
        *("team_ids", "user_ids", "service_ids", "schedule_ids", "escalation_policy_ids"),
        *("statuses", "status", "urgencies", "urgency", "incident_key", "alert_key"),
        *("is_overview", "include_next_oncall_for_user", "delegation_type", "method_type"),
        *("root_resource_types", "actions", "actor_type", "actor_id"),
        *("client_id", "response_type", "scope", "code_challenge_method"),
    )
)
NAME: Final = re.compile(r"[A-Za-z_]{1,32}(\[\])?")
MASK: Final = "***"


@dataclass(slots=True)
class Entry:
    """One request, as far as it has got. The credential itself is never kept."""

    at: int  # microseconds since EPOCH
    began: float
    method: str
    path: str
    query: str
    token: str | None
    status: int | None = None
    account: str | None = None
    user: str | None = None
    grant_type: str | None = None
    ms: float | None = None

    def age(self) -> float:
        """Milliseconds since the request came in."""
        return round((time.perf_counter() - self.began) * 1000, 3)

    def describe(self) -> dict[str, Any]:
        """The entry as JSON, with secrets masked."""
        asked = parse_qsl(self.query, keep_blank_values=True)
        known = [(k, v) if k.removesuffix("[]") in SHOWN else (_masked(k), MASK) for k, v in asked]
        return {
            "at": (EPOCH + self.at * MICROSECOND).isoformat(timespec="microseconds"),
            "method": self.method,
            "path": self.path,
            "query": urlencode(known, safe="*"),
            "status": self.status,
            "token": self.token,
            "account": self.account,
            "user": self.user,
            "grant_type": self.grant_type,
            "ms": self.ms,
        }


class Record:
    """The newest requests, and how many there were of each kind."""

    def __init__(self, templates: Templates, remembered: int = REMEMBERED) -> None:
        self._templates = templates
        self._entries: deque[Entry] = deque(maxlen=remembered)
        self._counts: Counter[str] = Counter()

    def begin(self, scope: Scope) -> Entry:
        """Notes a request that has just come in."""
        entry = Entry(
            time.time_ns() // 1000,
            time.perf_counter(),
            scope["method"],
            scope["path"],
            scope["query_string"].decode("latin-1"),
            _fingerprint(scope),
        )
        self._entries.append(entry)
        self._counts[f"{entry.method} {self._templates.of(entry.path)}"] += 1
        return entry

    def tell(
        self, path: str = "", since: datetime | None = None, method: str = ""
    ) -> dict[str, Any]:
        """The requests that fit, oldest first, with the counts of all that there ever were.

        `path` has its region and may hold `*`; `since` has a time zone.
        """
        start = (since - EPOCH) // MICROSECOND if since else 0
        return {
            "requests": [
                entry.describe()
                for entry in self._entries
                if entry.at >= start
                and (not path or fnmatchcase(entry.path, path))
                and method.upper() in ("", entry.method)
            ],
            "counts": dict(sorted(self._counts.items())),
            "total": self._counts.total(),
        }

    def clear(self) -> None:
        """Starts a new record."""
        self._entries.clear()
        self._counts.clear()


class Witness:
    """The vendor's application with its bad days."""

    def __init__(self, app: ASGIApp, controls: Controls, record: Record) -> None:
        self._app, self._controls, self._record = app, controls, record
        self._date = (0, b"")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a good request straight through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        entry = self._record.begin(scope)

        async def give(message: Message) -> None:
            if message["type"] == "http.response.body":
                if not message.get("more_body"):
                    entry.ms = entry.age()
            else:
                entry.status = message["status"]
                entry.account = scope.get("sandbox.account")
                entry.user = scope.get("sandbox.user")
                entry.grant_type = scope.get("sandbox.grant_type")
                if message["type"] == NOTE:
                    return
                message["headers"] = [(b"date", self._today()), *message["headers"]]
            await send(message)

        controls = self._controls
        if controls.latency_ms:
            await Wire.of(scope).pause(controls.latency_ms / 1000)
        fault = self._struck(scope, entry.query) if controls.faults else None
        if fault is None:
            await self._app(scope, receive, give)
        else:
            await spoil(Strike(fault, self._app, scope, receive, give))

    def _struck(self, scope: Scope, query: str) -> Fault | None:
        region, _, rest = scope["path"].removeprefix("/").partition("/")
        asked = (scope["method"], region, f"/{rest}", query)
        return next((fault for fault in self._controls.faults if fault.strikes(*asked)), None)

    def _today(self) -> bytes:
        second = int(time.time() + self._controls.clock_skew)
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True).encode())
        return self._date[1]


def _masked(name: str) -> str:
    """A parameter's name, unless it may be a value that somebody sent without a name."""
    return name if NAME.fullmatch(name) else MASK


def _fingerprint(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            credential = value.split(b" ", 1)[-1].strip().removeprefix(b"token=")
            return hashlib.sha256(credential).hexdigest()[:8]
    return None
