"""Analytics about people, and who may ask analytics what."""

from datetime import datetime, timedelta

import httpx2
import pytest

from tests.sandbox.conftest import App, Reader
from tests.sandbox.test_analytics import MIDNIGHT, OCTOBER, Row, ask, walk
from tests.sandboxes import Running


def test_last_sign_ins_are_the_truth_of_the_last_midnight(reader: Reader, sandbox: Running) -> None:
    told = sandbox.truth(at=(MIDNIGHT - timedelta(seconds=1)).isoformat())
    rows = {row["id"]: row for row in walk(reader, "raw/users", limit=60)}
    assert rows.keys() == {member["id"] for member in told["members"]}
    for member in told["members"]:
        row = rows[member["id"]]
        assert (row["email"], row["role"]) == (member["email"], member["role"])
        last = told["activity"][member["id"]].get("sign_in")
        assert row["last_sign_in_at"] == (last.removesuffix("+00:00") if last else None)
        assert row["signed_up"] == (last is not None)
        assert f"{row['created_at']}+00:00" == told["joined"][member["id"]]
    summed = ask(reader, "metrics/users/all")["data"][0]
    assert summed["total_user_count"] == len(rows)
    assert summed["total_signed_up_count"] == sum(row["signed_up"] for row in rows.values())
    assert 0 < summed["total_signed_up_percentage"] < 100


@pytest.mark.parametrize("column", ["user_id", "name", "email", "created_at", "last_sign_in_at"])
def test_people_come_in_the_wanted_order(reader: Reader, column: str) -> None:
    shown = {"user_id": "id", "name": "user_name"}.get(column, column)
    rows = walk(reader, "raw/users", order="asc", order_by=column, limit=70)
    values = [(row[shown] or "").casefold() for row in rows]
    assert values == sorted(values)
    assert len({row["id"] for row in rows}) == len(rows) == 250
    assert walk(reader, "raw/users", order_by=column, limit=70) == rows[::-1]


def test_people_are_filtered_by_team_role_name_and_age(reader: Reader) -> None:
    rows = walk(reader, "raw/users")
    team = next(row["team_id"] for row in rows if row["team_id"])
    members = {
        user["id"]
        for user in reader.all("/users", "users", **{"team_ids[]": team})
    }  # fmt: skip
    filtered = walk(reader, "raw/users", filters={"team_ids": [team]})
    assert {row["id"] for row in filtered} == members
    some = [row["id"] for row in rows[:5]]
    assert [r["id"] for r in walk(reader, "raw/users", filters={"user_ids": some})] == some
    admins = walk(reader, "raw/users", filters={"role_ids": ["admin"]})
    assert admins == [row for row in rows if row["role"] == "admin"]
    border = "2021-01-01T00:00:00"
    young = walk(reader, "raw/users", filters={"created_at_start": border})
    assert young == [row for row in rows if row["created_at"] >= border]
    zone = {"time_zone": "Asia/Tokyo"}
    moved = walk(reader, "raw/users", **zone)[0]["created_at"]
    assert datetime.fromisoformat(moved) - datetime.fromisoformat(rows[0]["created_at"]) == (
        timedelta(hours=9)
    )


def test_who_is_on_a_schedule_is_whom_the_schedules_name(reader: Reader) -> None:
    named: set[str] = set()
    for row in reader.all("/schedules", "schedules"):
        shown = reader.get(f"/schedules/{row['id']}").json()["schedule"]
        for layer in shown["schedule_layers"]:
            named |= {each["user"]["id"] for each in layer["users"]}
    people = walk(reader, "raw/users")
    assert {row["id"] for row in people if row["on_schedule"]} == named & {
        row["id"] for row in people
    }
    assert any(row["on_escalation_policy"] and not row["on_schedule"] for row in people)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("raw/users", {"limit": 1001}),
        ("raw/users", {"limit": 0}),
        ("raw/users", {"limit": "10"}),
        ("raw/users", {"filters": {"mood": "good"}}),
        ("raw/users", {"filters": ["mood"]}),
        ("raw/users", {"filters": {"team_ids": "PTEAM"}}),
        ("raw/users", {"order": "up"}),
        ("raw/users", {"order_by": "shoe_size"}),
        ("raw/users", {"starting_after": "nonsense"}),
        ("raw/users", {"starting_after": "WyJ1c2VyX2lkIiwxLDJd"}),
        ("raw/users", {"time_zone": "Moon/Crater"}),
        ("raw/users", {"time_zone": 7}),
        ("raw/incidents", {"filters": {"created_at_start": "yesterday"}}),
        ("raw/incidents", {"filters": {"created_at_start": 12}}),
        ("raw/incidents", {"filters": {"urgency": "extreme"}}),
        ("raw/incidents", {"filters": {"major": "yes"}}),
        ("raw/incidents", {"order_by": "total_incident_count"}),
        ("raw/incidents", {"starting_after": "WzFd", "ending_before": "WzFd"}),
        ("metrics/incidents/all", {"aggregate_unit": "fortnight"}),
        ("metrics/incidents/all", {"aggregate_unit": ["day"]}),
        ("metrics/incidents/all", {"filters": {"created_at_start": "2025-01-01T00:00:00Z"}}),
        ("metrics/incidents/all", {"filters": {"min_timeout_escalations": "many"}}),
        ("metrics/responders/all", {"filters": {"service_ids": ["PX"]}}),
    ],
)
def test_a_wrong_question_is_refused(reader: Reader, path: str, body: Row) -> None:
    answer = reader.http.post(f"/analytics/{path}", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


def test_people_must_filter_by_team_or_service(app: App, reader: Reader) -> None:
    scope = "users.read analytics.write"
    token = app.tokens("admin", scope=scope)["access_token"]
    team = reader.all("/teams", "teams")[0]["id"]

    def post(path: str, body: Row, token: str = token) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return app.sandbox.http.post(f"/us/analytics/{path}", json=body, headers=headers)

    for path in ("raw/incidents", "metrics/incidents/all", "metrics/incidents/teams"):
        assert post(path, {"filters": OCTOBER}).status_code == 400
        assert post(path, {"filters": OCTOBER | {"team_ids": []}}).status_code == 400
        narrowed = post(path, {"filters": OCTOBER | {"team_ids": [team]}})
        assert narrowed.status_code == 200, narrowed.text
    assert post("raw/users", {}).status_code == 200
    machine = app.token(
        grant_type="client_credentials", scope="as_account-us.harbor-prod analytics.write"
    ).json()["access_token"]
    assert post("metrics/incidents/all", {"filters": OCTOBER}, machine).status_code == 200
    bare = app.tokens("admin", scope="users.read")["access_token"]
    refused = post("raw/users", {}, bare)
    assert refused.status_code == 403
    assert refused.json()["error"]["required_scopes"] == "analytics.write"


def test_analytics_stops_when_the_days_requests_are_used_up(
    reader: Reader, sandbox: Running
) -> None:
    sandbox.fault(daily_limit=3)
    answers = [reader.http.post("/analytics/raw/users", json={"limit": 1}) for _ in range(4)]
    answers.append(reader.http.post("/analytics/metrics/users/all", json={}))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [a.headers["daily-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0", "0"]
    assert 0 < int(answers[3].headers["daily-ratelimit-reset"]) <= 86_400
    assert reader.get("/users", limit=1).status_code == 200
