"""The file of `--state`: valid at any moment, one pull's at a time, and of one account only."""

import fcntl
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from seatwise import pull
from seatwise.connectors.state import StateRefused
from seatwise.pull.statefile import LISTS
from tests.pull.pulling import (
    NOW,
    ended,
    json_lines,
    order,
    program,
    pulled,
    started,
    told,
    wait_until,
)
from tests.sandboxes import Running, running

DAY = timedelta(days=1)
UNTIL = ("--until", "2025-11-20", "--months", "3")
OFFERED: dict[str, Any] = {
    "seed": 3,
    "users": 120,
    "months": 3,
    "accounts": 3,
    "rate_limit": 1_000_000,
}


@pytest.fixture(scope="module")
def today() -> Iterator[Running]:
    with running(now=NOW, **OFFERED) as started:
        yield started


@pytest.fixture(scope="module")
def tomorrow() -> Iterator[Running]:
    with running(now=NOW + DAY, **OFFERED) as started:
        yield started


@pytest.fixture
def vendor(today: Running) -> Iterator[Running]:
    yield today
    today.clear_faults()
    today.forget_requests()


@pytest.fixture
def state(vendor: Running, tmp_path: Path) -> Path:
    """What a complete pull left."""
    pulled(order(vendor, tmp_path / "first", months=3, state=tmp_path / "state"))
    vendor.forget_requests()
    return tmp_path / "state"


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name != "run.json"}


def in_the_name_of_another(vendor: Running, wanted: pull.Order) -> pull.Order:
    """The same order with the key of another account."""
    key = vendor.api_key("harbor-3")
    return replace(wanted, token=wanted.connector.token_of(key), secret=key)


def last_seen(out: Path) -> dict[str, str | None]:
    return {row["external_id"]: row["last_seen_at"] for row in json_lines(out / "members.jsonl")}


def sql(path: Path, *statements: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as base:
        found = [base.execute(statement).fetchall() for statement in statements]
        base.commit()
    return found


def test_at_the_same_moment_a_second_pull_writes_the_same_for_no_more_requests(
    vendor: Running, tmp_path: Path, state: Path
) -> None:
    first = told(tmp_path / "first")["requests"]["total"]
    for form in ("jsonl", "csv", "parquet"):
        wanted = order(vendor, tmp_path / form, months=3, format=form)
        pulled(replace(wanted, out=tmp_path / f"{form} fresh"))
        report = pulled(replace(wanted, state=state))
        assert report.notes == []
        assert files(tmp_path / form) == files(tmp_path / f"{form} fresh")
        assert told(tmp_path / form)["requests"]["total"] <= first
        assert told(tmp_path / form)["state"]["resumed"] is True
    assert "state" not in told(tmp_path / "jsonl fresh")
    assert state.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("state-*"))


def test_a_day_later_it_writes_what_a_fresh_pull_writes_and_knows_no_less_of_who_was_seen(
    tomorrow: Running, tmp_path: Path, state: Path
) -> None:
    sql(state, f"UPDATE reading SET base_url = '{tomorrow.base_url}/us'")
    wanted = order(tomorrow, tmp_path / "next", months=3)
    wanted = replace(wanted, plan=replace(wanted.plan, now=NOW + DAY))
    fresh = pulled(wanted)
    before, seen = files(wanted.out), last_seen(wanted.out)
    report = pulled(replace(wanted, state=state))
    assert sum(report.requests.values()) <= sum(fresh.requests.values())
    now = last_seen(wanted.out)
    # Whoever is known to have been there lately is searched for no longer, in either pull.
    assert all(at is None or at <= (now[who] or "") for who, at in seen.items())
    real = tomorrow.truth()["activity"]
    for who, at in now.items():
        assert at is None or at <= max(f"{told[:19]}Z" for told in real[who].values())
    assert now.keys() == seen.keys()
    assert now != last_seen(tmp_path / "first")
    after = files(wanted.out)
    assert all(after[name] == before[name] for name in before if name != "members.jsonl")


@pytest.mark.parametrize(
    ("path", "after"), [("users", 1), ("licenses", 0), ("incidents", 1), ("notifications", 0)]
)
def test_a_killed_pull_is_gone_on_from(
    vendor: Running, tmp_path: Path, path: str, after: int
) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    arguments = (*UNTIL, "--state", str(state))
    vendor.forget_requests()
    vendor.fault(path=f"/{path}", kind="slow", delay=20, times=None, after=after)
    process = started(vendor, out, *arguments)
    wait_until(lambda: len(vendor.requests(f"/us/{path}")) > after)
    assert ended(process, by=signal.SIGKILL).code == -signal.SIGKILL
    vendor.clear_faults()
    if state.stat().st_size:  # a copy, so that the next pull finds the journal as it was left
        copy = tmp_path / "copy"
        for end in ("", "-wal"):
            shutil.copy(f"{state}{end}", f"{copy}{end}")
        assert sql(copy, "PRAGMA integrity_check") == [[("ok",)]]
        assert Path(f"{state}-wal").stat().st_size
    assert ended(started(vendor, out, *arguments)).code == 0
    assert ended(started(vendor, tmp_path / "fresh", *UNTIL)).code == 0
    assert files(out) == files(tmp_path / "fresh")


