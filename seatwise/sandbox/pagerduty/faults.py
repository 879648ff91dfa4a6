"""The sandbox's bad days: scripted faults, and a record of every request that came in.

`POST /__faults` takes one fault or a list, `DELETE /__faults` forgets them all;
`GET /__requests` lists what was asked, `DELETE /__requests` starts a new list.
"""

import asyncio
import json
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KINDS: Final = frozenset({"status", "html", "truncate", "not_json", "empty", "slow"})
REMEMBERED: Final = 20_000  # requests
SECRET: Final = frozenset({"code", "state", "token", "code_challenge", "request", "login_hint"})
MESSAGES: Final[dict[int, tuple[str, int | None]]] = {
    400: ("Invalid Input Provided", 2001),
    401: ("Unauthorized", 2006),
    402: ("Account does not have the abilities to perform the action.", 2014),
    403: ("Access Denied", 2010),
    404: ("Not Found", 2100),
    429: ("Rate Limit Exceeded", 2020),
    500: ("Internal Server Error", 2000),
}
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
MAINTENANCE: Final = "<!doctype html><title>Maintenance</title><h1>We will be back shortly</h1>"


@dataclass
class Fault:
    """Something that goes wrong with some of the requests to a path.

    `path` is without the region and may hold `*`; `after` requests are let through first, then
    `times` go wrong (None: all from then on). With `perform` the work is done all the same and
    only the answer is lost. `delay` is in seconds; "slow" does nothing else.
    """

    path: str
    region: str | None = None  # "us", "eu", "identity"; None: anywhere
    method: str | None = None
    after: int = 0
    times: int | None = 1
    kind: str = "status"
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    perform: bool = False
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of fault: {self.kind}")

    def strikes(self, method: str, region: str, path: str) -> bool:
        """Whether it hits this request, which is counted."""
        asked = self.region in (None, region) and self.method in (None, method)
        if not asked or not fnmatchcase(path, self.path) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Controls:
    """Everything about the sandbox's behaviour that a script can change while it runs."""

    faults: list[Fault] = field(default_factory=list)
    withhold_scopes: set[str] = field(default_factory=set)  # missing in grants from now on
    revoke_scopes: set[str] = field(default_factory=set)  # missing in existing tokens as well
    lack_ability: set[str] = field(default_factory=set)
    code_ttl: float | None = None  # seconds
    token_ttl: int | None = None
    rate_limit: int = 960  # requests a minute

    def add(self, wanted: dict[str, Any]) -> None:
        """Takes one scripted fault as posted. Raises ValueError on anything it does not know."""
        if "path" in wanted:
            unknown = set(wanted) - {f.name for f in fields(Fault)}
            if unknown:
                raise ValueError(f"unknown keys of a fault: {sorted(unknown)}")
            self.faults.append(Fault(**wanted))
            return
        for key, value in wanted.items():
            if key in ("withhold_scopes", "revoke_scopes", "lack_ability"):
                getattr(self, key).update([value] if isinstance(value, str) else value)
            elif key in ("code_ttl", "token_ttl", "rate_limit"):
                setattr(self, key, value)
            else:
                raise ValueError(f"unknown control: {key}")

    def clear(self) -> None:
        """Back to a good day."""
        for item in fields(Controls):
            setattr(self, item.name, getattr(Controls(), item.name))


class Witness:
    """Middleware that records every request and lets the scripted faults happen to it."""

    def __init__(self, app: ASGIApp, controls: Controls, seen: list[dict[str, Any]]) -> None:
        self.app, self.controls, self.seen = app, controls, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith("/__"):
            here = (scope.get("client") or ("", 0))[0] in LOOPBACK
            await (self.app if here else Response(status_code=404))(scope, receive, send)
            return
        record = _record(scope)
        self.seen.append(record)
        del self.seen[:-REMEMBERED]
        region, _, rest = scope["path"].removeprefix("/").partition("/")
        fault = self._fault(scope["method"], region, f"/{rest}")
        answer = _Answer()
        if fault is None or fault.perform or fault.kind in ("truncate", "slow"):
            await self.app(scope, receive, answer.take)
        if fault is not None:
            await asyncio.sleep(fault.delay)
            answer = _spoilt(fault, answer)
        record["grant_type"] = scope.get("sandbox.grant_type")
        record["status"] = answer.status
        await answer.give(send)

    def _fault(self, method: str, region: str, path: str) -> Fault | None:
        faults = self.controls.faults
        return next((fault for fault in faults if fault.strikes(method, region, path)), None)


def routes(controls: Controls, seen: list[dict[str, Any]]) -> list[BaseRoute]:
    """The addresses at which a script changes the sandbox and looks at what it was asked."""

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            controls.clear()
            return Response(status_code=204)
        posted = json.loads(await request.body())
        try:
            for wanted in posted if isinstance(posted, list) else [posted]:
                controls.add(wanted)
        except (ValueError, TypeError, AttributeError) as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse({"faults": len(controls.faults)}, 201)

    async def requests(request: Request) -> Response:
        if request.method == "DELETE":
            seen.clear()
            return Response(status_code=204)
        return JSONResponse(seen)

    return [
        Route("/__faults", faults, methods=["POST", "DELETE"]),
        Route("/__requests", requests, methods=["GET", "DELETE"]),
    ]


class _Answer:
    """A whole answer held back before it is sent."""

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.headers = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
        self.body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    async def give(self, send: Send) -> None:
        kept = [(name, value) for name, value in self.headers if name != b"content-length"]
        if self.status != 204 and self.status >= 200:
            kept.append((b"content-length", str(len(self.body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": kept})
        await send({"type": "http.response.body", "body": self.body})


def _spoilt(fault: Fault, good: _Answer) -> _Answer:
    if fault.kind == "slow":
        return good
    if fault.kind == "truncate":  # complete for HTTP, cut off for JSON
        good.body = good.body[: len(good.body) * 2 // 3]
        return good
    json_type, html_type = {"content-type": "application/json"}, {"content-type": "text/html"}
    if fault.kind == "status":
        bad = _Answer(fault.status, json_type | fault.headers)
        bad.body = json.dumps(fault.body or _error(fault.status)).encode()
        return bad
    bad = _Answer(200, (html_type if fault.kind == "html" else json_type) | fault.headers)
    texts = {"html": MAINTENANCE, "not_json": "upstream connect error", "empty": ""}
    bad.body = texts[fault.kind].encode()
    return bad


def _error(status: int) -> dict[str, Any]:
    message, code = MESSAGES.get(status, ("Service Unavailable", None))
    return {"error": {"message": message, "code": code, "errors": None}}


def _record(scope: Scope) -> dict[str, Any]:
    asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    shown = urlencode([(k, "***" if k in SECRET else v) for k, v in asked])
    return {
        "at": datetime.now(UTC).isoformat(),
        "method": scope["method"],
        "path": scope["path"],
        "query": shown,
        "status": None,
    }
