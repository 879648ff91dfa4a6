"""The OAuth client: authorization code with PKCE, an app's own credentials, refresh and revocation
(RFC 6749, 7636, 7009).

No vendor is named here. Nothing in this module retries: a code and a rotating refresh token
are spent by the first request that reaches the vendor, whether or not its answer arrives.
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlencode, urlsplit

from seatwise.connectors.base import OAuthApp
from seatwise.connectors.errors import (
    AppRejected,
    BrokenAnswer,
    ConsentRefused,
    CredentialsRejected,
    RequestRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.http import Answer, Http
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Grant

LONGEST_TOKEN = 16_384  # characters
LONGEST_SCOPE = 200  # characters
LONGEST_LIFE = 10 * 366 * 86_400  # seconds; a longer life is a mistake and counts as unknown


@dataclass(frozen=True, slots=True)
class Begun:
    """A consent that was begun: where to send the person, and what to keep until they return."""

    url: str = field(repr=False)  # carries the state
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def begin(app: OAuthApp, *, redirect_uri: str, scopes: Iterable[str]) -> Begun:
    """A new consent with a state of 256 random bits and a PKCE S256 challenge."""
    state = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(48)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = urlencode(
        {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    joint = "&" if urlsplit(app.authorize_url).query else "?"
    return Begun(f"{app.authorize_url}{joint}{query}", state, verifier)


async def exchange(
    app: OAuthApp,
    *,
    code: str,
    verifier: str,
    redirect_uri: str,
    asked: frozenset[str] = frozenset(),
    patience: Patience | None = None,
) -> Grant:
    """The grant for an authorization code; `asked` stands in where the answer names no scope.

    Raises ConsentRefused (too late, or used already), AppRejected, TryAgainLater, BrokenAnswer.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    answer = await _ask(app, form, patience)
    if _error_of(answer) == "invalid_grant":
        raise ConsentRefused(
            "The authorization took too long or was used already.", status=answer.status
        )
    return _grant(app, answer, asked)


