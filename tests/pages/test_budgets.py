"""How many questions each page may ask the database, and that it is no more however much there is.

`budgets.json` says it, and how many milliseconds each may take, which the benchmark measures.
"""

import json
from pathlib import Path
from typing import TypedDict

from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from seatwise.models import User
from tests.pages import estate
from tests.security.matrix import TABLE

FILE = Path(__file__).parent / "budgets.json"
LEAST = 0.8  # of a budget; one that is far too large would let in what it is there to keep out
# Answered without a page: files and what monitors probe.
NO_PAGES = {
    *("members_sample", "people_sample", "renewals_feed", "focus", "focus_all"),
    *("healthz", "readyz", "metrics"),
}
# Seen once in a while: nobody waits for them all day. So are those around passwords.
SELDOM = {"outcome", "review_members", "member_columns", "design"}


class Budget(TypedDict):
    """Of the second visit, when what is kept for a while is kept already."""

    queries: int
    milliseconds: int  # that nineteen of twenty visits may take at the server


def budgets() -> dict[str, Budget]:
    found: dict[str, Budget] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def asked(client: Client, addresses: dict[str, str]) -> dict[str, int]:
    """{page: queries of its second visit}."""
    counts = {}
    for name, address in addresses.items():
        for _visit in range(2):
            with CaptureQueriesContext(database) as captured:
                answer = client.get(address)
            assert answer.status_code == 200, f"{name}: {address}"
        counts[name] = len(captured)
    return counts


def test_no_page_asks_more_than_its_budget_nor_far_less(as_admin: Client, admin: User) -> None:
    addresses = dict(estate.build(as_admin, admin).addresses)
    allowed = {name: budget["queries"] for name, budget in budgets().items()}
    counts = asked(as_admin, addresses)
    assert counts.keys() == allowed.keys()
    wrong = {
        name: f"{count} queries, and its budget is {allowed[name]}"
        for name, count in counts.items()
        if not LEAST * allowed[name] <= count <= allowed[name]
    }
    assert wrong == {}


def test_no_page_asks_more_however_much_there_is(as_admin: Client, admin: User) -> None:
    built = estate.build(as_admin, admin)
    before = asked(as_admin, dict(built.addresses))
    estate.add_more(built.account, 40)
    after = asked(as_admin, dict(built.addresses))
    assert {name: after[name] - before[name] for name in before if after[name] > before[name]} == {}


def test_every_page_has_a_budget() -> None:
    lines = [line.split() for line in TABLE.split("\n") if line.strip()]
    pages = {
        name
        for name, of, methods, *_answers, for_admin in lines
        if of in {"own", "-"} and methods == "GET,HEAD" and for_admin == "200"
        if not name.startswith("account_")
    }
    told = {name.partition(":")[0] for name in budgets()}
    assert told == pages - NO_PAGES - SELDOM
