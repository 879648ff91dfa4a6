"""What a later pull asks for and writes, with a connector that keeps a state."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from seatwise import pull
from seatwise.connectors.records import Batch
from seatwise.connectors.state import StateRefused
from seatwise.pull.order import Order, plan_until
from tests.pull.acme import World, connector
from tests.pull.pulling import json_lines, told

NOW = datetime(2025, 11, 20, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def order(world: World, where: Path, now: datetime = NOW, days: int = 90, home: str = "") -> Order:
    return Order(
        connector=connector(world),
        base_url="https://acme.example",
        token="t",
        secret="t",
        plan=plan_until(None, ZoneInfo("UTC"), 3, timedelta(days=days), now, home),
        out=where / "out",
        state=where / "state",
    )


def pulled(wanted: Order) -> dict[str, bytes]:
    """The files that were written, without what was done for them."""
    pull.run(wanted, lambda _batch: None)
    return {
        path.name: path.read_bytes() for path in wanted.out.iterdir() if path.name != "run.json"
    }


def seen(where: Path) -> dict[str, str | None]:
    rows = json_lines(where / "out" / "members.jsonl")
    return {row["external_id"]: row["last_seen_at"] for row in rows}


def test_what_is_settled_is_not_asked_again_and_written_all_the_same(tmp_path: Path) -> None:
    world = World(calls={"2025-09": 9, "2025-10": 10, "2025-11": 1}, acts=[("ada", NOW - 2 * DAY)])
    pulled(order(world, tmp_path))
    assert told(tmp_path / "out")["state"] == {"from": None, "resumed": False}
    world.asked, world.calls["2025-11"] = [], 5
    world.calls["2025-09"] = 0  # the vendor forgot; nobody asks
    world.acts.append(("ben", NOW + timedelta(hours=3)))
    with closing(sqlite3.connect(tmp_path / "state")) as base:
        base.execute("UPDATE reading SET read_at = '2025-11-20T09:31:00Z'")
        base.commit()
    pulled(order(world, tmp_path, NOW + DAY))
    assert world.asked == ["2025-11", "since 2025-11-20 08:30"]
    rows = json_lines(tmp_path / "out" / "usage.jsonl")
    assert [(row["month"], row["value"], row["final"]) for row in rows] == [
        ("2025-09", 9, True),
        ("2025-10", 10, True),
        ("2025-11", 5, False),
    ]
    assert seen(tmp_path) == {
        "ada": "2025-11-18T09:30:00Z",
        "ben": "2025-11-20T12:30:00Z",
        "cat": None,
    }
    state = told(tmp_path / "out")["state"]
    assert state == {"from": "2025-11-20T09:31:00Z", "resumed": True}


def test_whoever_is_not_listed_any_more_is_not_written(tmp_path: Path) -> None:
    world = World(acts=[("cat", NOW - DAY)])
    pulled(order(world, tmp_path))
    world.people = ["ada", "dan", "ben"]
    pulled(order(world, tmp_path))
    assert list(seen(tmp_path)) == ["ada", "dan", "ben"]
    assert json_lines(tmp_path / "out" / "licenses.jsonl")[0]["used"] == 3
    world.people = ["dan", "cat"]  # who comes back is seen again
    pulled(order(world, tmp_path))
    assert seen(tmp_path) == {"dan": None, "cat": "2025-11-19T09:30:00Z"}


def test_evidence_from_before_the_horizon_is_kept_and_not_written(tmp_path: Path) -> None:
    world = World(acts=[("ada", NOW - 40 * DAY)])  # told with the month of October
    pulled(order(world, tmp_path, days=30))
    assert seen(tmp_path)["ada"] is None
    pulled(order(world, tmp_path, days=60))
    assert seen(tmp_path)["ada"] == "2025-10-11T09:30:00Z"


def test_a_month_that_goes_out_of_sight_is_not_written(tmp_path: Path) -> None:
    world = World(calls={"2025-09": 9})
    pulled(order(world, tmp_path))
    pulled(order(world, tmp_path, NOW + 20 * DAY))
    months = [row["month"] for row in json_lines(tmp_path / "out" / "usage.jsonl")]
    assert months == ["2025-10", "2025-11", "2025-12"]


def test_a_provisional_number_of_an_earlier_pull_does_not_stand_for_one_that_cannot_be_read(
    tmp_path: Path,
) -> None:
    world = World(calls={"2025-09": 9, "2025-10": 10, "2025-11": 1})
    pulled(order(world, tmp_path))
    world.without_calls = True
    pulled(order(world, tmp_path, NOW + DAY))
    months = [row["month"] for row in json_lines(tmp_path / "out" / "usage.jsonl")]
    assert months == ["2025-09", "2025-10"]  # final, and as true as ever
    assert told(tmp_path / "out")["coverage"]["usage"]["state"] != "read"


def test_with_another_home_usage_is_read_anew(tmp_path: Path) -> None:
    world = World(calls={"2025-09": 9})
    pulled(order(world, tmp_path, home="49"))
    world.calls["2025-09"], world.asked = 7, []
    pulled(order(world, tmp_path, home="44"))
    assert "2025-09" in world.asked
    rows = json_lines(tmp_path / "out" / "usage.jsonl")
    assert (rows[0]["value"], {row["metric"] for row in rows}) == (7, {"calls", "abroad"})
    pulled(order(world, tmp_path))
    rows = json_lines(tmp_path / "out" / "usage.jsonl")
    assert {row["metric"] for row in rows} == {"calls"}  # nobody asks what is abroad any more


def test_a_pull_that_fails_keeps_what_it_had_read(tmp_path: Path) -> None:
    world = World(calls={"2025-10": 10})

    def fail(batch: Batch) -> None:
        if "2025-10" in world.asked:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        pull.run(order(world, tmp_path), fail)
    assert not list((tmp_path / "out").iterdir())
    kept, world.asked = set(world.asked), []
    again = pulled(order(world, tmp_path))
    assert kept == {"2025-11", "2025-10"}
    assert "2025-10" not in world.asked
    fresh = pulled(replace(order(world, tmp_path), state=None, out=tmp_path / "fresh"))
    assert again == fresh


def test_members_are_asked_even_where_they_are_not_wanted(tmp_path: Path) -> None:
    world = World()
    pulled(order(world, tmp_path))
    world.people = ["somebody", "else"]
    with pytest.raises(StateRefused, match="another account"):
        pulled(replace(order(world, tmp_path), only=frozenset({"usage"})))
    world.people = ["ada"]
    usage_alone = replace(order(world, tmp_path), only=frozenset({"usage"}), out=tmp_path / "usage")
    assert list(pulled(usage_alone)) == ["usage.jsonl"]


def test_a_batch_and_its_state_are_kept_together_or_not_at_all(tmp_path: Path) -> None:
    world = World(calls={"2025-10": 10})
    pulled(order(world, tmp_path))
    with closing(sqlite3.connect(tmp_path / "state")) as base:
        base.execute("UPDATE reading SET state = NULL")
        base.execute("DELETE FROM usage")
        base.execute(
            "CREATE TRIGGER full BEFORE UPDATE OF state ON reading"
            " WHEN new.state LIKE '%2025-10%' BEGIN SELECT raise(ABORT, 'full'); END"
        )
        base.commit()
    with pytest.raises(Exception, match=r"full|damaged"):
        pulled(order(world, tmp_path))
    with closing(sqlite3.connect(tmp_path / "state")) as base:
        months = [row[0] for row in base.execute("SELECT month FROM usage")]
    assert months == ["2025-11"]


def test_a_connector_that_refuses_the_state_ends_the_pull(tmp_path: Path) -> None:
    world = World()
    pulled(order(world, tmp_path))
    world.refuses = True
    with pytest.raises(StateRefused, match="Acme forgot"):
        pulled(order(world, tmp_path))
