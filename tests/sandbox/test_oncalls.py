"""Who is on call, over HTTP: it agrees with the truth, and with who gets the incidents."""

import gc
import random
import weakref
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from starlette.datastructures import QueryParams

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company.duty import Schedule, Shift
from seatwise.sandbox.pagerduty.company.world import Company, World
from seatwise.sandbox.pagerduty.rest.answers import Call, Caller, RestError
from seatwise.sandbox.pagerduty.rest.oncalls import list_oncalls
from seatwise.sandbox.pagerduty.strings.controls import Controls
from tests.sandbox.conftest import NOW, App, Reader
from tests.sandboxes import Running


def test_who_is_on_call_now_is_the_truth(sandbox: Running, reader: Reader) -> None:
    found = Counter(
        (row["escalation_policy"]["summary"], row["escalation_level"], row["user"]["id"])
        for row in reader.all("/oncalls", "oncalls")
    )
    truth = {(row["policy"], row["level"], row["user"]) for row in sandbox.truth()["on_call"]}
    assert set(found) == truth


@pytest.mark.parametrize("account", ["harbor-prod", "harbor-eu"])
def test_incidents_go_to_those_who_are_on_call(sandbox: Running, account: str) -> None:
    sandbox.fault(rate_limit=100_000)
    gone = set(sandbox.truth(account)["deleted_users"])
    reader, rng = Reader(sandbox, account), random.Random(5)
    with reader.http:
        known = reader.all("/incidents", "incidents", since="2026-08-01T00:00:00Z", until=_at(22))
        assigned = escalated = 0
        for incident in rng.sample(known, 60):
            path = f"/incidents/{incident['id']}/log_entries"
            log = reader.all(path, "log_entries")[::-1]
            given = [e for e in log if e["type"] == "assign_log_entry"]
            raised = [e for e in log if e["type"] == "escalate_log_entry"]
            for level, entry in enumerate((*given[:1], *raised), 1):
                people = {one["id"] for one in entry["assignees"]} - gone
                on_call = _on_call(reader, incident["escalation_policy"]["id"], level, entry)
                assert people == on_call, (incident["id"], level)
                assigned += level == 1
                escalated += level > 1
        assert assigned > 40
        assert escalated > 3


def test_a_shift_is_whole_in_any_window_and_shifts_follow_each_other(reader: Reader) -> None:
    window = {"since": _at(1), "until": _at(20)}
    schedule = reader.get("/schedules").json()["schedules"][2]["id"]
    asked = {"schedule_ids[]": schedule}
    rows = reader.all("/oncalls", "oncalls", **window, **asked)
    assert len(rows) > 1
    for row, other in pairwise(rows):
        assert row["end"] <= other["start"]
    middle = {"since": _at(10), "until": _at(11)}
    assert all(row in rows for row in reader.all("/oncalls", "oncalls", **middle, **asked))


def test_those_who_are_always_on_call_have_no_times(reader: Reader) -> None:
    rows = reader.all("/oncalls", "oncalls", **{"schedule_ids[]": "null"})
    assert rows
    assert all((row["schedule"], row["start"], row["end"]) == (None, None, None) for row in rows)
    people = reader.all("/users", "users")
    assert {row["user"]["id"] for row in rows} <= {person["id"] for person in people}


def test_only_the_earliest_of_each_person_is_told_if_that_is_wanted(reader: Reader) -> None:
    window = {"since": "2026-11-23T12:00:00Z", "until": "2027-02-20T00:00:00Z"}
    rows = reader.all("/oncalls", "oncalls", **window)
    earliest = reader.all("/oncalls", "oncalls", **window, earliest="true")
    first: dict[tuple[str, int, str], str] = {}
    for row in rows:
        first[_whose(row)] = min(first.get(_whose(row), "9"), row["start"] or "")
    assert {_whose(row): row["start"] or "" for row in earliest} == first
    assert len(earliest) == len(first) < len(rows)


def test_a_person_is_on_call_for_every_policy_and_level_that_calls_them(reader: Reader) -> None:
    rows = reader.all("/oncalls", "oncalls")
    often, count = Counter(row["user"]["id"] for row in rows).most_common(1)[0]
    assert count > 1
    assert reader.all("/oncalls", "oncalls", **{"user_ids[]": often}) == [
        row for row in rows if row["user"]["id"] == often
    ]


def test_pages_and_the_total_agree(reader: Reader) -> None:
    window = {"since": _at(1), "until": _at(20)}
    rows = reader.all("/oncalls", "oncalls", **window)
    body = reader.get("/oncalls", **window, total="true", limit=7, offset=14).json()
    assert body["total"] == len(rows)
    assert body["oncalls"] == rows[14:21]
    assert reader.get("/oncalls", **window).json()["total"] is None


