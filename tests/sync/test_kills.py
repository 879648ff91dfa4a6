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
PATIENCE = 400.0  # seconds; on a machine of its own it takes a twentieth of that
ROOT = Path(__file__).parents[2]


@pytest.mark.fault(72)
@pytest.mark.fault(73)
@pytest.mark.fault(74)
@pytest.mark.fault(75)
@pytest.mark.fault(79)
@pytest.mark.fault(81)
@pytest.mark.fault(84)
def test_whatever_dies_in_the_middle_of_syncs_nothing_false_is_left_and_nobody_is_lost() -> None:
    """One test, so that one such run is all there is, in however many processes the tests run."""
    told = of_one_run()
    nothing_false_is_left_whatever_kills_a_worker_or_the_database(told["kills"])
    kills_hit_in_the_middle_of_syncs(told["kills"])
    what_takes_its_worker_down_is_put_aside_after_three_tries_and_named(told["poison"])
    syncs_beside_one_that_takes_its_worker_down_go_on(told["poison"])
    a_worker_without_memory_says_so_and_another_goes_on(told["hunger"])
    nothing_is_left_of_a_connection_that_is_deleted_in_the_middle(told["deletion"])


def of_one_run() -> dict[str, dict[str, Any]]:
    """What came of it, by part; it brings a database and a vendor of its own."""
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


def nothing_false_is_left_whatever_kills_a_worker_or_the_database(kills: dict[str, Any]) -> None:
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


def kills_hit_in_the_middle_of_syncs(kills: dict[str, Any]) -> None:
    hit = kills["hit"]
    assert sum(n for where, n in hit.items() if where != "between two syncs") >= 3, hit


def what_takes_its_worker_down_is_put_aside_after_three_tries_and_named(
    poison: dict[str, Any],
) -> None:
    (poisoned,) = poison["poisoned"]
    assert poisoned["state"] == "action_needed"
    assert poisoned["attempts"][:3] == ["died"] * 3
    assert len(poisoned["attempts"]) <= 4
    assert poisoned["account"] in poisoned["reason"]


def syncs_beside_one_that_takes_its_worker_down_go_on(poison: dict[str, Any]) -> None:
    assert poison["in time"]
    innocent = poison["innocent"]
    assert innocent
    assert {run["state"] for run in innocent} == {"done"}, innocent


def a_worker_without_memory_says_so_and_another_goes_on(hunger: dict[str, Any]) -> None:
    assert hunger["noticed"]
    first, run = hunger["first"], hunger["run"]
    assert first["attempts"] == ["out of memory"] or "died" in first["attempts"]
    assert run["state"] == "done", run
    assert run["attempts"][0] in {"out of memory", "died"}


def nothing_is_left_of_a_connection_that_is_deleted_in_the_middle(deletion: dict[str, Any]) -> None:
    assert deletion["in the middle"]
    assert deletion["in time"]
    assert deletion["left over"] == 0
