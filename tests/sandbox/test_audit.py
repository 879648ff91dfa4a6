"""The audit trail tells who changed what, and agrees with everything else that is known."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company.changes import changes
from seatwise.sandbox.pagerduty.company.people import LEADING
from seatwise.sandbox.pagerduty.company.visits import signed_in
from seatwise.sandbox.pagerduty.company.world import Company, World
from tests.sandbox.conftest import NOW, App, Reader
from tests.sandboxes import Running, running

MONTH: Final = timedelta(days=31)
KEPT: Final = NOW.replace(year=NOW.year - 1)
Record = dict[str, Any]


def walk(reader: Reader, path: str = "/audit/records", **params: Any) -> list[Record]:
    """Every record of one question, cursor by cursor."""
    found: list[Record] = []
    while True:
        answer = reader.get(path, **params)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["records"]
        if body["next_cursor"] is None:
            return found
        params["cursor"] = body["next_cursor"]


def whole_year(reader: Reader, path: str = "/audit/records") -> list[Record]:
    """Everything that is kept, newest first."""
    found: list[Record] = []
    until = NOW + timedelta(seconds=1)
    while until > KEPT:
        since = max(KEPT, until - MONTH)
        window = {"since": since.isoformat(), "until": until.isoformat()}
        found += walk(reader, path, **window, limit=100)
        until = since
    return found


def code_of(answer: httpx2.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_newest_record_of_everybody_is_what_the_truth_knows(
    reader: Reader, sandbox: Running
) -> None:
    told, newest = sandbox.truth(), dict[str, datetime]()
    here = {member["id"] for member in told["members"]}
    for record in whole_year(reader):
        for actor in record.get("actors", []):
            if actor["type"] == "user_reference" and actor["id"] in here:
                at = datetime.fromisoformat(record["execution_time"])
                newest[actor["id"]] = max(at, newest.get(actor["id"], at))
    known = {
        who: at
        for who, kinds in told["activity"].items()
        if "audit" in kinds and (at := datetime.fromisoformat(kinds["audit"])) >= KEPT
    }
    assert newest == known
    assert len(known) > 20


def test_everything_a_record_mentions_exists_or_is_deleted(
    reader: Reader, sandbox: Running
) -> None:
    told = sandbox.truth()
    people = {member["id"] for member in told["members"]} | set(told["deleted_users"])
    things = {
        row["id"]
        for name in ("teams", "services", "schedules", "escalation_policies")
        for row in reader.all(f"/{name}", name)
    }
    mentioned: set[tuple[str, str]] = set()
    for record in whole_year(reader):
        references = [record["root_resource"], *record.get("actors", [])]
        for group in record["details"]["references"]:
            references += group["added"]
        mentioned |= {(each["type"], each["id"]) for each in references}
    kinds = {kind for kind, _ in mentioned}
    assert {"user_reference", "schedule_reference", "team_reference"} <= kinds
    for kind, name in mentioned - {m for m in mentioned if m[0] == "api_key_reference"}:
        assert name in (people if kind == "user_reference" else things)


def test_one_end_of_a_window_means_a_day(reader: Reader) -> None:
    days = whole_year(reader)
    until = datetime.fromisoformat(days[len(days) // 2]["execution_time"]) + timedelta(hours=1)
    since = until - timedelta(days=1)
    found = walk(reader, until=until.isoformat())
    assert found == walk(reader, since=since.isoformat(), until=until.isoformat()) != []
    assert code_of(reader.get("/audit/records", since="2026-12-01T00:00:00Z")) == (400, 2004)


def test_whoever_came_or_went_has_a_record_of_it(reader: Reader, sandbox: Running) -> None:
    told = sandbox.truth()
    before = {m["id"] for m in sandbox.truth(at=KEPT.isoformat())["members"]}
    here = {member["id"] for member in told["members"]}
    about_people = [r for r in whole_year(reader) if r["root_resource"]["type"] == "user_reference"]
    created, deleted, changed = (
        {r["root_resource"]["id"]: r for r in about_people if r["action"] == action}
        for action in ("create", "delete", "update")
    )
    came = {who for who, at in told["joined"].items() if datetime.fromisoformat(at) > KEPT}
    assert came == created.keys() & here
    assert before - here == deleted.keys() & before
    assert came
    assert before - here
    for who in came:
        at = datetime.fromisoformat(created[who]["execution_time"])
        assert at == datetime.fromisoformat(told["joined"][who])
    roles = {member["id"]: member["role"] for member in told["members"]}
    for who, record in changed.items():  # the newest first: a dict keeps the oldest
        field = record["details"]["fields"][0]
        assert field["name"] == "role"
        assert field["before_value"] != field["value"]
        if sum(r["root_resource"]["id"] == who for r in about_people) == 1:
            assert roles.get(who) == field["value"]


def test_one_persons_records_are_those_about_them(reader: Reader, sandbox: Running) -> None:
    everything = whole_year(reader)
    deleted = next(r["root_resource"]["id"] for r in everything if r["action"] == "delete")
    path = f"/users/{deleted}/audit/records"
    wanted = [r for r in everything if r["root_resource"]["id"] == deleted]
    assert whole_year(reader, path) == wanted
    assert code_of(reader.get("/users/PNOBODY/audit/records")) == (404, 2100)


def test_a_walk_by_cursor_neither_loses_nor_repeats(reader: Reader) -> None:
    window = {"since": "2026-10-20T00:00Z", "until": "2026-11-20T00:00Z"}
    large, small = (walk(reader, **window, limit=limit) for limit in (100, 7))
    assert small == large
    assert len(large) > 100
    assert len({record["id"] for record in large}) == len(large)
    times = [record["execution_time"] for record in large]
    assert times == sorted(times, reverse=True)
    assert code_of(reader.get("/audit/records", cursor="bm9uc2Vuc2U=")) == (400, 2001)


def test_without_a_window_the_last_day_is_meant(reader: Reader) -> None:
    plain = walk(reader, limit=100)
    since = (NOW - timedelta(days=1)).isoformat()
    assert plain == walk(reader, since=since, limit=100)
    assert all(datetime.fromisoformat(r["execution_time"]) >= NOW - MONTH for r in plain)


def test_what_is_older_than_a_year_is_not_kept(reader: Reader, sandbox: Running) -> None:
    old = {"since": "2025-10-20T00:00Z", "until": "2025-11-20T00:00Z"}
    assert walk(reader, **old) == []
    across = {"since": "2025-11-10T00:00Z", "until": "2025-12-10T00:00Z"}
    found = walk(reader, **across, limit=100)
    assert found
    assert min(datetime.fromisoformat(r["execution_time"]) for r in found) >= KEPT


@pytest.mark.parametrize(
    "params",
    [
        {"since": "2026-10-01T00:00Z", "until": "2026-11-02T00:00Z"},
        {"since": "2026-10-01T00:00Z"},
        {"since": "2026-11-02T00:00Z", "until": "2026-11-01T00:00Z"},
        {"since": "the other day"},
        {"root_resource_types[]": "teapots"},
        {"actions[]": "dance"},
        {"actor_id": "PNOBODY"},
        {"method_truncated_token": "abcd"},
        {"method_type": "telepathy"},
        {"limit": "0"},
    ],
)
def test_a_wrong_question_is_refused(reader: Reader, params: dict[str, str]) -> None:
    assert reader.get("/audit/records", **params).status_code == 400
    whole = {"since": "2026-10-01T00:00Z", "until": "2026-11-01T00:00Z"}
    assert reader.get("/audit/records", **whole).status_code == 200


def test_filters_leave_exactly_what_fits(reader: Reader) -> None:
    window: dict[str, Any] = {"since": "2026-10-23T00:00Z", "until": "2026-11-23T00:00Z"}
    everything = walk(reader, **window, limit=100)
    by = Counter(r["method"]["type"] for r in everything)
    assert {"browser", "oauth"} <= by.keys()
    for method in by:
        assert len(walk(reader, **window, limit=100, method_type=method)) == by[method]
    kinds: dict[str, Any] = {"root_resource_types[]": ["schedules", "users"]}
    wanted = {"schedule_reference", "user_reference"}
    assert walk(reader, **window, limit=100, **kinds) == [
        r for r in everything if r["root_resource"]["type"] in wanted
    ]
    creations = walk(reader, **window, **{"actions[]": "create"})
    assert creations == [r for r in everything if r["action"] == "create"]
    someone = next(r["actors"][0]["id"] for r in everything if r.get("actors"))
    asked = {"actor_type": "user_reference", "actor_id": someone}
    assert walk(reader, **window, limit=100, **asked) == [
        r for r in everything if someone in {a["id"] for a in r.get("actors", [])}
    ]


def test_only_leaders_may_read_and_only_with_the_scope(app: App) -> None:
    scope = "users.read audit_records.read"
    for role, status in (("owner", 200), ("admin", 200), ("user", 403), ("read_only_user", 403)):
        token = app.tokens(role, scope=scope)["access_token"]
        assert app.get(token, "/us/audit/records").status_code == status
    bare = app.tokens("owner", scope="users.read")["access_token"]
    refused = app.get(bare, "/us/audit/records")
    assert refused.status_code == 403
    assert refused.json()["error"]["required_scopes"] == "audit_records.read"


def test_smaller_plans_have_no_audit_trail(reader: Reader, sandbox: Running) -> None:
    sandbox.fault(lack_ability="audit_trail_reporting")
    assert code_of(reader.get("/audit/records")) == (402, 2014)
    with running(now=NOW, plan="professional", users=12, incidents=20, months=2) as small:
        other = Reader(small)
        with other.http:
            assert code_of(other.get("/audit/records")) == (402, 2014)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 120))
def test_whoever_changes_something_is_there_may_do_it_and_is_signed_in(
    seed: int, users: int
) -> None:
    company = small_company(seed, users)
    roster, found = company.account.roster, changes(company, company.start, company.now() + 1)
    assert found
    for change in found:
        if change.actor is None:
            assert change.method in ("identity_provider", "api_token")
            continue
        person = roster.person(change.actor.id, change.at)
        assert person is not None
        assert not person.invited
        assert signed_in(company.account, person, change.at)
        standing_in = change.added is not None and change.added[1].id == person.id
        assert person.role in LEADING or person.role == "user" or standing_in
        if change.added is not None and change.at < company.now():
            assert roster.person(change.added[1].id, change.at) is not None


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 86_400 * 60))
def test_a_window_holds_the_same_whatever_surrounds_it(seed: int, seconds: int) -> None:
    company = small_company(seed, 60)
    start, end = company.start, company.now() + 1
    middle = min(end, start + seconds)
    parts = changes(company, start, middle) + changes(company, middle, end)
    assert parts == changes(company, start, end)
    assert len({change.id for change in parts}) == len(parts)


def test_people_who_come_and_go_unscripted_are_recorded_at_once() -> None:
    company = small_company(7, 60)
    start, end = company.start, company.now() + 1
    before = changes(company, start, end)
    here = {person.id for person in company.people()}
    company.churn.happen(12)
    after = changes(company, start, end)
    new = [change for change in after if change not in before]
    assert [change for change in after if change in before] == before
    now = {person.id for person in company.people()}
    assert {c.thing.id for c in new if c.action == "create"} >= now - here != set()
    assert {c.thing.id for c in new if c.action == "delete"} >= here - now != set()
    assert all(change.at == company.now() for change in new)


def small_company(seed: int, users: int) -> Company:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    options = Options(seed=seed, users=users, incidents=50, months=4, now=now)
    return World(options).companies["harbor-prod"]
