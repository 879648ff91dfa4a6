"""Usage, read again: only what can have changed is asked, and the numbers are as exact as ever."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from seatwise.connectors.pagerduty.usage.tally import MOST_OPEN, Tally
from seatwise.connectors.state import State
from tests.connectors.usages import Read, agrees, kept, listed, numbers, plan, usage
from tests.sandboxes import Running, running

FIRST = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEXT = FIRST + timedelta(days=1)
AFTER = datetime(2026, 12, 3, 9, 30, tzinfo=UTC)  # another month has begun
LATER = datetime(2027, 1, 20, 9, 30, tzinfo=UTC)
MONTHLY = 800
# The same company at four moments: its history begins with the same month each time.
LENGTHS = {FIRST: 3, NEXT: 3, AFTER: 4, LATER: 5}
OPTIONS: dict[str, Any] = {"seed": 6, "users": 90}

Days = Mapping[datetime, Running]


@pytest.fixture(scope="module")
def days() -> Iterator[Days]:
    def opened(moments: list[datetime]) -> Iterator[Days]:
        if not moments:
            yield {}
            return
        now, *others = moments
        months = LENGTHS[now]
        with running(now=now, months=months, incidents=MONTHLY * months, **OPTIONS) as sandbox:
            for rest in opened(others):
                yield {now: sandbox, **rest}

    yield from opened(list(LENGTHS))


@pytest.fixture(autouse=True)
def _good_day(days: Days) -> Iterator[None]:
    yield
    for sandbox in days.values():
        sandbox.clear_faults()
        sandbox.forget_requests()


def read(days: Days, now: datetime, state: Mapping[str, object], zone: str = "UTC") -> Read:
    days[now].forget_requests()
    return usage(days[now], plan(now, zone=zone, state=copy.deepcopy(state)))


def windows(sandbox: Running, path: str = "/us/incidents") -> list[tuple[str, str]]:
    """Between which moments everything was asked for."""
    asked = [parse_qs(request["query"]) for request in sandbox.requests(path)]
    whole = [a for a in asked if "since" in a and "statuses[]" not in a]
    return [(a["since"][0], a["until"][0]) for a in whole]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_the_companies_of_these_tests_have_one_history(days: Days, zone: str) -> None:
    at = FIRST.isoformat()
    told = [sandbox.truth(zone=zone, at=at)["months"] for sandbox in days.values()]
    assert told[0] == told[1] == told[2] == told[3]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_the_next_day_asks_for_little_and_tells_the_truth(days: Days, zone: str) -> None:
    first = read(days, FIRST, {}, zone)
    second = read(days, NEXT, first.state, zone)
    merged = numbers([*first.batches, *second.batches])
    truth = agrees(days[NEXT], merged, plan(NEXT, zone=zone))
    before = days[FIRST].truth(zone=zone)["months"]
    assert truth["2026-11"] != before[-1]
    assert second.requests["GET /notifications"] == 4
    assert sum(second.requests.values()) <= 20
    assert not any(_is_whole(since, end) for since, end in windows(days[NEXT]))
    assert second.gaps == []


def _is_whole(since: str, end: str) -> bool:
    """Whether that may be all of the present month, in any zone."""
    return since < "2026-11-01T12" and end > "2026-11-21"


def test_incidents_that_were_open_are_closed_meanwhile(days: Days) -> None:
    first = read(days, FIRST, {})
    second = read(days, NEXT, first.state)
    assert _open(first, "2026-11").keys() - _open(second, "2026-11").keys()
    agrees(days[NEXT], numbers([*first.batches, *second.batches]), plan(NEXT))


def test_incidents_that_were_open_gain_alerts_meanwhile(days: Days) -> None:
    first = read(days, FIRST, {})
    incidents = _months(first)["2026-11"]["incidents"]
    # As if the first reading had been before all but one of their alerts.
    gained = sum(alerts - 1 for alerts, _ in incidents["open"].values())
    assert gained
    fewer = {name: [1, at] for name, (_, at) in incidents["open"].items()}
    state = _changed(first.state, open=fewer, alerts=incidents["alerts"] - gained)
    second = read(days, NEXT, state)
    agrees(days[NEXT], numbers([*first.batches, *second.batches]), plan(NEXT))


def _open(got: Read, month: str) -> dict[str, Any]:
    found: dict[str, Any] = _months(got)[month]["incidents"]["open"]
    return found


def _months(got: Read) -> dict[str, Any]:
    found = State.opened(got.state).of("usage")["months"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_year_of_readings_over_the_ends_of_months(days: Days, zone: str) -> None:
    state: Mapping[str, object] = {}
    batches = []
    for now in LENGTHS:
        got = read(days, now, state, zone)
        batches += got.batches
        state = got.state
        asked = plan(now, zone=zone)
        agrees(days[now], numbers(batches), asked)
        assert got.gaps == []


def test_final_numbers_are_of_one_whole_reading(days: Days) -> None:
    first = read(days, NEXT, {})
    assert "final" not in _months(first)["2026-11"]
    second = read(days, LATER, first.state)
    asked = windows(days[LATER])
    final = [name for name, month in _months(second).items() if month.get("final")]
    turned = [name for name in final if not _months(first).get(name, {}).get("final")]
    assert turned
    for name in turned:
        start = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
        end = (start + timedelta(days=32)).replace(day=1)
        assert (_stamp(start - timedelta(seconds=1)), _stamp(end + timedelta(seconds=1))) in asked


def test_a_month_whose_last_incident_was_closed_is_read_whole_before_it_is_final(
    days: Days,
) -> None:
    first = read(days, FIRST, {})
    rows = listed(
        days[NEXT],
        "/incidents",
        "incidents",
        since="2026-09-01T00:00:00Z",
        until="2026-10-01T00:00:00Z",
    )
    last = {rows[-1]["id"]: [rows[-1]["alert_counts"]["all"], rows[-1]["created_at"]]}
    numbers_then = {"count": len(rows), "alerts": sum(row["alert_counts"]["all"] for row in rows)}
    state: dict[str, Any] = json.loads(json.dumps(first.state))
    state["stages"]["usage"]["months"]["2026-09"] = {
        "incidents": {"until": (FIRST - timedelta(hours=1)).isoformat(), "open": last}
        | numbers_then
    }
    second = read(days, NEXT, state)
    assert ("2026-08-31T23:59:59Z", "2026-10-01T00:00:01Z") in windows(days[NEXT])
    assert second.numbers["2026-09", "alerts"].value == numbers_then["alerts"]
    assert second.numbers["2026-09", "alerts"].final
    assert _months(second)["2026-09"] == {"final": True}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def test_a_final_month_is_not_asked_again_and_tells_nothing(days: Days) -> None:
    first = read(days, FIRST, {})
    assert _months(first)["2026-09"] == {"final": True}
    second = read(days, NEXT, first.state)
    assert not [key for key in second.numbers if key[0] == "2026-09"]
    assert _months(second)["2026-09"] == {"final": True}
    for path in ("/us/incidents", "/us/notifications"):
        assert all(since >= "2026-10" for since, _ in windows(days[NEXT], path))


def test_a_reading_goes_on_from_wherever_an_earlier_one_broke_off(days: Days) -> None:
    first = read(days, FIRST, {})
    for length in range(len(first.batches) + 1):
        begun = first.batches[:length]
        second = read(days, NEXT, kept(begun))
        agrees(days[NEXT], numbers([*begun, *second.batches]), plan(NEXT))
    whole = first.batches
    second = read(days, AFTER, kept(whole))
    for length in range(len(second.batches) + 1):
        known = [*whole, *second.batches[:length]]
        third = read(days, LATER, kept(known))
        agrees(days[LATER], numbers([*known, *third.batches]), plan(LATER))


def test_reading_twice_at_one_moment_changes_nothing(days: Days) -> None:
    first = read(days, FIRST, {})
    second = read(days, FIRST, first.state)
    assert {**first.numbers, **second.numbers} == first.numbers
    assert second.state == first.state


@pytest.mark.fault(68)
def test_another_zone_is_read_anew(days: Days) -> None:
    first = read(days, FIRST, {}, "UTC")
    second = read(days, NEXT, first.state, "Asia/Tokyo")
    agrees(days[NEXT], second.numbers, plan(NEXT, zone="Asia/Tokyo"))
    third = read(days, AFTER, second.state, "UTC")
    agrees(days[AFTER], third.numbers, plan(AFTER, zone="UTC"))


def _changed(state: Mapping[str, object], **incidents: object) -> dict[str, object]:
    """That state, where it remembers something else of November's incidents."""
    made: dict[str, Any] = json.loads(json.dumps(state))
    made["stages"]["usage"]["months"]["2026-11"]["incidents"].update(incidents)
    return made


