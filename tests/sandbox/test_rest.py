"""The simulated REST API pages, limits and refuses as the vendor's does."""

from typing import Any

import httpx2
import pytest
from starlette.datastructures import QueryParams

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company import world
from seatwise.sandbox.pagerduty.company.people import Person
from seatwise.sandbox.pagerduty.company.story import Incident, tell
from seatwise.sandbox.pagerduty.company.world import World
from seatwise.sandbox.pagerduty.rest.answers import Call, Caller
from seatwise.sandbox.pagerduty.rest.incidents import list_incidents
from seatwise.sandbox.pagerduty.rest.shown import entry
from seatwise.sandbox.pagerduty.strings.controls import Controls
from tests.sandbox.conftest import NOW, App, Reader
from tests.sandboxes import Running

PARTS = ("", "/users", "/overrides")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def code_of(answer: httpx2.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_page_tells_its_total_only_when_asked(reader: Reader) -> None:
    plain, counted = reader.get("/users").json(), reader.get("/users", total="true").json()
    assert (plain["total"], plain["limit"], plain["offset"], plain["more"]) == (None, 25, 0, True)
    assert (counted["total"], len(counted["users"])) == (250, 25)
    assert reader.get("/users", total="True").json()["total"] is None


def test_pages_join_without_gap_or_overlap(reader: Reader, sandbox: Running) -> None:
    listed = [user["id"] for user in reader.all("/users", "users")]
    assert sorted(listed) == sorted(member["id"] for member in sandbox.truth()["members"])
    assert reader.get("/users", offset=250).json()["users"] == []
    assert len(reader.get("/users", limit=101).json()["users"]) == 100


@pytest.mark.parametrize(
    ("path", "params", "expected"),
    [
        ("/users", {"offset": 9_976}, (400, 2002)),
        ("/users", {"limit": 0}, (400, 2001)),
        ("/users", {"limit": "many"}, (400, 2001)),
        ("/users", {"offset": -1}, (400, 2001)),
        ("/users/PNOBODY", {}, (404, 2100)),
        ("/abilities/teleportation", {}, (404, 2100)),
        ("/teapots", {}, (404, 2100)),
        ("/incidents/QNOTHING", {}, (404, 2100)),
        ("/incidents", {"since": "yesterday"}, (400, 2004)),
        ("/incidents", {"since": "2026-05-01", "until": "2026-04-01"}, (400, 2004)),
        ("/incidents", {"since": "2026-04-01", "until": "2026-10-02"}, (400, 2005)),
        ("/incidents", {"statuses[]": "happy"}, (400, 2001)),
        ("/incidents", {"sort_by": "mood:asc"}, (400, 2001)),
        ("/incidents", {"sort_by": "created_at:asc,mood:asc"}, (400, 2001)),
        ("/incidents", {"sort_by": "urgency:up"}, (400, 2001)),
        ("/incidents", {"sort_by": "urgency,created_at,resolved_at"}, (400, 2001)),
        ("/incidents", {"since": "1969-12-31", "until": "1970-01-02"}, (400, 2004)),
        ("/incidents", {"since": "2199-12-31T20:00:00-08:00"}, (400, 2004)),
        ("/incidents", {"time_zone": "Moon/Crater"}, (400, 2001)),
        ("/notifications", {"since": "2026-04-01"}, (400, 2004)),
        ("/notifications", {"since": "2026-04-01", "until": "2026-08-01"}, (400, 2005)),
        ("/notifications", {"since": "2026-04-01", "until": "2026-07-01"}, (400, 2005)),
        (
            "/notifications",
            {"since": "2026-04-01", "until": "2026-05-01", "filter": "pigeon"},
            (400, 2001),
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_code(
    reader: Reader, path: str, params: dict[str, str | int], expected: tuple[int, int]
) -> None:
    assert code_of(reader.get(path, **params)) == expected


def test_notifications_of_nearly_three_months_are_read(reader: Reader) -> None:
    window = {"since": "2026-04-01T00:00:00Z", "until": "2026-06-30T23:59:59Z"}
    assert reader.get("/notifications", **window).status_code == 200


@pytest.mark.parametrize("year", ["0001", "1969", "2200", "9999"])
def test_a_year_that_nobody_can_mean_is_refused_everywhere(reader: Reader, year: str) -> None:
    window = {"since": f"{year}-12-01T00:00:00Z", "until": f"{year}-12-31T23:59:59Z"}
    schedules = reader.get("/schedules", limit=100).json()["schedules"]
    paths = [f"/schedules/{row['id']}{part}" for row in schedules for part in PARTS]
    asked = {"include[]": "final_schedule"}
    for path in ("/oncalls", "/incidents", "/log_entries", "/notifications", "/audit/records"):
        assert code_of(reader.get(path, **window)) == (400, 2004)
    for path in ("/schedules", *paths):
        assert code_of(reader.get(path, **window, **asked)) == (400, 2004)
    filters = {"created_at_start": window["since"], "created_at_end": window["until"]}
    for path in ("metrics/incidents/all", "metrics/incidents/services", "raw/incidents"):
        body = {"filters": filters, "time_zone": "America/Los_Angeles", "aggregate_unit": "week"}
        assert code_of(reader.http.post(f"/analytics/{path}", json=body)) == (400, 2004)


def test_an_id_has_one_spelling(reader: Reader) -> None:
    told = reader.get("/incidents", limit=1).json()["incidents"][0]["id"]
    line = reader.get(f"/incidents/{told}/log_entries").json()["log_entries"][0]["id"]
    for path, name in (("/incidents", told), ("/log_entries", line)):
        assert reader.get(f"{path}/{name}").status_code == 200
        others = [name[:-1] + letter for letter in LETTERS if letter != name[-1]]
        for other in (name.lower(), f"X{name[1:]}", *others):
            assert reader.get(f"{path}/{other}").status_code == 404


def test_teams_are_asked_for_only_where_the_account_has_them(
    reader: Reader, sandbox: Running
) -> None:
    team = reader.get("/teams").json()["teams"][0]["id"]
    sandbox.fault(lack_ability="teams")
    for path in ("/users", "/incidents", "/log_entries", "/services", "/schedules"):
        assert code_of(reader.get(path, **{"team_ids[]": team})) == (402, 2014)
        assert reader.get(path).status_code == 200
    for path in ("raw/users", "raw/incidents", "metrics/incidents/all", "metrics/responders/all"):
        answer = reader.http.post(f"/analytics/{path}", json={"filters": {"team_ids": [team]}})
        assert code_of(answer) == (402, 2014)
        assert reader.http.post(f"/analytics/{path}", json={}).status_code == 200


def test_the_addresses_of_a_calendar_are_told_when_they_are_included(
    reader: Reader, app: App
) -> None:
    token = app.tokens("limited_user")["access_token"]
    me = app.get(token, "/us/users/me").json()["user"]
    plain = reader.get(f"/users/{me['id']}").json()["user"]
    whole = reader.get(f"/users/{me['id']}", **{"include[]": "calendar_urls"}).json()["user"]
    assert whole == me
    assert plain.items() < whole.items()
    assert whole.keys() - plain.keys() == {"http_cal_url", "web_cal_url"}


def test_the_deepest_page_is_still_answered(reader: Reader) -> None:
    assert reader.get("/users", offset=9_975).status_code == 200
    assert (
        reader.get("/log_entries", offset=9_900, limit=100, total="true").json()["total"] > 10_000
    )


def test_people_are_found_by_name_and_team(reader: Reader) -> None:
    someone = reader.get("/users", limit=1, **{"include[]": "teams"}).json()["users"][0]
    found = reader.get("/users", query=someone["email"].upper()).json()["users"]
    assert [user["id"] for user in found] == [someone["id"]]
    team = someone["teams"][0]["id"]
    colleagues = reader.all("/users", "users", **{"team_ids[]": team})
    assert 0 < len(colleagues) < 250
    assert all(team in {each["id"] for each in user["teams"]} for user in colleagues)


def test_contact_methods_are_whole_only_when_included(reader: Reader) -> None:
    short = reader.get("/users", limit=1).json()["users"][0]["contact_methods"][0]
    whole = reader.get("/users", limit=1, **{"include[]": "contact_methods"}).json()
    method = whole["users"][0]["contact_methods"][0]
    assert (short["type"], "address" in short) == ("email_contact_method_reference", False)
    assert method["type"] == "email_contact_method"
    assert method["address"] == whole["users"][0]["email"]


def test_bare_times_are_in_the_accounts_zone(reader: Reader) -> None:
    def first(**window: str) -> str:
        found = reader.get("/incidents", limit=1, **window).json()["incidents"]
        return str(found[0]["created_at"])

    bare, local = first(since="2026-09-01T12:00"), first(since="2026-09-01T19:00Z")
    assert bare == local != first(since="2026-09-01T12:00Z")
    assert bare == first(since="2026-09-01T12:00-07:00")


def test_one_end_of_a_window_means_a_month_from_it(reader: Reader) -> None:
    forth = reader.all("/incidents", "incidents", since="2026-09-01T00:00Z")
    back = reader.all("/incidents", "incidents", until="2026-10-01T00:00Z")
    assert [i["id"] for i in forth] == [i["id"] for i in back]


def test_incidents_come_in_the_wanted_order_and_state(reader: Reader) -> None:
    window = {"since": "2026-10-01T00:00Z", "until": "2026-11-24T00:00Z"}
    rising = reader.all("/incidents", "incidents", **window)
    falling = reader.all("/incidents", "incidents", **window, sort_by="created_at:desc")
    assert [i["id"] for i in rising] == [i["id"] for i in reversed(falling)]
    assert rising == sorted(rising, key=lambda i: (i["created_at"], i["incident_number"]))
    still_open = [i for i in rising if i["status"] != "resolved"]
    asked = {"statuses[]": ["triggered", "acknowledged"]}
    assert reader.all("/incidents", "incidents", **window, **asked) == still_open
    assert {i["status"] for i in still_open} == {"triggered", "acknowledged"}


@pytest.mark.parametrize(
    "fields",
    [
        [("urgency", True)],
        [("urgency", False), ("created_at", True)],
        [("resolved_at", False)],
        [("resolved_at", True), ("urgency", True)],
        [("created_at", True), ("incident_number", False)],
        [("incident_number", True), ("urgency", False)],
    ],
)
def test_incidents_are_sorted_by_every_field(
    reader: Reader, fields: list[tuple[str, bool]]
) -> None:
    window = {"since": "2026-10-01T00:00Z", "until": "2026-11-24T00:00Z"}
    expected = reader.all("/incidents", "incidents", **window)
    for name, down in reversed(fields):
        expected.sort(key=lambda row: rank(row, name), reverse=down)
    wanted = ",".join(f"{name}:{'desc' if down else 'asc'}" for name, down in fields)
    assert reader.all("/incidents", "incidents", **window, sort_by=wanted) == expected


def rank(row: dict[str, Any], name: str) -> Any:
    """What an incident is sorted by: low before high, what is still open last."""
    return row["urgency"] == "high" if name == "urgency" else row[name] or "open"


def test_only_accounts_with_urgencies_sort_by_them(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(lack_ability="urgencies")
    assert code_of(reader.get("/incidents", sort_by="created_at,urgency")) == (402, 2014)
    assert reader.get("/incidents", sort_by="created_at").status_code == 200


def test_alerts_are_sorted_by_their_ends(reader: Reader) -> None:
    for row in reader.get("/incidents", limit=60).json()["incidents"]:
        path = f"/incidents/{row['id']}/alerts"
        alerts = reader.all(path, "alerts")
        assert alerts == sorted(alerts, key=lambda each: each["created_at"])
        ends = sorted(alerts, key=lambda each: each["resolved_at"] or "open")
        assert reader.all(path, "alerts", sort_by="resolved_at,created_at") == ends
    assert reader.get(path, sort_by="created_at,severity").status_code == 400


def test_the_incidents_of_a_person_are_the_open_ones_they_are_assigned(reader: Reader) -> None:
    asked = {"date_range": "all", "statuses[]": ["triggered", "acknowledged"]}
    mine: dict[str, list[dict[str, Any]]] = {}
    for row in reader.all("/incidents", "incidents", **asked):
        for given in row["assignments"]:
            mine.setdefault(given["assignee"]["id"], []).append(row)
    assert mine
    for who, rows in mine.items():
        person = {"user_ids[]": who, "date_range": "all"}
        assert reader.all("/incidents", "incidents", **person) == rows
        waiting = [row for row in rows if row["status"] == "triggered"]
        found = reader.all("/incidents", "incidents", **person, **{"statuses[]": "triggered"})
        assert found == waiting
        ended = reader.get("/incidents", **person, **{"statuses[]": "resolved"}).json()
        assert ended["incidents"] == []


def test_the_open_incidents_of_a_person_are_found_without_telling_all_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = World(Options(now=NOW, accounts=1)).companies["harbor-prod"]
    told: list[Incident] = []

    def counted(*place: Any) -> Incident:
        told.append(tell(*place))
        return told[-1]

    monkeypatch.setattr(world, "tell", counted)
    params = QueryParams({"date_range": "all", "user_ids[]": company.people()[0].id})
    caller = Caller(company, "key", None, None)
    list_incidents(Call(company, caller, params, {}, Controls(), company.now()))
    assert 0 < len(told) < len(company.incidents(company.start, company.now())) / 10


def test_people_act_only_in_ways_they_have() -> None:
    company = World(Options(now=NOW, accounts=1)).companies["harbor-prod"]
    ways: set[str] = set()
    for told in company.incidents(company.start, company.now()):
        for line in told.steps:
            way = entry(company, (line, told), None, frozenset())["channel"]["type"]
            if isinstance(line.by, Person) and way != "web_ui":
                ways.add(way)
                assert way in line.by.channels
    assert ways == {"sms", "phone", "email"}


def test_the_log_comes_newest_first_and_can_leave_out_the_noise(reader: Reader) -> None:
    window = {"since": "2026-11-20T00:00Z", "until": "2026-11-23T00:00Z"}
    whole = reader.all("/log_entries", "log_entries", **window)
    assert whole == sorted(whole, key=lambda entry: entry["created_at"], reverse=True)
    important = reader.all("/log_entries", "log_entries", **window, is_overview="true")
    assert important == [e for e in whole if not _is_noise(e)]
    counted = reader.get("/log_entries", **window, is_overview="true", total="true").json()
    assert counted["total"] == len(important) < len(whole)
    assert any(e["type"] == "assign_log_entry" for e in important), "people assign as well"
    for name in {e["incident"]["id"] for e in whole}:
        path = f"/incidents/{name}/log_entries"
        log = reader.all(path, "log_entries")
        overview = reader.all(path, "log_entries", is_overview="true")
        assert overview == [e for e in log if not _is_noise(e)]


def _is_noise(entry: dict[str, Any]) -> bool:
    kind, by = str(entry["type"]), str(entry["agent"]["type"])
    by_policy = kind == "assign_log_entry" and by == "service_reference"
    return kind == "notify_log_entry" or by_policy


def test_times_are_shown_in_the_zone_asked_for(reader: Reader) -> None:
    row = reader.get("/incidents", limit=1, time_zone="Asia/Kolkata").json()["incidents"][0]
    assert row["created_at"].endswith("+05:30")


def test_abilities_differ_by_account_and_can_be_lost(reader: Reader, sandbox: Running) -> None:
    assert "service_support_hours" in reader.get("/abilities").json()["abilities"]
    assert reader.get("/abilities/read_only_users").status_code == 204
    europe = Reader(sandbox, "harbor-eu")
    with europe.http:
        assert code_of(europe.get("/abilities/service_support_hours")) == (402, 2014)
    sandbox.fault(lack_ability="read_only_users")
    assert code_of(reader.get("/abilities/read_only_users")) == (402, 2014)


def test_too_many_requests_are_refused_for_that_caller_only(
    reader: Reader, app: App, sandbox: Running
) -> None:
    token = app.tokens("observer")["access_token"]
    sandbox.fault(rate_limit=2)
    answers = [app.get(token, "/us/users/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2].headers["ratelimit-reset"]) <= 60
    assert answers[2].json()["error"]["code"] == 2020
    other = app.tokens("restricted_access")["access_token"]
    assert app.get(other, "/us/users/me").status_code == 200


def test_no_credentials_open_nothing(sandbox: Running, reader: Reader) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Token token=x"}):
        assert code_of(sandbox.http.get("/us/users", headers=headers)) == (401, 2006)
    wrong = {"Authorization": f"Token token={reader.key}"}
    assert code_of(sandbox.http.get("/eu/users", headers=wrong)) == (401, 2006)


def test_an_api_key_is_nobody(reader: Reader) -> None:
    answer = reader.get("/users/me")
    assert answer.status_code == 400
    # the vendor's own client tells a key from a person's token by these words, in a bare text
    assert "account-level access token" in answer.json()["error"]
