"""The audit trail as nobody documents it: borders, another order, pages without an end."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.http import FixedToken
from seatwise.connectors.pagerduty.activity.changes import Changes, read_changes
from seatwise.connectors.pagerduty.activity.endless import MOST_PAGES, Endless
from seatwise.connectors.pagerduty.api import Api
from tests.connectors.accounts import impatient
from tests.connectors.faultserver import FaultServer, answer, fault_server

UNTIL = datetime(2026, 11, 20, 9, 30, 0, 600_000, tzinfo=UTC)
PATH = "/audit/records"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server() as started:
        yield started


def says(server: FaultServer, *pages: dict[str, Any]) -> None:
    server.on(PATH, *(answer(json.dumps(page).encode()) for page in pages))


def page(*hours: int, cursor: str = "") -> dict[str, Any]:
    """Changes so many hours before the end."""
    records = [
        {
            "id": f"R{ago}",
            "execution_time": (UNTIL - timedelta(hours=ago)).isoformat(),
            "actors": [{"id": "PADA", "type": "user_reference"}],
        }
        for ago in hours
    ]
    return {"records": records, "next_cursor": cursor or None}


def read(server: FaultServer, days: int = 2) -> list[Changes]:
    async def everything() -> list[Changes]:
        async with Api(server.url, FixedToken("abc"), impatient()) as api:
            return [each async for each in read_changes(api, UNTIL - timedelta(days=days), UNTIL)]

    return asyncio.run(everything())


def test_no_part_of_a_second_falls_between_two_windows(server: FaultServer) -> None:
    says(server, page())
    read(server, days=70)
    asked = [
        [
            datetime.fromisoformat(found.decode().replace("%3A", ":"))
            for found in re.findall(rb"(?:since|until)=([^& ]+)", request)
        ]
        for request in server.requests
    ]
    assert len(asked) == 3
    assert asked[0][1] > UNTIL
    for newer, older in pairwise(asked):
        assert older[1] > newer[0]
    assert all(until - since <= timedelta(days=31) for since, until in asked)


def test_nothing_is_called_read_where_changes_do_not_come_newest_first(
    server: FaultServer,
) -> None:
    says(server, page(1, 2, cursor="a"), page(5, 3, cursor="b"), page(9, cursor="c"), page(20))
    reached = [each.reached for each in read(server)]
    second = UNTIL - timedelta(hours=2) + timedelta(seconds=1)
    assert reached == [second, second, second, UNTIL - timedelta(days=2)]


@pytest.mark.parametrize(
    "pages",
    [
        [page(1, cursor="a"), page(cursor="b"), page(2)],
        [page(1, cursor="a"), page(1, cursor="b"), page(2)],
        [page(1, cursor="a"), page(2, cursor="a"), page(3)],
    ],
)
@pytest.mark.fault(52)
def test_more_is_promised_and_nothing_new_comes(
    server: FaultServer, pages: list[dict[str, Any]]
) -> None:
    says(server, *pages)
    with pytest.raises(BrokenAnswer, match="promised more changes"):
        read(server)


def test_pages_that_are_always_new_end_at_last() -> None:
    endless = Endless("More was promised")
    for number in range(1, MOST_PAGES):
        endless.check(f"c{number}", f"R{number}")
    with pytest.raises(BrokenAnswer, match="10,000 pages"):
        endless.check("c0", "R0")
