"""The table in docs/reliability.md, from the marks in the tests.

python -m tests.rules.reliability writes it anew.
"""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
COUNT = 88
NOT_YET = "not covered yet"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def marked() -> dict[int, list[str]]:
    """The test files that carry each number, below `tests/`."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for number in _numbers(node):
                    found[number].add(path.relative_to(ROOT / "tests").as_posix())
    return {number: sorted(files) for number, files in found.items()}


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
    PAGE.write_text(rewritten(), encoding="utf-8")
