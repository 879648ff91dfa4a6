"""Usage, read whole: each month's numbers to the last one, and what is said when they are not."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from seatwise.connectors.records import Batch, SignalRecord
from tests.connectors.faultserver import FaultServer, answer, fault_server
from tests.connectors.usages import Read, agrees, listed, plan, usage, usage_at
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SPRING = datetime(2026, 4, 3, 1, 30, tzinfo=UTC)
CHANNELS = ("sms", "phone", "email", "push")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(seed=8, users=60, incidents=2400, months=4, now=NOW) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running) -> Iterator[None]:
    yield
    sandbox.clear_faults()
    sandbox.forget_requests()


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    "zone",
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"],
)
def test_months_are_what_they_are_in_the_zone_that_was_asked(sandbox: Running, zone: str) -> None:
    asked = plan(NOW, zone=zone)
    got = usage(sandbox, asked)
    agrees(sandbox, got.numbers, asked)
    assert got.gaps == []
    assert got.requests["GET /notifications"] == 4 * len(asked.months)


@pytest.mark.fault(68)
@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Europe/Berlin"])
def test_a_month_in_which_the_clocks_change_is_neither_too_long_nor_too_short(zone: str) -> None:
    with running(seed=9, users=40, incidents=1200, months=3, now=SPRING) as spring:
        asked = plan(SPRING, months=2, zone=zone)
        agrees(spring, usage(spring, asked).numbers, asked)


def test_months_come_newest_first_and_each_with_the_state_after_it(sandbox: Running) -> None:
    got = usage(sandbox, plan(NOW, months=4))
    ends = [batch for batch in got.batches if batch.state is not None]
    assert [batch.done for batch in ends] == [1, 2, 3, 4]
    assert all(batch.total == 4 for batch in got.batches)
    assert [batch.complete and batch.ended for batch in ends] == [False, False, False, True]
    known = [list(_months(batch)) for batch in ends]
    assert known[0] == ["2026-11"]
    assert known[3] == ["2026-11", "2026-10", "2026-09", "2026-08"]
    json.dumps(got.state)


def _months(batch: Batch) -> dict[str, Any]:
    assert batch.state is not None
    found = batch.state["months"]
    assert isinstance(found, dict)
    return found


def test_evidence_is_the_newest_of_each_source_and_comes_in_small_portions() -> None:
    with running(seed=8, users=6000, incidents=8000, months=2, now=NOW) as large:
        got = usage(large, plan(NOW, months=2))
        rows = listed(large, "/incidents", "incidents", date_range="all", sort_by="created_at:desc")
    expected: dict[tuple[str, str], str] = {}
    for row in rows:
        acts = [("acknowledged", a["acknowledger"], a["at"]) for a in row["acknowledgements"]]
        status = row["status"]
        source = status if status in ("acknowledged", "resolved") else "other_action"
        acts.append((source, row["last_status_change_by"], row["last_status_change_at"]))
        for name, who, at in acts:
            if who["type"] == "user_reference":
                expected[who["id"], name] = max(at, expected.get((who["id"], name), ""))
    found: dict[tuple[str, str], SignalRecord] = {}
    for signal in got.signals:
        known = found.get((signal.member_id, signal.source))
        if known is None or signal.at > known.at:
            found[signal.member_id, signal.source] = signal
    assert {of: signal.at for of, signal in found.items()} == {
        of: datetime.fromisoformat(at) for of, at in expected.items()
    }
    assert len(found) > 1000
    assert max(len(batch.records) for batch in got.batches) < 1200
    assert len(got.signals) < 1.2 * len(found)


def test_the_services_of_incidents_are_told(sandbox: Running) -> None:
    rows = listed(sandbox, "/incidents", "incidents", since="2026-11-01T00:00:00Z")
    assert usage(sandbox, plan(NOW, months=1)).services == {row["service"]["id"] for row in rows}


@pytest.mark.fault(53)
@pytest.mark.parametrize("kind", ["total_null", "total_shrinks"])
def test_an_odd_answer_about_incidents_changes_no_number(sandbox: Running, kind: str) -> None:
    sandbox.fault(path="/incidents", kind=kind, times=2)
    asked = plan(NOW, months=2)
    got = usage(sandbox, asked)
    agrees(sandbox, got.numbers, asked)
    assert got.gaps == []


@pytest.mark.fault(53)
def test_a_total_of_notifications_that_contradicts_itself_is_asked_again(sandbox: Running) -> None:
    sandbox.fault(path="/notifications", query="filter=sms", kind="total_null", times=1)
    asked = plan(NOW, months=1)
    got = usage(sandbox, asked)
    agrees(sandbox, got.numbers, asked)
    assert got.requests["GET /notifications"] == 5
    assert got.gaps == []


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("total", "more"), [(None, False), (None, True), (0, False), (1, True), (7, False)]
)
def test_a_total_that_still_contradicts_itself_is_unknown_and_the_month_not_final(
    sandbox: Running, total: int | None, more: bool
) -> None:
    body = {"notifications": [{"id": "N1"}], "more": more, "total": total}
    sandbox.fault(path="/notifications", query="filter=sms", kind="json", body=body, times=None)
    got = usage(sandbox, plan(NOW, months=4))
    metrics = {metric for _, metric in got.numbers}
    assert metrics == {
        "incidents",
        "alerts",
        "notifications_phone",
        "notifications_email",
        "notifications_push",
    }
    assert not any(record.final for record in got.numbers.values())
    assert [gap.capability for gap in got.gaps] == ["usage"] * 4
    assert "by sms in 2026-11" in got.gaps[0].what
    assert not any(month.get("final") for month in _months(got.batches[-1]).values())


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


SETTLED = datetime(2026, 3, 1, 2, tzinfo=UTC)


def february(server: FaultServer, incidents: dict[str, Any], sent: dict[str, Any]) -> Read:
    """February 2026, read in March from a server that always answers this."""
    server.on("/incidents", answer(json.dumps(incidents).encode()))
    server.on("/notifications", answer(json.dumps(sent).encode()))
    asked = plan(SETTLED, months=2)
    return usage_at(server.url, type(asked)(asked.months[1:], asked.zone, asked.now, asked.now))


def closed(number: int) -> dict[str, Any]:
    return {
        "id": f"Q{number}",
        "created_at": f"2026-02-{number:02}T10:00:00Z",
        "status": "resolved",
        "alert_counts": {"all": number},
    }


NOTHING = {"notifications": [], "more": False, "total": 0}


def test_rows_that_are_counted_and_not_shown_are_said_and_the_month_is_not_final(
    server: FaultServer,
) -> None:
    page = {"incidents": [closed(3), closed(2)], "more": False, "total": 5}
    got = february(server, page, NOTHING)
    assert got.numbers["2026-02", "incidents"].value == 2
    assert not any(record.final for record in got.numbers.values())
    (gap,) = got.gaps
    assert gap.capability == "usage"
    assert gap.what == "PagerDuty counts 3 incidents of 2026-02 that it does not show."
    assert "final" not in _months(got.batches[-1])["2026-02"]
    assert "incidents" not in _months(got.batches[-1])["2026-02"]


def test_a_month_that_was_shown_whole_is_final(server: FaultServer) -> None:
    page = {"incidents": [closed(3), closed(2)], "more": False, "total": 2}
    got = february(server, page, NOTHING)
    assert {(m, u.value) for (_, m), u in got.numbers.items()} >= {("incidents", 2), ("alerts", 5)}
    assert all(record.final for record in got.numbers.values())
    assert _months(got.batches[-1]) == {"2026-02": {"final": True}}


def test_incidents_without_the_number_of_their_alerts_leave_alerts_unknown(
    server: FaultServer,
) -> None:
    page = {"incidents": [closed(3), {**closed(2), "alert_counts": None}], "more": False}
    got = february(server, {**page, "total": 2}, NOTHING)
    assert ("2026-02", "alerts") not in got.numbers
    assert got.numbers["2026-02", "incidents"].value == 2
    assert [gap.capability for gap in got.gaps] == ["alerts"]
    assert "final" not in _months(got.batches[-1])["2026-02"]
