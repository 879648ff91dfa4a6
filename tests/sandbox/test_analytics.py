"""Analytics counts what the lists list, as of the last midnight."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company.world import Company, World
from seatwise.sandbox.pagerduty.rest.analytics import metrics_all
from seatwise.sandbox.pagerduty.rest.answers import Call, Caller
from seatwise.sandbox.pagerduty.strings.controls import Controls
from tests.sandbox.conftest import NOW, Reader

MIDNIGHT = NOW.replace(hour=0)
OCTOBER = {"created_at_start": "2026-10-01T00:00:00Z", "created_at_end": "2026-11-01T00:00:00Z"}
WINDOW = {"since": "2026-10-01T00:00:00Z", "until": "2026-11-01T00:00:00Z"}
Row = dict[str, Any]


def ask(reader: Reader, path: str, **body: Any) -> Row:
    """What analytics answers."""
    answer = reader.http.post(f"/analytics/{path}", json=body)
    assert answer.status_code == 200, answer.text
    told: Row = answer.json()
    return told


def walk(reader: Reader, path: str, **body: Any) -> list[Row]:
    """Every row of one question, batch by batch."""
    rows: list[Row] = []
    while True:
        answer = ask(reader, path, **body)
        rows += answer["data"]
        if not answer["more"]:
            return rows
        body["starting_after"] = answer["last"]


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles"])
def test_every_months_count_is_the_total_of_the_list(reader: Reader, zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    filters = {"created_at_start": start.isoformat(), "created_at_end": MIDNIGHT.isoformat()}
    told = ask(
        reader,
        "metrics/incidents/all",
        filters=filters,
        aggregate_unit="month",
        time_zone=zone,
        order="asc",
        order_by="range_start",
    )
    counts = {row["range_start"]: row["total_incident_count"] for row in told["data"]}
    assert list(counts) == [f"2026-{month:02d}-01T00:00:00" for month in range(1, 12)]
    for month in range(1, 12):
        since = start.replace(month=month)
        until = min(since.replace(month=month + 1), MIDNIGHT)
        asked = {"since": since.isoformat(), "until": until.isoformat(), "total": "true"}
        listed = reader.get("/incidents", **asked, limit=1).json()["total"]
        assert counts[f"2026-{month:02d}-01T00:00:00"] == listed


@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_the_parts_of_a_window_add_up_to_the_whole(reader: Reader, unit: str) -> None:
    filters = {"created_at_start": "2026-09-12T07:30:00Z", "created_at_end": "2026-11-09T16:45:00Z"}
    path, zone = "metrics/incidents/all", "Asia/Kolkata"
    whole = ask(reader, path, filters=filters, time_zone=zone)["data"][0]
    parts = ask(reader, path, filters=filters, time_zone=zone, aggregate_unit=unit)["data"]
    assert len(parts) == {"day": 59, "week": 10, "month": 3}[unit]
    for column in [name for name in whole if name.startswith("total_")]:
        assert whole[column] == sum(row[column] for row in parts)
    asked = {"since": "2026-09-12T07:30:00Z", "until": "2026-11-09T16:45:00Z", "total": "true"}
    assert whole["total_incident_count"] == reader.get("/incidents", **asked).json()["total"]


def test_raw_rows_are_the_incidents_of_the_list(reader: Reader) -> None:
    listed = {row["id"]: row for row in reader.all("/incidents", "incidents", **WINDOW)}
    rows = walk(reader, "raw/incidents", filters=OCTOBER, limit=100, order="asc")
    assert [row["id"] for row in rows] == list(listed)
    for row in rows:
        one = listed[row["id"]]
        assert f"{row['created_at']}Z" == one["created_at"]
        assert row["incident_number"] == one["incident_number"]
        assert (row["service_id"], row["urgency"]) == (one["service"]["id"], one["urgency"])
        ended = one["resolved_at"]
        if ended is None or datetime.fromisoformat(ended) < MIDNIGHT:
            assert row["resolved_at"] == (ended.removesuffix("Z") if ended else None)
            assert row["status"] == one["status"]


def test_a_rows_figures_are_those_of_the_incidents_log(reader: Reader) -> None:
    rows = walk(reader, "raw/incidents", filters=OCTOBER, order="asc")[:60]
    people = {row["id"]: row for row in reader.all("/users", "users")}
    engaged = 0
    for row in rows:
        log = reader.all(f"/incidents/{row['id']}/log_entries", "log_entries")[::-1]
        log = [e for e in log if datetime.fromisoformat(e["created_at"]) < MIDNIGHT]
        times = {
            kind: [
                datetime.fromisoformat(e["created_at"])
                for e in log
                if e["type"] == f"{kind}_log_entry"
            ]
            for kind in ("trigger", "acknowledge", "resolve", "notify", "escalate")
        }
        begun = times["trigger"][0]
        for name, kind in (("first_ack", "acknowledge"), ("resolve", "resolve")):
            waited = (times[kind][0] - begun).total_seconds() if times[kind] else None
            assert row[f"seconds_to_{name}"] == waited
        assert row["total_notifications"] == len(times["notify"])
        assert row["acknowledgement_count"] == len(times["acknowledge"])
        assert row["escalation_count"] == len(times["escalate"])
        acked = [e["agent"]["id"] for e in log if e["type"] == "acknowledge_log_entry"]
        assert row["acknowledged_user_ids"] == list(dict.fromkeys(acked))
        assert row["engaged_user_count"] == len(set(acked))
        loud = [e for e in log if e["type"] == "notify_log_entry"]
        loud = [e for e in loud if e["channel"]["notification"]["type"] != "email"]
        assert row["total_interruptions"] == interruptions(loud, people, "")
        for part in ("business", "off", "sleep"):
            if all(e["user"]["id"] in people for e in loud):
                assert row[f"{part}_hour_interruptions"] == interruptions(loud, people, part)
        engaged += row["engaged_user_count"] > 1
    assert engaged


def interruptions(loud: list[Row], people: dict[str, Row], part: str) -> int:
    """How often somebody was interrupted, in one part of their week or at all."""
    latest: dict[str, datetime] = {}
    count = 0
    for entry in loud:
        who, at = entry["user"]["id"], datetime.fromisoformat(entry["created_at"])
        if who not in latest or at - latest[who] > timedelta(minutes=1):
            count += not part or part_of_week(at, people[who]["time_zone"]) == part
        latest[who] = at
    return count


def part_of_week(at: datetime, zone: str) -> str:
    """Work, free time or night by the clock of somebody's zone."""
    local = at.astimezone(ZoneInfo(zone))
    if not 8 <= local.hour < 22:
        return "sleep"
    return "business" if local.weekday() < 5 and local.hour < 18 else "off"


