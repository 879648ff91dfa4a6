"""A whole sync against the simulated vendor: the tables equal the vendor's truth."""

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from django.db import connection as database

from seatwise import sync
from seatwise.connectors.records import SignalRecord, UsageRecord
from seatwise.models import (
    Connection,
    LicensePool,
    Member,
    MemberEvent,
    Service,
    Signal,
    StagedRecord,
    UsagePoint,
    User,
)
from tests.conftest import authorize, configure, read
from tests.sandboxes import Running, running


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tables_equal_the_vendors_truth(
    seed: int, service: Service, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its clock stands still, or something could happen there between the sync and the truth.
    with running(seed=seed, users=60, months=4, now=datetime.now(UTC)) as vendor:
        configure(vendor, monkeypatch)
        connection = authorize(vendor, service, admin).connection
        assert connection is not None
        run = read(connection)
        assert run.state == "done", run.reason
        truth = vendor.truth()
    assert {(m.external_id, m.email, m.name, m.role, m.invited) for m in Member.objects.all()} == {
        (m["id"], m["email"], m["name"], m["role"], m["invited"]) for m in truth["members"]
    }
    for month in truth["months"]:
        told = {metric: month[metric] for metric in month if metric.startswith("notifications_")}
        told |= {"incidents": month["incidents"], "alerts": month["alerts"]}
        told["billable_alerts"] = month["notifications_sms"] + month["notifications_phone"]
        points = UsagePoint.objects.filter(month=f"{month['month']}-01")
        assert {point.metric: point.value for point in points} == told
        over = month["month"] < datetime.now(UTC).strftime("%Y-%m")
        assert {point.final for point in points} == {over and month["closed"]}
    horizon = connection.activity_since
    assert horizon is not None
    seen = {m.external_id: m.last_seen_at for m in Member.objects.exclude(last_seen_at=None)}
    for member in truth["members"]:
        newest = truth["last_activity"].get(member["id"])
        if newest and datetime.fromisoformat(newest) >= horizon:
            assert seen[member["id"]] == datetime.fromisoformat(newest), member


@pytest.mark.fault(50)
def test_of_a_list_of_licences_with_a_hole_what_came_is_taken_and_nobody_loses_theirs(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    before = {member.external_id: member.license_id for member in Member.objects.all()}
    as_of = connection.licenses_as_of
    events = MemberEvent.objects.count()
    key = {"Authorization": f"Token token={vendor.api_key()}"}
    url = f"{vendor.base_url}/us/license_allocations"
    rows = vendor.http.get(url, headers=key).json()["license_allocations"]
    other = next(row["license"] for row in rows if row["license"] != rows[0]["license"])
    rows[0]["license"] = other
    changed = rows[0]["user"]["id"]
    body = {"license_allocations": rows[:5], "more": False, "total": 20_000}
    vendor.fault(path="/license_allocations", kind="json", body=body, times=None)
    run = read(connection)
    vendor.clear_faults()
    assert run.state == "done_with_notes"
    (gap,) = run.gaps
    assert gap["what"] == "The licences of 5 of 20,000 members were read."
    after = {member.external_id: member.license_id for member in Member.objects.all()}
    assert any(before.values())
    assert after.pop(changed) != before.pop(changed)
    assert after == before
    assert MemberEvent.objects.count() == events + 1
    assert connection.licenses_as_of
    assert as_of
    assert connection.licenses_as_of > as_of


def test_every_member_has_the_licence_the_vendor_allocated(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    held = Counter(m.license.name for m in Member.objects.select_related("license") if m.license)
    told = Counter(m["license"] for m in vendor.truth()["members"])
    assert held == told
    assert {pool.name: pool.used for pool in LicensePool.objects.all() if pool.used} == held


def test_an_unchanged_second_sync_writes_no_member_and_no_event(connection: Connection) -> None:
    read(connection)
    before, staged = {name: versions(name) for name in LASTING}, StagedRecord.objects.count()
    run = read(connection)
    assert run.counts == {}
    assert {name: versions(name) for name in LASTING} == before
    assert StagedRecord.objects.count() == staged == 0


# Of pools, and of the months that are not over, when they were read last is news each time.
LASTING = {
    "member": "true",
    "memberevent": "true",
    "signal": "true",
    "service": "true",
    "usagepoint": "final",
}


def versions(name: str) -> list[tuple[int, ...]]:
    """Which transaction wrote each row of a table last, and where: any rewrite shows."""
    which = LASTING[name]
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT id, xmin::text::bigint, ctid::text FROM seatwise_{name} WHERE {which}"
            " ORDER BY id"
        )
        found: list[tuple[int, ...]] = cursor.fetchall()
    return found


def test_someone_who_left_is_kept_with_the_day_they_left(connection: Connection) -> None:
    read(connection)
    gone = Member.objects.create(
        connection=connection,
        external_id="P0GONE",
        name="Gone Already",
        role="user",
        first_listed_at=datetime.now(UTC),
    )
    read(connection)
    gone.refresh_from_db()
    assert gone.left_at is not None
    assert gone.events.get().kind == "left"


@pytest.mark.parametrize(
    ("fault", "state", "says"),
    [
        ({"kind": "status", "status": 402}, "action_needed", "plan"),
        ({"kind": "status", "status": 403}, "action_needed", "GET /users"),
        ({"kind": "status", "status": 500}, "retry_at", "500"),
        ({"kind": "html"}, "retry_at", "web page"),
        ({"kind": "truncate"}, "retry_at", "cut"),
        ({"kind": "empty"}, "retry_at", "GET /users"),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_failing_sync_keeps_the_last_complete_data_and_says_why(
    fault: dict[str, object],
    state: str,
    says: str,
    connection: Connection,
    vendor: Running,
) -> None:
    read(connection)
    members = set(Member.objects.current().values_list("external_id", flat=True))
    as_of = connection.members_as_of
    vendor.fault(path="/users", times=100, **fault)
    run = read(connection)
    assert run.state == state
    assert says in run.reason
    assert run.reason.endswith(".")
    assert run.remedy
    assert connection.attention == run.reason
    assert connection.members_as_of == as_of
    assert set(Member.objects.current().values_list("external_id", flat=True)) == members


@pytest.mark.fault(54)
@pytest.mark.usefixtures("impatient")
def test_a_vendor_that_suddenly_lists_nobody_is_not_believed(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    nobody = {"users": [], "limit": 100, "offset": 0, "more": False, "total": 0}
    vendor.fault(path="/users", times=100, kind="status", status=200, body=nobody)
    run = read(connection)
    assert "no longer lists 40 of 40 members" in run.reason
    assert not Member.objects.filter(left_at__isnull=False).exists()


def test_missing_notifications_are_unknown_and_named_not_zero(
    vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(withhold_scopes=["users:notifications.read"])
    vendor.fault(path="/log_entries", status=403, times=None)
    connection = authorize(vendor, service, admin).connection
    assert connection is not None
    run = read(connection)
    assert run.state == "done_with_notes"
    connection.refresh_from_db()
    assert connection.state == "limited"
    metrics = set(UsagePoint.objects.values_list("metric", flat=True))
    assert metrics == {"incidents", "alerts"}
    assert connection.usage_as_of is not None
    assert any("users:notifications.read" in gap["why"] for gap in connection.gaps)


def test_notifications_counted_from_the_log_are_numbers_with_a_note(
    vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(withhold_scopes=["users:notifications.read"])
    connection = authorize(vendor, service, admin).connection
    assert connection is not None
    assert read(connection).state == "done"
    connection.refresh_from_db()
    assert connection.state == "active"  # nothing is missing
    points = UsagePoint.objects.filter(metric="notifications_sms")
    assert {point.source for point in points} == {"GET /log_entries"}
    (gap,) = connection.gaps
    assert "users:notifications.read" in gap["why"]


def test_evidence_keeps_its_newest_time_in_whatever_order_it_is_read(
    connection: Connection,
) -> None:
    read(connection)
    member = Member.objects.filter(last_seen_at=None, invited=False).first() or Member.objects.get()
    times = [datetime(2026, 5, day, tzinfo=UTC) for day in (3, 9, 1)]
    for at in times:
        record = SignalRecord(member.external_id, "acknowledged", at, f"on day {at.day}")
        Signal.objects.record(connection, [record], datetime.now(UTC))
    member.refresh_from_db()
    assert member.last_seen_at == max(times)
    assert member.last_seen_proof == "on day 9"
    signal = member.signals.get(source="acknowledged")
    assert (signal.at, signal.proof) == (max(times), "on day 9")


def test_a_final_number_is_not_replaced_by_what_the_vendor_says_later(
    connection: Connection,
) -> None:
    month = date(2026, 1, 1)
    for value, final in ((3, False), (5, True), (0, True)):
        record = UsageRecord(month, "incidents", value, final, "GET /incidents")
        UsagePoint.objects.record(connection, [record], datetime.now(UTC))
    assert UsagePoint.objects.get().value == 5


def test_only_one_run_is_open_at_a_time(connection: Connection) -> None:
    first, is_new = sync.open_run(connection, by=None)
    second, is_new_again = sync.open_run(connection, by=None)
    assert (first, is_new, is_new_again) == (second, True, False)
