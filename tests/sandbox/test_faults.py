"""Faults can be scripted, and happen exactly as scripted."""

import time
from typing import Any

import httpx2
import pytest

from seatwise.sandbox.pagerduty.strings.faults import KINDS
from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running

LOST: dict[
    str, dict[str, Any]
] = {  # kinds that lose an answer whose work may be done, each so that the test is quick
    "status": {},
    "rate_limited": {},
    "html": {},
    "not_json": {},
    "empty": {},
    "json": {"body": None},
    "hang": {"delay": 0.05},
    "reset": {},
}
SPOILT = ("truncate", "truncate_length", "truncate_close", "reset_body")  # the work is always done


def test_a_fault_strikes_as_often_as_wanted_and_where_wanted(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/users", region="us", after=1, times=2, status=503)
    sandbox.fault(path="/users", region="eu", status=500)
    assert [reader.get("/users").status_code for _ in range(4)] == [200, 503, 503, 200]
    assert reader.get("/licenses").status_code == 200


def test_every_nth_request_can_go_wrong(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/lic*", after=1, every=3, times=2, status=500)
    seen = [reader.get("/licenses").status_code for _ in range(9)]
    assert seen == [200, 500, 200, 200, 500, 200, 200, 200, 200]


def test_a_fault_can_wait_for_a_method_and_a_piece_of_the_query(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/users", query="offset=25", status=500)
    sandbox.fault(path="/users", method="post", status=502)
    assert reader.get("/users", limit=25, offset=0).status_code == 200
    assert reader.get("/users", limit=25, offset=25).status_code == 500
    assert reader.http.post("/users").status_code == 502


def test_a_fault_that_lasts_some_seconds_counts_them_from_its_first_strike(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/licenses", seconds=0.2, status=503)
    assert reader.get("/users").status_code == 200
    began = time.monotonic()
    seen = [reader.get("/licenses").status_code]
    while 200 not in seen:
        assert time.monotonic() - began < 10
        seen.append(reader.get("/licenses").status_code)
    assert seen[:-1] == [503] * (len(seen) - 1)
    assert len(seen) > 2
    assert time.monotonic() - began >= 0.2


def test_the_same_scenario_brings_the_same_outcomes(reader: Reader, sandbox: Running) -> None:
    scenario: list[dict[str, Any]] = [
        {"rate_limit": 1_000_000},  # other tests of this minute must not be counted in
        {"path": "/users", "every": 2, "times": 3, "status": 429},
        {"path": "/users", "after": 2, "every": 3, "times": None, "kind": "reset"},
        {"path": "*", "after": 4, "kind": "truncate"},
    ]

    def outcomes() -> list[tuple[str, int]]:
        sandbox.clear_faults()
        sandbox.control.post("/__control", json=scenario).raise_for_status()
        return [_outcome(reader) for _ in range(12)]

    first = outcomes()
    assert first == outcomes()
    assert {kind for kind, _ in first} == {"429", "200", "ReadError"}


def test_a_scripted_error_carries_the_wanted_headers_and_a_real_body(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/incidents/*", status=429, headers={"Retry-After": "7"})
    answer = reader.get("/incidents/QX/alerts")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["code"] == 2020
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, 2001), (401, 2006), (402, 2014), (403, 2010), (404, 2100), (408, None), (503, None)],
)
def test_an_error_is_worded_as_the_vendor_words_it(
    reader: Reader, sandbox: Running, status: int, code: int | None
) -> None:
    sandbox.fault(path="/licenses", status=status)
    answer = reader.get("/licenses")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert reader.get("/licenses").status_code == 200


def test_a_rate_limit_and_a_missing_scope_look_like_the_real_ones(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(path="/users", kind="rate_limited", reset=12)
    limited = reader.get("/users")
    assert (limited.status_code, limited.headers["ratelimit-reset"]) == (429, "12")
    assert limited.headers["ratelimit-remaining"] == "0"
    sandbox.fault(path="/users", kind="missing_scope", word="users.read")
    refused = reader.get("/users")
    assert refused.status_code == 403
    assert refused.json()["error"]["required_scopes"] == "users.read"


def test_a_redirect_goes_where_it_is_told(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", status=307, headers={"Location": "http://127.0.0.1:9/"})
    answer = reader.get("/users")
    assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:9/")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(reader: Reader, sandbox: Running, status: int) -> None:
    sandbox.fault(path="/users", status=status)
    answer = reader.get("/users")
    assert (answer.status_code, answer.content) == (status, b"")
    assert reader.get("/users").status_code == 200


@pytest.mark.parametrize("kind", [*LOST, *SPOILT])
def test_work_can_be_done_and_its_answer_lost(app: App, sandbox: Running, kind: str) -> None:
    token = app.tokens()["refresh_token"]
    sandbox.fault(path="/oauth/token", kind=kind, perform=True, **LOST.get(kind, {}))
    assert not _gets_tokens(app, token)
    assert app.refresh(token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", LOST)
def test_work_is_not_done_unless_the_fault_says_so(app: App, sandbox: Running, kind: str) -> None:
    token = app.tokens()["refresh_token"]
    sandbox.fault(path="/oauth/token", kind=kind, **LOST[kind])
    assert not _gets_tokens(app, token)
    assert _gets_tokens(app, token)


def test_a_late_answer_comes_after_the_work_was_done(app: App, sandbox: Running) -> None:
    token = app.tokens()["refresh_token"]
    sandbox.fault(path="/oauth/token", kind="slow", delay=20)
    with pytest.raises(httpx2.ReadTimeout):
        app.sandbox.http.post(
            "/identity/oauth/token",
            data={
                "client_id": app.client.id,
                "client_secret": app.client.secret,
                "grant_type": "refresh_token",
                "refresh_token": token,
            },
            timeout=0.3,
        )
    assert app.refresh(token).json()["error"] == "invalid_grant"


def test_a_code_that_somebody_in_between_redeems_twice_is_lost_with_its_grant(
    app: App, sandbox: Running
) -> None:
    sandbox.fault(path="/oauth/token", kind="twice")
    second = app.redeem(app.code())
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")
    (noted,) = sandbox.requests("/identity/oauth/token")
    assert (noted["status"], noted["grant_type"]) == (400, "authorization_code")


def test_a_refresh_token_that_somebody_in_between_uses_twice_ends_its_grant(
    app: App, sandbox: Running
) -> None:
    tokens = app.tokens()
    sandbox.fault(path="/oauth/token", kind="twice")
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert app.get(tokens["access_token"], "/us/users").status_code == 401


def test_with_some_grace_the_second_answer_is_as_good_as_the_first(
    app: App, sandbox: Running
) -> None:
    token = app.tokens()["refresh_token"]
    sandbox.fault(rotation_grace=600)
    sandbox.fault(path="/oauth/token", kind="twice")
    second = app.refresh(token)
    assert second.status_code == 200, second.text
    assert app.refresh(second.json()["refresh_token"]).status_code == 200


def test_what_is_read_twice_is_read_as_ever_and_counts_twice(
    reader: Reader, sandbox: Running
) -> None:
    before = reader.get("/users", limit=3, offset=2)
    sandbox.fault(path="/users", kind="twice")
    twice, after = (reader.get("/users", limit=3, offset=2) for _ in range(2))
    assert (twice.status_code, twice.json()) == (200, before.json())
    left = [int(answer.headers["ratelimit-remaining"]) for answer in (before, twice, after)]
    assert left == [left[0], left[0] - 2, left[0] - 3]
    assert {each["account"] for each in sandbox.requests("/us/users")} == {"harbor-prod"}
    assert len(sandbox.requests("/us/users")) == 3


def test_a_posted_question_can_come_twice_as_well(reader: Reader, sandbox: Running) -> None:
    question = {"limit": 2, "order": "asc"}
    once = reader.http.post("/analytics/raw/users", json=question)
    sandbox.fault(path="/analytics/*", kind="twice")
    assert reader.http.post("/analytics/raw/users", json=question).json() == once.json()


def test_an_answer_can_be_slow(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(path="/users", kind="slow", delay=0.3)
    answer = reader.get("/users")
    assert answer.elapsed.total_seconds() >= 0.3
    assert len(answer.json()["users"]) == 25


def test_every_answer_can_be_late(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(latency_ms=150)
    for path in ("/users", "/licenses"):
        assert reader.get(path).elapsed.total_seconds() >= 0.15


def test_scopes_can_be_taken_away_later(app: App, sandbox: Running) -> None:
    token = app.tokens()["access_token"]
    sandbox.fault(revoke_scopes="licenses.read")
    assert app.get(token, "/us/licenses").status_code == 403
    sandbox.clear_faults()
    assert app.get(token, "/us/licenses").status_code == 200


def test_every_kind_says_in_a_line_what_it_means() -> None:
    for name, kind in KINDS.items():
        assert kind.meaning, name
        assert "\n" not in kind.meaning, name


def _gets_tokens(app: App, token: str) -> bool:
    try:
        answer = app.refresh(token)
        told = answer.json()
    except (httpx2.TransportError, ValueError):
        return False
    return answer.status_code == 200 and isinstance(told, dict) and "refresh_token" in told


def _outcome(reader: Reader) -> tuple[str, int]:
    try:
        answer = reader.get("/users", limit=3)
    except httpx2.TransportError as error:
        return type(error).__name__, 0
    return str(answer.status_code), len(answer.content)