def test_the_metrics_are_the_sums_of_the_raw_rows(reader: Reader) -> None:
    rows = walk(reader, "raw/incidents", filters=OCTOBER)
    told = ask(reader, "metrics/incidents/all", filters=OCTOBER)["data"][0]
    assert told["total_incident_count"] == len(rows)
    for name in ("engaged_seconds", "escalation_count", "notifications", "interruptions"):
        column = f"total_{name}" if f"total_{name}" in rows[0] else name
        assert told[f"total_{name}"] == sum(row[column] for row in rows)
    for part in ("business", "off", "sleep"):
        column = f"{part}_hour_interruptions"
        assert told[f"total_{column}"] == sum(row[column] for row in rows)
    assert told["total_incidents_auto_resolved"] == sum(row["auto_resolved"] for row in rows)
    assert told["total_incidents_acknowledged"] == sum(
        row["acknowledgement_count"] > 0 for row in rows
    )
    for name in ("seconds_to_first_ack", "seconds_to_resolve", "seconds_to_engage"):
        values = [row[name] for row in rows if row[name] is not None]
        assert told[f"mean_{name}"] == round(sum(values) / len(values))
    waits = sorted(row["seconds_to_resolve"] for row in rows if row["seconds_to_resolve"])
    for percent in (50, 95):
        found = told[f"p{percent}_seconds_to_resolve"]
        assert sum(wait <= found for wait in waits) >= len(waits) * percent / 100
        assert sum(wait < found for wait in waits) < len(waits) * percent / 100


@pytest.mark.parametrize(("path", "column"), [("services", "service_id"), ("teams", "team_id")])
def test_groups_add_up_to_all_and_each_is_what_its_filter_finds(
    reader: Reader, path: str, column: str
) -> None:
    groups = ask(reader, f"metrics/incidents/{path}", filters=OCTOBER)["data"]
    whole = ask(reader, "metrics/incidents/all", filters=OCTOBER)["data"][0]
    assert len({row[column] for row in groups}) == len(groups) > 3
    for name in [name for name in whole if name.startswith("total_")]:
        assert whole[name] == sum(row[name] for row in groups)
    counts = [row["total_incident_count"] for row in groups]
    assert counts == sorted(counts, reverse=True)
    one = groups[1]
    filters = OCTOBER | {f"{column}s": [one[column]]}
    narrowed = ask(reader, "metrics/incidents/all", filters=filters)["data"][0]
    slowest = {name for name in narrowed if name.startswith("p")}  # of all together only
    assert {name: narrowed[name] for name in narrowed.keys() - slowest} == {
        name: value for name, value in one.items() if name in narrowed
    }
    ids = {row["id"] for row in walk(reader, "raw/incidents", filters=filters, limit=30)}
    asked = {f"{column}s[]": one[column]}
    assert ids == {row["id"] for row in reader.all("/incidents", "incidents", **WINDOW, **asked)}


