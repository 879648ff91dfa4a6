"""The files of a pull: three formats, nothing half-written, nothing left over."""

import csv
import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyarrow import parquet

from seatwise.connectors.errors import VendorError
from seatwise.connectors.records import Batch
from seatwise.pull.order import plan_until
from tests.pull.pulling import NOW, json_lines, order, pulled, told
from tests.sandboxes import Running, running

NAMES = ("members", "usage", "licenses")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    with running(seed=3, users=130, months=2, now=NOW, rate_limit=1_000_000) as started:
        yield started


@pytest.fixture
def vendor(small: Running) -> Iterator[Running]:
    yield small
    small.clear_faults()


def test_each_format_reads_back_equal(vendor: Running, tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "parquet"):
        pulled(order(vendor, tmp_path / form, months=2, format=form))
    for name in NAMES:
        lines = json_lines(tmp_path / "jsonl" / f"{name}.jsonl")
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            cells = list(csv.DictReader(file, strict=True))
        assert cells == [{key: _cell(value) for key, value in row.items()} for row in lines]
        typed = parquet.read_table(tmp_path / "parquet" / f"{name}.parquet").to_pylist()
        assert [{key: _plain(value) for key, value in row.items()} for row in typed] == lines
        assert len(lines) == told(tmp_path / "jsonl")["rows"][f"{name}.jsonl"] > 0


def test_a_spreadsheet_runs_nothing_that_a_vendor_wrote(vendor: Running, tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(1)", "Ada"]
    users = [
        {"id": f"P{at}", "name": name, "email": "a@b.example", "role": "user"}
        for at, name in enumerate(names)
    ]
    page = {"users": users, "more": False, "total": len(users), "limit": 100, "offset": 0}
    vendor.fault(path="/users", kind="json", body=page, times=None)
    for form in ("csv", "jsonl"):
        pulled(order(vendor, tmp_path, format=form, only=frozenset({"members"})))
    with (tmp_path / "members.csv").open(encoding="utf-8", newline="") as file:
        written = [row["name"] for row in csv.DictReader(file)]
    assert written == ["'=1+1", "'+1", "'-1", "'@SUM(1)", "Ada"]
    assert [row["name"] for row in json_lines(tmp_path / "members.jsonl")] == names


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_members_can_be_read_while_the_rest_is_still_asked_for(
    vendor: Running, tmp_path: Path, form: str
) -> None:
    beside = tmp_path / f"members.{form}.partial"
    rows: list[int] = []

    def look(batch: Batch) -> None:
        rows.append(len(beside.read_text("utf-8").splitlines()) - (form == "csv"))
        assert not (tmp_path / f"members.{form}").exists()

    pulled(order(vendor, tmp_path, format=form), look)
    assert rows[0] == 100
    assert rows[-1] == len(vendor.truth()["members"])
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([*(f"{name}.{form}" for name in NAMES), "run.json"])


def test_a_failed_pull_leaves_the_files_of_an_earlier_one(vendor: Running, tmp_path: Path) -> None:
    pulled(order(vendor, tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    vendor.fault(path="/log_entries", status=500, times=None)
    with pytest.raises(VendorError):
        pulled(order(vendor, tmp_path))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_key_that_the_vendor_repeats_is_not_written(vendor: Running, tmp_path: Path) -> None:
    body = {"error": {"message": f"No licences for {vendor.api_key()}", "code": 2010}}
    vendor.fault(path="/licenses", status=403, body=body, times=None)
    report = pulled(order(vendor, tmp_path))
    assert "No licences for …" in report.notes[0]
    for path in tmp_path.iterdir():
        assert vendor.api_key() not in path.read_text("utf-8")
    assert vendor.api_key() not in repr(report)


def test_two_pulls_do_not_write_into_one_folder(vendor: Running, tmp_path: Path) -> None:
    door = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="another pull is writing there"):
            pulled(order(vendor, tmp_path))
    finally:
        os.close(door)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_pull_left_behind_goes(vendor: Running, tmp_path: Path) -> None:
    (tmp_path / "members.csv.partial").write_text("half")
    (tmp_path / ".seatwise-pull").mkdir()
    (tmp_path / ".seatwise-pull" / "facts.sqlite").write_text("half")
    pulled(order(vendor, tmp_path, only=frozenset({"licenses"})))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["licenses.jsonl", "run.json"]


@pytest.mark.parametrize(
    ("until", "newest"),
    [
        (date(2025, 11, 1), date(2025, 10, 1)),  # exclusive: nothing of November
        (date(2025, 11, 2), date(2025, 11, 1)),
        (date(2026, 12, 1), date(2025, 11, 1)),  # ahead of now
        (None, date(2025, 11, 1)),
    ],
)
def test_the_months_end_before_the_day_that_is_named(until: date | None, newest: date) -> None:
    plan = plan_until(until, ZoneInfo("America/New_York"), 3, DAY, NOW)
    assert plan.months[0] == newest
    assert len(plan.months) == 3
    assert plan.now <= NOW
    assert plan.activity_since == plan.now - DAY


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    plan = plan_until(date(2025, 11, 1), ZoneInfo("America/New_York"), 1, DAY, NOW)
    assert plan.now == datetime(2025, 11, 1, 4, tzinfo=UTC)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
