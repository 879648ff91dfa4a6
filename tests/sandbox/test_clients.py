"""The vendor's own client library gets along with the simulated API."""

from tests.clients import own_client
from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running


def test_the_vendors_client_reads_with_an_api_key(reader: Reader, sandbox: Running) -> None:
    told = sandbox.truth()
    october = next(month for month in told["months"] if month["month"] == "2026-10")
    window = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
    with own_client(sandbox.base_url, reader.key) as client:
        emails = {user["email"] for user in client.iter_all("users")}
        incidents = list(client.iter_all("incidents", params=window))
    assert emails == {member["email"] for member in told["members"]}
    assert len(incidents) == october["incidents"]


def test_the_vendors_client_reads_with_a_bearer_token(app: App, sandbox: Running) -> None:
    token = app.tokens("admin", "harbor-eu")["access_token"]
    with own_client(sandbox.base_url, token, region="eu", kind="bearer") as client:
        assert client.rget("/users/me")["role"] == "admin"
        assert len(client.list_all("users")) == 60
        assert client.get_total("incidents") > 0
