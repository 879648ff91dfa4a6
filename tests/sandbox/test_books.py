"""The simulated companies' books balance, for any seed and at any time."""

import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from seatwise.sandbox.options import FREE, PLANS, Options
from seatwise.sandbox.pagerduty.company.codes import DAY
from seatwise.sandbox.pagerduty.company.licenses import KNOWN, left
from seatwise.sandbox.pagerduty.company.people import LEADING, Person
from seatwise.sandbox.pagerduty.company.story import (
    BECOMES,
    CALLING,
    LONGEST,
    REACH,
    Entry,
    Incident,
    is_lasting,
)
from seatwise.sandbox.pagerduty.company.world import Company, Sort, World
from seatwise.sandbox.pagerduty.strings.truth import truth
from tests.sandbox.conftest import NOW, Reader
from tests.sandboxes import Running

FAR = 1 << 40  # later than anything
SEEDS = st.integers(0, 10_000)
FIRST, LAST = (datetime.fromisoformat(f"{year}-01-01") for year in (2025, 2029))
MOMENTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
# an example is a whole company: shrinking one would take minutes and tell nothing more
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
CHANNELS = ("sms", "phone", "email", "push")


@settings(max_examples=15, deadline=None, phases=QUICK)
@given(SEEDS, st.integers(1, 400), MOMENTS, st.sampled_from(PLANS))
def test_a_company_has_the_wanted_people_each_once(
    seed: int, users: int, now: datetime, plan: str
) -> None:
    users = min(users, FREE) if plan == "free" else users
    world = World(Options(seed=seed, users=users, months=6, now=now, plan=plan, accounts=3))
    sizes = [len(company.people()) for company in world.companies.values()]
    assert sizes == [users, min(60, users), min(60, users)]
    ids = [person.id for company in world.companies.values() for person in company.people()]
    assert len(set(ids)) == len(ids)
    for company in world.companies.values():
        people, account = company.people(), company.account
        assert len({person.email for person in people}) == len(people)
        assert list(people) == sorted(people, key=lambda p: (p.name.casefold(), p.id))
        assert sum(company.held().values()) == len(people)
        assert sum(person.role == "owner" for person in people) == 1
        for person in people:
            assert person.license_id == account.license_of[person.role].id
        for kind in account.licenses:
            pool = {each.id for each in account.licenses if each.pool == kind.pool}
            assert left(kind, sum(person.license_id in pool for person in people)) != 0
    us, eu, third = world.companies.values()
    leaders = [p.email for p in us.people() if p.role in LEADING]
    for other in (eu, third):
        assert sum(other.member(email) is not None for email in leaders) == min(len(leaders), 7)


@settings(max_examples=8, deadline=None, phases=QUICK)
@given(SEEDS, MOMENTS, st.integers(0, 3_000))
def test_the_log_tells_the_same_story_as_the_incidents(
    seed: int, now: datetime, incidents: int
) -> None:
    company = company_of(seed=seed, users=120, months=3, now=now, incidents=incidents)
    told, at = list(company.incidents(0, FAR)), company.now()
    logged = list(company.log(0, FAR))
    assert [entry.at for entry, _ in logged] == sorted(entry.at for entry, _ in logged)
    from_incidents = {one.entry_id(entry) for one in told for entry in one.log(at)}
    assert from_incidents == {one.entry_id(entry) for entry, one in logged}
    assert len(from_incidents) == len(logged) == len(company.log(0, FAR))
    kinds = {entry.kind for entry, _ in logged}
    assert kinds <= set(BECOMES) | {"assign", "annotate", "notify"}
    for sort, belongs in (("important", _in_overview), ("notify", _is_message)):
        part = company.log(0, FAR, cast("Sort", sort))
        assert list(part) == [moment for moment in logged if belongs(moment[0])]
        assert len(part) == len(list(part))
    sent = Counter(entry.detail for entry, _ in logged if entry.kind == "notify")
    assert sent == {c: n for c in CHANNELS if (n := len(company.log(0, FAR, cast("Sort", c))))}
    for one in told:
        _check(company, one)
    open_now = [one for one in told if one.standing(at)[0] != "resolved"]
    assert company.unresolved(0, FAR, at) == open_now


