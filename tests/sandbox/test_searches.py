"""Whoever searches people page by page finds those who are there, and is not kept waiting."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company.people import Person
from seatwise.sandbox.pagerduty.company.searches import REMEMBERED, Searches
from seatwise.sandbox.pagerduty.company.world import World
from tests.sandbox.conftest import NOW, Reader
from tests.sandboxes import Running, running

PEOPLE = World(Options(users=40, months=1, accounts=1, now=NOW)).companies["harbor-prod"].people()


class Search:
    """Finds everybody, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Sequence[Person]:
        self.asked += 1
        return PEOPLE


@pytest.fixture
def crowd() -> Iterator[Running]:
    """A sandbox of its own, whose people may come and go."""
    with running(users=300, months=1, now=NOW, rate_limit=100_000) as sandbox:
        yield sandbox


@pytest.fixture
def reader(crowd: Running) -> Iterator[Reader]:
    made = Reader(crowd)
    with made.http:
        yield made


def test_the_further_pages_of_a_search_search_nobody() -> None:
    searches, search = Searches(), Search()
    for _ in range(3):
        assert searches.found(PEOPLE, "ann", search) is PEOPLE
    assert search.asked == 1


def test_a_search_without_result_is_remembered_too() -> None:
    searches, search = Searches(), Search()
    assert searches.found(PEOPLE, "nobody", tuple) == ()
    assert searches.found(PEOPLE, "nobody", search) == ()


def test_only_the_last_few_searches_are_remembered() -> None:
    searches, first = Searches(), Search()
    searches.found(PEOPLE, "first", first)
    for n in range(REMEMBERED - 1):
        searches.found(PEOPLE, n, Search())
    searches.found(PEOPLE, "first", first)  # which makes it the newest
    assert first.asked == 1
    for n in range(REMEMBERED):
        searches.found(PEOPLE, -n, Search())
    searches.found(PEOPLE, "first", first)
    assert first.asked == 2


def test_among_other_people_everything_is_searched_anew() -> None:
    searches, search = Searches(), Search()
    searches.found(PEOPLE, "ann", search)
    searches.found(list(PEOPLE), "ann", search)
    assert search.asked == 2


def test_a_search_finds_whoever_is_there_just_now(crowd: Running, reader: Reader) -> None:
    everybody = searched(reader)
    assert everybody == matching(reader.all("/users", "users"))
    crowd.fault(remove=[everybody[0]["id"]])
    assert searched(reader) == everybody[1:]
    demoted = next(row for row in everybody if row["role"] == "limited_user")
    crowd.fault(remove=[everybody[-1]["id"]], demote={demoted["email"]: "observer"})
    roles = {row["id"]: row["role"] for row in everybody[:-1]}
    found = searched(reader)
    assert {row["id"]: row["role"] for row in found} == roles | {demoted["id"]: "observer"}
    crowd.clear_faults()
    assert searched(reader) == everybody


def test_a_search_is_among_those_whom_the_lists_show(crowd: Running, reader: Reader) -> None:
    everybody = searched(reader)
    for lists in ("half", "nobody", "all", "half"):
        crowd.fault(lists=lists)
        assert searched(reader) == matching(reader.all("/users", "users"))
    crowd.fault(lists="nobody")
    assert searched(reader) == []
    crowd.clear_faults()
    assert searched(reader) == everybody


def test_each_page_of_a_search_is_of_those_who_are_left(crowd: Running, reader: Reader) -> None:
    before = searched(reader)
    for _ in range(12):
        crowd.fault(churn=3)
        reader.get("/users", query="@", limit=5)
        crowd.fault(churn=0)
        assert searched(reader) == matching(reader.all("/users", "users"))
    assert searched(reader) != before
    crowd.clear_faults()
    assert searched(reader) == before


def test_people_of_a_team_are_searched_apart_from_others(reader: Reader) -> None:
    everybody = searched(reader)
    teams = {team["id"] for row in everybody for team in row["teams"]}
    for team in sorted(teams)[:4]:
        for _ in range(2):
            mine = [row for row in everybody if team in {each["id"] for each in row["teams"]}]
            found = reader.all("/users", "users", query=WORD, **{"team_ids[]": team})
            assert found == mine
    assert searched(reader) == everybody


WORD = "AN"


def searched(reader: Reader) -> list[dict[str, Any]]:
    """All pages of one search."""
    rows: list[dict[str, Any]] = []
    while True:
        body = reader.get("/users", query=WORD, limit=7, offset=len(rows), total="true").json()
        rows += body["users"]
        if not body["more"]:
            assert body["total"] == len(rows)
            return rows


def matching(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whom a search should find among all."""
    return [r for r in rows if "an" in r["name"].casefold() or "an" in r["email"].casefold()]
