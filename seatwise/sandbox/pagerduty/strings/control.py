"""The strings behind the vendor: change its behaviour, ask for the truth, see what was asked.

Served at a port of its own and on this machine only; no vendor has such addresses.
"""

import json
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import available_timezones

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...beside import beside
from ..company.world import World
from .controls import Controls
from .truth import truth
from .witness import Record

LARGEST: Final = 4 * 1024 * 1024  # bytes of one post
EARLIEST, LATEST = 1971, 2199  # years that every zone can write, with some to spare


class Strings:
    """The endpoints of the control port."""

    def __init__(self, world: World, controls: Controls, record: Record) -> None:
        self._world, self._controls, self._record = world, controls, record

    def app(self) -> Starlette:
        """The application behind the control port."""
        return Starlette(
            routes=[
                Route("/__control", self.control, methods=["GET", "POST", "DELETE"]),
                Route("/__truth", self.truth),
                Route("/__requests", self.requests, methods=["GET", "DELETE"]),
            ],
            # no page that is open in a browser on this machine may pull the strings
            middleware=[Middleware(TrustedHostMiddleware, ["127.0.0.1", "localhost", "[::1]"])],
        )

    async def control(self, request: Request) -> Response:
        """GET: what is set. POST: faults and controls. DELETE: everything back."""
        if "origin" in request.headers and request.method != "GET":
            return _refusal("no page in a browser may change anything here", 403)
        if request.method == "DELETE":
            self._controls.clear()
            self._world.restore()
            return Response(status_code=204)
        if request.method == "POST":
            try:
                self._controls.script(await _posted(request))
                self._world.amend(self._controls.remove, self._controls.demote)
            except ValueError as wrong:
                return _refusal(str(wrong))
            return _answer(self._controls.describe(), 201)
        return _answer(self._controls.describe())

    async def truth(self, request: Request) -> Response:
        """What is really so in an account, in that zone, now or at that time."""
        asked = request.query_params
        company = self._world.companies.get(asked.get("account", "harbor-prod"))
        zone = asked.get("zone", "UTC")
        if company is None or zone not in available_timezones():
            return _refusal("there is no such account or zone", 404)
        try:
            at = _moment(asked.get("at"))
        except ValueError as wrong:
            return _refusal(f"at {wrong}")
        return _answer(await beside(partial(truth, company, zone, at)))

    async def requests(self, request: Request) -> Response:
        """GET: the record, or what fits `path`, `method` and `since`. DELETE: a new record."""
        if request.method == "DELETE":
            self._record.clear()
            return Response(status_code=204)
        asked = request.query_params
        try:
            since = _moment(asked.get("since"))
        except ValueError as wrong:
            return _refusal(f"since {wrong}")
        path, method = asked.get("path", ""), asked.get("method", "")
        return _answer(self._record.tell(path, since, method))


async def _posted(request: Request) -> Any:
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > LARGEST:
            raise ValueError(f"that is more than {LARGEST:,} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("that is no JSON") from None


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not encoded
    except ValueError:
        raise ValueError("must be an ISO 8601 time") from None
    if at.tzinfo is None:
        raise ValueError("needs a time zone")
    if not EARLIEST <= at.year <= LATEST:
        raise ValueError(f"must be in the years from {EARLIEST} to {LATEST}")
    return at


def _refusal(why: str, status: int = 400) -> Response:
    return _answer({"error": why}, status)


def _answer(body: Any, status: int = 200) -> Response:
    # escaped, so that a scripted body may hold what UTF-8 cannot
    return Response(json.dumps(body), status, media_type="application/json")
