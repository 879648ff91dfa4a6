"""What cannot be written is named, and what was there before is not lost for nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seatwise.cli import app
from seatwise.cli import pull as command
from tests.pull.pulling import NOW, ended, json_lines, program, started
from tests.sandboxes import Running, running

UNTIL = ("--until", "2025-11-20", "--months", "1")


@pytest.fixture(scope="module")
def small() -> Iterator[Running]:
    midnight = NOW.replace(hour=0, minute=0)
    with running(seed=3, users=40, months=2, now=midnight, rate_limit=1_000_000) as vendor:
        yield vendor


@pytest.fixture
def vendor(small: Running) -> Iterator[Running]:
    yield small
    small.clear_faults()
    small.forget_requests()


def test_a_state_that_may_not_grow_is_not_called_damaged(vendor: Running, tmp_path: Path) -> None:
    state = tmp_path / "state"
    arguments = (*UNTIL, "--state", str(state))
    assert ended(started(vendor, tmp_path / "out", *arguments)).code == 0
    done = ended(started(vendor, tmp_path / "out", *arguments, most_bytes=4096))
    assert done.code == 1
    assert done.complained == f"seatwise: {state} cannot be written: disk I/O error.\n"
    assert ended(started(vendor, tmp_path / "out", *arguments)).code == 0


@pytest.mark.parametrize("most", [4096, 40_000])
def test_a_new_state_that_may_not_grow_is_named(vendor: Running, tmp_path: Path, most: int) -> None:
    state = tmp_path / "state"
    done = ended(started(vendor, tmp_path / "out", *UNTIL, "--state", str(state), most_bytes=most))
    assert done.code == 1
    assert done.complained.splitlines()[-1] == (
        f"seatwise: {state} cannot be written: disk I/O error."
    )
    assert ended(started(vendor, tmp_path / "out", *UNTIL, "--state", str(state))).code == 0


def test_a_log_that_cannot_be_written_ends_the_pull_at_once_with_its_name(
    vendor: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_usable", lambda *_: None)  # a disk that fills up later
    monkeypatch.setenv("KEY", vendor.api_key())
    where = ["--api-key-env", "KEY", "--base-url", f"{vendor.base_url}/us"]
    out = ["--out", str(tmp_path), "--request-log", "/dev/full"]
    done = CliRunner().invoke(app, ["pull", "pagerduty", *where, *out])
    assert done.exit_code == 1
    assert done.output == "seatwise: /dev/full cannot be written: No space left on device.\n"
    assert list(tmp_path.iterdir()) == []
    assert sum(vendor.counts().values()) <= 2


@pytest.mark.parametrize("end", ["", "-wal", "-shm"])
def test_a_log_over_the_state_is_a_slip(tmp_path: Path, end: str) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"kept")
    log = tmp_path / "." / f"state{end}"
    files = ["--state", str(state), "--request-log", str(log), "--out", str(tmp_path / "out")]
    done = ended(program(["pagerduty", "--api-key-env", "KEY", *files], KEY="x"))
    assert done.code == 2
    assert done.complained == "seatwise: --state and --request-log must name two files.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert state.read_bytes() == b"kept"


@pytest.mark.parametrize("linked", [Path.symlink_to, Path.hardlink_to])
def test_another_name_of_the_state_is_no_other_file(tmp_path: Path, linked: object) -> None:
    (tmp_path / "state").write_bytes(b"kept")
    assert callable(linked)
    linked(tmp_path / "log", tmp_path / "state")
    names = ["--state", str(tmp_path / "state"), "--request-log", str(tmp_path / "log")]
    where = ["--api-key-env", "KEY", "--out", str(tmp_path / "out")]
    assert ended(program(["pagerduty", *where, *names], KEY="x")).code == 2
    assert (tmp_path / "state").read_bytes() == b"kept"


def test_a_file_where_the_folder_should_be_is_named(vendor: Running, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").mkdir()
    done = ended(started(vendor, tmp_path / "out", *UNTIL, "--only", "members"))
    assert done.code == 1
    assert done.complained.splitlines()[-1] == (
        f"seatwise: {tmp_path}/out/run.json cannot be written: Is a directory."
    )


def test_a_refused_state_leaves_an_earlier_log(vendor: Running, tmp_path: Path) -> None:
    state, log = tmp_path / "state", tmp_path / "log"
    state.write_text("no state\n" * 99)
    for earlier in ("earlier\n", None):
        if earlier is not None:
            log.write_text(earlier)
        files = ("--state", str(state), "--request-log", str(log))
        assert ended(started(vendor, tmp_path / "out", *files)).code == 1
        assert (log.read_text() if log.exists() else None) == earlier
        log.unlink(missing_ok=True)
    assert not (tmp_path / "out").exists()


def test_a_wrong_key_leaves_an_earlier_log_and_no_new_state(
    vendor: Running, tmp_path: Path
) -> None:
    state, log = tmp_path / "state", tmp_path / "log"
    log.write_text("earlier\n")
    files = ("--state", str(state), "--request-log", str(log))
    assert ended(started(vendor, tmp_path / "out", *files, key="u+wrong")).code == 1
    assert log.read_text() == "earlier\n"
    assert {path.name for path in tmp_path.iterdir()} == {"log", "out"}
    log.unlink()
    assert ended(started(vendor, tmp_path / "out", *files, key="u+wrong")).code == 1
    assert {entry["status"] for entry in json_lines(log)} == {401}
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_empty_file_that_was_there_stays(vendor: Running, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.touch()
    arguments = ("--state", str(state))
    assert ended(started(vendor, tmp_path / "out", *arguments, key="u+wrong")).code == 1
    assert state.exists()
    assert ended(started(vendor, tmp_path / "out", *UNTIL, *arguments)).code == 0


def test_the_help_tells_every_word_of_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = CliRunner().invoke(app, ["pull", "--help"]).output
    assert all(word in said for word in ("members,", "licenses,", "usage,", "activity."))
