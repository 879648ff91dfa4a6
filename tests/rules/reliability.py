"""The tables in docs/reliability.md: files from the marks in the tests, states from a whole run.

python -m tests.rules.reliability       writes them anew
python -m tests.rules.reliability 49    names the files to run for the fault 49
"""

import ast
import re
import sys
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path

from tests.outcomes import Run, newest_whole

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
COUNT = 88
NOT_YET = "not covered yet"
NO_TEST = "no test"
NOT_RUN = "not run since it was changed"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
STATED = re.compile(r"^The states are those of .*$", re.MULTILINE)


@cache
def marked() -> dict[int, list[str]]:
    """The test files that carry each number, below `tests/`."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for number in _numbers(node):
                    found[number].add(path.relative_to(ROOT / "tests").as_posix())
    return {number: sorted(files) for number, files in found.items()}


def to_run(number: int) -> list[Path]:
    """The files to give to pytest for a number: of a suite to inherit, those that inherit it."""
    files = {ROOT / "tests" / name for name in marked().get(number, [])}
    found = {path for path in files if path.name.startswith("test_")}
    for suite in files - found:
        name = ".".join(suite.relative_to(ROOT).with_suffix("").parts)
        for path in suite.parent.glob("test_*.py"):
            if f"from {name} import" in path.read_text(encoding="utf-8"):
                found.add(path)
    return sorted(found)


def told() -> dict[int, tuple[str, str, str]]:
    """What the page says of each number: the fault, the files or that there are none, the state."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {int(number): (fault, tests, state) for number, fault, tests, state in rows}


def cell(files: list[str]) -> str:
    """The files as the page names them."""
    return ", ".join(f"`{name}`" for name in files) or NOT_YET


def rewritten(run: Run | None) -> str:
    """The page with its last columns anew; without a run, states stay where files are the same."""
    carried = marked()

    def row(found: re.Match[str]) -> str:
        number, fault, before, state = int(found[1]), *found.group(2, 3, 4)
        tests = cell(carried.get(number, []))
        if tests == NOT_YET:
            state = NO_TEST
        elif run is not None:
            state = str(run.faults.get(number, NOT_RUN))
        elif tests != before:
            state = NOT_RUN
        return f"| {number} | {fault} | {tests} | {state} |"

    page = ROW.sub(row, PAGE.read_text(encoding="utf-8"))
    if run is not None:
        page = STATED.sub(_stated(run), page)
    covered = sum(number in carried for number in range(1, COUNT + 1))
    return re.sub(r"\*\*\d+ of 88\*\*", f"**{covered} of {COUNT}**", page)


def _stated(run: Run) -> str:
    at = datetime.fromisoformat(run.at)
    return f"The states are those of all {run.tests:,} tests on {at:%Y-%m-%d}: {run.on}."


def _numbers(test: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    """Those of its own marks and of the marks of its parameters."""
    return {
        call.args[0].value
        for decorator in test.decorator_list
        for call in ast.walk(decorator)
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "pytest.mark.fault"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, int)
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*to_run(int(sys.argv[1])), sep="\n")
    else:
        newest = newest_whole(ROOT)
        PAGE.write_text(rewritten(newest), encoding="utf-8")
        print(
            f"States of the whole run of {newest.at}."
            if newest
            else "No whole run is known, so states stay where the files are the same: `make test`."
        )
