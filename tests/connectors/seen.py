"""Readings of activity against a simulated account, and what is really so there."""

import asyncio
import copy
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from seatwise.connectors.base import ReadPlan, scopes_to_ask
from seatwise.connectors.collect import STAGES, collect
from seatwise.connectors.http import FixedToken
from seatwise.connectors.months import last_months
from seatwise.connectors.records import AbsenceRecord, Account, Batch, Gap, SignalRecord
from seatwise.connectors.state import State
from tests.connectors.accounts import authorize, connector, identified
from tests.sandboxes import Running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HORIZON, LATELY = timedelta(days=90), timedelta(days=30)
USUAL = frozenset(scopes_to_ask(connector().scopes))
ONLY_LOG = ("members", "activity")


@dataclass
class Got:
    """One reading, or several one after the other."""

    batches: list[Batch] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)  # of the activity stage, of the last

    @property
    def activity(self) -> list[Batch]:
        return [batch for batch in self.batches if batch.stage == "activity"]

    @property
    def gaps(self) -> list[Gap]:
        return [gap for batch in self.batches for gap in batch.gaps]

    @property
    def state(self) -> Mapping[str, Any]:
        states = [batch.state for batch in self.batches if batch.state is not None]
        return json.loads(json.dumps(states[-1])) if states else {}

    @property
    def part(self) -> Mapping[str, Any]:
        return State.opened(self.state).of("activity")

    def times(self, source: str = "") -> dict[str, datetime]:
        """When each member was last seen."""
        newest: dict[str, datetime] = {}
        for batch in self.batches:
            for signal in batch.records:
                if isinstance(signal, SignalRecord) and source in ("", signal.source):
                    newest[signal.member_id] = max(
                        signal.at, newest.get(signal.member_id, signal.at)
                    )
        return newest

    def never(self) -> set[str]:
        records = [record for batch in self.batches for record in batch.records]
        return {record.member_id for record in records if isinstance(record, AbsenceRecord)}

    def up_to(self, number: int) -> "Got":
        """What was kept when the reading was interrupted after so many batches."""
        return Got(self.batches[:number])

    def then(self, later: "Got") -> "Got":
        return Got([*self.batches, *later.batches], later.requests)


@dataclass(frozen=True)
class Door:
    """An account, and what opens it."""

    sandbox: Running
    account: Account
    token: str = field(repr=False)
    now: datetime = NOW
    horizon: timedelta = HORIZON
    months: int = 3

    def read(self, state: Mapping[str, Any] | None = None, stages: Collection[str] = STAGES) -> Got:
        plan = ReadPlan(
            last_months(self.now.date(), self.months),
            ZoneInfo("UTC"),
            self.now,
            self.now - self.horizon,
            copy.deepcopy(state or {}),
        )
        return asyncio.run(self._read(plan, stages))

    async def _read(self, plan: ReadPlan, stages: Collection[str]) -> Got:
        got, before = Got(), dict[str, int]()
        async with connector().reader(
            self.sandbox.settings, self.account, FixedToken(self.token)
        ) as reader:
            async for batch in collect(reader, plan, stages):  # type: ignore[arg-type]
                got.batches.append(batch)
                if batch.stage != "activity":
                    before = dict(reader.requests)
            made = {name: n - before.get(name, 0) for name, n in reader.requests.items()}
        got.requests = {name: n for name, n in made.items() if n}
        return got


def with_key(sandbox: Running, **more: Any) -> Door:
    """The account, with its API key."""
    account = Account("", "", "US", sandbox.settings["API_URL"], "", "")
    return Door(sandbox, account, f"Token token={sandbox.api_key()}", **more)


def granted(
    sandbox: Running, *extra: str, scopes: Collection[str] | None = None, **more: Any
) -> Door:
    """The account, with a grant of the usual scopes and some more, or of exactly these."""
    asked = sorted(USUAL | set(extra) if scopes is None else scopes)
    grant = asyncio.run(authorize(sandbox, sandbox.someone("owner"), scopes=asked))
    account = asyncio.run(identified(sandbox, grant))
    return Door(sandbox, account, grant.access_token, **more)


def unknown(door: Door) -> Door:
    """The same door, of which nobody knows what it opens: an access token somebody was given."""
    return replace(door, account=replace(door.account, scopes=None))


def truth(sandbox: Running, *sources: str) -> dict[str, datetime]:
    """When each member really was last seen, by these sources of evidence."""
    told: dict[str, dict[str, str]] = sandbox.truth()["activity"]
    times = {
        who: [datetime.fromisoformat(at) for name, at in of.items() if name in sources]
        for who, of in told.items()
    }
    return {who: max(some) for who, some in times.items() if some}


def answered(sandbox: Running, since: datetime, until: datetime) -> dict[str, datetime]:
    """Who acknowledged or resolved something, and when last, by the raw log itself."""
    newest: dict[str, datetime] = {}
    while since < until:
        offset, more = 0, True
        while more:
            page = sandbox.http.get(
                "/us/log_entries",
                params={
                    "since": since.isoformat(),
                    "until": (end := min(since + timedelta(days=5), until)).isoformat(),
                    "is_overview": "true",
                    "limit": "100",
                    "offset": str(offset),
                },
                headers={"Authorization": f"Token token={sandbox.api_key()}"},
            ).json()
            for entry in page["log_entries"]:
                if entry["type"] in ("acknowledge_log_entry", "resolve_log_entry"):
                    at, who = datetime.fromisoformat(entry["created_at"]), entry["agent"]
                    if who["type"] == "user_reference":
                        newest[who["id"]] = max(at, newest.get(who["id"], at))
            offset, more = offset + 100, page["more"]
        since = end
    return newest
