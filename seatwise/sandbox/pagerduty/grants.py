"""Who allowed whom to do what: the sandbox's OAuth clients, codes, grants and tokens.

Lives are counted on a clock that only moves forward, never on the simulated companies' clock.
"""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from typing import Final

from .faults import Controls
from .people import Account, Person

DAY: Final = 86_400
CODE_LIFE: Final = 30
SCOPES: Final = {  # what each permission says on the consent page
    "users.read": "Read the people of the account, their roles and teams",
    "licenses.read": "Read the licences and who holds them",
    "abilities.read": "Read what the account's plan can do",
    "incidents.read": "Read incidents, their alerts and their logs",
    "users:notifications.read": "Read the notifications that were sent to people",
    "oncalls.read": "Read who is on call",
    "schedules.read": "Read the on-call schedules",
    "escalation_policies.read": "Read the escalation policies",
    "services.read": "Read the services",
    "teams.read": "Read the teams",
    "audit_records.read": "Read the audit trail of configuration changes",
    "users:sessions.read": "Read when people signed in",
    "oauth_delegations.read": "Read which apps and devices people use",
    "analytics.write": "Run analytics queries (this permission only reads)",
}
CLASSIC_SCOPES: Final = {
    "read": "Read everything that you may read yourself",
    "write": "Read and change everything that you may change yourself",
}


@dataclass(frozen=True, slots=True)
class Client:
    """An app that asks for access, registered with the sandbox."""

    id: str
    secret: str = field(repr=False)
    name: str
    scoped: bool
    access_life: int  # seconds
    refresh_life: int

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
)
CLASSIC: Final = Client(
    id="e2b84d10-63f7-4f7e-b5c9-sandbox-classic",
    secret="classic-sandbox-secret-9z+y/x=w",  # noqa: S106 - opens nothing but the sandbox
    name="Seatwise (classic OAuth)",
    scoped=False,
    access_life=30 * DAY,
    refresh_life=210 * DAY,
)
CLIENTS: Final = {client.id: client for client in (SCOPED, CLASSIC)}


@dataclass(eq=False)
class Grant:
    """One permission somebody gave; all of its tokens live and die with it."""

    client: Client
    account: Account
    person: Person | None  # None: the app acts for itself
    scopes: frozenset[str]
    refresh_token: str | None = field(default=None, repr=False)
    refresh_until: float = 0.0


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
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int


class InvalidGrantError(Exception):
    """The code or refresh token is unknown, used, too old, or somebody else's."""


class Grants:
    """The register of everything that has been allowed."""

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._codes: dict[str, Code] = {}
        self._access: dict[str, tuple[Grant, float]] = {}
        self._refresh: dict[str, Grant] = {}  # dead refresh tokens too, to notice their reuse
        self._revoked: set[int] = set()

    def allow(
        self,
        client: Client,
        account: Account,
        person: Person,
        asked: set[str],
        redirect_uri: str,
        challenge: str | None,
    ) -> str:
        """Notes a person's permission and returns the authorization code for it.

        Scopes nobody knows, and those withheld by a scripted fault, silently vanish.
        """
        scopes = (asked & set(client.scopes)) - self._controls.withhold_scopes
        grant = Grant(client, account, person, frozenset(scopes | {"openid"}))
        life = CODE_LIFE if self._controls.code_ttl is None else self._controls.code_ttl
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(grant, redirect_uri, challenge, time.monotonic() + life)
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
        if time.monotonic() >= found.until:
            raise InvalidGrantError("The authorization code has expired.")
        if redirect_uri != found.redirect_uri:
            raise InvalidGrantError("The redirect_uri is not the one of the authorization request.")
        if not _proves(verifier, found.challenge):
            raise InvalidGrantError("The code_verifier does not match the code_challenge.")
        return self._issue(found.grant)

    def refresh(self, client: Client, token: str) -> Tokens:
        """Exchanges a refresh token for new tokens; the old one is dead from then on.

        Raises InvalidGrantError. A dead token that comes back takes the whole grant with it.
        """
        grant = self._refresh.get(token)
        if grant is None or grant.client is not client or id(grant) in self._revoked:
            raise InvalidGrantError("The refresh token is unknown or was revoked.")
        if token != grant.refresh_token:
            self.revoke(grant)
            raise InvalidGrantError("The refresh token was used before; the grant is revoked.")
        if time.monotonic() >= grant.refresh_until:
            raise InvalidGrantError("The refresh token has expired.")
        return self._issue(grant)

    def act_as(self, client: Client, account: Account, scopes: set[str]) -> Tokens:
        """Tokens for the app itself, without a person and without a refresh token."""
        allowed = frozenset(scopes - self._controls.withhold_scopes)
        return self._issue(Grant(client, account, None, allowed))

    def find(self, token: str) -> Grant | None:
        """The living grant of an access token, or None if it expired or was revoked."""
        grant, until = self._access.get(token, (None, 0.0))
        if grant is None or id(grant) in self._revoked or time.monotonic() >= until:
            return None
        return grant

    def of_token(self, client: Client, token: str) -> Grant | None:
        """The client's grant that an access or refresh token belongs to, dead or alive."""
        grant = self._refresh.get(token) or self._access.get(token, (None, 0.0))[0]
        return grant if grant is not None and grant.client is client else None

    def revoke(self, grant: Grant) -> None:
        """Ends a grant: none of its tokens works from now on."""
        self._revoked.add(id(grant))  # the registers keep the grant, so its id stays its own

    def _issue(self, grant: Grant) -> Tokens:
        life = grant.client.access_life
        if self._controls.token_ttl is not None:
            life = self._controls.token_ttl
        access, refresh = _token("u", grant), None
        self._access[access] = (grant, time.monotonic() + life)
        if grant.person is not None:
            refresh = _token("r", grant)
            grant.refresh_token = refresh
            grant.refresh_until = time.monotonic() + grant.client.refresh_life
            self._refresh[refresh] = grant
        return Tokens(grant, access, refresh, life)


def _token(kind: str, grant: Grant) -> str:
    # on purpose with +, / and =: whoever does not encode form values finds out here
    body = base64.b64encode(secrets.token_bytes(24)).decode()
    return f"pd{grant.account.region}+_0XBPWQQ_{kind}{body}+/="


def _proves(verifier: str | None, challenge: str | None) -> bool:
    if challenge is None or verifier is None:
        return challenge is None and verifier is None
    digest = hashlib.sha256(verifier.encode()).digest()
    made = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return 43 <= len(verifier) <= 128 and hmac.compare_digest(made.encode(), challenge.encode())
