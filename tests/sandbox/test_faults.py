"""Faults can be scripted, happen exactly as scripted, and are seen in the list of requests."""

import json

import httpx2
import pytest

from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running


def test_a_fault_strikes_as_often_as_wanted_and_where_wanted(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/users", region="us", after=1, times=2, status=503)
    sandbox.fault(path="/users", region="eu", status=500)
    assert [reader.get("/users").status_code for _ in range(4)] == [200, 503, 503, 200]
    assert reader.get("/licenses").status_code == 200


def test_a_scripted_error_carries_the_wanted_headers_and_a_real_body(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/incidents/*", status=429, headers={"Retry-After": "7"})
    answer = reader.get("/incidents/QX/alerts")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["code"] == 2020


@pytest.mark.parametrize("kind", ["html", "truncate", "not_json", "empty"])
def test_a_broken_answer_is_a_whole_answer_for_http(
    reader: Reader, sandbox: Running, kind: str
) -> None:
    sandbox.fault(path="/users", kind=kind)
    answer = reader.get("/users")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-type"].startswith("text/html") == (kind == "html")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_work_can_be_done_and_its_answer_lost(app: App, sandbox: Running) -> None:
    tokens = app.tokens()
    sandbox.fault(path="/oauth/token", region="identity", perform=True, status=502)
    assert app.refresh(tokens["refresh_token"]).status_code == 502
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_answer_can_be_slow(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="slow", delay=0.3)
    answer = reader.get("/users")
    assert answer.elapsed.total_seconds() >= 0.3
    assert len(answer.json()["users"]) == 25


def test_scopes_can_be_taken_away_later(app: App, sandbox: Running) -> None:
    token = app.tokens()["access_token"]
    sandbox.fault(revoke_scopes="licenses.read")
    assert app.get(token, "/us/licenses").status_code == 403
    sandbox.clear_faults()
    assert app.get(token, "/us/licenses").status_code == 200


def test_a_misspelt_fault_is_refused(sandbox: Running) -> None:
    for wrong in ({"path": "/users", "knid": "html"}, {"token_tl": 3}, {"path": "/", "kind": "x"}):
        with pytest.raises(httpx2.HTTPStatusError):
            sandbox.fault(**wrong)


def test_requests_are_listed_without_their_secrets(app: App, sandbox: Running) -> None:
    tokens = app.tokens()
    app.get(tokens["access_token"], "/us/users", limit=7)
    asked = sandbox.requests("/identity/oauth/token")
    assert [(r["method"], r["status"], r["grant_type"]) for r in asked] == [
        ("POST", 200, "authorization_code")
    ]
    assert [r["query"] for r in sandbox.requests("/us/users")] == ["limit=7"]
    listed = json.dumps(sandbox.requests())
    for secret in (tokens["access_token"], app.client.secret, "s+t/a=te", "s%2Bt%2Fa%3Dte"):
        assert secret not in listed
