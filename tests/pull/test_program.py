"""The real `seatwise pull`: its exit codes, what it says, and how it ends."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.accounts import authorize
from tests.pull.pulling import (
    NOW,
    ended,
    json_lines,
    program,
    started,
    told,
    wait_until,
)
from tests.sandboxes import Running, running

SECRET = "u+never-to-be-seen-again"
UNTIL = ("--until", "2025-11-20", "--months", "2")


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    midnight = NOW.replace(hour=0, minute=0)
    with running(seed=3, users=120, months=3, now=midnight, rate_limit=1_000_000) as vendor:
        yield vendor


@pytest.fixture
def vendor(small: Running) -> Iterator[Running]:
    yield small
    small.clear_faults()


def test_a_complete_reading_ends_with_zero(vendor: Running, tmp_path: Path) -> None:
    done = ended(started(vendor, tmp_path, *UNTIL))
    assert done.code == 0, done.complained
    assert "members: 120 of 120 members" in done.complained
    assert "120 rows in members.jsonl" in done.said
    run = told(tmp_path)
    assert (run["vendor"], run["complete"], run["notes"]) == ("pagerduty", True, [])
    assert run["base_url"] == f"{vendor.base_url}/us"
    months = {month["month"]: month["incidents"] for month in vendor.truth()["months"]}
    rows = json_lines(tmp_path / "usage.jsonl")
    counted = {row["month"]: row["value"] for row in rows if row["metric"] == "incidents"}
    assert counted == {month: months[month] for month in ("2025-10", "2025-11")}
    written = "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert vendor.api_key() not in written + done.said + done.complained


def test_missing_permissions_end_with_three_and_are_named(vendor: Running, tmp_path: Path) -> None:
    scopes = ["openid", "users.read", "incidents.read"]
    token = asyncio.run(authorize(vendor, vendor.someone(), scopes=scopes)).access_token
    done = ended(started(vendor, tmp_path, *UNTIL, bearer=token))
    assert done.code == 3, done.complained
    run = told(tmp_path)
    assert run["complete"] is False
    states = {word: covered["state"] for word, covered in run["coverage"].items()}
    assert states == {
        "members": "read",
        "licenses": "not read",
        "usage": "in part",
        "activity": "read",
    }
    assert "licenses.read" in run["coverage"]["licenses"]["why"]
    assert all(note in done.complained for note in run["notes"])
    sources = {row["metric"]: row["source"] for row in json_lines(tmp_path / "usage.jsonl")}
    assert sources["notifications_sms"] == "GET /log_entries"  # the long way, for want of a scope
    assert token not in (tmp_path / "run.json").read_text("utf-8") + done.said + done.complained


ALL_BUT_SIGN_INS = ("openid", "users.read", "licenses.read", "abilities.read", "incidents.read")


@pytest.mark.parametrize("sign_ins", [True, False])
def test_a_token_reads_sign_ins_where_it_may_and_else_the_log_without_a_note(
    vendor: Running, tmp_path: Path, sign_ins: bool
) -> None:
    scopes = [*ALL_BUT_SIGN_INS, "users:notifications.read"]
    scopes += ["analytics.write"] if sign_ins else []
    token = asyncio.run(authorize(vendor, vendor.someone(), scopes=scopes)).access_token
    done = ended(started(vendor, tmp_path, *UNTIL, bearer=token))
    assert done.code == 0, done.complained
    run = told(tmp_path)
    assert (run["complete"], run["notes"]) == (True, [])
    activity = run["coverage"]["activity"]
    assert activity["state"] == "read"
    sources = {row["last_seen_source"] for row in json_lines(tmp_path / "members.jsonl")}
    assert ("signed_in" in sources) is sign_ins
    if sign_ins:
        assert (activity["why"], activity["remedy"]) == ("", "")
    else:
        assert activity["why"].startswith("Sign-ins cannot be read; actions on incidents are. ")
        assert activity["remedy"]
        assert "Sign-ins" not in done.complained


def test_without_members_there_is_nothing_to_show(vendor: Running, tmp_path: Path) -> None:
    token = asyncio.run(authorize(vendor, vendor.someone(), scopes=["openid"])).access_token
    done = ended(started(vendor, tmp_path, bearer=token))
    assert done.code == 1
    assert "users.read" in done.complained
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key_ends_with_one_clear_line(vendor: Running, tmp_path: Path) -> None:
    (tmp_path / "members.jsonl").write_text("earlier\n")
    done = ended(started(vendor, tmp_path, key=SECRET))
    assert done.code == 1
    assert done.complained == (
        "seatwise: The access token was not accepted."
        " Check the key or token in the environment, and the address.\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["members.jsonl"]
    assert (tmp_path / "members.jsonl").read_text() == "earlier\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody", "--api-key-env", "KEY"], "there is no connector of that name"),
        (["pagerduty"], "one of --api-key-env and --bearer-env"),
        (["pagerduty", "--api-key-env", "KEY", "--bearer-env", "KEY"], "one of --api-key-env"),
        (["pagerduty", "--api-key-env", SECRET], "--api-key-env must name an environment"),
        (["pagerduty", "--bearer-env", "BROKEN"], "no key or token is made of"),
        (["pagerduty", "--api-key-env", "KEY", "--zone", "Europe"], "--zone must be"),
        (["pagerduty", "--api-key-env", "KEY", "--format", "xml"], "--format must be"),
        (["pagerduty", "--api-key-env", "KEY", "--only", "seats"], "--only takes"),
        (["pagerduty", "--api-key-env", "KEY", "--months", "37"], "--months"),
        (["pagerduty", "--api-key-env", "KEY", "--until", "yesterday"], "--until"),
        (["pagerduty", "--api-key-env", "KEY", "--until", "0001-01-01"], "--until must not"),
        (["pagerduty", "--api-key-env", "KEY", "--base-url", "ftp://x"], "--base-url must be"),
        (["pagerduty", "--api-key-env", "KEY", "--base-url", f"https://a:{SECRET}@b"], "--base"),
    ],
)
def test_a_slip_in_the_arguments_ends_with_two(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = ended(program([*arguments, "--out", str(out)], KEY=SECRET, BROKEN="two words"))
    assert done.code == 2
    assert said in done.complained
    assert SECRET not in done.said + done.complained
    assert not out.exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_pull_that_is_stopped_leaves_the_earlier_files_whole(
    vendor: Running, tmp_path: Path, how: signal.Signals
) -> None:
    assert ended(started(vendor, tmp_path, *UNTIL)).code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    vendor.forget_requests()
    vendor.fault(path="/notifications", kind="slow", delay=20, times=None)
    process = started(vendor, tmp_path, *UNTIL)
    wait_until(lambda: bool(vendor.requests("/us/notifications")))
    assert (tmp_path / "members.jsonl.partial").exists()
    done = ended(process, by=how)
    assert done.code == (-how if how == signal.SIGKILL else 128 + how)
    assert "Traceback" not in done.complained
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    if how == signal.SIGKILL:  # nobody can clear up; the next pull does
        assert left.pop("members.jsonl.partial")
    assert left == before
    vendor.clear_faults()
    if how == signal.SIGKILL:
        assert ended(started(vendor, tmp_path, *UNTIL)).code == 0
    assert {path.name for path in tmp_path.iterdir()} == before.keys()


def test_it_needs_neither_django_nor_a_database() -> None:
    code = (
        "import sys; import seatwise.cli.pull; from seatwise.connectors.base import find;"
        "find('pagerduty');"
        "print([m for m in ('django', 'psycopg', 'procrastinate', 'pyarrow') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
