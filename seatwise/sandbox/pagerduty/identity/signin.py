"""The pages between "authorize" and the code: sign in, choose the account, allow or deny."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ..company.people import Person
from ..company.world import Company, World
from . import pages
from .examples import Examples
from .grants import Client, Grants, within

ISSUER: Final = "/identity/global/oauth/anonymous"
STRANGER: Final = "https://identity.other.example"  # an issuer that is not ours
COOKIE: Final = "pagerduty_sandbox"  # cookies ignore ports: the name must not clash with an app's
UNCACHED: Final = {"cache-control": "no-store"}
KEPT: Final = 10_000  # browsers, and requests under way


T = TypeVar("T")


@dataclass(slots=True)
class Pending:
    """An authorization request while a person decides about it."""

    client: Client
    redirect_uri: str
    scopes: frozenset[str]
    state: str | None
    challenge: str | None
    nonce: str | None = None  # comes back in the ID token
    session: str = ""
    company: Company | None = None


class Desk:
    """Where people sign in and decide. Nobody needs a password here."""

    def __init__(self, world: World, grants: Grants, examples: Examples) -> None:
        self._world, self._grants, self._examples = world, grants, examples
        self._pending: dict[str, Pending] = {}
        self._sessions: dict[str, str] = {}  # → e-mail, or "" before somebody has signed in

    def routes(self) -> list[BaseRoute]:
        """The addresses of the pages, below the identity host's prefix."""
        return [
            Route("/sign-in", self.sign_in, methods=["GET", "POST"]),
            Route("/accounts", self.choose, methods=["GET", "POST"]),
            Route("/consent", self.consent, methods=["GET", "POST"]),
            Route("/pages.css", pages.stylesheet),
        ]

    def open(self, request: Request, pending: Pending) -> Response:
        """Starts the way through the pages: to sign-in, or past it if somebody is signed in."""
        session = request.cookies.get(COOKIE, "")
        if session not in self._sessions:
            session = secrets.token_urlsafe(24)
            _remember(self._sessions, session, "")
        pending.session = session
        number = secrets.token_urlsafe(12)
        _remember(self._pending, number, pending)
        answer = _go("accounts" if self._sessions[session] else "sign-in", number)
        answer.set_cookie(COOKIE, pending.session, path="/identity", httponly=True, samesite="lax")
        return answer

    async def sign_in(self, request: Request) -> Response:
        """Asks who it is; any e-mail address of any account will do."""
        form = await request.form()
        number, pending = self._find(request, form)
        if pending is None:
            return _lost()
        email = str(form.get("email", "")).strip().casefold()
        if request.method == "GET" or not self._belongs(email):
            return pages.sign_in(number, pending.client, self._offered(), unknown=email)
        _remember(self._sessions, pending.session, email)
        return _go("accounts", number)

    async def choose(self, request: Request) -> Response:
        """Asks which account it is about. The role that counts is the one held there."""
        form = await request.form()
        number, pending = self._find(request, form)
        email = self._sessions.get(pending.session, "") if pending else ""
        if pending is None or not email:
            return _lost()
        company = self._world.companies.get(str(form.get("account", "")))
        if request.method == "GET" or company is None:
            return pages.accounts(number, pending.client, email, self._choices(email))
        name = company.account.subdomain
        if self._member(company, email) is None:
            return pages.failure(
                "You do not belong to this account",
                f"{email} is no member of {name}. "
                "Go back and choose another account, or sign in as somebody else.",
                403,
            )
        if name in self._grants.controls.suspended:
            return pages.failure(
                "This account is suspended",
                f"Nobody can sign in to {name} until the suspension is lifted. "
                "Go back and choose another account.",
                403,
            )
        pending.company = company
        return _go("consent", number)

    async def consent(self, request: Request) -> Response:
        """Shows what the app asks for, and takes Authorize or Deny for an answer."""
        form = await request.form()
        number, pending = self._find(request, form)
        company = pending.company if pending else None
        email = self._sessions.get(pending.session, "") if pending else ""
        person = self._member(company, email) if company else None
        if pending is None or company is None or person is None:
            return _lost()
        decision = form.get("decision")
        if request.method == "GET" or decision not in ("authorize", "deny"):
            scopes = within(pending.scopes, person.role)
            return pages.consent(number, pending.client, company.account, person, scopes)
        del self._pending[number]
        iss = issuer_told(request, self._grants.controls.iss)
        return self._decide(pending, company, person, iss, allowed=decision == "authorize")

    def _decide(
        self, pending: Pending, company: Company, person: Person, iss: str | None, *, allowed: bool
    ) -> Response:
        if not allowed:
            return send_back(
                pending.redirect_uri,
                error="access_denied",
                error_description="The person denied the request.",
                state=pending.state,
                iss=iss,
            )
        code = self._grants.allow(
            pending.client,
            company,
            person,
            pending.scopes,
            pending.redirect_uri,
            pending.challenge,
            pending.nonce,
        )
        return send_back(pending.redirect_uri, code=code, state=pending.state, iss=iss)

    def _find(self, request: Request, form: FormData) -> tuple[str, Pending | None]:
        """The pending request the page is about, if it belongs to this browser."""
        source: Mapping[str, object] = request.query_params if request.method == "GET" else form
        number = str(source.get("request", ""))
        pending = self._pending.get(number)
        session = request.cookies.get(COOKIE)
        return number, pending if pending and session == pending.session else None

    def _member(self, company: Company, email: str) -> Person | None:
        return company.member(email)

    def _belongs(self, email: str) -> bool:
        return any(self._member(company, email) for company in self._world.companies.values())

    def _choices(self, email: str) -> list[pages.Choice]:
        """Every account, with the role one has there and whether it is suspended."""
        suspended = self._grants.controls.suspended
        return [
            pages.Choice(company.account, self._member(company, email), name in suspended)
            for name, company in self._world.companies.items()
        ]

    def _offered(self) -> list[pages.Offer]:
        """The examples of each account; whoever has several accounts is in the first alone."""
        everywhere = self._world.companies.values()
        offers, shown = list[pages.Offer](), set[str]()
        for company in self._examples.companies:
            here = []
            for person in self._examples.of(company):
                if person.email not in shown:
                    shown.add(person.email)
                    where = sum(self._member(each, person.email) is not None for each in everywhere)
                    here.append((person, where - 1))
            offers.append(pages.Offer(company.account, tuple(here)))
        return offers


def base_of(request: Request) -> str:
    """The address that the request came to, as issuers and audiences are told."""
    return f"{request.url.scheme}://{request.url.netloc}"


def issuer_told(request: Request, which: str) -> str | None:
    """The `iss` that goes back to the app beside the answer (RFC 9207)."""
    return {"own": base_of(request) + ISSUER, "other": STRANGER + ISSUER}.get(which)


def send_back(redirect_uri: str, **answer: str | None) -> Response:
    """Sends the person back to the app with the answer in the address."""
    given = urlencode({key: value for key, value in answer.items() if value is not None})
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{given}", 303, UNCACHED)


def _go(page: str, number: str) -> RedirectResponse:
    return RedirectResponse(f"/identity/{page}?{urlencode({'request': number})}", 303, UNCACHED)


def _lost() -> Response:
    return pages.failure(
        "This page has lost its way",
        "The request is unknown, was answered already, or began in another browser. "
        "Go back to the app and start again.",
    )


def _remember(register: dict[str, T], key: str, value: T) -> None:
    register[key] = value
    while len(register) > KEPT:
        del register[next(iter(register))]
