"""docs/security.md names a test for each claim, and each of them exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \|", re.MULTILINE)


def text() -> str:
    return (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_the_security_document_names_exists() -> None:
    astray = []
    for path, name in NAMED.findall(text()):
        file = ROOT / path
        tree = ast.parse(file.read_text(encoding="utf-8")) if file.exists() else ast.Module([], [])
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            astray.append(f"{path}::{name}")
    assert astray == []


def test_every_requirement_stands_there_once_with_its_test() -> None:
    numbers = ROW.findall(text())
    rows = [line for line in text().splitlines() if ROW.match(line)]
    assert len(numbers) > 30
    assert sorted(numbers) == sorted(set(numbers))
    assert [row for row in rows if not NAMED.search(row)] == []