def test_a_clock_that_went_back_is_survived(days: Days) -> None:
    later = read(days, NEXT, {})
    got = read(days, FIRST, _changed(later.state, open={}))
    agrees(days[FIRST], numbers([*later.batches, *got.batches]), plan(FIRST))


@pytest.mark.parametrize("what", ["reopened", "vanished"])
def test_an_incident_that_fits_no_memory_has_the_month_read_whole(days: Days, what: str) -> None:
    first = read(days, FIRST, {})
    known = _open(first, "2026-11")
    lasting = _open(read(days, NEXT, first.state), "2026-11").keys() & known.keys()
    name = next(iter(lasting))
    if what == "reopened":
        still = {other: value for other, value in known.items() if other != name}
    else:
        still = {**known, "QGONE": known[name]}
    second = read(days, NEXT, _changed(first.state, open=still))
    agrees(days[NEXT], numbers([*first.batches, *second.batches]), plan(NEXT))
    start = _stamp(datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC))
    assert start in {since for since, _ in windows(days[NEXT])}


@pytest.mark.parametrize(
    "part",
    [
        {"until": None},
        {"count": "many"},
        {"open": [1]},
        {"open": {"Q1": 3}},
        {"until": "2026-11-20T09:30:00"},
        {"open": {"Q1": [3, "2026-11-02T09:30:00"]}},
    ],
)
def test_a_damaged_memory_is_no_memory(days: Days, part: dict[str, object]) -> None:
    first = read(days, FIRST, {})
    second = read(days, NEXT, _changed(first.state, **part))
    agrees(days[NEXT], numbers([*first.batches, *second.batches]), plan(NEXT))