@settings(max_examples=8, deadline=None, phases=QUICK)
@given(SEEDS, MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_the_past_does_not_change_as_time_goes_on(
    seed: int, now: datetime, later: timedelta
) -> None:
    before = company_of("harbor-eu", seed=seed, users=60, months=3, now=now)
    after = company_of("harbor-eu", seed=seed, users=60, months=5, now=now + later)
    since = max(before.start, after.start) + LONGEST  # older incidents reach into the window
    old, new = (
        [
            (one.entry_id(e), e.at, e.by.id, [p.id for p in e.to])
            for e, one in company.log(since, FAR)
        ]
        for company in (before, after)
    )
    assert new[: len(old)] == old
    assert all(entry[1] > before.now() for entry in new[len(old) :])
    then = {(p.id, p.role, p.license_id) for p in before.people()}
    assert then == {(p.id, p.role, p.license_id) for p in after.people(before.now())}


@settings(max_examples=30, deadline=None, phases=QUICK)
@given(SEEDS, st.data())
def test_any_part_of_the_history_can_be_asked_for_alone(seed: int, data: st.DataObject) -> None:
    now = data.draw(MOMENTS)
    company = company_of(seed=seed, users=40, months=2, now=now, incidents=400)
    ends = st.integers(company.start - DAY, company.now() + DAY)
    since, until = sorted((data.draw(ends), data.draw(ends)))
    everything = list(company.incidents(0, FAR))
    part = company.incidents(since, until)
    assert list(part) == [one for one in everything if since <= one.at < until]
    assert len(part) == len(list(part))
    for one in part[: len(part) : 7]:
        assert (company.incident(one.id), company.numbered(one.number)) == (one, one)
    sorts: tuple[Sort, ...] = ("", "important")
    for sort in sorts:
        whole = list(company.log(0, FAR, sort))
        window = company.log(since, until, sort)
        assert list(window) == [moment for moment in whole if since <= moment[0].at < until]
        assert len(window) == len(list(window))
        low = data.draw(st.integers(0, len(window)))
        assert window[low : low + 9] == list(window)[low : low + 9]


def test_an_id_of_another_account_or_of_nothing_is_not_found() -> None:
    world = World(Options(now=NOW))
    us, eu = world.companies.values()
    ids = [one.id for one in us.incidents(0, FAR)]
    assert len(set(ids)) == len(ids)
    assert not any(eu.incident(each) for each in ids)
    for wrong in ("", "Q", "QAAAAAAAAAAAAA", "Q0000000000000", ids[0] + "A", ids[0][:-1], "Ü" * 14):
        assert us.incident(wrong) is None


def test_the_history_is_as_big_and_as_uneven_as_a_real_one() -> None:
    company = World(Options(now=NOW)).companies["harbor-prod"]
    told = truth(company)
    assert len(told["months"]) == 14
    assert all(200 <= month["incidents"] <= 600 for month in told["months"][:-1])
    incidents = list(company.incidents(0, FAR))
    weekend = sum(datetime.fromtimestamp(one.at, UTC).weekday() > 4 for one in incidents)
    assert weekend / len(incidents) < 0.22
    night = sum(datetime.fromtimestamp(one.at, UTC).hour < 7 for one in incidents)
    assert night / len(incidents) < 0.15
    gaps = [b.at - a.at for a, b in itertools.pairwise(incidents) if a.service is b.service]
    assert sum(gap <= 900 for gap in gaps) > len(incidents) / 8  # bursts hit the same service
    ages = [NOW - datetime.fromisoformat(at) for at in told["last_activity"].values()]
    assert 30 <= sum(age > timedelta(days=35) for age in ages) <= 60
    assert sum(age < timedelta(days=14) for age in ages) > 60
    assert 8 <= sum(member["invited"] for member in told["members"]) <= 20
    assert len(told["members"]) - len(ages) > 50  # many never did anything
    standings = Counter(one.standing(company.now())[0] for one in incidents)
    assert set(standings) == {"triggered", "acknowledged", "resolved"}
    assert told["deleted_users"]


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
    assert set(reader.get("/abilities").json()["abilities"]) <= KNOWN


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
    responded: dict[str, str] = {}
    for entry in entries:
        if entry["agent"]["type"] == "user_reference":
            who, at = entry["agent"]["id"], entry["created_at"]
            latest[who] = max(at, latest.get(who, at))
            if entry["type"] in ("acknowledge_log_entry", "resolve_log_entry"):
                responded[who] = max(at, responded.get(who, at))
    gone = set(told["deleted_users"])
    assert _of_members(latest, gone) == told["last_activity"]
    for source, found in (("log_entries", latest), ("responded", responded)):
        known = {who: of[source] for who, of in told["activity"].items() if source in of}
        assert _of_members(found, gone) == known
    assert responded != latest
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


def company_of(name: str = "harbor-prod", **wishes: Any) -> Company:
    """One account of a small world."""
    return World(Options(**wishes)).companies[name]


def _check(company: Company, told: Incident) -> None:
    """What is true of every incident there ever is."""
    steps, roster = told.steps, company.account.roster
    assert steps[0].kind == "trigger"
    assert (steps[0].at, steps[0].ordinal) == (told.at, 0)
    assert [e.at for e in steps] == sorted(e.at for e in steps)
    assert "resolve" not in [e.kind for e in steps[:-1]]
    ends = [e.at for e in steps if e.kind == "resolve"]
    assert ends == ([] if told.end is None else [told.end])
    for before, entry in itertools.pairwise(steps):
        if _is_by_policy(entry):  # an overview says nothing less without it
            assert before.kind in ("trigger", "escalate")
            assert entry.at - before.at <= 1
    assert is_lasting(told.n) or told.end is None or told.end <= told.at + REACH
    assert steps[-1].at < told.at + LONGEST
    assert all(e.at <= told.at + CALLING for e in told.notices())
    for entry in (*steps, *told.notices()):
        for person in (entry.by, *entry.to):
            if isinstance(person, Person):  # whoever does or is told something is there then
                there = roster.person(person.id, entry.at)
                assert there is not None
                assert there.acts
    told_all, now = told.alerts(), FAR
    assert told.alert_counts(now)[0] == len(told_all) == told.alert_count
    assert all(told.at <= alert.at for alert in told_all)
    if told.end is not None:
        assert told.alert_counts(now) == (len(told_all), len(told_all))
        assert all(a.at <= (a.resolved_at or 0) <= told.end for a in told_all)


def _in_overview(entry: Entry) -> bool:
    return not _is_message(entry) and not _is_by_policy(entry)


def _is_message(entry: Entry) -> bool:
    return entry.kind == "notify"


def _is_by_policy(entry: Entry) -> bool:
    return entry.kind == "assign" and not isinstance(entry.by, Person)


def _of_members(latest: dict[str, str], gone: set[str]) -> dict[str, str]:
    return {who: at.replace("Z", "+00:00") for who, at in latest.items() if who not in gone}


def _window(month: str, zone: ZoneInfo) -> dict[str, str]:
    year, number = (int(part) for part in month.split("-"))
    since = datetime(year, number, 1, tzinfo=zone)
    until = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return {"since": since.isoformat(), "until": until.isoformat()}
