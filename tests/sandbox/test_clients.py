"""The vendor's own client library gets along with the simulated API."""

from pagerduty import RestApiV2Client

from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running


def _client(credential: str, auth_type: str, base_url: str) -> RestApiV2Client:
    return RestApiV2Client(credential, auth_type=auth_type, base_url=base_url)


def test_the_vendors_client_reads_with_an_api_key(reader: Reader, sandbox: Running) -> None:
    client = _client(reader.key, "token", f"{sandbox.base_url}/us")
    emails = {user["email"] for user in client.iter_all("users")}
    assert emails == {member["email"] for member in sandbox.truth()["members"]}
    window = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    october = next(m for m in sandbox.truth()["months"] if m["month"] == "2026-10")
    assert len(list(client.iter_all("incidents", params=window))) == october["incidents"]


def test_the_vendors_client_reads_with_a_bearer_token(app: App, sandbox: Running) -> None:
    token = app.tokens("admin", "harbor-eu")["access_token"]
    client = _client(token, "bearer", f"{sandbox.base_url}/eu")
    assert client.rget("/users/me")["role"] == "admin"
    assert len(client.list_all("users")) == 60
    assert client.get_total("incidents") > 0
