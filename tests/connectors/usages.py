"""Reads an account's usage and lays it beside what is really so, for tests."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.http import FixedToken
from seatwise.connectors.months import last_months
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.usage import read_usage
from seatwise.connectors.records import Batch, Gap, SignalRecord, UsageRecord
from seatwise.connectors.state import State
from tests.connectors.accounts import impatient
from tests.sandboxes import Running

Numbers = dict[tuple[str, str], UsageRecord]  # by month and metric
SPLIT = ("billable_alerts_home", "billable_alerts_abroad")


@dataclass
class Read:
    """What one reading of usage brought."""

    batches: list[Batch]
    requests: Mapping[str, int]
    services: set[str] = field(default_factory=set)

    @property
    def numbers(self) -> Numbers:
        return numbers(self.batches)

    @property
    def state(self) -> dict[str, object]:
        """The envelope from which the next reading goes on."""
        return kept(self.batches)

    @property
    def gaps(self) -> list[Gap]:
        return [gap for batch in self.batches for gap in batch.gaps]

    @property
    def signals(self) -> list[SignalRecord]:
        found = [record for batch in self.batches for record in batch.records]
        return [record for record in found if isinstance(record, SignalRecord)]


def numbers(batches: list[Batch]) -> Numbers:
    """What is known once these batches were kept."""
    found = [record for batch in batches for record in batch.records]
    return {
        (f"{record.month:%Y-%m}", record.metric): record
        for record in found
        if isinstance(record, UsageRecord)
    }


def kept(batches: list[Batch]) -> dict[str, object]:
    """The state after these batches; {} where none was told."""
    parts = [batch.state for batch in batches if batch.state is not None]
    return State({"usage": parts[-1]}).as_json() if parts else {}


def plan(
    now: datetime,
    months: int = 3,
    zone: str = "UTC",
    *,
    home: str = "",
    state: Mapping[str, object] | None = None,
) -> ReadPlan:
    """The newest months, newest first."""
    where = ZoneInfo(zone)
    asked: list[date] = last_months(now.astimezone(where).date(), months)
    return ReadPlan(asked, where, now, now, state or {}, home)


def usage(sandbox: Running, asked: ReadPlan, account: str = "harbor-prod") -> Read:
    """One reading, with the account's API key."""
    return asyncio.run(_usage(_address(sandbox, account), sandbox.api_key(account), asked))


def usage_at(url: str, asked: ReadPlan) -> Read:
    """One reading at any address."""
    return asyncio.run(_usage(url, "t", asked))


async def _usage(url: str, key: str, asked: ReadPlan) -> Read:
    services: set[str] = set()
    async with Api(url, FixedToken(f"Token token={key}"), impatient()) as api:
        batches = [batch async for batch in read_usage(api, asked, services)]
        return Read(batches, dict(api.http.requests), services)


def _address(sandbox: Running, account: str) -> str:
    return sandbox.settings["API_URL_EU" if account == "harbor-eu" else "API_URL"]


def agrees(
    sandbox: Running, found: Numbers, asked: ReadPlan, account: str = "harbor-prod"
) -> dict[str, dict[str, Any]]:
    """Asserts that these are the months' numbers, all of them; returns the truth by month."""
    told = {m["month"]: m for m in sandbox.truth(account, asked.zone.key)["months"]}
    for month in asked.months:
        truth = told[f"{month:%Y-%m}"]
        values = {
            metric: usage.value
            for (name, metric), usage in found.items()
            if name == f"{month:%Y-%m}"
        }
        called = truth["notifications_sms"] + truth["notifications_phone"]
        if asked.home_code:
            assert sum(values.pop(name) for name in SPLIT) == called
        expected = {name: n for name, n in truth.items() if name not in ("month", "closed")}
        assert values == {**expected, "billable_alerts": called}, month
        present = month == asked.months[0]
        finals = {u.final for (name, _), u in found.items() if name == f"{month:%Y-%m}"}
        assert finals == {truth["closed"] and not present}, month
    return told


def listed(sandbox: Running, path: str, rows: str, **asked: str) -> list[dict[str, Any]]:
    """Every row of a list of the first account's, as anybody with a key may read it."""
    found: list[dict[str, Any]] = []
    key = {"Authorization": f"Token token={sandbox.api_key()}"}
    while True:
        params = {**asked, "limit": "100", "offset": str(len(found))}
        page = sandbox.http.get(f"/us{path}", params=params, headers=key).raise_for_status().json()
        found += page[rows]
        if not page["more"]:
            return found
