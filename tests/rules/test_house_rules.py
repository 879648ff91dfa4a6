"""The house rules, kept by reading the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "seatwise"
LONGEST_FILE = 400
DOORS = ("views", "api", "cli", "tasks")
LOOK_UPS = {"filter", "exclude", "annotate", "aggregate", "values"}
ASYNC_PLACES = ("connectors/", "sandbox/", "sync/bridge.py", "pull/reading.py", "tasks/working.py")
VENDORS = ("pagerduty",)
VENDOR_PLACES = ("connectors/pagerduty/", "sandbox/")
VAGUE = {"utils", "helpers", "common", "core", "manager", "handler", "processor"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith("migrations/"):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def own_files() -> Iterator[Path]:
    for folder in ("seatwise", "tests", "bench"):
        for suffix in ("py", "css", "js", "html"):
            for path in (ROOT / folder).rglob(f"*.{suffix}"):
                if "migrations" not in path.parts:
                    yield path


def test_doors_ask_named_questions_and_never_spell_look_ups() -> None:
    spelled = [
        f"{name}:{node.lineno} .{node.func.attr}()"
        for name, tree in modules()
        if name.startswith(DOORS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOOK_UPS
        and not (node.func.attr == "values" and not node.args)  # a dictionary's
    ]
    assert spelled == []


def test_async_code_stays_where_the_network_is() -> None:
    astray = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in modules()
        if not name.startswith(ASYNC_PLACES)
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert astray == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)} has {count} lines"
        for path in own_files()
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    ]
    assert long == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_vendor_is_named_outside_of_its_folder(vendor: str) -> None:
    named = [
        f"{name}:{node.lineno} {node.value!r}"
        for name, tree in modules()
        if not name.startswith(VENDOR_PLACES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and vendor in node.value.lower()
    ]
    named += [
        str(path.relative_to(ROOT))
        for path in own_files()
        if path.suffix != ".py"
        and "sandbox" not in path.parts
        and path.is_relative_to(PACKAGE)
        and vendor in path.read_text(encoding="utf-8").lower()
    ]
    assert named == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [name for name, _tree in modules() if VAGUE & {Path(name).stem, *Path(name).parts}]
    assert vague == []


def test_every_setting_is_documented() -> None:
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in [*PACKAGE.rglob("*.py")]
        if "tests" not in path.parts
    )
    used = set(re.findall(r"\bSEATWISE_[A-Z][A-Z_]+[A-Z]\b", text))
    documented = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert sorted(name for name in used if name not in documented) == []


def test_every_command_is_documented() -> None:
    from seatwise.cli import app

    names = [command.name for command in app.registered_commands if command.name]
    documented = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if f"`seatwise {name}" not in documented) == []


def test_every_documented_command_exists() -> None:
    from seatwise.cli import app

    there = {command.name for command in app.registered_commands}
    there |= {group.name for group in app.registered_groups}
    # In code only: prose says "Seatwise", and decisions are history.
    told = {
        name
        for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
        for name in re.findall(
            r"(?:`|bin/|^ *)seatwise ([a-z]+)", path.read_text("utf-8"), re.MULTILINE
        )
    }
    assert told - there == set()


def test_the_standard_librarys_http_clients_only_talk_to_our_own_programs() -> None:
    """import-linter knows packages from outside by their first name only."""
    clients = {"urllib.request", "http.client"}
    astray = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        if name not in {"cli/processes.py", "cli/visitor.py"}
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and clients & {each.name for each in node.names})
        or (
            isinstance(node, ast.ImportFrom)
            and clients & {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        )
    ]
    assert astray == []


def test_templates_carry_no_inline_script_or_style() -> None:
    """The content security policy would block them, silently for whoever wrote them."""
    inline = [
        f"{path.relative_to(ROOT)}: {found}"
        for path in (PACKAGE / "templates").rglob("*.html")
        for found in re.findall(
            r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|<style|\sstyle=|\son[a-z]+=",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert inline == []


def test_every_metric_is_documented_and_no_other() -> None:
    from seatwise.metrics import METRICS

    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(seatwise_\w+)` \| ([^|]+) \|", page, re.MULTILINE)
    told = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert told == {name: metric.labels for name, metric in METRICS.items()}
    assert len(rows) == len(told)
    # https://prometheus.io/docs/practices/naming: only what never shrinks is a total.
    assert not [name for name in METRICS if name.endswith("_total")]
