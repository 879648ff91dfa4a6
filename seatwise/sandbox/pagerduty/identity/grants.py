"""Who allowed whom to do what: the sandbox's OAuth clients, codes, grants and tokens.

Lives are counted on a clock that only moves forward, never on the simulated companies' clock.
Tokens carry their own facts, so that only grants are kept, and of those the newest.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from ..company.account import Account
from ..company.people import Person
from ..company.world import Company
from ..scopes import CLASSIC_SCOPES, SCOPES
from ..strings.controls import Controls
from .tokens import Seal

DAY: Final = 86_400
YEAR: Final = 365 * DAY
CODE_LIFE: Final = 30
CODES_KEPT: Final = 10_000
GRANTS_KEPT: Final = 50_000
SIBLINGS_KEPT: Final = 64  # refresh tokens of one grant that may still be of use
WRITERS: Final = frozenset({"owner", "admin", "user", "limited_user"})  # may change things


@dataclass(frozen=True, slots=True)
class Client:
    """An app that asks for access, registered with the sandbox."""

    id: str
    secret: str = field(repr=False)
    name: str
    scoped: bool
    access_life: int  # seconds
    refresh_life: int  # seconds, anew with every refresh
    grant_life: int  # seconds from the consent, however often it is refreshed

    @property
    def scopes(self) -> dict[str, str]:
        """The scopes the app may ask for, each with its meaning in words."""
        return SCOPES if self.scoped else CLASSIC_SCOPES


SCOPED: Final = Client(
    id="5f1c7a52-9b0e-4c1d-8a37-sandbox-scoped",
    secret="scoped-sandbox-secret-0a+b/c=d",  # noqa: S106 - opens nothing but the sandbox
    name="Seatwise (scoped OAuth)",
    scoped=True,
    access_life=DAY,
    refresh_life=30 * DAY,
    grant_life=YEAR,
)
CLASSIC: Final = Client(
    id="e2b84d10-63f7-4f7e-b5c9-sandbox-classic",
    secret="classic-sandbox-secret-9z+y/x=w",  # noqa: S106 - opens nothing but the sandbox
    name="Seatwise (classic OAuth)",
    scoped=False,
    access_life=30 * DAY,
    refresh_life=210 * DAY,
    grant_life=3 * YEAR,
)
CLIENTS: Final = {client.id: client for client in (SCOPED, CLASSIC)}


@dataclass
class Refresh:
    """A refresh token: until when it lives, and when it was exchanged for the next one."""

    until: float
    spent: float | None = None


@dataclass(eq=False)
class Grant:
    """One permission somebody gave; all of its tokens live and die with it."""

    client: Client
    company: Company
    person_id: str | None  # None: the app acts for itself
    scopes: frozenset[str]
    until: float  # its hard end, whatever is refreshed
    nonce: str | None = field(default=None, repr=False)  # the app's own mark in the ID token
    number: int = 0
    revoked: bool = False
    serial: int = 0  # of the newest refresh token
    refresh: dict[int, Refresh] = field(default_factory=dict, repr=False)  # by serial

    @property
    def account(self) -> Account:
        """The account it is about."""
        return self.company.account

    @property
    def person(self) -> Person | None:
        """The person it acts for, as of now; None for an app that acts for itself."""
        return self.company.person(self.person_id) if self.person_id else None


@dataclass(eq=False)
class Code:
    """An authorization code: good once, for a short time, for whoever asked for it."""

    grant: Grant
    redirect_uri: str
    challenge: str | None = field(repr=False)
    until: float
    spent: bool = False


@dataclass(frozen=True)
class Tokens:
    """What a client gets: a new access token and, for people's grants, a new refresh token."""

    grant: Grant
    scopes: frozenset[str]
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)  # None also while tokens are not rotated
    expires_in: int


class InvalidGrantError(Exception):
    """The code or refresh token is unknown, used, too old, or somebody else's."""


