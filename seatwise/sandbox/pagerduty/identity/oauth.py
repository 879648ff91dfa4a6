"""The identity host: authorize (with its pages), token, revoke, discovery and keys."""

import hmac
import time
from typing import Any, Final
from urllib.parse import urlsplit

from joserfc.jwk import RSAKey
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ..company.world import Company, World
from . import pages
from .examples import Examples
from .grants import CLIENTS, Client, Grants, InvalidGrantError, Tokens
from .signin import ISSUER, Desk, Pending, base_of, issuer_told, send_back
from .spoilt import encoded, spoilt

UNCACHED: Final = {"cache-control": "no-store", "pragma": "no-cache"}
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class OAuthError(Exception):
    """A token request that is answered with an OAuth error."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.answer = {"error": error, "error_description": description}
        self.status = status


class Identity:
    """The identity host of all accounts."""

    def __init__(self, world: World, grants: Grants) -> None:
        self.world, self.grants = world, grants
        self.examples = Examples(world, grants.controls)
        self.desk = Desk(world, grants, self.examples)
        self.key = RSAKey.generate_key(2048, auto_kid=True)

    def routes(self) -> list[BaseRoute]:
        """Every address of the identity host, below its prefix."""
        anonymous = ISSUER.removeprefix("/identity")
        return [
            Route("/oauth/authorize", self.authorize),
            Route("/oauth/token", self.token, methods=["POST"]),
            Route("/oauth/revoke", self.revoke, methods=["POST"]),
            Route(f"{anonymous}/.well-known/openid-configuration", self.discovery),
            Route(f"{anonymous}/.well-known/jwks.json", self.keys),
            *self.desk.routes(),
        ]

    async def authorize(self, request: Request) -> Response:
        """Checks what an app asks for. While the app itself is in doubt, nobody is sent back."""
        asked = request.query_params
        client = CLIENTS.get(asked.get("client_id", ""))
        if client is None:
            return pages.failure("This app is unknown", "No app is registered under its client id.")
        redirect_uri = asked.get("redirect_uri", "")
        if not _registered(redirect_uri):
            return pages.failure(
                "The return address is not registered",
                "The sandbox sends people back to http://127.0.0.1 and http://localhost only.",
            )
        wrong = _objection(client, asked.multi_items())
        if wrong is not None:
            return send_back(
                redirect_uri,
                error=wrong[0],
                error_description=wrong[1],
                state=asked.get("state"),
                iss=issuer_told(request, self.grants.controls.iss),
            )
        return self.desk.open(
            request,
            Pending(
                client=client,
                redirect_uri=redirect_uri,
                scopes=frozenset(asked.get("scope", "").split()),
                state=asked.get("state"),
                challenge=asked.get("code_challenge"),
                nonce=asked.get("nonce"),
            ),
        )

    async def token(self, request: Request) -> Response:
        """Hands out tokens for a code, a refresh token, or an app's own credentials."""
        form = await request.form()
        request.scope["sandbox.grant_type"] = _text(form, "grant_type")
        try:
            client = _client(form)
            tokens = self._tokens(client, form)
        except OAuthError as refused:
            return JSONResponse(refused.answer, refused.status, UNCACHED)
        except InvalidGrantError as invalid:
            answer = {"error": "invalid_grant", "error_description": str(invalid)}
            return JSONResponse(answer, 400, UNCACHED)
        grant = tokens.grant
        request.scope["sandbox.account"] = grant.account.subdomain
        request.scope["sandbox.user"] = grant.person_id
        return JSONResponse(self._answer(tokens, base_of(request)), headers=UNCACHED)

    async def revoke(self, request: Request) -> Response:
        """Ends the grant a token belongs to; an unknown token is no error (RFC 7009)."""
        form = await request.form()
        client = CLIENTS.get(_text(form, "client_id"))
        if client is None or _text(form, "client_secret") not in ("", client.secret):
            return JSONResponse({"error": "invalid_client"}, 401)
        grant = self.grants.of_token(client, _text(form, "token"))
        if grant is not None:
            self.grants.revoke(grant)
        return Response(status_code=200)

    async def discovery(self, request: Request) -> Response:
        """Where everything is, in OpenID's words."""
        base = base_of(request)
        return JSONResponse(
            {
                "issuer": base + ISSUER,
                "authorization_endpoint": f"{base}/identity/oauth/authorize",
                "token_endpoint": f"{base}/identity/oauth/token",
                "jwks_uri": f"{base}{ISSUER}/.well-known/jwks.json",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    async def keys(self, _request: Request) -> Response:
        """The public key that ID tokens are signed with."""
        public = self.key.as_dict(private=False)
        return JSONResponse({"keys": [public | {"use": "sig", "alg": "RS256"}]})

    def _tokens(self, client: Client, form: FormData) -> Tokens:
        kind = _text(form, "grant_type")
        if kind == "authorization_code":
            verifier = _text(form, "code_verifier") or None
            code, redirect_uri = _text(form, "code"), _text(form, "redirect_uri")
            return self.grants.redeem(client, code, redirect_uri, verifier)
        if kind == "refresh_token":
            return self.grants.refresh(client, _text(form, "refresh_token"))
        if kind == "client_credentials":
            return self._act_as(client, _text(form, "scope").split())
        raise OAuthError("unsupported_grant_type", f"Unknown grant_type: {kind or 'missing'}")

    def _act_as(self, client: Client, asked: list[str]) -> Tokens:
        if not client.scoped:
            raise OAuthError("unauthorized_client", "Classic apps cannot act for themselves.")
        scopes = frozenset(word for word in asked if not word.startswith("as_account-"))
        named = [self._named(word) for word in asked if word.startswith("as_account-")]
        company = named[0] if len(named) == 1 else None
        if company is None or not scopes or not scopes <= set(client.scopes) | {"openid"}:
            raise OAuthError("invalid_request", "Invalid scope")
        if company.account.subdomain in self.grants.controls.suspended:
            raise OAuthError("unauthorized_client", "The account is suspended.")
        return self.grants.act_as(client, company, scopes)

    def _named(self, word: str) -> Company | None:
        region, _, subdomain = word.removeprefix("as_account-").partition(".")
        company = self.world.companies.get(subdomain)
        return company if company and company.account.region == region else None

    def _answer(self, tokens: Tokens, base: str) -> dict[str, Any]:
        answer = {
            "client_info": "sandbox_app",
            "token_type": "bearer",
            "access_token": tokens.access_token,
            "scope": " ".join(sorted(tokens.scopes)),
            "expires_in": tokens.expires_in,
        }
        if tokens.refresh_token is not None:
            answer["refresh_token"] = tokens.refresh_token
        spoilt_how = self.grants.controls.id_token
        if spoilt_how != "missing":
            answer["id_token"] = self._id_token(tokens, base, spoilt_how)
        return answer

    def _id_token(self, tokens: Tokens, base: str, how: str) -> str:
        grant, account = tokens.grant, tokens.grant.account
        now = int(time.time() + self.grants.controls.clock_skew)
        some = {"user_id": grant.person_id, "nonce": grant.nonce}
        claims = {
            "iss": base + ISSUER,
            "aud": [grant.client.id, f"{base}/{account.region}"],
            "sub": f"{account.id}|{grant.person_id or grant.client.id}",
            "account_id": account.id,
            "subdomain": account.subdomain,
            "region": account.region,
            "iat": now,
            "exp": now + tokens.expires_in,
        } | {name: value for name, value in some.items() if value}
        return encoded(spoilt(claims, how), self.key, how)


def _registered(redirect_uri: str) -> bool:
    """Whether it is a plain address of this machine, as the sandbox's apps have registered."""
    try:
        parts = urlsplit(redirect_uri)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = not parts.fragment and not parts.username and "#" not in redirect_uri
    return parts.scheme == "http" and parts.hostname in LOOPBACK and plain and port_is_sane


def _objection(client: Client, asked: list[tuple[str, str]]) -> tuple[str, str] | None:
    """The OAuth error and its reason when the request itself is wrong, else None."""
    given = dict(asked)
    if len(given) < len(asked):
        return "invalid_request", "A parameter was sent twice."
    if given.get("response_type") != "code":
        return "unsupported_response_type", "Only response_type=code is offered."
    challenge = given.get("code_challenge")
    if challenge is None and client.scoped:
        return "invalid_request", "PKCE is required: code_challenge is missing."
    if challenge is not None and given.get("code_challenge_method") != "S256":
        return "invalid_request", "code_challenge_method must be S256."
    if challenge is not None and len(challenge) != 43:
        return "invalid_request", "code_challenge is no S256 challenge."
    return None


def _client(form: FormData) -> Client:
    client = CLIENTS.get(_text(form, "client_id"))
    secret = _text(form, "client_secret")
    if client is None or not hmac.compare_digest(secret.encode(), client.secret.encode()):
        raise OAuthError("invalid_client", "Client authentication failed.", 401)
    return client


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""