async def refresh(
    app: OAuthApp,
    refresh_token: str,
    *,
    granted: frozenset[str] = frozenset(),
    patience: Patience | None = None,
) -> Grant:
    """A new grant for a refresh token; `granted` stands in where the answer names no scope.

    `refresh_token` of the result is None when the vendor sent none: the old one stays valid.
    Raises CredentialsRejected (the grant is gone), AppRejected, TryAgainLater, BrokenAnswer.
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = await _ask(app, form, patience)
    if _error_of(answer) == "invalid_grant":
        raise CredentialsRejected(
            f"{_vendor(app)} does not accept the refresh token any more: it expired, was revoked"
            " or was used already.",
            status=answer.status,
        )
    return _grant(app, answer, granted)


async def machine(app: OAuthApp, scope: str, *, patience: Patience | None = None) -> Grant:
    """The grant of an app that signs in by its own id and secret (RFC 6749 §4.4); nobody consents.

    These are an admin's input, not the operator's settings, so the words are for that admin.
    Raises ConsentRefused where the scope is not accepted, AppRejected, TryAgainLater, BrokenAnswer.
    """
    answer = await _ask(app, {"grant_type": "client_credentials", "scope": scope}, patience)
    error, vendor = _error_of(answer), _vendor(app)
    if error in ("invalid_scope", "invalid_request"):
        raise ConsentRefused(
            f"{vendor} does not accept what was asked for.",
            status=answer.status,
            remedy="Compare the name of the account and the app's permissions there.",
        )
    if error in ("unauthorized_client", "unsupported_grant_type", "invalid_grant"):
        raise AppRejected(
            f"{vendor} does not let this app sign in by itself.",
            status=answer.status,
            remedy="Whoever manages the app at the vendor allows it to, and makes sure that the"
            " account is not suspended.",
        )
    try:
        grant = _grant(app, answer, frozenset(scope.split()))
    except AppRejected:
        raise AppRejected(
            f"{vendor} does not accept this client id or client secret.",
            status=answer.status,
            remedy="An admin of Seatwise enters the app's client id and client secret again;"
            " whoever manages the app at the vendor has them.",
        ) from None
    return replace(grant, refresh_token=None)  # it can always ask anew


Ended = Literal["confirmed", "refused", "unclear"]


async def end_grant(app: OAuthApp, token: str, *, deadline: float = 10.0) -> Ended:
    """What the vendor says to a revocation; never raises for it. `deadline` is in seconds.

    `refused` is a vendor that has no such address or wants nothing of it: asking again mends
    nothing. `unclear` may be asked again: no answer, a 5xx, or our client was not accepted.
    """
    if app.revoke_url is None:
        return "refused"
    form = {"token": token, "client_id": app.client_id, "client_secret": app.client_secret}
    try:
        async with Http(_vendor(app), app.hosts) as http:
            answer = await http.post_form(
                app.revoke_url, form, endpoint=_path(app.revoke_url), deadline=deadline
            )
    except VendorError:  # a web page with 200 is among them: no confirmation
        return "unclear"
    if answer.status == 200:
        return "confirmed"
    ours = _error_of(answer) in ("invalid_client", "unauthorized_client")
    return "refused" if answer.status in (400, 404, 405, 410, 501) and not ours else "unclear"


async def _ask(app: OAuthApp, form: Mapping[str, str], patience: Patience | None) -> Answer:
    whole = {**form, "client_id": app.client_id, "client_secret": app.client_secret}
    async with Http(_vendor(app), app.hosts, patience=patience) as http:
        return await http.post_form(app.token_url, whole, endpoint=_path(app.token_url))


def _grant(app: OAuthApp, answer: Answer, otherwise: frozenset[str]) -> Grant:
    if answer.status != 200:
        raise _refusal(app, answer)
    data = answer.data if isinstance(answer.data, dict) else {}
    access_token = _token(data.get("access_token"))
    if access_token is None:
        raise BrokenAnswer(f"{_vendor(app)} answered without an access token.", status=200)
    return Grant(
        access_token=access_token,
        refresh_token=_token(data.get("refresh_token")),
        expires_in=_seconds(data.get("expires_in")),
        scopes=_scopes(data.get("scope"), otherwise),
        id_token=_id_token(data.get("id_token")),
    )


def _refusal(app: OAuthApp, answer: Answer) -> VendorError:
    error = _error_of(answer)
    if error in ("invalid_client", "unauthorized_client") or answer.status == 401:
        return AppRejected(
            f"{_vendor(app)} does not accept Seatwise's client id or client secret.",
            status=answer.status,
        )
    if error in ("temporarily_unavailable", "server_error"):
        return TryAgainLater(f"{_vendor(app)} cannot answer now.", status=answer.status)
    if error == "access_denied":
        return ConsentRefused("Access was not allowed.", status=answer.status)
    if answer.status < 400 or not error:
        return BrokenAnswer(
            f"{_vendor(app)} answered {answer.status} without saying why.", status=answer.status
        )
    known = error if error in _STANDARD_ERRORS else "an error of its own"
    return RequestRefused(
        f"{_vendor(app)} refused the authorization ({known}).", status=answer.status
    )


_STANDARD_ERRORS = ("invalid_request", "invalid_scope", "unsupported_grant_type")


def _error_of(answer: Answer) -> str:
    if answer.status < 400 or not isinstance(answer.data, dict):
        return ""
    error = answer.data.get("error")
    return error if isinstance(error, str) else ""


def _token(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TOKEN:
        return None
    return value if value.isascii() and value.isprintable() and " " not in value else None


def _id_token(value: object) -> str | None:
    # One that is there and cannot be used is no missing one: "" proves nothing, and fails.
    return None if value is None else _token(value) or ""


def _seconds(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= LONGEST_LIFE else None


def _scopes(value: object, otherwise: frozenset[str]) -> frozenset[str]:
    # RFC 6749 §5.1: the scope may be left out when it is the one that was asked for.
    if value is None:
        return otherwise
    words = value.split() if isinstance(value, str) else []
    return frozenset(
        word
        for word in words
        if word.isascii() and word.isprintable() and len(word) <= LONGEST_SCOPE
    )


def _vendor(app: OAuthApp) -> str:
    return urlsplit(app.token_url).hostname or "The vendor"


def _path(url: str) -> str:
    return urlsplit(url).path