class Grants:
    """The register of everything that has been allowed. `clock` gives seconds."""

    def __init__(self, controls: Controls, clock: Callable[[], float] = time.monotonic) -> None:
        self.controls, self._clock = controls, clock
        self._seal = Seal()
        self._codes: dict[str, Code] = {}
        self._grants: dict[int, Grant] = {}
        self._issued = 0  # tokens, and grants: no number comes twice

    def allow(
        self,
        client: Client,
        company: Company,
        person: Person,
        asked: frozenset[str],
        redirect_uri: str,
        challenge: str | None,
        nonce: str | None = None,
    ) -> str:
        """Notes a person's permission and returns the authorization code for it.

        Scopes nobody knows, and those withheld by a script, silently vanish.
        """
        scopes = asked & set(client.scopes) - self.controls.withhold_scopes
        now = self._clock()
        scopes |= {"openid"}
        grant = Grant(client, company, person.id, scopes, now + client.grant_life, nonce)
        life = CODE_LIFE if self.controls.code_ttl is None else self.controls.code_ttl
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(grant, redirect_uri, challenge, now + life)
        while len(self._codes) > CODES_KEPT:
            del self._codes[next(iter(self._codes))]
        return code

    def redeem(self, client: Client, code: str, redirect_uri: str, verifier: str | None) -> Tokens:
        """Exchanges a code for tokens; a code that is offered twice loses its grant.

        Raises InvalidGrantError.
        """
        found = self._codes.get(code)
        if found is None or found.grant.client is not client:
            raise InvalidGrantError("The authorization code is unknown.")
        if found.spent:
            self.revoke(found.grant)
            raise InvalidGrantError("The authorization code was used before.")
        found.spent = True
        if self._clock() >= found.until:
            raise InvalidGrantError("The authorization code has expired.")
        if redirect_uri != found.redirect_uri:
            raise InvalidGrantError("The redirect_uri is not the one of the authorization request.")
        if not _proves(verifier, found.challenge):
            raise InvalidGrantError("The code_verifier does not match the code_challenge.")
        self._check(found.grant)
        self._keep(found.grant)
        return self._issue(found.grant, self._next_refresh(found.grant))

    def refresh(self, client: Client, token: str) -> Tokens:
        """Exchanges a refresh token for new tokens; the old one is dead from then on.

        A dead token that comes back takes the whole grant with it, unless a script turned that
        off, or the grace period lets it pass. Raises InvalidGrantError.
        """
        opened = self._seal.open(token)
        grant = self._grants.get(opened.grant) if opened and opened.kind == "r" else None
        if opened is None or grant is None or grant.client is not client or grant.revoked:
            raise InvalidGrantError("The refresh token is unknown or was revoked.")
        known, now = grant.refresh.get(opened.serial), self._clock()
        grace = self.controls.rotation_grace
        if known is None or (known.spent is not None and now >= known.spent + grace):
            if not self.controls.reuse_detection:
                raise InvalidGrantError("The refresh token was used before.")
            self.revoke(grant)
            raise InvalidGrantError("The refresh token was used before; the grant is revoked.")
        if now >= min(known.until, grant.until):
            raise InvalidGrantError("The refresh token has expired.")
        self._check(grant)
        if not self.controls.rotation:
            known.until = now + self._refresh_life(grant)
            return self._issue(grant, None)
        if known.spent is None:
            known.spent = now
        return self._issue(grant, self._next_refresh(grant))

    def act_as(self, client: Client, company: Company, scopes: frozenset[str]) -> Tokens:
        """Tokens for the app itself, without a person and without a refresh token.

        Raises InvalidGrantError when the account is suspended.
        """
        allowed = scopes - self.controls.withhold_scopes
        grant = Grant(client, company, None, allowed, self._clock() + client.grant_life)
        self._check(grant)
        grant.until = self._clock() + self._access_life(grant)
        self._keep(grant)
        return self._issue(grant, None)

    def find(self, token: str) -> Grant | None:
        """The living grant of an access token.

        None if the token expired, was revoked, or its person is gone. A suspended account's
        tokens are found: what becomes of them is for the API to say.
        """
        opened = self._seal.open(token)
        if opened is None or opened.kind != "u" or self._clock() >= opened.until:
            return None
        grant = self._grants.get(opened.grant)
        if grant is None or grant.revoked:
            return None
        return grant if grant.person_id is None or self.person(grant) is not None else None

    def person(self, grant: Grant) -> Person | None:
        """The person a grant acts for, with the role that counts now; None if there is none."""
        return grant.person

    def of_token(self, client: Client, token: str) -> Grant | None:
        """The client's grant that an access or refresh token belongs to, dead or alive."""
        opened = self._seal.open(token)
        grant = self._grants.get(opened.grant) if opened else None
        return grant if grant is not None and grant.client is client else None

    def revoke(self, grant: Grant) -> None:
        """Ends a grant: none of its tokens works from now on."""
        grant.revoked = True
        grant.refresh.clear()

    @property
    def kept(self) -> int:
        """How many grants are remembered; those that are over are forgotten by and by."""
        return len(self._grants)

    def _check(self, grant: Grant) -> None:
        if grant.account.subdomain in self.controls.suspended:
            raise InvalidGrantError("The account is suspended.")
        if grant.person_id is not None and self.person(grant) is None:
            raise InvalidGrantError("The person no longer belongs to the account.")

    def _keep(self, grant: Grant) -> None:
        self._issued += 1
        grant.number = self._issued
        self._grants[grant.number] = grant
        now = self._clock()
        while oldest := next(iter(self._grants.values()), None):
            over = oldest.revoked or oldest.until <= now
            if not over and len(self._grants) <= GRANTS_KEPT:
                return
            del self._grants[oldest.number]

    def _issue(self, grant: Grant, refresh_token: str | None) -> Tokens:
        self._issued += 1
        person, life = self.person(grant), self._access_life(grant)
        if person is not None:
            grant.scopes = within(grant.scopes, person.role)  # for good, even if promoted again
        region, until = grant.account.region, self._clock() + life
        access = self._seal.token("u", region, grant.number, self._issued, until)
        return Tokens(
            grant, grant.scopes - self.controls.revoke_scopes, access, refresh_token, life
        )

    def _next_refresh(self, grant: Grant) -> str:
        grant.serial += 1
        grant.refresh[grant.serial] = Refresh(self._clock() + self._refresh_life(grant))
        while len(grant.refresh) > SIBLINGS_KEPT:
            del grant.refresh[next(iter(grant.refresh))]
        return self._seal.token("r", grant.account.region, grant.number, grant.serial)

    def _access_life(self, grant: Grant) -> int:
        wished = self.controls.token_ttl
        life = grant.client.access_life if wished is None else wished
        return max(0, min(life, ceil(grant.until - self._clock())))

    def _refresh_life(self, grant: Grant) -> float:
        wished = self.controls.refresh_ttl
        return grant.client.refresh_life if wished is None else wished


def within(scopes: frozenset[str], role: str) -> frozenset[str]:
    """The scopes, cut down to what somebody with that role may do: a reader's `write` is `read`."""
    reads = role not in WRITERS and "write" in scopes
    return scopes - {"write"} | {"read"} if reads else scopes


def _proves(verifier: str | None, challenge: str | None) -> bool:
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return 43 <= len(verifier) <= 128 and hmac.compare_digest(made.encode(), challenge.encode())
