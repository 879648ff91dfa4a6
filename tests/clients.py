"""PagerDuty's own client library, pointed at the simulated vendor: a peer to compare with."""

import httpx2
from pagerduty import OAuthTokenClient, RestApiV2Client


def own_client(
    base_url: str, credential: str, *, region: str = "us", kind: str = "token"
) -> RestApiV2Client:
    """`base_url` is the sandbox's; `kind` is "token" for an API key, or "bearer"."""
    secure = f"{base_url}/{region}".replace("http://", "https://")
    return RestApiV2Client(credential, auth_type=kind, base_url=secure, transport=_PlainTransport())


def own_oauth_client(base_url: str, client_id: str, secret: str) -> OAuthTokenClient:
    """The part of it that obtains tokens."""
    secure = f"{base_url}/identity".replace("http://", "https://")
    return OAuthTokenClient(secret, client_id, base_url=secure, transport=_PlainTransport())


class _PlainTransport(httpx2.HTTPTransport):
    """Speaks plain HTTP where the client, which accepts https addresses only, asked for TLS."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)
