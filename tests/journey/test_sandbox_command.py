"""The real `seatwise sandbox`: every option does what it says, and a wrong one is one sentence."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.journey import programs

READY = "Sign in to harbor-3 as"
NOW = "2026-11-23T12:00:00+00:00"
ALL_OPTIONS = (
    *("--port", "0", "--seed", "5", "--users", "30", "--incidents", "60", "--months", "2"),
    *("--accounts", "3", "--plan", "professional", "--latency-ms", "20"),
    *("--rate-limit", "40", "--now", NOW, "--control-port", "0"),
)


@pytest.fixture(scope="module")
def vendor() -> Iterator[programs.Program]:
    with programs.home() as where:
        scenario = where / "bad-day.json"
        fault = {"path": "/teams", "region": "eu", "status": 418, "times": None}
        scenario.write_text(json.dumps([fault]), "utf-8")
        arguments = ("sandbox", "pagerduty", *ALL_OPTIONS, "--scenario", str(scenario))
        with programs.running(*arguments, where=where, until="Control: http") as program:
            yield program
    assert program.process.returncode == 0


def key(vendor: programs.Program, account: str = "harbor-prod") -> dict[str, str]:
    """The header that reads that account, as announced."""
    found = vendor.find(rf"API key of {account} \([a-z]+\): (\S+)\n")
    return {"Authorization": f"Token token={found}"}


def read(vendor: programs.Program, path: str, account: str = "harbor-prod") -> httpx2.Response:
    region = "eu" if account == "harbor-eu" else "us"
    base = vendor.find(rf"REST {region.upper()}: (\S+)\n")
    return httpx2.get(f"{base}{path}", headers=key(vendor, account), timeout=30)


def truth(vendor: programs.Program, account: str = "harbor-prod") -> dict[str, object]:
    control = vendor.find(r"Control: (\S+)\n")
    answer = httpx2.get(f"{control}/__truth", params={"account": account}, timeout=30)
    told: dict[str, object] = answer.raise_for_status().json()
    return told


def test_the_size_of_the_world_is_the_one_asked_for(vendor: programs.Program) -> None:
    assert read(vendor, "/users?total=true&limit=1").json()["total"] == 30
    assert len(re.findall(r"^API key of ", "".join(vendor.said), re.MULTILINE)) == 3
    assert read(vendor, "/users?limit=1", "harbor-3").status_code == 200
    months = truth(vendor)["months"]
    assert isinstance(months, list)
    assert [month["month"] for month in months] == ["2026-10", "2026-11"]
    assert 20 <= sum(month["incidents"] for month in months) <= 100


def test_the_plan_the_clock_and_the_limit_are_the_ones_asked_for(vendor: programs.Program) -> None:
    abilities = read(vendor, "/abilities")
    assert "sso" in abilities.json()["abilities"]
    assert "audit_trail_reporting" not in abilities.json()["abilities"]
    assert abilities.headers["ratelimit-limit"] == "40"
    assert str(truth(vendor)["as_of"]).startswith("2026-11-23T12:00:00")


def test_every_answer_is_late_by_the_latency(vendor: programs.Program) -> None:
    begun = time.perf_counter()
    read(vendor, "/abilities")
    assert time.perf_counter() - begun >= 0.02


def test_the_scenario_is_in_force_from_the_start(vendor: programs.Program) -> None:
    assert read(vendor, "/teams", "harbor-eu").status_code == 418


def test_the_announcement_names_everything_in_a_line_each(vendor: programs.Program) -> None:
    base = vendor.find(r"PagerDuty sandbox: (http://127\.0\.0\.1:\d+)\n")
    assert vendor.find(r"Identity: (\S+)\n") == f"{base}/identity"
    for line in ("Scoped OAuth client", "Scoped OAuth secret", "Classic OAuth client"):
        assert vendor.find(rf"{line}: (\S+)\n")
    assert vendor.find(rf"{READY} (\S+) \(user\)\n")
    discovery = f"{base}/identity/global/oauth/anonymous/.well-known/openid-configuration"
    assert httpx2.get(discovery).json()["token_endpoint"] == f"{base}/identity/oauth/token"


def test_the_same_seed_makes_the_same_people_and_another_makes_others(
    vendor: programs.Program,
) -> None:
    said = {}
    for seed in ("5", "6"):
        arguments = ("sandbox", "pagerduty", "--port", "0", "--users", "30", "--seed", seed)
        with (
            programs.home() as where,
            programs.running(*arguments, "--now", NOW, where=where, until="harbor-eu as") as other,
        ):
            said[seed] = other.find(r"Sign in to harbor-prod as (\S+) \(owner\)")
            assert "Control:" not in "".join(other.said)
    assert said["5"] == vendor.find(r"Sign in to harbor-prod as (\S+) \(owner\)")
    assert said["6"] != said["5"]


def test_the_old_name_of_users_still_works_and_says_so() -> None:
    arguments = ("sandbox", "pagerduty", "--port", "0", "--people", "20")
    with (
        programs.home() as where,
        programs.running(*arguments, where=where, until="harbor-eu as") as old,
    ):
        assert "seatwise: --people is now called --users" in "".join(old.said)
        assert read(old, "/users?total=true&limit=1").json()["total"] == 20


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--users", "0"], "seatwise: --users must be between 1 and 200,000.\n"),
        (["--months", "121"], "seatwise: --months must be between 1 and 120.\n"),
        (["--accounts", "0"], "seatwise: --accounts must be between 1 and 50.\n"),
        (
            ["--incidents", "-1"],
            "seatwise: --incidents must be between 0 and 100,000 for each month.\n",
        ),
        (["--latency-ms", "-5"], "seatwise: --latency-ms must be between 0 and 60,000.\n"),
        (["--rate-limit", "0"], "seatwise: --rate-limit must be between 1 and 10,000,000.\n"),
        (["--plan", "gold"], "seatwise: --plan must be one of free, professional, business"),
        (["--now", "yesterday"], "seatwise: --now must be a time such as 2026-11-23T12:00:00Z.\n"),
        (["--now", "2026-11-23"], "seatwise: --now needs a time zone.\n"),
        (["--port", "70000"], "Invalid value for '--port'"),
        (["--scenario", "/nowhere.json"], "does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_that_makes_no_sense_is_one_sentence(arguments: list[str], sentence: str) -> None:
    refused = start(*arguments)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    if sentence.startswith("seatwise"):
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["{", '[{"path": "/users", "kind": "plague"}]', '{"weather": 1}'])
def test_a_scenario_that_makes_no_sense_is_one_sentence(text: str, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(text, "utf-8")
    refused = start("--scenario", str(scenario))
    assert refused.returncode == 2
    assert refused.stderr.startswith("seatwise: ")
    assert refused.stderr.count("\n") == 1


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that is to fail."""
    with programs.home() as where:
        return subprocess.run(
            [sys.executable, "-m", "seatwise", "sandbox", "pagerduty", "--port", "0", *arguments],
            env=programs.environment(where),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
