"""What every REST endpoint shares: who may ask, what is wrong with the question, and errors."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

import orjson
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from ...beside import beside
from ..company.account import Account
from ..company.people import Person
from ..company.world import Company
from ..identity.grants import Grants
from ..strings.controls import Controls

MINUTE: Final = 60.0
LARGEST: Final = 1024 * 1024  # bytes of a posted body
CLASSIC: Final = frozenset({"read", "write"})
JSON: Final = "application/json"
Body = dict[str, Any]


class RestError(Exception):
    """An answer that is an error, with the vendor's status, code and message."""

    def __init__(
        self, status: int, code: int, message: str, errors: Sequence[str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.body: Body = {"error": {"message": message, "code": code, "errors": errors}}


@dataclass(frozen=True, slots=True)
class Need:
    """What an endpoint asks of its caller: a scope, a role, something the plan must have.

    `sparing` divides the caller's rate limit; a `daily` one is counted by the day as well. A
    `long` one may have to work out months of history, and so is answered beside the others.
    """

    scope: str | None = None
    roles: frozenset[str] | None = None
    ability: str | None = None
    plans: frozenset[str] | None = None
    sparing: int = 1
    daily: bool = False
    long: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a person through an app, an app for itself, or an API key."""

    company: Company
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
    now: int  # seconds since 1970
    posted: Body = field(default_factory=dict)

    @property
    def account(self) -> Account:
        """The account it is about."""
        return self.company.account

    @property
    def clock(self) -> datetime:
        """The present moment, in UTC."""
        return self.company.clock()


Answer = Callable[[Call], Body | bytes | None]


class Gate:
    """Lets requests to one region through to its endpoints, or says why not."""

    def __init__(self, companies: Iterable[Company], grants: Grants, controls: Controls) -> None:
        self.grants, self.controls = grants, controls
        self._by_key = {company.account.api_key: company for company in companies}
        self._companies = frozenset(self._by_key.values())
        self._counts: dict[tuple[str, int], tuple[float, int]] = {}
        self._today: dict[str, tuple[int, int]] = {}
        self._cleared = controls.cleared

    def endpoint(self, answer: Answer, need: Need) -> Callable[[Request], Any]:
        """An endpoint behind everything it needs."""

        async def respond(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                caller = self._caller(request.headers.get("authorization", ""))
                request.scope["sandbox.account"] = caller.company.account.subdomain
                request.scope["sandbox.user"] = caller.person.id if caller.person else None
                headers = self._count(caller, need)
                self._check(caller, need, request.method)
                posted = await _posted(request) if request.method == "POST" else {}
                company = caller.company
                path = {key: str(value) for key, value in request.path_params.items()}
                call = Call(
                    *(company, caller, request.query_params, path, self.controls, company.now()),
                    posted,
                )
                body = await beside(partial(answer, call)) if need.long else answer(call)
            except asyncio.CancelledError:  # the sandbox stops, and waits for nobody's answer
                return Response(status_code=503)
            except RestError as refusal:
                headers |= refusal.headers
                return Response(orjson.dumps(refusal.body), refusal.status, headers, JSON)
            if body is None:
                return Response(status_code=204, headers=headers)
            if not isinstance(body, bytes):
                body = orjson.dumps(body)
            return Response(body, headers=headers, media_type=JSON)

        return respond

    def _caller(self, authorization: str) -> Caller:
        kind, _, rest = authorization.partition(" ")
        rest = rest.strip()
        if kind.casefold() == "token" and rest.startswith("token="):
            company = self._by_key.get(rest.removeprefix("token="))
            if company is not None:
                return self._active(Caller(company, f"key/{company.account.id}", None, None))
        grant = self.grants.find(rest) if kind.casefold() == "bearer" else None
        if grant is None or grant.company not in self._companies:
            raise refused()
        person = grant.person
        if grant.person_id is not None and person is None:
            raise refused()
        asking = f"{grant.client.id}/{grant.person_id or grant.company.account.id}"
        scopes = grant.scopes - self.controls.revoke_scopes
        return self._active(Caller(grant.company, asking, person, scopes))

    def _active(self, caller: Caller) -> Caller:
        if caller.company.account.subdomain in self.controls.suspended:
            raise RestError(403, 2008, "Account Locked", ["The account is suspended."])
        return caller

    def _count(self, caller: Caller, need: Need) -> dict[str, str]:
        """Counts the request against the caller's minute; the headers that say how it stands."""
        if self._cleared != self.controls.cleared:
            self._cleared = self.controls.cleared
            self._counts.clear()
            self._today.clear()
        limit = max(1, self.controls.rate_limit // need.sparing)
        now, key = time.monotonic(), (caller.name, need.sparing)
        since, count = self._counts.get(key, (now, 0))
        if now - since >= MINUTE:
            since, count = now, 0
        self._counts[key] = (since, count + 1)
        seconds = max(1, round(since + MINUTE - now))
        headers = _limits("", limit, limit - count - 1, seconds)
        if count >= limit:
            raise _too_many(headers)
        if need.daily and self.controls.daily_limit is not None:
            headers |= self._count_daily(caller, self.controls.daily_limit)
        return headers

    def _count_daily(self, caller: Caller, limit: int) -> dict[str, str]:
        """Counts against the account's day, which ends at midnight UTC."""
        name, today = caller.company.account.id, int(time.time()) // 86_400
        day, count = self._today.get(name, (today, 0))
        count = count if day == today else 0
        self._today[name] = (today, count + 1)
        seconds = 86_400 - int(time.time()) % 86_400
        headers = _limits("daily-", limit, limit - count - 1, seconds)
        if count >= limit:
            raise _too_many(headers | _limits("", limit, 0, seconds))
        return headers

    def _check(self, caller: Caller, need: Need, method: str) -> None:
        scopes = caller.scopes
        if scopes is None and method != "GET" and self.controls.read_only_keys:
            raise RestError(403, 2010, "Access Denied", ["This API key may only read."])
        if scopes is not None and need.scope and need.scope not in scopes and not scopes & CLASSIC:
            refusal = RestError(403, 2010, "Token missing required scopes")
            refusal.body["error"] = {
                "message": "Token missing required scopes",
                "required_scopes": need.scope,
                "token_scopes": " ".join(sorted(scopes)),
            }
            raise refusal
        if need.roles and caller.person and caller.person.role not in need.roles:
            raise RestError(403, 2010, "Access Denied", ["Your role may not read this."])
        account, lacking = caller.company.account, self.controls.lack_ability
        has = need.ability is None or (
            need.ability in account.abilities and need.ability not in lacking
        )
        if not has or (need.plans and account.plan not in need.plans):
            raise lacks(need.ability)


def refused() -> RestError:
    """The error for credentials that open nothing here."""
    return RestError(401, 2006, "Authentication failed", ["The credentials are not valid."])


def lacks(ability: str | None) -> RestError:
    """The error for something the account's plan does not have."""
    why = "Account does not have the abilities to perform the action."
    return RestError(402, 2014, why, [ability] if ability else None)


def invalid(why: str) -> RestError:
    """The error for a parameter that cannot be understood."""
    return RestError(400, 2001, "Invalid Input Provided", [why])


def missing() -> RestError:
    """The error for something that does not exist."""
    return RestError(404, 2100, "Not Found")


def included(call: Call, known: frozenset[str]) -> frozenset[str]:
    """What is to be shown whole instead of as a reference (`include[]`)."""
    asked = frozenset(call.params.getlist("include[]"))
    if not asked <= known:
        raise invalid(f"include[] must be one of {', '.join(sorted(known))}.")
    return asked


def among(call: Call, name: str, known: Iterable[str]) -> frozenset[str]:
    """The words of a filter that takes several, each of which must be a known one."""
    asked, known = frozenset(call.params.getlist(name)), frozenset(known)
    if not asked <= known:
        raise invalid(f"{name} must be one of {', '.join(sorted(known))}.")
    return asked


def yes(call: Call, name: str) -> bool:
    """A switch that is off unless it is "true"."""
    text = call.params.get(name, "false")
    if text not in ("true", "false"):
        raise invalid(f"{name} must be true or false.")
    return text == "true"


async def _posted(request: Request) -> Body:
    """The JSON object that came with the request. Raises RestError when it is none."""
    received = b""
    async for piece in request.stream():
        received += piece
        if len(received) > LARGEST:
            raise RestError(413, 2001, "Invalid Input Provided", ["The body is too large."])
    try:
        posted = orjson.loads(received or b"{}")
    except orjson.JSONDecodeError:
        raise invalid("The body is no JSON.") from None
    if not isinstance(posted, dict):
        raise invalid("The body must be an object.")
    return posted


def _limits(prefix: str, limit: int, remaining: int, seconds: int) -> dict[str, str]:
    return {
        f"{prefix}ratelimit-limit": str(limit),
        f"{prefix}ratelimit-remaining": str(max(0, remaining)),
        f"{prefix}ratelimit-reset": str(seconds),
    }


def _too_many(headers: dict[str, str]) -> RestError:
    refusal = RestError(429, 2020, "Rate Limit Exceeded")
    refusal.headers = headers
    return refusal
