"""What came of the tests that carry a fault's number, kept for the table in docs/reliability.md.

A pytest plugin, loaded by `-p`. At the end of a run it writes build/reliability.json: of each
number how many tests passed, failed or were skipped and why, when and on what that was, and
whether it was a whole run. The newest whole run stays there beside the newest of a part. Where the
tests run in several processes, the one that started them learns all this from their reports.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest

KEPT = Path("build", "reliability.json")  # below the project
MARK = "fault"
WORST_LAST = ("passed", "skipped", "failed")


@dataclass
class Tally:
    """Tests of one number, by how they ended."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)  # of those that were skipped, each once

    def __str__(self) -> str:
        """For the table: `24 passed`, `3 passed, 1 skipped: not root`, `failed: 2 of 24`."""
        if self.failed:
            return f"failed: {self.failed} of {self.passed + self.failed + self.skipped}"
        passed = [f"{self.passed} passed"] if self.passed else []
        why = "; ".join(self.reasons).replace("|", "/")
        return ", ".join([*passed, *([f"{self.skipped} skipped: {why}"] if self.skipped else [])])


@dataclass
class Run:
    """One run of the test command, or of a part of the tests."""

    at: str  # ISO, UTC
    on: str  # Python, machine and user, in words
    whole: bool
    tests: int  # of all, with or without a number
    faults: dict[int, Tally]


def newest_whole(project: Path) -> Run | None:
    """None where no whole run has ended there."""
    path = project / KEPT
    if not path.exists():
        return None
    with path.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return next((run for run in _read(file) if run.whole), None)


# ---- while the tests run -------------------------------------------------------------------


@dataclass
class Ended:
    """One test, and the worst of its phases so far."""

    outcome: str
    faults: list[int]
    reason: str


_ended: dict[str, Ended] = {}
_lost: list[str] = []  # processes that ended before their time


def pytest_itemcollected(item: pytest.Item) -> None:
    numbers = {number for mark in item.iter_markers(MARK) for number in mark.args}
    item.user_properties.append((MARK, sorted(numbers)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    noted: dict[str, Any] = dict(report.user_properties)
    numbers: list[int] = noted.get(MARK, [])
    known = _ended.setdefault(report.nodeid, Ended("passed", numbers, ""))
    known.outcome = max(known.outcome, report.outcome, key=WORST_LAST.index)
    if report.skipped:
        known.reason = _reason(report)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    if error:
        _lost.append(node.gateway.id)


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return told.removeprefix("Skipped: ")


# ---- at the end ----------------------------------------------------------------------------


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if hasattr(session.config, "workerinput") or not _ended:  # another process adds up, or nothing
        return
    run = Run(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        on=_machine(),
        whole=_is_whole(session.config, exitstatus),
        tests=len(_ended),
        faults=_tallies(),
    )
    with _locked(session.config.rootpath / KEPT) as file:
        runs = [run, *(each for each in _read(file) if each.whole and not run.whole)]
        file.seek(0)
        file.truncate()
        json.dump([asdict(each) for each in runs], file, indent=1)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: Any) -> None:
    if _is_whole(config, exitstatus):
        terminalreporter.section("list of faults")
        terminalreporter.line(
            f"what came of each is in {KEPT}; of it "
            "`python -m tests.rules.reliability` makes the table in docs/reliability.md"
        )


def _is_whole(config: Any, exitstatus: int) -> bool:
    """Everything was asked for, and all of it came to its end."""
    chosen = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise")
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and not any(getattr(config.option, name, None) for name in chosen)
        and not config.option.collectonly
        and exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        and not (exitstatus and config.option.maxfail)  # it ended with the first that failed
        and not _lost
    )


def _tallies() -> dict[int, Tally]:
    found: dict[int, Tally] = {}
    for test in _ended.values():
        for number in test.faults:
            tally = found.setdefault(number, Tally())
            setattr(tally, test.outcome, getattr(tally, test.outcome) + 1)
            if test.outcome == "skipped" and test.reason not in tally.reasons:
                tally.reasons.append(test.reason)
    return dict(sorted(found.items()))


def _machine() -> str:
    user = "root" if os.geteuid() == 0 else "a user without root's rights"
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return f"Python {platform.python_version()} on {system}, as {user}"


@contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    """The file, while no other run reads or writes it."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _read(file: IO[str]) -> list[Run]:
    """The newest first; none where an earlier run was killed while it wrote."""
    file.seek(0)
    try:
        found = json.load(file)
    except ValueError:
        return []
    return [_run(each) for each in found]


def _run(told: dict[str, Any]) -> Run:
    faults = {int(number): Tally(**tally) for number, tally in told["faults"].items()}
    return Run(**{**told, "faults": faults})