def _newer_state(path: Path) -> None:
    state = {"version": 2, "stages": {}}
    sql(path, f"UPDATE reading SET state = '{json.dumps(state)}'")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a newer file": (lambda path: sql(path, "PRAGMA user_version = 2"), "by a newer Seatwise"),
    "an older file": (lambda path: sql(path, "PRAGMA user_version = 0"), "by an older Seatwise"),
    "a newer state": (_newer_state, "by a newer Seatwise"),
    "no JSON": (lambda path: sql(path, "UPDATE reading SET state = '{'"), "is damaged"),
    "no mapping": (lambda path: sql(path, "UPDATE reading SET state = '[]'"), "is damaged"),
    "no table": (lambda path: sql(path, "DROP TABLE reading"), "is damaged"),
    "a text": (lambda path: path.write_text("people, and much more\n" * 99), "is damaged"),
    "half a file": (lambda path: os.truncate(path, path.stat().st_size // 2), "is damaged"),
    "another program's": (lambda path: sql(path, "PRAGMA application_id = 1"), "no state of a"),
    "another vendor": (lambda path: sql(path, "UPDATE reading SET vendor = 'acme'"), "acme"),
    "another end": (
        lambda path: sql(path, "UPDATE reading SET until = '2025-11-20T09:31:00+00:00'"),
        "2025-11-20 09:31",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_file_that_cannot_be_gone_on_from_is_refused_untouched(
    vendor: Running, tmp_path: Path, state: Path, how: str
) -> None:
    spoil, said = SPOILT[how]
    spoil(state)
    before = state.read_bytes()
    with pytest.raises(StateRefused, match=said) as refused:
        pulled(order(vendor, tmp_path / "second", months=3, state=state))
    assert str(state) in str(refused.value)
    assert "anew" in str(refused.value)
    assert state.read_bytes() == before
    assert vendor.requests() == []
    assert not (tmp_path / "second").exists()


def test_another_zone_or_address_is_refused(vendor: Running, tmp_path: Path, state: Path) -> None:
    wanted = order(vendor, tmp_path / "first", months=3, state=state)
    for other, said in (
        (order(vendor, wanted.out, "Europe/Berlin", state=state), "keeps months in UTC"),
        (replace(wanted, base_url=f"{vendor.base_url}/eu"), f"keeps the account at {vendor}"),
    ):
        with pytest.raises(StateRefused, match=said.replace(str(vendor), vendor.base_url)):
            pulled(other)
    assert vendor.requests() == []


def test_another_account_is_refused_and_mixes_with_nothing(
    vendor: Running, tmp_path: Path, state: Path
) -> None:
    before = files(tmp_path / "first")
    wanted = order(vendor, tmp_path / "first", months=3, state=state)
    with pytest.raises(StateRefused, match="none of the 120 people known"):
        pulled(in_the_name_of_another(vendor, wanted))
    assert {path.split("?")[0] for path in vendor.counts()} == {"GET /us/users"}
    assert files(tmp_path / "first") == before
    pulled(wanted)
    assert files(tmp_path / "first") == before


def test_of_another_account_nothing_stays_in_the_state(vendor: Running, tmp_path: Path) -> None:
    state = tmp_path / "state"
    wanted = order(vendor, tmp_path / "out", months=3, state=state)
    pulled(in_the_name_of_another(vendor, wanted))
    settled = (
        "SELECT month, metric, value, final, source FROM usage",
        "SELECT * FROM known",
        "SELECT * FROM signals",
        "SELECT * FROM reading",
    )
    kept = sql(state, *settled)
    assert all(kept)
    with pytest.raises(StateRefused, match="keeps another account"):  # after its second page
        pulled(wanted)
    held = b"".join(path.read_bytes() for path in tmp_path.glob("state*"))
    there = [member["email"].encode() for member in vendor.truth()["members"]]
    assert len(there) > 100
    assert not [email for email in there if email in held]
    for table in LISTS:
        assert sql(state, f"SELECT count(*) FROM {table}") == [[(0,)]]
    assert sql(state, *settled) == kept


def test_one_pull_at_a_time_uses_a_state(vendor: Running, tmp_path: Path, state: Path) -> None:
    door = os.open(state, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        with pytest.raises(StateRefused, match="Another pull is using"):
            pulled(order(vendor, tmp_path / "second", state=state))
    finally:
        os.close(door)


def test_a_refused_state_ends_the_program_with_one_line(vendor: Running, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no state\n" * 200)
    done = ended(started(vendor, tmp_path / "out", "--state", str(tmp_path / "state")))
    assert done.code == 1
    assert done.complained.count("\n") == 1
    assert "To read everything anew, name another file." in done.complained


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--state", "/nowhere/at/all"], "--state cannot be used: No such file"),
        (["--state", "/"], "--state cannot be used: Is a directory"),
        (["--state", "/dev/null"], "--state must name a file"),
        (["--request-log", "/nowhere/at/all"], "--request-log cannot be used: No such file"),
        (["--home-code", "Germany"], "--home-code must be"),
        (["--home-code", "0049"], "--home-code must be"),
        (["--home-code", "12345"], "--home-code must be"),
    ],
)
def test_what_cannot_be_used_is_a_slip(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = ended(
        program(
            ["pagerduty", "--api-key-env", "KEY", "--out", str(tmp_path / "out"), *arguments],
            KEY="x",
        )
    )
    assert done.code == 2
    assert said in done.complained
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["49", "+49"])
def test_the_home_code_reaches_the_plan(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from seatwise.cli import app

    orders: list[pull.Order] = []

    def refuse(order: pull.Order, _watch: object) -> pull.Report:
        orders.append(order)
        raise StateRefused("enough was seen")

    monkeypatch.setattr(pull, "run", refuse)
    monkeypatch.setenv("KEY", "x")
    arguments = ["pull", "pagerduty", "--api-key-env", "KEY", "--out", "/nowhere"]
    assert CliRunner().invoke(app, [*arguments, "--home-code", given]).exit_code == 1
    assert orders[0].plan.home_code == "49"
    assert orders[0].plan.zone == ZoneInfo("UTC")
