"""The table in docs/reliability.md, from the marks in the tests.

python -m tests.rules.reliability       writes it anew
python -m tests.rules.reliability 49    names the files to run for the fault 49
"""

import ast
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
COUNT = 88
NOT_YET = "not covered yet"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


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


def told() -> dict[int, tuple[str, str]]:
    """What the page says of each number: the fault, and the files or that there are none."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {int(number): (fault.strip(), tests.strip()) for number, fault, tests in rows}


def cell(files: list[str]) -> str:
    """The files as the page names them."""
    return ", ".join(f"`{name}`" for name in files) or NOT_YET


def rewritten() -> str:
    """The page with its last column anew."""
    carried = marked()

    def row(found: re.Match[str]) -> str:
        return f"| {found[1]} | {found[2]} | {cell(carried.get(int(found[1]), []))} |"

    page = ROW.sub(row, PAGE.read_text(encoding="utf-8"))
    covered = sum(number in carried for number in range(1, COUNT + 1))
    return re.sub(r"\*\*\d+ of 88\*\*", f"**{covered} of {COUNT}**", page)


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
        PAGE.write_text(rewritten(), encoding="utf-8")
