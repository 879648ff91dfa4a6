"""What the connector makes of answers the simulated vendor never gives."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.collect import collect
from seatwise.connectors.errors import AccessDenied
from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty import fields
from seatwise.connectors.pagerduty.api import explain
from seatwise.connectors.records import Account, Batch, SignalRecord, UsageRecord
from tests.connectors.accounts import connector
from tests.connectors.faultserver import FaultServer, answer, fault_server

SCOPES = frozenset({"incidents.read"})
MARCH = date(2026, 3, 1)
NOW = datetime(2026, 4, 2, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        empty = {"more": False, "total": 0}
        says(started, "/users", users=[], **empty)
        says(started, "/licenses", licenses=[])
        says(started, "/license_allocations", license_allocations=[], **empty)
        says(started, "/incidents", incidents=[], **empty)
        says(started, "/notifications", notifications=[], **empty)
        says(started, "/log_entries", log_entries=[], **empty)
        yield started


def says(server: FaultServer, path: str, **data: Any) -> None:
    server.on(path, answer(json.dumps(data).encode()))


def read(server: FaultServer, zone: str = "UTC") -> list[Batch]:
    plan = ReadPlan([MARCH], ZoneInfo(zone), NOW, datetime(2026, 3, 30, tzinfo=UTC))
    account = Account("", "", "US", server.url, "", "", scopes=SCOPES)

    async def everything() -> list[Batch]:
        async with connector().reader({}, account, FixedToken("t")) as reader:
            return [batch async for batch in collect(reader, plan)]

    return asyncio.run(everything())


def usage(batches: list[Batch]) -> dict[str, int]:
    records = [record for batch in batches for record in batch.records]
    return {r.metric: r.value for r in records if isinstance(r, UsageRecord)}


def signals(batches: list[Batch]) -> list[SignalRecord]:
    records = [record for batch in batches for record in batch.records]
    return [record for record in records if isinstance(record, SignalRecord)]


@pytest.mark.fault(55)
def test_a_real_empty_account_is_complete_and_empty(server: FaultServer) -> None:
    batches = read(server)
    complete = {batch.stage for batch in batches if batch.complete}
    assert complete == {"members", "licences", "usage", "activity"}
    assert {batch.stage for batch in batches if batch.ended} == complete
    assert set(usage(batches).values()) == {0}


@pytest.mark.fault(68)
def test_an_incident_on_the_border_belongs_to_one_month_only(server: FaultServer) -> None:
    times = ["2026-02-28T23:59:59.9Z", "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.9Z"]
    times += ["2026-04-01T00:00:00Z"]
    incidents = [
        {"id": f"I{n}", "created_at": time, "status": "resolved", "alert_counts": {"all": 10**n}}
        for n, time in enumerate(times)
    ]
    says(server, "/incidents", incidents=incidents, more=False, total=4)
    found = usage(read(server))
    assert (found["incidents"], found["alerts"]) == (2, 110)


def test_alerts_are_unknown_when_an_incident_does_not_count_them(server: FaultServer) -> None:
    incidents = [
        {"id": "I1", "created_at": "2026-03-05T00:00:00Z", "alert_counts": {"all": 5}},
        {"id": "I2", "created_at": "2026-03-05T00:00:00Z", "alert_counts": None},
    ]
    says(server, "/incidents", incidents=incidents, more=False, total=2)
    batches = read(server)
    assert usage(batches)["incidents"] == 2
    assert "alerts" not in usage(batches)
    assert [gap.capability for batch in batches for gap in batch.gaps] == ["alerts"]


def test_notifications_that_are_not_counted_are_unknown_and_not_zero(server: FaultServer) -> None:
    says(server, "/notifications", notifications=[{"id": "N1"}], more=True, total=None)
    assert set(usage(read(server))) == {"incidents", "alerts"}


@pytest.mark.fault(53)
def test_fewer_people_than_counted_are_read_again_and_never_called_complete(
    server: FaultServer,
) -> None:
    says(server, "/users", users=[{"id": "P1"}], more=False, total=2)
    members = [batch for batch in read(server) if batch.stage == "members"]
    asked = [request for request in server.requests if request.startswith(b"GET /users")]
    assert len(asked) == 2
    assert sum(len(batch.records) for batch in members) == 1
    assert not any(batch.complete for batch in members)
    assert [batch.ended for batch in members] == [False, True]
    (gap,) = [gap for batch in members for gap in batch.gaps]
    assert gap.what == "1 of 2 members were read; nobody is marked as gone."


def entry(number: int, kind: str, agent: dict[str, str], summary: str = "") -> dict[str, Any]:
    return {
        "id": f"L{number}",
        "type": f"{kind}_log_entry",
        "created_at": f"2026-03-31T00:00:{number:02}Z",
        "agent": agent,
        "incident": {"summary": summary, "html_url": "https://h.pagerduty.com/incidents/Q"},
    }


def test_only_what_a_person_did_is_evidence_and_titles_are_not_kept(server: FaultServer) -> None:
    ada = {"id": "PADA", "type": "user_reference"}
    entries = [
        entry(1, "acknowledge", ada, "[#88213] secret project is down"),
        entry(2, "notify", ada, "[#9] paged"),
        entry(3, "resolve", {"id": "PSVC", "type": "service_reference"}, "[#9]"),
        entry(4, "snooze", {"id": "PBOB", "type": "user_reference"}, "no number"),
    ]
    says(server, "/users", users=[{"id": "PADA"}, {"id": "PBOB"}], more=False, total=2)
    says(server, "/log_entries", log_entries=entries, more=False, total=4)
    assert {(s.member_id, s.source, s.proof) for s in signals(read(server))} == {
        ("PADA", "acknowledged", "acknowledged incident #88213"),
        ("PBOB", "other_action", "changed an incident"),
    }


def test_the_log_is_left_as_soon_as_everybody_was_met(server: FaultServer) -> None:
    ada = {"id": "PADA", "type": "user_reference"}
    invited = {"id": "PNEW", "invitation_sent": True}
    says(server, "/users", users=[{"id": "PADA"}, invited], more=False, total=2)
    says(server, "/log_entries", log_entries=[entry(1, "resolve", ada)], more=False, total=1)
    plan = ReadPlan([], ZoneInfo("UTC"), NOW, datetime(2025, 1, 1, tzinfo=UTC))

    async def everything() -> list[Batch]:
        account = Account("", "", "US", server.url, "", "", scopes=SCOPES)
        async with connector().reader({}, account, FixedToken("t")) as reader:
            return [batch async for batch in collect(reader, plan)]

    last = asyncio.run(everything())[-1]
    assert (last.stage, last.complete, last.done, last.total) == ("activity", True, 456, 456)
    assert sum(request.startswith(b"GET /log_entries") for request in server.requests) == 1


def test_a_refusal_repeats_the_vendors_words(server: FaultServer) -> None:
    error = {"message": "Token missing required scopes", "required_scopes": "users.read"}
    server.on("/users", answer(json.dumps({"error": error}).encode(), 403))
    with pytest.raises(AccessDenied, match=r"required scopes \(needed: users\.read\)"):
        read(server)


@pytest.mark.fault(62)
@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://harbor.pagerduty.com/users/P1", True),
        ("https://harbor.eu.pagerduty.com/users/P1", True),
        ("http://harbor.pagerduty.com/users/P1", False),
        ("https://me@harbor.pagerduty.com/", False),
        ("https://pagerduty.com.evil.example/", False),
        ("https://evilpagerduty.com/", False),
        ("javascript:alert(1)//harbor.pagerduty.com", False),
        ("https://[", False),
        (None, False),
    ],
)
def test_only_the_vendors_own_pages_are_linked(address: object, kept: bool) -> None:
    assert fields.link(address) == (address if kept else "")


@pytest.mark.fault(69)
@pytest.mark.parametrize(
    "value",
    [
        *["2026-03-01T00:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-10:00"],
        *["10000-01-01T00:00:00Z", "2026-03-01", "yesterday", "", None, 5],
    ],
)
def test_a_time_without_a_zone_or_out_of_this_world_is_unknown(value: object) -> None:
    assert fields.moment(value) is None


@pytest.mark.fault(70)
@pytest.mark.parametrize("value", [-1, 2**31, 2**60, 1.5, True, "x", "-3", None, [], "9" * 5000])
def test_a_number_that_cannot_be_a_count_is_unknown(value: object) -> None:
    assert fields.count(value) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_every_text_can_be_stored_whatever_it_holds(value: str) -> None:
    stored = fields.text(20)(value)
    assert len(stored) <= 20
    assert "\x00" not in stored
    stored.encode("utf-8")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"error": {"message": "A", "errors": ["B", 7]}}, "A; B"),
        ({"error": {"message": "A", "errors": "B"}}, "A; B"),
        ({"error": {"message": "A", "errors": None}}, "A"),
        ({"error": {"message": None}}, ""),
        ({"error": "invalid"}, "invalid"),
        ({"error": None}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_an_error_body_is_read_in_all_its_shapes(data: object, said: str) -> None:
    assert explain(data) == said
