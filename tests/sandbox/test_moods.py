"""People come and go while one reads, and whole accounts have bad days; the truth keeps up."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company.world import World
from tests.sandbox.conftest import NOW, App, Reader
from tests.sandboxes import Running, running


@pytest.fixture
def restless() -> Iterator[Running]:
    """A sandbox of its own, where nobody counts requests."""
    with running(users=300, months=1, now=NOW, rate_limit=100_000) as sandbox:
        yield sandbox


def test_people_come_go_and_change_between_two_pages(restless: Running) -> None:
    reader = Reader(restless)
    before = {member["id"]: member for member in restless.truth()["members"]}
    restless.fault(churn=2.5)
    rows: list[dict[str, Any]] = []
    while True:
        body = reader.get("/users", limit=20, offset=len(rows), total="true").json()
        rows += body["users"]
        if not body["more"]:
            break
    restless.fault(churn=0)
    after = {member["id"]: member for member in restless.truth()["members"]}
    reader.http.close()
    joined, left = set(after) - set(before), set(before) - set(after)
    turned = [i for i in set(before) & set(after) if before[i]["role"] != after[i]["role"]]
    assert joined
    assert left
    assert turned
    assert len(joined) + len(left) + len(turned) >= 20  # some came and went again
    assert Counter(row["id"] for row in rows) != Counter(after), "the pages were read in between"
    assert left <= set(restless.truth()["deleted_users"])
    assert restless.truth(at="2026-11-22T00:00:00Z")["members"] == list(before.values())


def test_licences_follow_whoever_comes_and_goes(restless: Running) -> None:
    reader = Reader(restless)
    restless.fault(churn=10)
    for _ in range(4):
        reader.get("/users")
    restless.fault(churn=0)
    kinds = {kind["id"]: kind for kind in reader.get("/licenses").json()["licenses"]}
    rows = reader.all("/license_allocations", "license_allocations")
    held = Counter(row["license"]["id"] for row in rows)
    assert {name: kind["current_value"] for name, kind in kinds.items()} == held
    assert {row["user"]["id"] for row in rows} == {u["id"] for u in reader.all("/users", "users")}
    told = {each["name"]: each["used"] for each in restless.truth()["licenses"]}
    assert {kind["name"]: kind["current_value"] for kind in kinds.values()} == told
    reader.http.close()


def test_an_account_can_suddenly_list_half_or_nobody(reader: Reader, sandbox: Running) -> None:
    everybody = sandbox.truth()["members"]
    for lists, expected in (("half", len(everybody) // 2), ("nobody", 0), ("all", len(everybody))):
        sandbox.fault(lists=lists)
        assert len(reader.all("/users", "users")) == expected
        assert len(reader.all("/license_allocations", "license_allocations")) == expected
        assert sandbox.truth()["members"] == everybody


def test_whoever_authorized_can_be_demoted(app: App, sandbox: Running) -> None:
    token = app.tokens("admin")["access_token"]
    person = app.get(token, "/us/users/me").json()["user"]
    assert app.get(token, "/us/licenses").status_code == 200
    sandbox.fault(demote={person["id"]: "observer"})
    refused = app.get(token, "/us/licenses")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, 2010)
    assert app.get(token, "/us/users/me").json()["user"]["role"] == "observer"
    assert app.get(token, f"/us/users/{person['id']}").json()["user"]["role"] == "observer"
    told = next(m for m in sandbox.truth()["members"] if m["id"] == person["id"])
    assert told["role"] == "observer"


def test_whoever_authorized_can_be_removed(app: App, reader: Reader, sandbox: Running) -> None:
    token = app.tokens("admin")["access_token"]
    person = app.get(token, "/us/users/me").json()["user"]["id"]
    sandbox.fault(remove=person)
    assert app.get(token, "/us/users").status_code == 401
    assert reader.get(f"/users/{person}").status_code == 404
    assert person not in {user["id"] for user in reader.all("/users", "users")}


def test_an_account_can_be_suspended(app: App, reader: Reader, sandbox: Running) -> None:
    token = app.tokens("owner")["access_token"]
    sandbox.fault(suspended="harbor-prod")
    for answer in (app.get(token, "/us/users"), reader.get("/users")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, 2008)
    other = Reader(sandbox, "harbor-eu")
    with other.http:
        assert other.get("/users").status_code == 200


@pytest.mark.parametrize(
    ("plan", "path", "status"),
    [
        ("free", "/teams", 402),
        ("free", "/abilities/sso", 402),
        ("free", "/audit/records", 402),
        ("professional", "/teams", 200),
        ("professional", "/abilities/service_support_hours", 402),
        ("professional", "/audit/records", 402),
        ("business", "/audit/records", 200),
        ("business", "/abilities/custom_fields_on_incidents", 402),
        ("enterprise", "/abilities/custom_fields_on_incidents", 204),
        ("enterprise", "/abilities/no_such_thing", 404),
    ],
)
def test_a_plan_has_what_it_has(plan: str, path: str, status: int) -> None:
    with running(users=5, months=1, now=NOW, plan=plan) as sandbox:
        reader = Reader(sandbox)
        with reader.http:
            answer = reader.get(path)
            assert answer.status_code == status
            assert status != 402 or answer.json()["error"]["code"] == 2014
            names = {kind["name"] for kind in reader.get("/licenses").json()["licenses"]}
    assert plan.title() in names
    assert ("Stakeholder" in names) == (plan != "free")


def test_several_accounts_live_side_by_side_in_a_region() -> None:
    with running(users=30, months=1, accounts=5, now=NOW) as sandbox:
        names = ("harbor-prod", "harbor-eu", "harbor-3", "harbor-4", "harbor-5")
        regions = {name: sandbox.truth(name)["region"] for name in names}
        assert set(regions.values()) == {"us", "eu"}
        seen: set[str] = set()
        for name in names:
            key = {"Authorization": f"Token token={sandbox.api_key(name)}"}
            wrong = "eu" if regions[name] == "us" else "us"
            assert sandbox.http.get(f"/{wrong}/users", headers=key).status_code == 401
            users = sandbox.http.get(f"/{regions[name]}/users?limit=100", headers=key).json()
            ids = {user["id"] for user in users["users"]}
            assert ids == {member["id"] for member in sandbox.truth(name)["members"]}
            assert not ids & seen
            seen |= ids


def test_latency_is_added_to_every_answer() -> None:
    with running(users=10, months=1, latency_ms=120) as sandbox:
        reader = Reader(sandbox)
        with reader.http:
            assert reader.get("/users").elapsed.total_seconds() >= 0.12
            assert reader.get("/nothing").elapsed.total_seconds() >= 0.12


def test_the_rate_limit_is_the_one_asked_for() -> None:
    with running(users=10, months=1, rate_limit=3) as sandbox:
        reader = Reader(sandbox)
        with reader.http:
            answers = [reader.get("/users") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}


def test_a_removed_person_is_gone_everywhere_and_from_now_on_only(
    reader: Reader, sandbox: Running
) -> None:
    yesterday = "2026-11-22T12:00:00Z"
    before = sandbox.truth(at=yesterday)["members"]
    duty = sandbox.truth()["on_call"][0]["user"]
    sandbox.fault(remove=duty)
    told = sandbox.truth()
    assert duty in told["deleted_users"]
    assert duty not in {row["user"] for row in told["on_call"]}
    assert sandbox.truth(at=yesterday)["members"] == before
    for part in ("", "/contact_methods", "/notification_rules", "/license", "/sessions"):
        assert reader.get(f"/users/{duty}{part}").status_code == 404, part
    assert duty not in {row["user"]["id"] for row in reader.all("/oncalls", "oncalls")}
    window = {"since": "2026-10-24T00:00Z", "until": "2026-11-23T12:00:01Z"}
    sent = reader.all("/notifications", "notifications", **window, **{"include[]": "users"})
    kinds = {row["user"]["type"] for row in sent if row["user"]["id"] == duty}
    assert kinds <= {"user_reference"}
    records = reader.get("/audit/records", since="2026-11-23T11:00Z", limit=100).json()["records"]
    assert [r["action"] for r in records if r["root_resource"]["id"] == duty] == ["delete"]
    sandbox.clear_faults()
    assert duty not in sandbox.truth()["deleted_users"]
    assert reader.get(f"/users/{duty}").status_code == 200


def test_a_demotion_takes_the_licence_along(reader: Reader, sandbox: Running) -> None:
    person = next(m for m in sandbox.truth()["members"] if m["role"] == "limited_user")
    kinds = reader.get("/licenses").json()["licenses"]
    sandbox.fault(demote={person["email"]: "read_only_user"})
    held = reader.get(f"/users/{person['id']}/license").json()["license"]
    assert held["name"] == "Stakeholder"
    after = {
        kind["name"]: kind["current_value"] for kind in reader.get("/licenses").json()["licenses"]
    }
    before = {kind["name"]: kind["current_value"] for kind in kinds}
    assert after["Business"] == before["Business"] - 1
    assert after["Stakeholder"] == before["Stakeholder"] + 1
    sandbox.fault(demote={})
    assert reader.get(f"/users/{person['id']}").json()["user"]["role"] == "limited_user"


def test_whoever_went_out_of_the_script_does_not_come_back_by_it() -> None:
    company = World(Options(users=2_000, months=2, now=NOW, seed=5)).companies["harbor-prod"]
    scripted = [(person.id, person.role) for person in company.people()]
    for _ in range(1_500):
        company.churn.happen(1)
    left = company.deleted()
    later = company.people(company.now() + 500 * 86_400)
    assert not left & {person.id for person in later}
    everybody = [person.id for person in company.people()]
    assert len(set(everybody)) == len(everybody)
    company.restore()
    assert [(person.id, person.role) for person in company.people()] == scripted
