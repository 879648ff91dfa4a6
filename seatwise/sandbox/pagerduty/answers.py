"""What every REST endpoint shares: who is asking, errors, pages, and how times are read."""

import calendar
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .faults import Controls
from .grants import Grants
from .people import READS_LICENSES, Account, Person
from .world import Company

DEEPEST: Final = 10_000
MINUTE: Final = 60.0
Body = dict[str, Any]


class RestError(Exception):
    """An answer that is an error, with the vendor's status, code and message."""

    def __init__(
        self, status: int, code: int, message: str, errors: Sequence[str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Body = {"error": {"message": message, "code": code, "errors": errors}}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a person through an app, an app for itself, or an API key."""

    name: str  # what the rate limit is counted by
    person: Person | None
    scopes: frozenset[str] | None  # None: an API key, which may read everything


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one account, already allowed."""

    company: Company
    caller: Caller
    params: QueryParams
    path: dict[str, str]
    controls: Controls
    now: datetime

    @property
    def account(self) -> Account:
        """The account it is about."""
        return self.company.account


Answer = Callable[[Call], Body | None]


class Gate:
    """Lets a request through to an endpoint, or says why not."""

    def __init__(self, company: Company, grants: Grants, controls: Controls) -> None:
        self.company, self.grants, self.controls = company, grants, controls
        self._counts: dict[str, tuple[float, int]] = {}

    def endpoint(
        self, answer: Answer, scope: str | None = None, leaders_only: bool = False
    ) -> Callable[[Request], Any]:
        """An endpoint that needs the scope, and if so wanted an owner or admin."""

        async def respond(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                caller = self._caller(request.headers.get("authorization", ""))
                headers = self._count(caller)
                self._check(caller, scope, leaders_only)
                call = Call(
                    self.company,
                    caller,
                    request.query_params,
                    {key: str(value) for key, value in request.path_params.items()},
                    self.controls,
                    self.company.clock(),
                )
                body = answer(call)
            except RestError as refusal:
                if refusal.status == 429:
                    headers = self._headers(0, MINUTE)
                return JSONResponse(refusal.body, refusal.status, headers)
            if body is None:
                return Response(status_code=204, headers=headers)
            return JSONResponse(body, headers=headers)

        return respond

    def _caller(self, authorization: str) -> Caller:
        kind, _, rest = authorization.partition(" ")
        if kind == "Token" and rest.strip() == f"token={self.company.account.api_key}":
            return Caller("key", None, None)
        grant = self.grants.find(rest.strip()) if kind.casefold() == "bearer" else None
        if grant is None or grant.account is not self.company.account:
            raise RestError(401, 2006, "Authentication failed", ["The credentials are not valid."])
        asking = grant.person.id if grant.person else "app"
        scopes = grant.scopes - self.controls.revoke_scopes
        return Caller(f"{grant.client.id}/{asking}", grant.person, scopes)

    def _count(self, caller: Caller) -> dict[str, str]:
        now = time.monotonic()
        since, count = self._counts.get(caller.name, (now, 0))
        if now - since >= MINUTE:
            since, count = now, 0
        self._counts[caller.name] = (since, count + 1)
        if count >= self.controls.rate_limit:
            raise RestError(429, 2020, "Rate Limit Exceeded")
        return self._headers(self.controls.rate_limit - count - 1, since + MINUTE - now)

    def _headers(self, remaining: int, seconds: float) -> dict[str, str]:
        return {
            "ratelimit-limit": str(self.controls.rate_limit),
            "ratelimit-remaining": str(remaining),
            "ratelimit-reset": str(max(1, round(seconds))),
        }

    def _check(self, caller: Caller, scope: str | None, leaders_only: bool) -> None:
        allowed = caller.scopes is None or scope is None or scope in caller.scopes
        if not allowed and not (caller.scopes or frozenset()) & {"read", "write"}:
            refusal = RestError(403, 2010, "Token missing required scopes")
            refusal.body["error"] = {
                "message": "Token missing required scopes",
                "required_scopes": scope,
                "token_scopes": " ".join(sorted(caller.scopes or ())),
            }
            raise refusal
        if leaders_only and caller.person and caller.person.role not in READS_LICENSES:
            raise RestError(403, 2010, "Access Denied", ["Your role may not read this."])


def page(call: Call, name: str, count: int, rows: Callable[[int, int], list[Body]]) -> Body:
    """A classic page: `rows(offset, limit)` under `name`, with limit, offset, more and total."""
    limit, offset = _number(call, "limit", 25, 1), _number(call, "offset", 0, 0)
    limit = min(limit, 100)
    if offset + limit > DEEPEST:
        why = f"Offset must be less than {DEEPEST + 1 - limit}."
        raise RestError(400, 2002, "Arguments Caused Error", [why])
    return {
        name: rows(offset, limit),
        "limit": limit,
        "offset": offset,
        "more": offset + limit < count,
        "total": count if call.params.get("total") == "true" else None,
    }


def zone(call: Call) -> tzinfo | None:
    """The zone asked for with `time_zone`, or None."""
    name = call.params.get("time_zone")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid(f"Time zone {name} is unknown.") from None


def moment(call: Call, name: str) -> datetime | None:
    """A time parameter in UTC; a bare time is in the account's zone. Missing: None."""
    text = call.params.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=zone(call) or ZoneInfo(call.account.time_zone))
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RestError(400, 2004, "Invalid Date Range", [f"{name} is no date."]) from None


def window(call: Call, months: int | None, default: bool = True) -> tuple[datetime, datetime]:
    """The window [since, until) asked for, at most so many months; by default the last month."""
    since, until = moment(call, "since"), moment(call, "until")
    if not default and (since is None or until is None):
        raise RestError(400, 2004, "Invalid Date Range", ["since and until are required."])
    if since is None:
        until = until or call.now
        since = months_after(until, -1)
    until = until or months_after(since, 1)
    if since > until:
        raise RestError(400, 2004, "Invalid Date Range", ["since must not be after until."])
    if months is not None and until > months_after(since, months):
        why = f"The range must not exceed {months} months."
        raise RestError(400, 2005, "Date Range Too Large", [why])
    return since, until


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last day that month has."""
    index = at.year * 12 + at.month - 1 + months
    if not 12 <= index < 12 * 9999:
        raise RestError(400, 2004, "Invalid Date Range", ["The year is out of range."])
    year, month = index // 12, index % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def stamp(at: datetime, where: tzinfo | None = None) -> str:
    """A time as the API writes it: Z, or an offset where a zone was asked for."""
    if where is None:
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return at.astimezone(where).isoformat(timespec="seconds")


def invalid(why: str) -> RestError:
    """The error for a parameter that cannot be understood."""
    return RestError(400, 2001, "Invalid Input Provided", [why])


def missing() -> RestError:
    """The error for something that does not exist."""
    return RestError(404, 2100, "Not Found")


def _number(call: Call, name: str, default: int, least: int) -> int:
    text = call.params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
        raise invalid(f"{name} must be a whole number of at least {least}.")
    return int(text)