def test_what_was_refused_for_a_day_is_told_the_day_after(days: Days) -> None:
    days[FIRST].fault(path="/incidents", status=403, times=None)
    first = read(days, FIRST, {})
    assert not any(month.get("final") for month in _months(first).values())
    second = read(days, NEXT, first.state)
    agrees(days[NEXT], second.numbers, plan(NEXT))
    assert second.requests["GET /notifications"] == 4  # those of months that are over are known


def test_services_that_were_met_once_are_not_forgotten(days: Days) -> None:
    first = read(days, FIRST, {})
    second = read(days, NEXT, first.state)
    assert len(first.services) > 5
    assert second.services >= first.services


def test_the_last_hour_is_not_remembered_for_more_of_it_may_show_late(days: Days) -> None:
    first = read(days, FIRST, {})
    until = FIRST - timedelta(hours=1)
    kept = _months(first)["2026-11"]["incidents"]
    assert datetime.fromisoformat(kept["until"]) == until
    window = {"since": "2026-11-01T00:00:00Z", "until": _stamp(until)}
    assert kept["count"] == len(listed(days[NEXT], "/incidents", "incidents", **window))
    assert kept["count"] < first.numbers["2026-11", "incidents"].value


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("query", ["statuses%5B%5D=triggered", "sort_by=resolved_at"])
def test_where_changes_may_not_be_listed_the_month_is_read_whole(
    days: Days, query: str, status: int
) -> None:
    first = read(days, FIRST, {})
    days[NEXT].fault(path="/incidents", query=query, status=status, times=None)
    second = read(days, NEXT, first.state)
    agrees(days[NEXT], numbers([*first.batches, *second.batches]), plan(NEXT))
    assert second.gaps == []
    assert any(_is_whole(since, end) for since, end in windows(days[NEXT]))


def test_resolved_incidents_in_no_order_are_not_believed(days: Days) -> None:
    first = read(days, FIRST, {})
    window = {"since": "2026-11-01T00:00:00Z", "until": _stamp(NEXT)}
    rows = listed(days[NEXT], "/incidents", "incidents", **window, **{"statuses[]": "resolved"})
    body = {"incidents": rows[:100], "more": False, "total": 100, "limit": 100, "offset": 0}
    days[NEXT].fault(
        path="/incidents", query="sort_by=resolved_at", kind="json", body=body, times=None
    )
    second = read(days, NEXT, first.state)
    agrees(days[NEXT], numbers([*first.batches, *second.batches]), plan(NEXT))


def test_more_open_incidents_than_one_can_remember_are_not_remembered() -> None:
    tally = Tally(FIRST)
    for number in range(MOST_OPEN):
        tally.take(f"Q{number}", FIRST - timedelta(days=1), 1, is_open=True)
    assert tally.kept() is not None
    tally.take("Q", FIRST - timedelta(days=1), 1, is_open=True)
    assert tally.kept() is None
    assert (tally.count, tally.alerts, tally.any_open) == (MOST_OPEN + 1, MOST_OPEN + 1, True)


@pytest.mark.parametrize(("minutes", "final"), [(5, False), (59, False), (61, True)])
def test_numbers_are_final_only_when_all_that_happened_can_be_seen(
    days: Days, minutes: int, final: bool
) -> None:
    end = datetime(2026, 10, 1, tzinfo=UTC)
    asked = replace(plan(end - timedelta(days=1), months=1), now=end)
    got = usage(days[FIRST], replace(asked, read_at=end + timedelta(minutes=minutes)))
    assert {usage.final for usage in got.numbers.values()} == {final}
