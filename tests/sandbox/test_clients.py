"""The vendor's own client library gets along with the simulated API."""

import httpx2
from pagerduty import RestApiV2Client

from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running


def test_the_vendors_client_reads_with_an_api_key(reader: Reader, sandbox: Running) -> None:
    told = sandbox.truth()
    october = next(month for month in told["months"] if month["month"] == "2026-10")
    window = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    with _client(reader.key, "token", sandbox, "us") as client:
        emails = {user["email"] for user in client.iter_all("users")}
        incidents = list(client.iter_all("incidents", params=window))
    assert emails == {member["email"] for member in told["members"]}
    assert len(incidents) == october["incidents"]


def test_the_vendors_client_reads_with_a_bearer_token(app: App, sandbox: Running) -> None:
    token = app.tokens("admin", "harbor-eu")["access_token"]
    with _client(token, "bearer", sandbox, "eu") as client:
        assert client.rget("/users/me")["role"] == "admin"
        assert len(client.list_all("users")) == 60
        assert client.get_total("incidents") > 0


class _PlainTransport(httpx2.HTTPTransport):
    """Speaks plain HTTP where the client, which accepts https addresses only, asked for TLS."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


def _client(credential: str, kind: str, sandbox: Running, region: str) -> RestApiV2Client:
    base_url = f"{sandbox.base_url}/{region}".replace("http://", "https://")
    return RestApiV2Client(
        credential, auth_type=kind, base_url=base_url, transport=_PlainTransport()
    )
