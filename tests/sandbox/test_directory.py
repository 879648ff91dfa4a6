"""Services, teams, escalation policies and schedules over HTTP."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.sandbox.conftest import NOW, App, Reader
from tests.sandboxes import Running, running

LISTS = ("services", "teams", "escalation_policies", "schedules")
PARTS = ["schedule_layers", "overrides_subschedule", "final_schedule"]
MONTH = {"since": "2026-10-15T00:00:00Z", "until": "2026-11-15T00:00:00Z"}


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_a_list_are_in_order_and_lose_nothing(reader: Reader, name: str) -> None:
    body = reader.get(f"/{name}", limit=100, total="true").json()
    assert body["total"] == len(body[name]) > 5
    walked: list[dict[str, Any]] = []
    while len(walked) < body["total"]:
        part = reader.get(f"/{name}", limit=4, offset=len(walked)).json()
        walked += part[name]
        assert part["more"] == (len(walked) < body["total"])
        assert part["total"] is None
    assert [row["id"] for row in walked] == [row["id"] for row in body[name]]
    names = [row["name"].casefold() for row in walked]
    assert names == sorted(names)


@pytest.mark.parametrize("name", LISTS)
def test_a_thing_by_its_id_is_the_one_of_the_list(reader: Reader, name: str) -> None:
    row = reader.get(f"/{name}").json()[name][1]
    (shown,) = reader.get(f"/{name}/{row['id']}").json().values()
    assert shown | row == shown
    assert reader.get(f"/{name}/PNOTHIN").status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_a_query_looks_into_names(reader: Reader, name: str) -> None:
    everything = reader.get(f"/{name}", limit=100).json()[name]
    word = everything[-1]["name"].upper().split()[0]
    found = reader.get(f"/{name}", query=word, limit=100).json()[name]
    assert found == [row for row in everything if word in row["name"].upper()]
    assert reader.get(f"/{name}", query="no such name").json()[name] == []


@pytest.mark.parametrize("name", ["services", "escalation_policies", "schedules"])
def test_the_things_of_a_team_are_found_by_it(reader: Reader, name: str) -> None:
    everything = reader.get(f"/{name}", limit=100).json()[name]
    team = everything[0]["teams"][0]["id"]
    found = reader.get(f"/{name}", **{"team_ids[]": team, "limit": 100}).json()[name]
    mine = [row for row in everything if team in {each["id"] for each in row["teams"]}]
    assert found == mine


def test_lists_can_be_turned_round(reader: Reader) -> None:
    forwards = reader.get("/services", sort_by="name:asc", limit=100).json()["services"]
    assert (
        reader.get("/services", sort_by="name:desc", limit=100).json()["services"]
        == (forwards[::-1])
    )
    assert reader.get("/services", sort_by="age").status_code == 400


def test_a_service_is_found_by_its_exact_name(reader: Reader) -> None:
    name = reader.get("/services").json()["services"][3]["name"]
    found = reader.get("/services", name=name).json()["services"]
    assert [row["name"] for row in found] == [name]
    assert reader.get("/services", name=name[:-1]).json()["services"] == []


def test_the_status_of_a_service_follows_from_its_open_incidents(reader: Reader) -> None:
    wanted = {"date_range": "all", "statuses[]": ["triggered", "acknowledged"]}
    worst = {}
    for row in reader.all("/incidents", "incidents", **wanted):
        if row["status"] == "triggered" or row["service"]["id"] not in worst:
            worst[row["service"]["id"]] = row["status"]
    words = {"triggered": "critical", "acknowledged": "warning"}
    services = reader.all("/services", "services")
    assert {row["id"]: row["status"] for row in services} == {
        row["id"]: words.get(worst.get(row["id"], ""), "active") for row in services
    }
    assert len({row["status"] for row in services}) > 1


def test_a_service_knows_its_latest_incident(reader: Reader) -> None:
    latest = {}
    window = {"since": "2026-08-01T00:00:00Z", "until": NOW.isoformat()}
    for row in reader.all("/incidents", "incidents", **window):
        latest[row["service"]["id"]] = row["created_at"]
    for row in reader.all("/services", "services"):
        assert row["last_incident_timestamp"] == latest[row["id"]]


def test_services_have_support_hours_only_where_the_plan_has_them(
    sandbox: Running, reader: Reader
) -> None:
    kinds = Counter(
        row["incident_urgency_rule"]["type"] for row in reader.all("/services", "services")
    )
    assert set(kinds) == {"constant", "use_support_hours"}
    sandbox.fault(lack_ability=["service_support_hours"])
    for row in reader.all("/services", "services"):
        assert row["incident_urgency_rule"]["type"] == "constant"
        assert row["support_hours"] is None


def test_members_of_teams_are_the_people_who_say_they_belong(reader: Reader) -> None:
    people = reader.all("/users", "users")
    for team in reader.all("/teams", "teams"):
        members = reader.all(f"/teams/{team['id']}/members", "members")
        theirs = [p for p in people if team["id"] in {each["id"] for each in p["teams"]}]
        assert [row["user"]["id"] for row in members] == [p["id"] for p in theirs]
        assert {row["role"] for row in members} <= {"manager", "responder", "observer"}
    whole = reader.get(f"/teams/{team['id']}/members", **{"include[]": "users"}).json()["members"]
    assert whole[0]["user"]["email"]


def test_a_plan_without_teams_says_so(sandbox: Running, reader: Reader) -> None:
    team = reader.get("/teams").json()["teams"][0]["id"]
    sandbox.fault(lack_ability=["teams"])
    for path in ("/teams", f"/teams/{team}", f"/teams/{team}/members"):
        assert reader.get(path).status_code == 402
    assert reader.get("/services", **{"team_ids[]": team}).status_code == 402
    assert reader.get("/services").status_code == 200
    with running(now=NOW, plan="free", users=5, months=1, accounts=1) as small:
        free = Reader(small)
        with free.http:
            assert free.get("/teams").status_code == 402
            assert free.get("/schedules").status_code == 200


def test_a_policy_names_schedules_and_people_who_exist(reader: Reader) -> None:
    people = {row["id"] for row in reader.all("/users", "users")}
    schedules = {row["id"] for row in reader.all("/schedules", "schedules")}
    services = {row["id"]: row for row in reader.all("/services", "services")}
    policies = reader.all("/escalation_policies", "escalation_policies")
    for row in policies:
        targets = [target for rule in row["escalation_rules"] for target in rule["targets"]]
        assert targets
        for target in targets:
            known = people if target["type"] == "user_reference" else schedules
            assert target["id"] in known
        for service in row["services"]:
            assert services[service["id"]]["escalation_policy"]["id"] == row["id"]
    assert sum(len(row["services"]) for row in policies) == len(services)
    somebody = next(t["id"] for t in targets if t["type"] == "user_reference")
    found = reader.all("/escalation_policies", "escalation_policies", **{"user_ids[]": somebody})
    assert policies[-1]["id"] in {row["id"] for row in found}


def test_includes_of_services_and_policies_show_things_whole(reader: Reader) -> None:
    wanted = ["escalation_policies", "teams", "integrations", "auto_pause_notifications_parameters"]
    service = reader.get("/services", **{"include[]": wanted}).json()["services"][0]
    assert service["escalation_policy"]["escalation_rules"]
    assert service["teams"][0]["name"]
    assert service["integrations"][0]["name"]
    path = f"/escalation_policies/{service['escalation_policy']['id']}"
    include = {"include[]": ["services", "teams", "targets"]}
    policy = reader.get(path, **include).json()["escalation_policy"]
    assert policy["services"][0]["status"]
    assert policy["escalation_rules"][0]["targets"][0]["time_zone"]
    assert reader.get(path, **{"include[]": "people"}).status_code == 400


def test_a_schedule_of_a_window_agrees_with_the_on_calls(reader: Reader) -> None:
    for row in reader.all("/schedules", "schedules"):
        path = f"/schedules/{row['id']}"
        shown = reader.get(path, **MONTH, overflow="true", time_zone="UTC").json()["schedule"]
        entries = [
            (each["start"], each["end"], each["user"]["id"])
            for each in shown["final_schedule"]["rendered_schedule_entries"]
            if each["user"]["html_url"]
        ]
        asked = {"schedule_ids[]": row["id"], "time_zone": "UTC", **MONTH}
        on_call = reader.all("/oncalls", "oncalls", **asked)
        assert entries == [(each["start"], each["end"], each["user"]["id"]) for each in on_call]


def test_the_layers_and_the_overrides_together_are_the_final_schedule(reader: Reader) -> None:
    overridden = 0
    for row in reader.all("/schedules", "schedules", **MONTH, **{"include[]": PARTS}):
        parts = [_entries(layer) for layer in row["schedule_layers"]]
        overrides, final = _entries(row["overrides_subschedule"]), _entries(row["final_schedule"])
        borders = sorted({at for part in (*parts, overrides, final) for e in part for at in e[:2]})
        for start, end in pairwise(borders):
            middle = start + (end - start) / 2
            planned = next(
                (who for part in (overrides, *parts) if (who := _at(part, middle))), None
            )
            assert planned == _at(final, middle)
        overridden += len(overrides)
        path = f"/schedules/{row['id']}/overrides"
        listed = reader.get(path, **MONTH).json()["overrides"]
        assert _entries({"rendered_schedule_entries": listed}) == overrides
    assert overridden > 3


def test_entries_are_cut_at_the_window_unless_they_may_overflow(reader: Reader) -> None:
    path = _covered(reader)
    window = {"since": "2026-11-10T00:00:00Z", "until": "2026-11-10T12:00:00Z"}
    cut = reader.get(path, **window).json()["schedule"]["final_schedule"]
    since, until = (datetime.fromisoformat(at) for at in window.values())
    first, *_ = _entries(cut)
    assert first[0] >= since
    assert max(end for _, end, _ in _entries(cut)) <= until
    assert 0 < cut["rendered_coverage_percentage"] <= 100
    whole = reader.get(path, **window, overflow="true").json()["schedule"]["final_schedule"]
    assert _entries(whole)[0][0] < since
    assert whole["rendered_coverage_percentage"] == cut["rendered_coverage_percentage"]


def test_without_a_window_a_schedule_has_no_entries(reader: Reader) -> None:
    path = _covered(reader)
    final = reader.get(path).json()["schedule"]["final_schedule"]
    assert final["rendered_schedule_entries"] == []
    assert final["rendered_coverage_percentage"] is None
    one_end = reader.get(path, since="2026-11-01T00:00:00Z").json()["schedule"]["final_schedule"]
    entries = _entries(one_end)
    assert max(end for _, end, _ in entries) == entries[0][0] + timedelta(days=14)


@pytest.mark.parametrize(
    ("path", "window"),
    [
        ("", {"since": "2026-01-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}),
        ("", {"since": "2026-11-02T00:00:00Z", "until": "2026-11-01T00:00:00Z"}),
        ("/overrides", {}),
        ("/overrides", {"since": "2026-11-02T00:00:00Z"}),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    reader: Reader, path: str, window: dict[str, str]
) -> None:
    schedule = reader.get("/schedules").json()["schedules"][0]["id"]
    assert reader.get(f"/schedules/{schedule}{path}", **window).status_code == 400


def test_the_people_of_a_schedule_are_those_on_call_in_the_window(reader: Reader) -> None:
    schedule = reader.get("/schedules").json()["schedules"][0]["id"]
    users = reader.get(f"/schedules/{schedule}/users", **MONTH).json()["users"]
    on_call = reader.all("/oncalls", "oncalls", **{"schedule_ids[]": schedule}, **MONTH)
    assert {row["id"] for row in users} == {row["user"]["id"] for row in on_call}
    somebody = users[0]["id"]
    asked = {"include_next_oncall_for_user": somebody}
    shown = reader.get(f"/schedules/{schedule}", **asked).json()["schedule"]
    assert shown["next_oncall_for_user"]["user"]["id"] == somebody


def test_somebody_who_was_deleted_still_stands_on_some_schedules(
    sandbox: Running, reader: Reader
) -> None:
    deleted = set(sandbox.truth()["deleted_users"])
    here = {row["id"] for row in reader.all("/users", "users")}
    flawed = 0
    for row in reader.all("/schedules", "schedules", **{"include[]": PARTS}):
        listed = {one["user"]["id"] for layer in row["schedule_layers"] for one in layer["users"]}
        assert listed - here <= deleted
        assert {one["id"] for one in row["users"]} <= here
        flawed += bool(listed - here)
    total = reader.get("/schedules", total="true").json()["total"]
    assert flawed == total // 6
    assert not deleted & {row["user"]["id"] for row in reader.all("/oncalls", "oncalls")}


@pytest.mark.parametrize("name", LISTS)
def test_each_list_needs_its_own_scope(app: App, name: str) -> None:
    token = app.tokens(scope=f"{name}.read")["access_token"]
    for each in LISTS:
        assert app.get(token, f"/us/{each}").status_code == (200 if each == name else 403)


def _covered(reader: Reader) -> str:
    """The address of a schedule that has somebody on call all the time."""
    for row in reader.all("/schedules", "schedules", **MONTH, **{"include[]": "final_schedule"}):
        if row["final_schedule"]["rendered_coverage_percentage"] == 100:
            return f"/schedules/{row['id']}"
    raise AssertionError("every schedule has gaps")


Entry = tuple[datetime, datetime, str]


def _entries(part: dict[str, Any]) -> list[Entry]:
    return [
        (
            datetime.fromisoformat(each["start"]),
            datetime.fromisoformat(each["end"]),
            each["user"]["id"],
        )
        for each in part["rendered_schedule_entries"]
    ]


def _at(entries: list[Entry], moment: datetime) -> str | None:
    return next((who for start, end, who in entries if start <= moment < end), None)
