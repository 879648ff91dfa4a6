"""The simulated REST API pages, limits and refuses as the vendor's does."""

import httpx2
import pytest

from tests.sandbox.conftest import App, Reader
from tests.sandboxes import Running


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
        ("/incidents", {"time_zone": "Moon/Crater"}, (400, 2001)),
        ("/notifications", {"since": "2026-04-01"}, (400, 2004)),
        ("/notifications", {"since": "2026-04-01", "until": "2026-08-01"}, (400, 2005)),
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


def test_the_log_comes_newest_first_and_can_leave_out_the_noise(reader: Reader) -> None:
    window = {"since": "2026-11-20T00:00Z", "until": "2026-11-23T00:00Z"}
    whole = reader.all("/log_entries", "log_entries", **window)
    assert whole == sorted(whole, key=lambda entry: entry["created_at"], reverse=True)
    important = reader.all("/log_entries", "log_entries", **window, is_overview="true")
    assert important == [e for e in whole if e["type"] != "notify_log_entry"]
    assert len(important) < len(whole)


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
