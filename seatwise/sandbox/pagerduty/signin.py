"""The pages between "authorize" and the code: sign in, choose the account, allow or deny."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from . import pages
from .grants import Client, Grants
from .people import Account, Person
from .world import World

COOKIE: Final = "pagerduty_sandbox"  # cookies ignore ports: the name must not clash with an app's
UNCACHED: Final = {"cache-control": "no-store"}


@dataclass(slots=True)
class Pending:
    """An authorization request while a person decides about it."""

    client: Client
    redirect_uri: str
    scopes: frozenset[str]
    state: str | None
    challenge: str | None
    session: str = ""
    account: Account | None = None


class Desk:
    """Where people sign in and decide. Nobody needs a password here."""

    def __init__(self, world: World, grants: Grants) -> None:
        self._world, self._grants = world, grants
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
            self._sessions[session] = ""
        pending.session = session
        number = secrets.token_urlsafe(12)
        self._pending[number] = pending
        answer = _go("accounts" if self._sessions[session] else "sign-in", number)
        answer.set_cookie(COOKIE, pending.session, path="/identity", httponly=True, samesite="lax")
        return answer

    async def sign_in(self, request: Request) -> Response:
        """Asks who it is; any e-mail address of either account will do."""
        form = await request.form()
        number, pending = self._find(request, form)
        if pending is None:
            return _lost()
        if request.method == "GET":
            return pages.sign_in(number, pending.client, self._examples())
        email = str(form.get("email", "")).strip().casefold()
        if not self._memberships(email):
            return pages.sign_in(number, pending.client, self._examples(), unknown=email)
        self._sessions[pending.session] = email
        return _go("accounts", number)

    async def choose(self, request: Request) -> Response:
        """Asks which account it is about. The role that counts is the one held there."""
        form = await request.form()
        number, pending = self._find(request, form)
        email = self._sessions[pending.session] if pending else ""
        if pending is None or not email:
            return _lost()
        company = self._world.companies.get(str(form.get("account", "")))
        if request.method == "GET" or company is None:
            accounts = [company.account for company in self._world.companies.values()]
            return pages.accounts(number, pending.client, email, accounts)
        if company.account.member(email) is None:
            return pages.failure(
                "You do not belong to this account",
                f"{email} is no member of {company.account.subdomain}. "
                "Go back and choose another account, or sign in as somebody else.",
                403,
            )
        pending.account = company.account
        return _go("consent", number)

    async def consent(self, request: Request) -> Response:
        """Shows what the app asks for, and takes Authorize or Deny for an answer."""
        form = await request.form()
        number, pending = self._find(request, form)
        account = pending.account if pending else None
        email = self._sessions[pending.session] if pending else ""
        person = account.member(email) if account else None
        if pending is None or account is None or person is None:
            return _lost()
        decision = form.get("decision")
        if request.method == "GET" or decision not in ("authorize", "deny"):
            return pages.consent(number, pending.client, account, person, pending.scopes)
        del self._pending[number]
        return self._decide(pending, account, person, allowed=decision == "authorize")

    def _decide(
        self, pending: Pending, account: Account, person: Person, *, allowed: bool
    ) -> Response:
        if not allowed:
            return send_back(
                pending.redirect_uri,
                error="access_denied",
                error_description="The person denied the request.",
                state=pending.state,
            )
        code = self._grants.allow(
            pending.client,
            account,
            person,
            set(pending.scopes),
            pending.redirect_uri,
            pending.challenge,
        )
        return send_back(pending.redirect_uri, code=code, state=pending.state)

    def _find(self, request: Request, form: FormData) -> tuple[str, Pending | None]:
        """The pending request the page is about, if it belongs to this browser."""
        source: Mapping[str, object] = request.query_params if request.method == "GET" else form
        number = str(source.get("request", ""))
        pending = self._pending.get(number)
        session = request.cookies.get(COOKIE)
        return number, pending if pending and session == pending.session else None

    def _memberships(self, email: str) -> list[Person]:
        found = (company.account.member(email) for company in self._world.companies.values())
        return [person for person in found if person is not None]

    def _examples(self) -> list[tuple[Person, str]]:
        """A short list of people of each role with the account that they belong to, or both."""
        accounts = [company.account for company in self._world.companies.values()]
        listed: dict[str, tuple[Person, str]] = {}
        for account in accounts:
            for person in examples(account):
                both = all(each.member(person.email) for each in accounts)
                where = "both accounts" if both else account.subdomain
                listed.setdefault(person.email, (person, where))
        return list(listed.values())


def examples(account: Account) -> list[Person]:
    """One person of each role of an account, those who may do most first."""
    first: dict[str, Person] = {}
    for person in account.people:
        if not person.invited:
            first.setdefault(person.role, person)
    return [first[role] for role in pages.ROLE_NAMES if role in first]


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
