"""The states in docs/reliability.md are what came of the tests, in however many processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outcomes import KEPT, Run, Tally, newest_whole
from tests.rules.reliability import PAGE, ROOT, rewritten

SUITE = """
import pytest

class Suite:
    @pytest.mark.fault(1)
    def test_of_the_suite(self):
        pass

class TestOne(Suite):
    pass

class TestTwo(Suite):
    pass

@pytest.mark.fault(2)
@pytest.mark.fault(3)
@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.fault(4))])
def test_many(number):
    assert number == 0

@pytest.fixture
def spoilt():
    yield
    raise ValueError

@pytest.mark.fault(5)
def test_that_leaves_a_mess(spoilt):
    pass

@pytest.mark.fault(6)
@pytest.mark.parametrize("number", range(4))
def test_that_needs_what_is_not_here(number):
    if number > 1:
        pytest.skip("not root | not here")

def test_of_no_number():
    pass
"""
STATES = {
    1: "2 passed",
    2: "failed: 1 of 2",
    3: "failed: 1 of 2",
    4: "failed: 1 of 1",
    5: "failed: 1 of 1",
    6: "2 passed, 2 skipped: not root / not here",
}
SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["checks"]
markers = ["fault(number): of the list"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "test_all.py").write_text(SUITE)
    return tmp_path


def ran(project: Path, *arguments: str) -> str:
    """What pytest said there, with our plugin and the one for several processes."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    plugins = ("-p", "tests.outcomes", "-p", "xdist.plugin")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=project,
        env={**given, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def whole(project: Path) -> Run:
    run = newest_whole(project)
    assert run is not None
    return run


@pytest.mark.parametrize("how", [(), ("-n", "2", "--dist=worksteal")], ids=["one", "two"])
def test_a_whole_run_keeps_what_came_of_every_number(project: Path, how: tuple[str, ...]) -> None:
    assert "makes the table in docs/reliability.md" in ran(project, *how)
    run = whole(project)
    assert {number: str(tally) for number, tally in run.faults.items()} == STATES
    assert run.tests == 10


@pytest.mark.parametrize("part", [("-k", "many"), ("checks/test_all.py",), ("-x",)])
def test_a_part_of_the_tests_is_no_whole_run_and_takes_no_place_of_one(
    project: Path, part: tuple[str, ...]
) -> None:
    assert "docs/reliability.md" not in ran(project, *part)
    assert newest_whole(project) is None
    ran(project)
    before = whole(project)
    ran(project, *part)
    assert whole(project) == before
    assert '"whole": false' in (project / KEPT).read_text()


def test_the_table_tells_the_states_of_a_run_and_keeps_them_without_one() -> None:
    kept = rewritten(None)
    faults = {number: Tally(passed=number) for number in range(1, 88)}  # and none of the last
    anew = rewritten(Run("2026-03-01T10:00:00+00:00", "Python 3 somewhere", True, 1234, faults))
    assert "all 1,234 tests on 2026-03-01: Python 3 somewhere." in anew
    assert "` | 87 passed |" in anew
    assert "` | not run since it was changed |" in anew
    assert "87 passed" not in kept
    assert PAGE.read_text(encoding="utf-8") == kept
