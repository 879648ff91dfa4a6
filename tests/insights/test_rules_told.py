"""The page about the rules says what they are, and the command runs them."""

import subprocess
import sys
from pathlib import Path

from rich.console import Console

from seatwise.cli import rules as command
from seatwise.rules import RULES, Rule
from seatwise.rules.examples import EXAMPLES

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def row(rule: Rule) -> str:
    limits = "; ".join(
        f"{limit.what.lower()}: {limit.default:,} ({limit.least:,} to {limit.most:,})"
        for limit in rule.limits
    )
    cells = (rule.name, rule.category, rule.what, rule.does, limits or "–", rule.reversible)
    return f"| {' | '.join(cells)} |"


def test_the_page_has_a_line_for_each_rule_in_their_turn() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line.startswith("| ")][1:]  # without the head
    assert told == [row(rule) for rule in RULES.values()]


def test_each_rule_has_an_example() -> None:
    assert set(EXAMPLES) == set(RULES)


def test_a_rule_that_is_wrong_is_told(monkeypatch: object) -> None:
    console = Console(record=True, width=200)
    assert command.on_examples(console)
    assert "NOT FOUND" not in console.export_text()


def test_the_command_ends_well_and_needs_no_database() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "seatwise", "rules", "test"],
        capture_output=True, text=True, check=False, env={"PATH": "/usr/bin", "COLUMNS": "200"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count(" found ") + ran.stdout.count("not found") >= len(RULES)
