"""The simulated companies' books balance, for any seed and at any time."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from seatwise.sandbox.pagerduty.history import LONGEST, Incident
from seatwise.sandbox.pagerduty.names import ABILITIES
from seatwise.sandbox.pagerduty.people import ROLES, companies
from seatwise.sandbox.pagerduty.truth import truth
from seatwise.sandbox.pagerduty.world import Company, World
from tests.sandbox.conftest import NOW, Reader
from tests.sandboxes import Running

SEEDS = st.integers(0, 10_000)
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (2025, 2029))
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
# an example is a whole company: shrinking one would take minutes and tell nothing more
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
CHANNELS = ("sms", "phone", "email", "push")


@settings(max_examples=15, deadline=None, phases=QUICK)
@given(SEEDS, st.integers(1, 400))
def test_a_company_has_the_wanted_people_each_once(seed: int, people: int) -> None:
    us, eu = companies(seed, people)
    assert (len(us.people), len(eu.people)) == (people, min(60, people))
    ids = [person.id for account in (us, eu) for person in account.people]
    assert len(set(ids)) == len(ids)
    for account in (us, eu):
        assert len({person.email for person in account.people}) == len(account.people)
        assert sum(account.seats.values()) == len(account.people)
        assert sum(person.role == "owner" for person in account.people) == 1
        for kind in account.licenses:
            held = [person for person in account.people if person.license_id == kind.id]
            assert {person.role for person in held} <= set(kind.roles)
    if people >= len(ROLES):
        assert {person.role for person in us.people} == set(ROLES)
    leaders = [person.email for person in us.people if person.role in ("owner", "admin")]
    assert sum(eu.member(email) is not None for email in leaders) == min(len(leaders), 7)


@settings(max_examples=6, deadline=None, phases=QUICK)
@given(SEEDS, MOMENTS)
def test_the_log_tells_the_same_story_as_the_incidents(seed: int, now: datetime) -> None:
    company = World(seed, 120, 3, now).companies["harbor-prod"]
    incidents = company.incidents(company.start, now + timedelta(days=99))
    logged = list(company.moments(company.start, now + timedelta(days=99)))
    assert all(entry.at <= now for entry, _ in logged)
    from_incidents = {entry.id for told in incidents for entry in told.entries_by(now)}
    assert len(from_incidents) == len(logged) == len({entry.id for entry, _ in logged})
    assert from_incidents == {entry.id for entry, _ in logged}
    known = _known_ids(company)
    for told in incidents:
        _check_order(told)
        assert {entry.agent.id for entry in told.entries} <= known
        assert {entry.person.id for entry in told.entries if entry.person} <= known


@settings(max_examples=4, deadline=None, phases=QUICK)
@given(SEEDS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_the_past_does_not_change_as_time_goes_on(
    seed: int, now: datetime, later: timedelta
) -> None:
    before = World(seed, 60, 3, now).companies["harbor-eu"]
    after = World(seed, 60, 5, now + later).companies["harbor-eu"]
    since = max(before.start, after.start) + LONGEST  # older incidents reach into the window
    old, new = (
        [(entry.id, entry.at, entry.agent) for entry, _ in company.moments(since, now)]
        for company in (before, after)
    )
    assert old == new


def test_the_history_is_as_big_and_as_uneven_as_a_real_one() -> None:
    company = World(now=NOW).companies["harbor-prod"]
    told = truth(company)
    assert len(told["months"]) == 14
    assert all(200 <= month["incidents"] <= 600 for month in told["months"][:-1])
    incidents = company.incidents(company.start, NOW)
    weekend = sum(told.created_at.weekday() > 4 for told in incidents)
    assert weekend / len(incidents) < 0.22
    ages = [NOW - datetime.fromisoformat(at) for at in told["last_activity"].values()]
    assert 30 <= sum(age > timedelta(days=35) for age in ages) <= 60
    assert sum(age < timedelta(days=14) for age in ages) > 80
    assert 8 <= sum(member["invited"] for member in told["members"]) <= 20
    assert len(told["members"]) - len(ages) > 50  # many never did anything
    assert {incident.status_at(NOW)[0] for incident in incidents} == {
        "triggered",
        "acknowledged",
        "resolved",
    }


def test_the_api_and_the_truth_agree_on_people_and_seats(reader: Reader, sandbox: Running) -> None:
    told = sandbox.truth()
    listed = {user["id"]: user for user in reader.all("/users", "users")}
    held = {
        row["user"]["id"]: row["license"]["name"]
        for row in reader.all("/license_allocations", "license_allocations")
    }
    assert told["members"] == [
        {
            "id": user["id"],
            "email": user["email"],
            "name": user["name"],
            "role": user["role"],
            "license": held[user["id"]],
            "invited": user["invitation_sent"],
        }
        for user in listed.values()
    ]
    licenses = reader.get("/licenses").json()["licenses"]
    assert {kind["name"]: kind["current_value"] for kind in licenses} == Counter(held.values())
    stakeholders = [k for k in licenses if k["role_group"] == "Stakeholder"]
    assert len({kind["allocations_available"] for kind in stakeholders}) == 1
    assert set(reader.get("/abilities").json()["abilities"]) <= set(ABILITIES)


def test_the_api_and_the_truth_agree_on_every_month(reader: Reader, sandbox: Running) -> None:
    zone = ZoneInfo("America/Los_Angeles")
    months = sandbox.truth(zone=zone.key)["months"][-4:-1]
    for month in months:
        window = _window(month["month"], zone)
        incidents = reader.all("/incidents", "incidents", **window)
        assert month["incidents"] == len(incidents)
        assert month["alerts"] == sum(i["alert_counts"]["all"] for i in incidents)
        assert month["closed"] == all(i["status"] == "resolved" for i in incidents)
        for channel in CHANNELS:
            asked = {"filter": f"{channel}_notification", "total": "true", "limit": 1}
            body = reader.get("/notifications", **window, **asked).json()
            assert body["total"] == month[f"notifications_{channel}"]


def test_every_notification_is_in_the_log_and_the_other_way_round(reader: Reader) -> None:
    window = {"since": "2026-10-01T00:00Z", "until": "2026-11-01T00:00Z"}
    sent = [
        (n["started_at"], n["type"].removesuffix("_notification"), n["user"]["id"], n["address"])
        for n in reader.all("/notifications", "notifications", **window)
    ]
    logged = [
        (e["created_at"], note["type"], e["user"]["id"], note["address"])
        for e in reader.all("/log_entries", "log_entries", **window)
        if e["type"] == "notify_log_entry"
        for note in [e["channel"]["notification"]]
    ]
    assert Counter(sent) == Counter(logged)
    assert {channel for _, channel, _, _ in sent} == set(CHANNELS)
    assert {address for _, channel, _, address in sent if channel == "push"} == {None}
    foreign = [a for _, c, _, a in sent if c in ("sms", "phone") and not str(a).startswith("+1")]
    assert foreign


def test_the_api_and_the_truth_agree_on_last_activity(sandbox: Running) -> None:
    sandbox.fault(rate_limit=100_000)
    told, reader = sandbox.truth("harbor-eu"), Reader(sandbox, "harbor-eu")
    entries: list[dict[str, Any]] = []
    start = datetime(2025, 10, 1, tzinfo=UTC)
    while start < NOW:
        end = start + timedelta(days=120)
        window = {"since": start.isoformat(), "until": end.isoformat(), "is_overview": "true"}
        entries += reader.all("/log_entries", "log_entries", **window)
        start = end
    latest: dict[str, str] = {}
    for entry in entries:
        if entry["agent"]["type"] == "user_reference":
            who, at = entry["agent"]["id"], entry["created_at"]
            latest[who] = max(at, latest.get(who, at))
    gone = set(told["deleted_users"])
    shown = {who: at.replace("Z", "+00:00") for who, at in latest.items() if who not in gone}
    assert shown == told["last_activity"]
    assert gone & set(latest)
    assert all(reader.get(f"/users/{who}").status_code == 404 for who in gone)
    reader.http.close()


def test_one_incidents_own_pages_agree_with_its_row(reader: Reader) -> None:
    for row in reader.get("/incidents", limit=20, offset=40).json()["incidents"]:
        path = f"/incidents/{row['id']}"
        assert reader.get(path).json()["incident"] == row
        alerts = reader.all(f"{path}/alerts", "alerts")
        statuses = Counter(alert["status"] for alert in alerts)
        counts = {"all": len(alerts), "triggered": statuses["triggered"]}
        assert row["alert_counts"] == counts | {"resolved": statuses["resolved"]}
        log = reader.all(f"{path}/log_entries", "log_entries")
        assert log[-1]["type"] == "trigger_log_entry"
        assert log[-1]["created_at"] == row["created_at"]
        ends = [e for e in log if e["type"] == "resolve_log_entry"]
        assert [e["created_at"] for e in ends] == [at for at in [row["resolved_at"]] if at]


def _known_ids(company: Company) -> set[str]:
    account = company.account
    services = {name for s in account.services for name in (s.id, s.integration_id)}
    return {person.id for person in account.people} | services | company.deleted()


def _check_order(told: Incident) -> None:
    kinds = [entry.kind for entry in told.entries]
    assert kinds[0] == "trigger"
    assert "resolve" not in kinds[:-1]
    assert [e.at for e in told.entries] == sorted(e.at for e in told.entries)
    assert told.entries[-1].at < told.created_at + LONGEST
    assert all(alert.at >= told.created_at for alert in told.alerts)


def _window(month: str, zone: ZoneInfo) -> dict[str, str]:
    year, number = (int(part) for part in month.split("-"))
    since = datetime(year, number, 1, tzinfo=zone)
    until = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return {"since": since.isoformat(), "until": until.isoformat()}
