"""Real workers that die in the middle of real syncs: a short, seeded run of `make chaos`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import canary

SEED = 1
PATIENCE = 300.0  # seconds; on a machine of its own it takes a twelfth of that
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, Any]]:
    """What came of it, by part: one run of all of it, with a database and a vendor of its own."""
    ours = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.chaos.short", str(SEED)],
        cwd=ROOT,
        env=ours | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    canary.write("log of workers that were killed", ran.stderr)
    assert ran.returncode == 0, ran.stderr[-5000:]
    parts = [json.loads(line) for line in ran.stdout.splitlines()]
    return {part["part"]: part for part in parts}


@pytest.mark.fault(72)
@pytest.mark.fault(74)
@pytest.mark.fault(75)
@pytest.mark.fault(79)
def test_whatever_kills_a_worker_or_the_database_nothing_false_is_left_and_nobody_is_lost(
    told: dict[str, dict[str, Any]],
) -> None:
    kills = told["kills"]
    assert kills["wrong"] == []
    assert set(kills["kills"]) == {
        "kill -9",
        "freeze",
        "SIGTERM",
        "database restart",
        "postmaster kill -9",
    }
    assert {"done", "parked after three deaths"} >= set(kills["endings"])
    assert kills["crashed"] == 0


@pytest.mark.fault(72)
def test_kills_hit_in_the_middle_of_syncs(told: dict[str, dict[str, Any]]) -> None:
    hit = told["kills"]["hit"]
    assert sum(n for where, n in hit.items() if where != "between two syncs") >= 3, hit


@pytest.mark.fault(81)
def test_a_sync_that_takes_its_worker_down_is_put_aside_after_three_tries_and_named(
    told: dict[str, dict[str, Any]],
) -> None:
    (poisoned,) = told["poison"]["poisoned"]
    assert poisoned["state"] == "action_needed"
    assert poisoned["attempts"][:3] == ["died"] * 3
    assert len(poisoned["attempts"]) <= 4
    assert poisoned["account"] in poisoned["reason"]


@pytest.mark.fault(81)
def test_syncs_beside_one_that_takes_its_worker_down_go_on(
    told: dict[str, dict[str, Any]],
) -> None:
    assert told["poison"]["in time"]
    innocent = told["poison"]["innocent"]
    assert innocent
    assert {run["state"] for run in innocent} == {"done"}, innocent


@pytest.mark.fault(73)
def test_a_worker_without_memory_says_so_and_another_goes_on(
    told: dict[str, dict[str, Any]],
) -> None:
    assert told["hunger"]["noticed"]
    first, run = told["hunger"]["first"], told["hunger"]["run"]
    assert first["attempts"] == ["out of memory"] or "died" in first["attempts"]
    assert run["state"] == "done", run
    assert run["attempts"][0] in {"out of memory", "died"}


@pytest.mark.fault(84)
def test_of_a_connection_that_is_deleted_in_the_middle_nothing_is_left(
    told: dict[str, dict[str, Any]],
) -> None:
    deleted = told["deletion"]
    assert deleted["in the middle"]
    assert deleted["in time"]
    assert deleted["left over"] == 0