def test_includes_show_things_whole(reader: Reader) -> None:
    wanted = ["escalation_policies", "users", "schedules"]
    row = reader.get("/oncalls", **{"include[]": wanted}).json()["oncalls"][0]
    assert row["escalation_policy"]["type"] == "escalation_policy"
    assert row["schedule"]["time_zone"]
    assert "@" in row["user"]["email"]
    assert reader.get("/oncalls", **{"include[]": "teams"}).status_code == 400


def test_times_are_in_the_zone_that_is_asked_for(reader: Reader) -> None:
    row = reader.get("/oncalls", time_zone="Asia/Kolkata").json()["oncalls"][0]
    assert row["start"].endswith("+05:30")
    assert reader.get("/oncalls").json()["oncalls"][0]["start"].endswith("-08:00")


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ({"since": "2026-08-01T00:00:00Z"}, 2005),
        ({"until": "2026-11-22T00:00:00Z"}, 2004),  # since is now, which is after that
        ({"since": "yesterday"}, 2004),
    ],
)
def test_a_window_that_is_too_long_or_upside_down_is_refused(
    reader: Reader, window: dict[str, str], code: int
) -> None:
    answer = reader.get("/oncalls", **window)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_moment_to_come_can_be_asked_for_by_its_beginning_alone(reader: Reader) -> None:
    at = "2026-11-25T09:00:00Z"
    rows = reader.all("/oncalls", "oncalls", since=at)
    assert rows == reader.all("/oncalls", "oncalls", since=at, until=at) != []


def test_a_page_beyond_the_cap_is_refused_before_anything_is_worked_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = World(Options(now=NOW, users=60)).companies["harbor-prod"]
    asked: list[Schedule] = []
    work_out = Schedule.shifts

    def counted(self: Schedule, since: int, until: int) -> list[Shift]:
        asked.append(self)
        return work_out(self, since, until)

    monkeypatch.setattr(Schedule, "shifts", counted)
    window = f"since={_at(1)}&until={_at(20)}&limit=100"
    with pytest.raises(RestError) as refusal:
        list_oncalls(_call(company, f"{window}&offset=999999999"))
    assert refusal.value.body["error"]["code"] == 2002
    assert not asked
    list_oncalls(_call(company, window))
    assert asked


def test_lengths_of_lists_are_forgotten_with_the_company() -> None:
    company = World(Options(now=NOW, users=5, months=1, accounts=1)).companies["harbor-prod"]
    list_oncalls(_call(company, "total=true"))
    last = weakref.ref(company)
    del company
    gc.collect()
    assert last() is None


def test_whoever_is_removed_is_on_call_no_more(sandbox: Running, reader: Reader) -> None:
    rows = reader.all("/oncalls", "oncalls")
    somebody = rows[0]["user"]["id"]
    sandbox.fault(remove=[somebody])
    left = [row for row in rows if row["user"]["id"] != somebody]
    assert reader.all("/oncalls", "oncalls") == left
    path = f"/schedules/{rows[0]['schedule']['id']}"
    assert somebody not in {one["id"] for one in reader.get(path).json()["schedule"]["users"]}


def test_nobody_who_has_yet_to_come_is_on_call(reader: Reader) -> None:
    here = {person["id"] for person in reader.all("/users", "users")}
    window = {"since": "2026-11-23T12:00:00Z", "until": "2027-02-20T00:00:00Z"}
    rows = reader.all("/oncalls", "oncalls", **window)
    assert {row["user"]["id"] for row in rows} <= here


def test_its_rate_limit_is_a_stricter_one(app: App) -> None:
    token = app.tokens(scope="oncalls.read users.read")["access_token"]
    ordinary = int(app.get(token, "/us/users").headers["ratelimit-limit"])
    assert int(app.get(token, "/us/oncalls").headers["ratelimit-limit"]) == ordinary // 8
    other = app.tokens(scope="users.read")["access_token"]
    assert app.get(other, "/us/oncalls").status_code == 403


def _call(company: Company, query: str) -> Call:
    """A question with the account's own key."""
    caller = Caller(company, "key", None, None)
    return Call(company, caller, QueryParams(query), {}, Controls(), company.now())


def _on_call(reader: Reader, policy: str, level: int, entry: dict[str, Any]) -> set[str]:
    """Who is on call at that level in the second in which the log entry was written."""
    asked = {"escalation_policy_ids[]": policy, "since": entry["created_at"]}
    until = entry["created_at"]
    rows = reader.all("/oncalls", "oncalls", **asked, until=until)
    return {row["user"]["id"] for row in rows if row["escalation_level"] == level}


def _at(day: int) -> str:
    return f"2026-11-{day:02d}T00:00:00Z"


def _whose(row: dict[str, Any]) -> tuple[str, int, str]:
    return row["escalation_policy"]["id"], row["escalation_level"], row["user"]["id"]
