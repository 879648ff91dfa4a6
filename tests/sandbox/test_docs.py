"""The sandbox's documentation is complete, and its examples work as they stand there."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer

from seatwise.cli import app as cli
from seatwise.sandbox.pagerduty.company.licenses import ABILITIES
from seatwise.sandbox.pagerduty.rest.answers import Need
from seatwise.sandbox.pagerduty.rest.endpoints import ENDPOINTS
from seatwise.sandbox.pagerduty.scopes import SCOPES
from seatwise.sandbox.pagerduty.strings.controls import CONTROLS, Controls
from seatwise.sandbox.pagerduty.strings.faults import KINDS
from seatwise.sandbox.pagerduty.strings.scripted import GENERAL
from tests.journey.programs import free_port
from tests.sandboxes import Running, running

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHELL = [text for kind, text in EXAMPLES if kind == "sh"]
STARTS = [text.split() for text in SHELL if text.startswith("seatwise ")]
REQUESTS = [text for text in SHELL if not text.startswith("seatwise ")]
PROGRAMS = [text for kind, text in EXAMPLES if kind == "python"]
READING, AUTHORIZING = PROGRAMS


def row(first: str) -> list[str]:
    """The cells of the one row of a table that begins with this in code."""
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| `{first}` |")]
    assert len(rows) == 1, f"{first} stands in {len(rows)} rows"
    return [cell.strip() for cell in rows[0].strip("|").split(" | ")]


def options() -> dict[str, bool]:
    """The options of `seatwise sandbox`, and whether `--help` hides them."""
    group: Any = typer.main.get_command(cli)
    found = group.commands["sandbox"].params
    return {
        name: bool(getattr(option, "hidden", False)) for option in found for name in option.opts
    }


@pytest.mark.parametrize(
    ("method", "path", "need"),
    [(method, path, need) for method, path, _, need in ENDPOINTS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_endpoint_is_documented_with_what_it_needs(
    method: str, path: str, need: Need
) -> None:
    _, scope, _, notes = row(f"{method} {path}")
    assert scope == (f"`{need.scope}`" if need.scope else "none")
    assert need.ability is None or f"`{need.ability}`" in notes
    assert all(f"`{plan}`" in notes for plan in need.plans or ())


def test_every_documented_endpoint_exists() -> None:
    told = re.findall(r"^\| `((?:GET|POST) /[^`]*)` \| (?:`[a-z_:.]+`|none) \|", PAGE, re.MULTILINE)
    assert set(told) == {f"{method} {path}" for method, path, _, _ in ENDPOINTS}


def test_every_scope_that_is_needed_can_be_had() -> None:
    assert {need.scope for _, _, _, need in ENDPOINTS if need.scope} <= set(SCOPES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_fault_is_documented(kind: str) -> None:
    _, meaning, takes = row(kind)
    assert meaning == KINDS[kind].meaning
    assert set(re.findall(r"`(\w+)`", takes)) == KINDS[kind].takes


@pytest.mark.parametrize("control", CONTROLS)
def test_every_control_is_documented(control: str) -> None:
    assert row(control)[1] == CONTROLS[control].meaning


@pytest.mark.parametrize("setting", GENERAL)
def test_every_setting_of_a_fault_is_documented(setting: str) -> None:
    assert len(row(setting)) == 3


@pytest.mark.parametrize("plan", ABILITIES)
def test_every_plan_is_documented_with_its_abilities(plan: str) -> None:
    assert re.findall(r"`(\w+)`", row(plan)[1]) == list(ABILITIES[plan])


def test_every_option_is_documented_and_every_documented_one_exists() -> None:
    shown = {name for name, hidden in options().items() if name.startswith("--") and not hidden}
    assert set(re.findall(r"^\| `(--[a-z-]+)` \|", PAGE, re.MULTILINE)) == shown


def test_the_commands_use_options_that_exist() -> None:
    assert len(STARTS) >= 3
    for _, command, vendor, *words in STARTS:
        assert (command, vendor) == ("sandbox", "pagerduty")
        assert {word for word in words if word.startswith("--")} <= set(options())


def test_the_scenario_can_be_played() -> None:
    scenarios = [json.loads(text) for kind, text in EXAMPLES if kind == "json"]
    assert scenarios
    for scenario in scenarios:
        controls = Controls()
        controls.script(scenario)
        assert controls.faults


def test_the_faults_that_stand_in_for_something_undocumented_can_be_scripted() -> None:
    inline = re.findall(r"fault `(\{.*?\})`", PAGE)
    assert len(inline) >= 3
    for fault in inline:
        Controls().script(json.loads(fault))


@pytest.fixture(scope="module")
def vendor() -> Iterator[Running]:
    with running(users=40, months=2) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(vendor: Running) -> Iterator[Running]:
    yield vendor
    vendor.clear_faults()


def here(text: str, sandbox: Running) -> str:
    """The example, with this sandbox's addresses."""
    at = sandbox.base_url.removeprefix("http://")
    control = f"{sandbox.control.base_url.host}:{sandbox.control.base_url.port}"
    return text.replace("127.0.0.1:8912", at).replace("127.0.0.1:8913", control)


def surroundings(sandbox: Running) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "API_KEY": sandbox.api_key(),
        "CLIENT_ID": sandbox.settings["CLIENT_ID"],
        "CLIENT_SECRET": sandbox.settings["CLIENT_SECRET"],
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_an_example_with_curl_works(sandbox: Running, number: int) -> None:
    done = subprocess.run(
        ["sh", "-e", "-c", here(REQUESTS[number], sandbox)],
        env=surroundings(sandbox),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{")


def test_the_example_with_the_official_client_works(sandbox: Running) -> None:
    done = subprocess.run(
        [sys.executable, "-c", here(READING, sandbox)],
        env=surroundings(sandbox),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{len(sandbox.truth()['members'])} people\n")


def test_the_example_of_oauth_works(sandbox: Running) -> None:
    """Walks through the pages in the place of the person at the browser."""
    text = here(AUTHORIZING, sandbox).replace("8999", str(free_port()))
    with subprocess.Popen(
        [sys.executable, "-u", "-c", text],
        env=surroundings(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            asked = program.stdout.readline()
            assert asked.startswith("Open http"), program.stderr.read()
            back = sandbox.decide(asked.removeprefix("Open ").strip(), sandbox.someone())
            assert httpx2.get(back).status_code == 200
            assert program.wait(30) == 0, program.stderr.read()
        finally:
            program.kill()
        said = program.stdout.read()
    assert said.endswith("of harbor-prod has licenses.read openid users.read\n")
