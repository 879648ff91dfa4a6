"""The same account read by our connector and by PagerDuty's own client, side by side."""

import asyncio
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pagerduty import RestApiV2Client

from seatwise.connectors.base import ReadPlan, find, scopes_to_ask
from seatwise.connectors.collect import collect
from seatwise.connectors.http import FixedToken
from seatwise.connectors.months import last_months
from tests.clients import own_client
from tests.connectors.accounts import authorize
from tests.sandboxes import Running, running

FAR = 0.05  # seconds that every answer of the vendor takes longer
CHANNELS = ("sms", "phone", "email", "push")


def measure() -> dict[str, float]:
    """Seconds and requests for the whole account, ours and the peer's, near and far away."""
    with running(seed=1) as vendor:
        vendor.fault(rate_limit=1_000_000)  # the peer alone would be held up by it
        vendor.truth()  # makes the history, which is then there for both
        ours, our_requests = _ours(vendor)
        vendor.forget_requests()
        peers = _timed(lambda: _read_plainly(vendor))
        peer_requests = len(vendor.requests())
        vendor.fault(path="*", times=None, kind="slow", delay=FAR)
        ours_far, _ = _ours(vendor)
        peers_far = _timed(lambda: _read_plainly(vendor))
        away = f"{FAR * 1000:.0f} ms away"
        return {
            "Whole account, Seatwise, s": ours,
            "Whole account, PagerDuty's client, s": peers,
            f"Whole account {away}, Seatwise, s": ours_far,
            f"Whole account {away}, PagerDuty's client, s": peers_far,
            "Whole account, Seatwise, requests": our_requests,
            "Whole account, PagerDuty's client, requests": peer_requests,
        }


def _ours(vendor: Running) -> tuple[float, float]:
    grant = asyncio.run(authorize(vendor, vendor.someone()))
    vendor.forget_requests()
    seconds = _timed(lambda: asyncio.run(_collect(vendor, grant)))
    return seconds, len(vendor.requests())


async def _collect(vendor: Running, grant: Any) -> None:
    connector = find("pagerduty")
    assert connector is not None
    asked = frozenset(scopes_to_ask(connector.scopes))
    account = await connector.identify(vendor.settings, grant, asked)
    now = datetime.now(UTC)
    plan = ReadPlan.at(now, ZoneInfo("UTC"))
    credentials = FixedToken(grant.access_token)
    async with connector.reader(vendor.settings, account, credentials) as reader:
        async for _batch in collect(reader, plan):
            pass


def _read_plainly(vendor: Running) -> None:
    with own_client(vendor.base_url, vendor.api_key()) as client:
        _read_all(client)


def _read_all(client: RestApiV2Client) -> None:
    client.list_all("users", params={"include[]": ["teams"]})
    client.get("/licenses")
    client.list_all("license_allocations")
    now = datetime.now(UTC)
    months = [*reversed(last_months(now.date(), ReadPlan.MONTHS)), now.date()]
    for since, until in itertools.pairwise(months):
        window = {"since": f"{since}T00:00:00Z", "until": f"{until}T00:00:00Z"}
        if until == now.date():
            window["until"] = now.isoformat()
        client.list_all("incidents", params=window)
        for channel in CHANNELS:
            wanted: dict[str, str | int] = {
                **window,
                "filter": f"{channel}_notification",
                "total": "true",
                "limit": 1,
            }
            client.get("/notifications", params=wanted)
    for week in range(13):
        end = now - timedelta(days=7 * week)
        start = max(end - timedelta(days=7), now - ReadPlan.HORIZON)
        window = {"since": start.isoformat(), "until": end.isoformat()}
        client.list_all("log_entries", params={**window, "is_overview": "true"})


def _timed(work: Any) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began
