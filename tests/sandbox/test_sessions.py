"""Sessions and delegations tell when people signed in, as the truth does."""

from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.sandbox.conftest import NOW, App, Reader
from tests.sandboxes import Running

LIFE = timedelta(days=30)


def created(rows: list[dict[str, Any]]) -> list[datetime]:
    """When the rows were created, in their order."""
    return [datetime.fromisoformat(row["created_at"]) for row in rows]


def delegations(reader: Reader, who: str, **params: Any) -> list[dict[str, Any]]:
    """Everything somebody signed in with, cursor by cursor."""
    rows: list[dict[str, Any]] = []
    while True:
        body = reader.get(f"/users/{who}/oauth_delegations", **params).raise_for_status().json()
        rows += body["oauth_delegations"]
        if not body["more"]:
            assert "next_cursor" not in body
            return rows
        params["cursor"] = body["next_cursor"]


def someone(sandbox: Running) -> str:
    """Somebody who signed in within the last month."""
    activity: dict[str, dict[str, str]] = sandbox.truth()["activity"]
    limit = (NOW - timedelta(days=14)).isoformat()
    return next(who for who, kinds in activity.items() if kinds.get("sign_in", "") > limit)


def test_the_newest_of_both_lists_is_the_last_sign_in(reader: Reader, sandbox: Running) -> None:
    told = sandbox.truth()
    recent = old = never = 0
    for member in told["members"][:60]:
        who = member["id"]
        last = told["activity"][who].get("sign_in")
        rows = delegations(reader, who, limit=100)
        sessions = reader.get(f"/users/{who}/sessions").json()["user_sessions"]
        if last is None:
            never += 1
            assert rows == sessions == []
            continue
        assert created(rows)[0] == datetime.fromisoformat(last)
        active = [at for at in created(rows) if at > NOW - LIFE]
        assert created(sessions) == active
        recent, old = recent + bool(active), old + (not active)
        assert all(row["user_id"] == who for row in sessions)
    assert recent
    assert old
    assert never


def test_invited_people_never_signed_in(reader: Reader, sandbox: Running) -> None:
    invited = [m["id"] for m in sandbox.truth()["members"] if m["invited"]]
    assert invited
    for who in invited[:3]:
        assert reader.get(f"/users/{who}/sessions").json() == {"user_sessions": []}
        assert delegations(reader, who) == []


def test_a_delegation_is_revoked_when_its_session_ends(reader: Reader, sandbox: Running) -> None:
    who = someone(sandbox)
    rows = delegations(reader, who, limit=100)
    for row, at in zip(rows, created(rows), strict=True):
        assert row["status"] == ("issued" if at > NOW - LIFE else "revoked")
        assert datetime.fromisoformat(row["expires_at"]) == at + LIFE
    assert {row["status"] for row in rows} == {"issued", "revoked"}
    for status in ("issued", "revoked"):
        wanted = [row for row in rows if row["status"] == status]
        assert delegations(reader, who, status=status, limit=100) == wanted
    assert delegations(reader, who, status="issued,revoked", limit=100) == rows
    for kind in ("web", "mobile"):
        wanted = [row for row in rows if row["delegation_type"] == kind]
        assert delegations(reader, who, delegation_type=kind, limit=100) == wanted
    assert delegations(reader, who, delegation_type="integration") == []
    assert delegations(reader, who, delegation_type="web,mobile", limit=100) == rows


def test_a_walk_by_cursor_neither_loses_nor_repeats(reader: Reader, sandbox: Running) -> None:
    who = someone(sandbox)
    rows = delegations(reader, who, limit=100)
    assert len(rows) > 7
    assert delegations(reader, who, limit=3) == rows
    assert len({row["id"] for row in rows}) == len(rows)


def test_one_session_and_one_delegation_are_found_by_their_ids(
    reader: Reader, sandbox: Running
) -> None:
    who = someone(sandbox)
    row = reader.get(f"/users/{who}/sessions").json()["user_sessions"][0]
    path = f"/users/{who}/sessions"
    assert reader.get(f"{path}/{row['type']}/{row['id']}").json() == {"user_session": row}
    other = {"browser": "oauth", "oauth": "browser"}[row["type"]]
    assert reader.get(f"{path}/{other}/{row['id']}").status_code == 404
    delegation = delegations(reader, who)[0]
    found = reader.get(f"/users/{who}/oauth_delegations/{delegation['id']}")
    assert found.json() == delegation
    assert reader.get(f"/users/{who}/oauth_delegations/nothing").status_code == 404


@pytest.mark.parametrize(
    "params",
    [
        {"delegation_type": "pigeon"},
        {"status": "issued,lost"},
        {"limit": "0"},
        {"cursor": "xyz"},
        {"cursor": "-1"},
    ],
)
def test_a_wrong_question_is_refused(
    reader: Reader, sandbox: Running, params: dict[str, str]
) -> None:
    answer = reader.get(f"/users/{someone(sandbox)}/oauth_delegations", **params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, 2001)


def test_deleted_people_have_no_sessions(reader: Reader, sandbox: Running) -> None:
    gone = sandbox.truth()["deleted_users"][0]
    for path in ("sessions", "oauth_delegations"):
        assert reader.get(f"/users/{gone}/{path}").status_code == 404
    who = someone(sandbox)
    sandbox.fault(remove=[who])
    assert reader.get(f"/users/{who}/sessions").status_code == 404


def test_each_list_has_a_scope_of_its_own(app: App, sandbox: Running) -> None:
    who = someone(sandbox)
    scopes = {"sessions": "users:sessions.read", "oauth_delegations": "oauth_delegations.read"}
    for path, scope in scopes.items():
        allowed = app.tokens("owner", scope=scope)["access_token"]
        assert app.get(allowed, f"/us/users/{who}/{path}").status_code == 200
        for other in scopes.keys() - {path}:
            refused: httpx2.Response = app.get(allowed, f"/us/users/{who}/{other}")
            assert refused.status_code == 403
            assert refused.json()["error"]["required_scopes"] == scopes[other]
