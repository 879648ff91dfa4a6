"""Whether the list of members stays right while people come and go between its pages."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Final

from seatwise.connectors.base import ReadsMembers
from seatwise.connectors.errors import VendorError
from seatwise.connectors.http import FixedToken
from seatwise.connectors.records import Account, MemberRecord
from tests.clients import own_client
from tests.connectors.accounts import connector
from tests.sandboxes import Running, running

CHANCES: Final = (5, 30, 100)  # percent: of a change with each page
PEOPLE: Final = (300, 450, 900)  # an account of each size has a third of the readings
READINGS: Final = 510  # at each chance
PEERS: Final = 60  # readings of the peer's at each chance
LONGEST: Final = 120.0  # seconds at each chance; whoever is slower reads less often


def _of(chance: int) -> str:
    return f"Members read while a page changes them with a chance of {chance} %"


AT_LEAST: Final[dict[str, float]] = {f"{_of(chance)}: readings": 500 for chance in CHANCES}
AT_MOST: Final[dict[str, float]] = {
    f"{_of(chance)}: {what}": 0
    for chance in CHANCES
    for what in ("with somebody missing or twice", "given up")
}


def measure_once() -> dict[str, float]:
    """How many readings there were, and in how many somebody there all along was missing or twice.

    "Given up": readings that ended with an error instead.
    """
    found = {chance: [0, 0, 0] for chance in CHANCES}
    wrong_of_peer = dict.fromkeys(CHANCES, 0)
    for people in PEOPLE:
        with running(users=people, incidents=1, months=1, accounts=1) as vendor:
            for chance in CHANCES:
                for place, count in enumerate(_read_often(vendor, chance, _members, READINGS)):
                    found[chance][place] += count
                _, wrong, _ = _read_often(vendor, chance, _members_of_peer, PEERS)
                wrong_of_peer[chance] += wrong
    names = ("readings", "with somebody missing or twice", "given up")
    figures: dict[str, float] = {}
    for chance, counts in found.items():
        figures |= {f"{_of(chance)}: {name}": n for name, n in zip(names, counts, strict=True)}
        peer = f"of {PEERS} by PagerDuty's client, with somebody missing or twice"
        figures[f"{_of(chance)}: {peer}"] = wrong_of_peer[chance]
    return figures


def _read_often(
    vendor: Running,
    chance: int,
    read: Callable[[Running], Coroutine[None, None, Counter[str]]],
    times: int,
) -> tuple[int, int, int]:
    """One account's share of so many readings: how many there were, wrong ones, given up."""
    vendor.clear_faults()  # who came or went before is as at the start
    vendor.fault(churn=chance / 100, rate_limit=10_000_000)
    until, share = time.monotonic() + LONGEST / len(PEOPLE), times // len(PEOPLE)
    readings = wrong = given_up = 0
    before = _present(vendor)
    while readings < share and time.monotonic() < until:
        readings += 1
        found: Counter[str] | None = None
        try:
            found = asyncio.run(read(vendor))
        except VendorError:
            given_up += 1
        after = _present(vendor)  # whoever leaves never comes back
        wrong += found is not None and any(found[each] != 1 for each in before & after)
        before = after
    return readings, wrong, given_up


def _present(vendor: Running) -> set[str]:
    return {person["id"] for person in vendor.truth()["members"]}


async def _members(vendor: Running) -> Counter[str]:
    """How often each member was handed over."""
    pagerduty = connector()
    account = Account("", "", "", f"{vendor.base_url}/us", granted_by="", granted_role="")
    credentials = FixedToken(pagerduty.token_of(vendor.api_key()))
    found: Counter[str] = Counter()
    async with pagerduty.reader(vendor.settings, account, credentials) as reader:
        assert isinstance(reader, ReadsMembers)
        async for batch in reader.members():
            found.update(r.external_id for r in batch.records if isinstance(r, MemberRecord))
    return found


async def _members_of_peer(vendor: Running) -> Counter[str]:
    """The same by PagerDuty's own client, which goes from page to page."""
    with own_client(vendor.base_url, vendor.api_key()) as client:
        return Counter(person["id"] for person in client.iter_all("users"))