def test_filters_of_urgency_and_effort_are_obeyed(reader: Reader) -> None:
    rows = walk(reader, "raw/incidents", filters=OCTOBER)
    checks: list[tuple[Row, Callable[[Row], bool]]] = [
        ({"urgency": "low"}, lambda row: row["urgency"] == "low"),
        ({"min_ackowledgements": 2}, lambda row: row["acknowledgement_count"] >= 2),
        ({"min_timeout_escalations": 1}, lambda row: row["timeout_escalation_count"] >= 1),
        ({"updated_after": "2026-10-20T00:00:00Z"}, lambda r: r["updated_at"] > "2026-10-20T00"),
        ({"major": True}, lambda _row: False),
        ({"major": False}, lambda _row: True),
        ({"priority_names": ["P1"]}, lambda _row: False),
        ({"incident_type_ids": [rows[0]["incident_type_id"]]}, lambda _row: True),
    ]
    for more, fits in checks:
        found = walk(reader, "raw/incidents", filters=OCTOBER | more, limit=50)
        wanted = [row for row in rows if fits(row)]
        if "updated_after" in more:
            wanted = [row for row in wanted if row["updated_at"] != "2026-10-20T00:00:00"]
        assert found == wanted


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("order_by", ["created_at", "seconds_to_resolve"])
def test_batches_forward_and_backward_neither_lose_nor_repeat(
    reader: Reader, order: str, order_by: str
) -> None:
    asked: Row = {"filters": OCTOBER, "order": order, "order_by": order_by}
    whole = ask(reader, "raw/incidents", **asked)
    rows = whole["data"]
    assert not whole["more"]
    assert walk(reader, "raw/incidents", **asked, limit=37) == rows
    values = [row[order_by] for row in rows if row[order_by] is not None]
    assert values == sorted(values, reverse=order == "desc")
    last = ask(reader, "raw/incidents", **asked, starting_after=whole["first"])
    assert last["data"] == rows[1:]
    before, mark = list[Row](), whole["last"]
    while True:
        batch = ask(reader, "raw/incidents", **asked, limit=41, ending_before=mark)
        before, mark = batch["data"] + before, batch["first"]
        if not batch["more"]:
            break
    assert before == rows[:-1]


def test_an_incidents_own_page_is_its_row_and_todays_are_not_there_yet(reader: Reader) -> None:
    row = ask(reader, "raw/incidents", filters=OCTOBER, limit=1)["data"][0]
    assert reader.get(f"/analytics/raw/incidents/{row['id']}").json() == row
    window = {"since": MIDNIGHT.isoformat(), "until": NOW.isoformat()}
    today = reader.all("/incidents", "incidents", **window)
    assert today
    assert reader.get(f"/analytics/raw/incidents/{today[0]['id']}").status_code == 404
    newest = {"created_at_start": "2026-11-20T00:00:00", "created_at_end": NOW.isoformat()}
    rows = walk(reader, "raw/incidents", filters=newest)
    assert rows
    assert not {one["id"] for one in today} & {row["id"] for row in rows}


def test_responders_can_be_asked_about_one_by_one(reader: Reader) -> None:
    filters = {"date_range_start": WINDOW["since"], "date_range_end": WINDOW["until"]}
    rows = walk(reader, "raw/incidents", filters=OCTOBER)
    everybody = ask(reader, "metrics/responders/all", filters=filters)["data"][0]
    assert everybody["total_incident_count"] == sum(bool(r["assigned_user_ids"]) for r in rows)
    who = next(row["assigned_user_ids"][0] for row in rows if row["assigned_user_ids"])
    mine = filters | {"responder_ids": [who]}
    one = ask(reader, "metrics/responders/all", filters=mine)["data"][0]
    assert one["total_incident_count"] == sum(who in row["assigned_user_ids"] for row in rows)
    assert one["total_incidents_acknowledged"] <= sum(
        who in row["acknowledged_user_ids"] for row in rows
    )
    sent = [n["user"]["id"] for n in reader.all("/notifications", "notifications", **WINDOW)]
    assert 0 < one["total_notifications"] <= sent.count(who) + 20  # some are sent in November
    nobody = filters | {"responder_ids": ["PNOBODY"]}
    assert ask(reader, "metrics/responders/all", filters=nobody)["data"] == []


def test_what_was_counted_while_incidents_were_open_is_counted_again_later() -> None:
    moment = [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    options = Options(seed=3, users=60, incidents=900, months=4, now=moment[0])
    young = World(options).companies["harbor-prod"]
    older = Company(young.account, young.start, lambda: moment[0])
    filters = {"created_at_start": "2026-10-01T00:00:00Z", "created_at_end": "2026-11-20T00:00:00Z"}
    body: Row = {"filters": filters, "aggregate_unit": "day"}
    first = metrics_all(call(older, body))["data"]
    assert first == metrics_all(call(young, body))["data"]
    moment[0] += timedelta(days=9)
    second = metrics_all(call(older, body))["data"]
    fresh = Company(young.account, young.start, lambda: moment[0])
    assert second == metrics_all(call(fresh, body))["data"]
    assert second != first
    assert sum(row["total_incident_count"] for row in first) == sum(
        row["total_incident_count"] for row in second
    )


def call(company: Company, body: Row) -> Call:
    """A question with the account's own key."""
    caller = Caller(company, "key", None, None)
    return Call(company, caller, QueryParams(), {}, Controls(), company.now(), body)
