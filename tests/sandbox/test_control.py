"""The strings behind the sandbox: only whole and sensible posts are taken, and all is counted."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from seatwise.sandbox import VENDORS, Options
from seatwise.sandbox.pagerduty.identity.grants import CLASSIC, SCOPED
from seatwise.sandbox.pagerduty.strings.controls import CONTROLS, SCOPES
from seatwise.sandbox.pagerduty.strings.routes import Templates
from seatwise.sandbox.pagerduty.strings.witness import Record
from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running

ACCOUNTS = ("harbor-prod", "harbor-eu")
USERS = {"path": "/users"}
WRONG: list[tuple[Any, str]] = [
    (7, "was expected"),
    ([[]], "was expected"),
    ({"token_tl": 3}, "'token_tl'"),
    ({"token_ttl": "3"}, "token_ttl must be a whole number"),
    ({"token_ttl": True}, "token_ttl must be a whole number"),
    ({"token_ttl": -1}, "token_ttl must be a whole number"),
    ({"code_ttl": [1]}, "code_ttl must be a number"),
    ({"rate_limit": None}, "rate_limit must be a whole number"),
    ({"rate_limit": 0}, "rate_limit must be a whole number from 1"),
    ({"latency_ms": 60_001}, "latency_ms must be a whole number from 0 to 60,000"),
    ({"rotation": "no"}, "rotation must be true or false"),
    ({"lists": "some"}, "lists must be one of all, half, nobody"),
    ({"demote": {"ada@harbor.example": "boss"}}, "demote must be an object"),
    ({"demote": ["ada@harbor.example"]}, "demote must be an object"),
    ({"remove": [1]}, "remove must be a text or a list of texts"),
    ({"withhold_scopes": {"a": 1}}, "withhold_scopes must be a text or a list"),
    ({"withhold_scopes": ["users.read", "nope"]}, "withhold_scopes names 'nope'; the scopes are"),
    ({"revoke_scopes": "users.raed"}, "revoke_scopes names 'users.raed'; the scopes are"),
    ({"lack_ability": ["nope"]}, "lack_ability names 'nope'; the abilities are"),
    ({"suspended": ["nope"]}, "suspended names 'nope'; the accounts are harbor-eu, harbor-prod"),
    (USERS | {"knid": "html"}, "'knid'"),
    (USERS | {"kind": "htlm"}, "'htlm'"),
    (USERS | {"kind": ["html"]}, "no kind of fault"),
    (USERS | {"kind": "html", "word": "x"}, "of the kind html has no 'word'"),
    (USERS | {"times": 1.5}, "times must be a whole number"),
    (USERS | {"every": 0}, "every must be a whole number from 1"),
    (USERS | {"status": 99}, "status must be a whole number from 200 to 599"),
    (USERS | {"region": "ap"}, "region must be one of us, eu, identity"),
    (USERS | {"delay": -1}, "delay must be a number"),
    (USERS | {"perform": 1}, "perform must be true or false"),
    (USERS | {"headers": {"a": "b\r\nc: d"}}, "headers must be"),
    (USERS | {"headers": {"a b": "c"}}, "headers must be"),
    ({"path": 7}, "path must be a text"),
]


@pytest.mark.parametrize(("posted", "sentence"), WRONG)
def test_a_wrong_post_is_refused_whole_and_in_a_sentence(
    sandbox: Running, posted: Any, sentence: str
) -> None:
    before = sandbox.control.get("/__control").json()
    for wrong in (posted, [{"token_ttl": 5}, USERS, posted]):
        refused = sandbox.control.post("/__control", json=wrong)
        assert refused.status_code == 400
        assert sentence in refused.json()["error"]
    assert sandbox.control.get("/__control").json() == before


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 200_000, b"\xff", b"[" + b" " * 5_000_000 + b"]"]
)
def test_what_is_no_json_or_too_much_is_refused(sandbox: Running, body: bytes) -> None:
    assert sandbox.control.post("/__control", content=body).status_code == 400


def test_what_is_set_can_be_read_and_taken_back(reader: Reader, sandbox: Running) -> None:
    sandbox.clear_faults()
    good = sandbox.control.get("/__control").json()
    assert good["controls"].keys() == CONTROLS.keys()
    assert (good["controls"]["rate_limit"], good["faults"]) == (960, [])
    scripted = [
        {"withhold_scopes": "users.read", "clock_skew": -90},
        USERS | {"kind": "empty", "times": 5},
        {"remove": ["b@harbor.example", "a@harbor.example"], "lists": "half"},
    ]
    sandbox.control.post("/__control", json=scripted).raise_for_status()
    reader.get("/users")
    told = sandbox.control.get("/__control").json()
    changed = {k: v for k, v in told["controls"].items() if v != good["controls"][k]}
    assert changed == {
        "withhold_scopes": ["users.read"],
        "clock_skew": -90,
        "remove": ["a@harbor.example", "b@harbor.example"],
        "lists": "half",
    }
    fault = {"path": "/users", "kind": "empty", "status": 200, "times": 5, "struck": 1}
    assert told["faults"] == [fault]
    sandbox.control.delete("/__control").raise_for_status()
    assert sandbox.control.get("/__control").json() == good


def test_a_name_that_fits_is_known_in_every_control(sandbox: Running) -> None:
    known = {
        "withhold_scopes": ["read", "users.read"],
        "revoke_scopes": ["analytics.write", "write"],
        "lack_ability": ["sso", "teams"],
        "suspended": ["harbor-eu", "harbor-prod"],
    }
    sandbox.fault(**known)
    told = sandbox.control.get("/__control").json()["controls"]
    assert {name: told[name] for name in known} == known


def test_every_scope_that_an_app_may_ask_for_can_be_taken_away() -> None:
    assert {*SCOPED.scopes, *CLASSIC.scopes} == SCOPES


def test_a_scenario_is_refused_for_a_name_that_nobody_knows() -> None:
    script = VENDORS["pagerduty"].build(Options(users=5, months=1, accounts=3)).script
    script([{"lack_ability": "teams", "suspended": "harbor-3"}])
    with pytest.raises(ValueError, match="lack_ability names 'taems'"):
        script([{"lack_ability": "taems"}])


def test_whoever_came_or_went_meanwhile_is_as_before_once_all_is_taken_back(
    reader: Reader, sandbox: Running
) -> None:
    before = {account: sandbox.truth(account) for account in ACCOUNTS}
    other = Reader(sandbox, "harbor-eu")
    with other.http:
        sandbox.fault(churn=7)
        for each in (reader, other):
            each.get("/users")
    for account in ACCOUNTS:
        assert sandbox.truth(account)["members"] != before[account]["members"]
    sandbox.control.delete("/__control").raise_for_status()
    assert {account: sandbox.truth(account) for account in ACCOUNTS} == before
    assert len(reader.all("/users", "users")) == len(before["harbor-prod"]["members"])


def test_a_control_takes_the_place_of_what_it_was(sandbox: Running) -> None:
    sandbox.fault(revoke_scopes=["users.read"])
    sandbox.fault(revoke_scopes=["licenses.read"])
    set_now = sandbox.control.get("/__control").json()["controls"]
    assert set_now["revoke_scopes"] == ["licenses.read"]


@pytest.mark.parametrize("path", ["/__control", "/__truth", "/__requests"])
def test_the_vendors_own_port_knows_nothing_of_the_strings(sandbox: Running, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert sandbox.http.request(method, path).status_code == 404
    assert sandbox.control.get("/us/users").status_code == 404


def test_the_vendors_clock_can_be_wrong(sandbox: Running) -> None:
    sandbox.fault(clock_skew=86_400 * 2)
    date = sandbox.http.get("/us/users").headers.get_list("date")
    assert len(date) == 1
    said = datetime.strptime(date[0], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert 86_400 * 2 - 5 <= (said - datetime.now(UTC)).total_seconds() <= 86_400 * 2 + 5


def test_requests_are_listed_without_their_secrets(app: App, sandbox: Running) -> None:
    tokens = app.tokens()
    app.get(tokens["access_token"], "/us/users", limit=7)
    asked = sandbox.requests("/identity/oauth/token")
    assert [(r["method"], r["status"], r["grant_type"]) for r in asked] == [
        ("POST", 200, "authorization_code")
    ]
    assert [r["query"] for r in sandbox.requests("/us/users")] == ["limit=7"]
    listed = json.dumps(sandbox.control.get("/__requests").json())
    for secret in (tokens["access_token"], app.client.secret, "s+t/a=te", "s%2Bt%2Fa%3Dte"):
        assert secret not in listed


@pytest.mark.parametrize(
    "name",
    [
        *("client_secret", "refresh_token", "access_token", "code_verifier", "code", "state"),
        *("client_assertion", "api_key", "API_Key", "Token", "x", "password", "redirect_uri"),
        *("Limit", "limit[]x", "request", "login_hint"),
    ],
)
def test_a_query_shows_no_value_that_may_be_a_secret(
    reader: Reader, sandbox: Running, name: str
) -> None:
    reader.get("/users", **{name: "s3cr3t/+v", "limit": 3})
    reader.get("/users", **{"limit": 3, "pd_s3cr3t/+v": ""})
    listed = sandbox.control.get("/__requests").text
    assert "s3cr3t" not in listed
    first, second = (request["query"] for request in sandbox.requests("/us/users"))
    assert ("=***" in first, "limit=3" in first) == (True, True)
    assert second == "limit=3&***=***"


def test_what_the_documented_filters_ask_for_is_shown(reader: Reader, sandbox: Running) -> None:
    asked = {
        "offset": "5",
        "query": "ada",
        "team_ids[]": ["PA", "PB"],
        "include[]": "teams",
        "since": "2026-10-01",
        "sort_by": "name:desc",
    }
    reader.get("/users", **asked)
    (request,) = sandbox.requests("/us/users")
    assert parse_qs(request["query"]) == {
        name: value if isinstance(value, list) else [value] for name, value in asked.items()
    }


def test_a_request_says_how_long_it_took_and_whose_credential_it_was(
    reader: Reader, sandbox: Running
) -> None:
    other = Reader(sandbox, "harbor-eu")
    for asking in (reader, reader, other):
        asking.get("/users")
    other.http.close()
    first, second, third = sandbox.requests("/*/users")
    assert first["token"] == second["token"] != third["token"]
    assert all(len(each["token"]) == 8 and each["ms"] > 0 for each in (first, second, third))


def test_the_record_can_be_filtered(reader: Reader, sandbox: Running) -> None:
    reader.get("/users")
    reader.get("/licenses")
    middle = sandbox.requests("/us/licenses")[0]["at"]
    reader.http.post("/users")

    def found(**asked: str) -> list[str]:
        told = sandbox.control.get("/__requests", params=asked).json()
        return [f"{each['method']} {each['path']}" for each in told["requests"]]

    assert found(path="/us/users") == ["GET /us/users", "POST /us/users"]
    assert found(path="/us/l*") == ["GET /us/licenses"]
    assert found(method="post") == ["POST /us/users"]
    assert found(since=middle) == ["GET /us/licenses", "POST /us/users"]
    for wrong in ("yesterday", "2026-10-01T00:00:00", "0001-01-01T00:00:00+14:00"):
        refused = sandbox.control.get("/__requests", params={"since": wrong})
        assert refused.status_code == 400


def test_requests_are_counted_by_route(reader: Reader, sandbox: Running) -> None:
    for path in ("/users/PA", "/users/PB", "/users/me", "/incidents/Q1/alerts", "/no/such/thing"):
        reader.get(path)
    sandbox.http.get("/elsewhere")
    sandbox.fault(path="/users/*", status=500)
    assert reader.get("/users/PC").status_code == 500
    assert sandbox.counts() == {
        "GET /us/users/{id}": 3,
        "GET /us/users/me": 1,
        "GET /us/incidents/{id}/alerts": 1,
        "GET /us/{path}": 1,
        "GET /{path}": 1,
    }
    sandbox.forget_requests()
    assert sandbox.counts() == {}


def test_counts_stay_exact_when_the_record_is_full() -> None:
    record = Record(Templates([]), remembered=10)
    for number in range(25):
        record.begin({"method": "GET", "path": f"/{number}", "query_string": b"", "headers": []})
    told = record.tell()
    assert [each["path"] for each in told["requests"]] == [f"/{n}" for n in range(15, 25)]
    assert (told["counts"], told["total"]) == ({"GET /{path}": 25}, 25)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"account": "harbor-eu", "zone": "Asia/Tokyo"}, 200),
        ({"account": "nobody"}, 404),
        ({"zone": "Moon/Crater"}, 404),
        ({"at": "soon"}, 400),
        ({"at": "2026-10-01T00:00:00"}, 400),
        ({"at": "0001-01-01T00:00:00Z"}, 400),
        ({"at": "9999-12-31T23:59:59-14:00"}, 400),
        ({"at": "1970-12-31T23:59:59Z"}, 400),
        ({"at": "2200-01-01T00:00:00Z"}, 400),
        ({"at": "1971-01-01T00:00:00+14:00", "zone": "America/Los_Angeles"}, 200),
        ({"at": "2199-12-31T23:59:59-12:00", "zone": "Pacific/Kiritimati"}, 200),
    ],
)
def test_the_truth_is_told_of_an_account_and_a_zone(
    sandbox: Running, asked: dict[str, str], status: int
) -> None:
    answer = sandbox.control.get("/__truth", params=asked)
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status != 200)


def test_only_known_methods_work(sandbox: Running) -> None:
    assert sandbox.control.put("/__control", json={}).status_code == 405
    with pytest.raises(httpx2.HTTPStatusError):
        sandbox.control.post("/__requests").raise_for_status()


def test_no_web_page_can_pull_the_strings(sandbox: Running) -> None:
    wanted = {"rate_limit": 1}
    page = sandbox.control.post("/__control", json=wanted, headers={"Origin": "http://evil.test"})
    assert page.status_code == 403
    named = sandbox.control.get("/__truth", headers={"Host": "evil.test"})
    assert named.status_code == 400
    assert sandbox.control.get("/__control").json()["controls"]["rate_limit"] != 1


def test_a_request_is_noted_with_the_account_and_the_person_behind_it(
    app: App, sandbox: Running
) -> None:
    token = app.tokens("admin")["access_token"]
    person = app.get(token, "/us/users/me").json()["user"]["id"]
    app.get("nonsense", "/us/users/me")
    noted, refused = sandbox.requests("/us/users/me")
    assert (noted["account"], noted["user"]) == ("harbor-prod", person)
    assert (refused["account"], refused["user"], refused["status"]) == (None, None, 401)


def test_somebody_is_named_by_their_address_in_any_case_of_letters(sandbox: Running) -> None:
    email = sandbox.someone("observer")
    sandbox.fault(remove=email.upper())
    assert email not in {member["email"] for member in sandbox.truth()["members"]}


def test_taking_everything_back_begins_the_minute_anew(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(rate_limit=2)
    assert [reader.get("/abilities").status_code for _ in range(3)][-1] == 429
    sandbox.clear_faults()
    sandbox.fault(rate_limit=2)
    assert [reader.get("/abilities").status_code for _ in range(3)] == [200, 200, 429]
