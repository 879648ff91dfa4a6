"""What a pull writes is what is really so at the vendor."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwise.connectors.base import scopes_to_ask
from seatwise.connectors.records import Batch, SignalRecord
from tests.connectors.accounts import authorize, connector
from tests.pull.pulling import NOW, json_lines, order, pulled, told
from tests.sandboxes import Running, running

CHANNELS = ("sms", "phone", "email", "push")
DIRECT = ("incidents", "alerts", *(f"notifications_{channel}" for channel in CHANNELS))


@pytest.fixture(scope="module")
def vendor() -> Iterator[Running]:
    with running(seed=11, users=230, months=4, now=NOW, rate_limit=1_000_000) as started:
        yield started


def test_members_are_those_of_the_account(vendor: Running, tmp_path: Path) -> None:
    report = pulled(order(vendor, tmp_path))
    assert report.notes == []
    found = json_lines(tmp_path / "members.jsonl")
    seen = [
        {
            "id": row["external_id"],
            **{name: row[name] for name in ("email", "name", "role", "license", "invited")},
        }
        for row in found
    ]
    assert sorted(seen, key=_id) == sorted(vendor.truth()["members"], key=_id)
    assert {row["base_role"] for row in found if row["role"] == "owner"} == {"full"}
    assert {row["base_role"] for row in found if row["role"] == "read_only_user"} == {"stakeholder"}


@pytest.mark.parametrize("days", [90, 20])
def test_without_sign_ins_last_seen_is_the_newest_action_within_the_horizon(
    vendor: Running, tmp_path: Path, days: int
) -> None:
    scopes = scopes_to_ask(connector().scopes)  # none of those that are optional
    token = asyncio.run(authorize(vendor, vendor.someone(), scopes=scopes)).access_token
    wanted = order(vendor, tmp_path, activity_days=days)
    assert pulled(replace(wanted, token=token, secret=token)).notes == []
    since, told_of = NOW - timedelta(days=days), vendor.truth()["activity"]
    acted = {who: _at(of.get("log_entries")) for who, of in told_of.items()}
    seen = _seen(tmp_path)
    assert seen == {who: at if at >= since else None for who, at in acted.items()}
    assert any(seen.values())
    assert not all(seen.values())


@pytest.mark.parametrize("days", [90, 20])
def test_with_sign_ins_nobody_is_seen_later_than_they_were_nor_idle_who_is_not(
    vendor: Running, tmp_path: Path, days: int
) -> None:
    """Analytics tell who answered an incident up to the last midnight, and not always when."""
    assert pulled(order(vendor, tmp_path, activity_days=days)).notes == []
    since, midnight = NOW - timedelta(days=days), NOW.replace(hour=0, minute=0)
    lately = max(since, midnight - timedelta(days=30))
    now = vendor.truth()["activity"]
    then = vendor.truth(at=(midnight - timedelta(seconds=1)).isoformat())["activity"]
    seen = _seen(tmp_path)
    assert seen.keys() == now.keys()
    active = 0
    for who, at in seen.items():
        latest = max(_at(now[who].get("log_entries")), _at(now[who].get("sign_in")))
        assert at is None or since <= at <= latest, who
        signed_in = _at(then.get(who, {}).get("sign_in"))
        assert signed_in < since or (at is not None and at >= signed_in), who
        if _at(then.get(who, {}).get("responded")) >= lately:
            active += 1
            assert at is not None, who
            assert at >= lately, who
    assert active > 20
    assert any(seen.values())
    assert not all(seen.values())


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_usage_is_that_of_each_month_in_its_zone(
    vendor: Running, tmp_path: Path, zone: str
) -> None:
    pulled(order(vendor, tmp_path, zone))
    months = {
        month["month"]: {name: month[name] for name in DIRECT}
        | {"billable_alerts": month["notifications_sms"] + month["notifications_phone"]}
        for month in vendor.truth(zone=zone)["months"]
    }
    rows = json_lines(tmp_path / "usage.jsonl")
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["month"], {})[row["metric"]] = row["value"]
    assert found == {month: months[month] for month in found}
    assert list(found) == ["2025-08", "2025-09", "2025-10", "2025-11"]
    closed = {month["month"]: month["closed"] for month in vendor.truth(zone=zone)["months"]}
    over = {"2025-08", "2025-09", "2025-10"}
    assert all(row["final"] == (row["month"] in over and closed[row["month"]]) for row in rows)
    assert told(tmp_path)["zone"] == zone


def test_licenses_are_those_of_the_account(vendor: Running, tmp_path: Path) -> None:
    pulled(order(vendor, tmp_path))
    found = json_lines(tmp_path / "licenses.jsonl")
    real = vendor.truth()["licenses"]
    kinds = {"FullUser": "full", "Stakeholder": "stakeholder"}
    assert found == [
        {
            "external_id": kind["id"],
            "name": kind["name"],
            "kind": kinds[kind["role_group"]],
            "used": kind["used"],
            "available": kind["available"],
        }
        for kind in real
    ]


def test_every_request_is_counted_by_its_endpoint(vendor: Running, tmp_path: Path) -> None:
    vendor.forget_requests()
    pulled(order(vendor, tmp_path))
    made = {
        endpoint.replace("/us/", "/"): count
        for endpoint, count in vendor.counts().items()
        if "/us/" in endpoint
    }
    requests = told(tmp_path)["requests"]
    assert requests == {"total": sum(made.values()), "by_endpoint": made}


def test_only_what_is_wanted_is_asked_and_written(vendor: Running, tmp_path: Path) -> None:
    report = pulled(order(vendor, tmp_path, only=frozenset({"members"})))
    assert report.notes == []
    assert list(report.requests) == ["GET /users"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["members.jsonl", "run.json"]
    coverage = told(tmp_path)["coverage"]
    assert coverage["members"]["state"] == "read"
    assert coverage["usage"]["state"] == "not read"
    assert coverage["usage"]["why"] == "It was not asked for."


def test_without_the_log_the_newest_that_incidents_tell_is_kept(
    vendor: Running, tmp_path: Path
) -> None:
    vendor.fault(path="/log_entries", status=403, times=None)
    told_of: dict[str, datetime] = {}

    def watch(batch: Batch) -> None:
        for record in batch.records:
            if isinstance(record, SignalRecord) and record.at >= NOW - timedelta(days=90):
                told_of[record.member_id] = max(record.at, told_of.get(record.member_id, record.at))

    try:
        pulled(order(vendor, tmp_path), watch)
    finally:
        vendor.clear_faults()
    seen = {
        row["external_id"]: _at(row["last_seen_at"])
        for row in json_lines(tmp_path / "members.jsonl")
        if row["last_seen_at"]
    }
    assert seen == {who: told_of[who] for who in seen}
    assert seen
    assert told(tmp_path)["coverage"]["activity"]["state"] == "in part"


def _seen(out: Path) -> dict[str, datetime | None]:
    """When each member was last seen, by what was written."""
    rows = json_lines(out / "members.jsonl")
    assert all((row["last_seen_at"] is None) == (row["last_seen_source"] is None) for row in rows)
    times = {row["external_id"]: row["last_seen_at"] for row in rows}
    return {who: at and _at(at) for who, at in times.items()}


def _id(person: dict[str, Any]) -> str:
    return str(person["id"])


def _at(moment: str | None) -> datetime:
    return datetime.fromisoformat(moment or "1970-01-01T00:00:00Z")
