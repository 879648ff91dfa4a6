"""A sync goes on from where the last one came to, and keeps that with the records it speaks of."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from seatwise import sync
from seatwise.connectors import base
from seatwise.connectors.base import MetricInfo
from seatwise.connectors.records import Batch, UsageRecord
from seatwise.models import Connection, Member, Service, SyncRun, UsagePoint
from seatwise.sync import stages
from seatwise.sync.plan import plan_now
from tests.conftest import read
from tests.pull.acme import Acme, World, connector
from tests.sandboxes import Running


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """What is so at Acme, whose connector is the only one that is installed."""
    made = World(never=["cat"])
    monkeypatch.setattr(base, "all_connectors", lambda: {"acme": connector(made)})
    return made


@pytest.fixture
def acme(db: None, world: World) -> Connection:
    """A connection to Acme."""
    service = Service.objects.create(key="acme", name="Acme", category="Incidents")
    now = timezone.now()
    made = Connection.objects.create(
        service=service,
        account_id="A1",
        account_name="acme",
        api_url="https://acme.example",
        connected_at=now,
        way="key",
    )
    made.seal("credential", "only-for-tests")
    made.save()
    return made


def test_the_next_sync_asks_only_for_what_is_not_settled(acme: Connection, world: World) -> None:
    assert read(acme).state == "done"
    assert len(world.asked) == 13  # twelve months and the activity
    month = f"{plan_now(acme).months[0]:%Y-%m}"
    world.asked, world.calls[month] = [], 7
    assert read(acme).state == "done"
    assert world.asked[0] == month
    assert len(world.asked) == 2
    assert UsagePoint.objects.count() == 12
    assert UsagePoint.objects.get(final=False).value == 7


def test_what_may_be_passed_over_is_kept_with_the_records_that_make_it_so(
    acme: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, taken = stages.stage, list[str]()

    def fail_in_the_end(run: SyncRun, batch: Batch) -> None:
        real(run, batch)
        taken.append(batch.stage)
        if taken.count("usage") == 4:
            raise ZeroDivisionError

    monkeypatch.setattr(stages, "stage", fail_in_the_end)
    run, _ = sync.open_run(acme, by=None)
    with pytest.raises(ZeroDivisionError):
        sync.run(run.pk)
    monkeypatch.undo()
    monkeypatch.setattr(base, "all_connectors", lambda: {"acme": connector(world)})
    acme.refresh_from_db()
    kept = acme.reading_state["stages"]["usage"]["final"]
    points = {f"{point.month:%Y-%m}" for point in UsagePoint.objects.filter(final=True)}
    assert set(kept) == points
    assert len(points) == 2
    read(acme)
    assert UsagePoint.objects.count() == 12


@pytest.mark.parametrize("where", ["envelope", "connector"])
def test_a_state_that_is_refused_is_said_in_one_line_and_all_is_read_anew(
    acme: Connection, world: World, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    read(acme)
    world.asked = []
    if where == "envelope":
        Connection.objects.update(reading_state={"version": 99, "stages": {}})
    else:
        world.refuses = True
    caplog.set_level(logging.WARNING)
    assert read(acme).state == "done"
    assert len(world.asked) == 13
    (line,) = caplog.messages
    assert line.startswith(f"connection {acme.pk} reads everything anew: ")
    assert acme.reading_state["version"] == 1
    assert Member.objects.current().count() == 3


def test_what_is_erased_is_read_anew(acme: Connection, world: World) -> None:
    read(acme)
    assert acme.reading_state
    acme.erase_collected()
    acme.save()
    assert acme.reading_state == {}
    world.asked = []
    read(acme)
    assert len(world.asked) == 13
    assert UsagePoint.objects.count() == 12


def test_the_home_code_is_in_the_plan(acme: Connection, settings: Iterator[object]) -> None:
    assert plan_now(acme).home_code == ""
    settings.HOME_CODE = "49"  # type: ignore[attr-defined]
    assert plan_now(acme).home_code == "49"


def test_never_is_the_vendors_word_and_neither_unknown_nor_idle(
    acme: Connection, world: World
) -> None:
    now = datetime.now(UTC)
    world.acts = [("ada", now - timedelta(days=2))]
    read(acme)
    assert statuses() == {"ada": "active", "ben": "unknown", "cat": "never"}
    cat = Member.objects.get(name="cat")
    assert cat.never_source == "signed_in"
    assert cat.never_read_at is not None
    assert cat.last_seen_at is None
    world.never = []  # nobody says so any more
    read(acme)
    assert statuses()["cat"] == "unknown"
    world.never, world.acts = ["cat"], [("cat", now - timedelta(minutes=30))]
    read(acme)
    assert statuses()["cat"] == "active"  # to act is to be seen, whoever never signed in


def statuses() -> dict[str, str]:
    members = Member.objects.with_status(timezone.now()).with_age(timezone.now())
    found = {member.name: member.status for member in members}  # type: ignore[attr-defined]
    ages = {member.name: member.age for member in members}  # type: ignore[attr-defined]
    assert {who for who in found if found[who] == "never"} == {
        who for who in ages if ages[who] == "never"
    }
    return found


def test_a_second_sync_of_a_real_account_reads_no_more_and_changes_nothing(
    connection: Connection, vendor: Running
) -> None:
    first = read(connection)
    before = {(p.month, p.metric): (p.value, p.final) for p in UsagePoint.objects.all()}
    second = read(connection)
    assert (first.state, second.state) == ("done", "done")
    assert sum(second.requests.values()) <= sum(first.requests.values())
    after = {(p.month, p.metric): (p.value, p.final) for p in UsagePoint.objects.all()}
    assert after.keys() >= before.keys()
    for key, (value, final) in before.items():  # the account lives on, but not in the past
        assert after[key] == (value, final) if final else after[key][0] >= value


@pytest.mark.parametrize("what", ["HOME_CODE", "BILLING_ZONE"])
def test_in_other_terms_usage_is_read_anew_and_final_numbers_give_way(
    acme: Connection, world: World, settings: Any, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(
        Acme,
        "metrics",
        (*Acme.metrics, MetricInfo("far", "Far", "far", "GET /c", by_home=True)),
    )
    read(acme)
    now = timezone.now()
    old = UsagePoint.objects.filter(final=True).earliest("month")
    far = UsageRecord(old.month, "far", 3, True, "GET /c")
    UsagePoint.objects.record(acme, [far], now)
    months = {f"{point.month:%Y-%m}": 99 for point in UsagePoint.objects.all()}
    world.calls, world.asked = months, []
    setattr(settings, what, "49" if what == "HOME_CODE" else ZoneInfo("Asia/Tokyo"))
    acme.reading_state = {}  # as a connector does of itself with a part in other terms
    acme.save()
    read(acme)
    told = UsagePoint.objects.filter(metric="calls", month=old.month)
    assert [point.value for point in told] == [99]
    assert UsagePoint.objects.filter(metric="far").exists() == (what == "BILLING_ZONE")
    world.calls = dict.fromkeys(months, 7)
    read(acme)
    assert UsagePoint.objects.get(metric="calls", month=old.month).value == 99
