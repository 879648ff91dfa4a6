"""Readings for the contract: one account from end to end, where it went, what is kept of it."""

import asyncio
import copy
import json
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from seatwise.connectors.base import Connector, Reader, ReadPlan, Resumes
from seatwise.connectors.collect import STAGES, collect
from seatwise.connectors.errors import VendorError
from seatwise.connectors.http import FixedToken
from seatwise.connectors.records import (
    AbsenceRecord,
    Account,
    Batch,
    Gap,
    LicenseRecord,
    MemberRecord,
    Record,
    SeatRecord,
    SignalRecord,
    Stage,
    UsageRecord,
)
from seatwise.connectors.state import StateRefused

R = TypeVar("R", bound=Record)
Seen = Callable[["Kept"], Mapping[str, object]]
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Entrance:
    """A connector, and what a grant opened with it."""

    connector: Connector
    config: Mapping[str, str]
    account: Account
    token: str = field(repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # this grant's own

    @property
    def hosts(self) -> frozenset[str]:
        """Where the connector says it talks to, beside the account's own address."""
        return self.connector.oauth_app(self.config).hosts


@dataclass
class Reading:
    """What one reading brought, up to where it ended."""

    batches: list[Batch] = field(default_factory=list)
    requests: int = 0
    places: frozenset[str] = frozenset()  # "host:port" of every connection
    error: VendorError | StateRefused | None = None

    def of(self, kind: type[R]) -> list[R]:
        return [r for batch in self.batches for r in batch.records if isinstance(r, kind)]

    def gaps(self) -> list[Gap]:
        """Each once, in an order of their own."""
        return sorted({gap for batch in self.batches for gap in batch.gaps}, key=repr)

    def state(self) -> Mapping[str, object]:
        """The newest; {} where none was left."""
        states = [batch.state for batch in self.batches if batch.state is not None]
        return states[-1] if states else {}


def read(
    entrance: Entrance,
    plan: ReadPlan,
    only: Collection[Stage] = STAGES,
    before: Sequence[Batch] = (),
) -> Reading:
    """The stages of an account, in this thread; what came `before` is taken up first, not read."""
    got = Reading()

    async def walk() -> None:
        token = FixedToken(entrance.token)
        opened = entrance.connector.reader(entrance.config, entrance.account, token)
        async with opened as reader:
            try:
                ended = _take_up(reader, before)
                left = [stage for stage in only if stage not in ended]
                async for batch in collect(reader, plan, left):
                    got.batches.append(batch)
            finally:
                got.requests = Counter(reader.requests).total()

    with _watched() as places:
        try:
            asyncio.run(walk())
        except (VendorError, StateRefused) as error:
            got.error = error
    got.places = frozenset(places)
    return got


def _take_up(reader: Reader, before: Sequence[Batch]) -> set[Stage]:
    """What an earlier reader brought, as a database would give it back; returns what has ended."""
    newest: dict[Stage, Batch] = {b.stage: b for b in before if b.stage in ("members", "licences")}
    for stage, batch in newest.items():
        assert isinstance(reader, Resumes)
        assert batch.place is not None
        place = json.loads(json.dumps(batch.place))
        records = (record for b in before if b.stage == stage for record in b.records)
        reader.resume(stage, place, records, ended=batch.ended)
    return {stage for stage, batch in newest.items() if batch.ended}


@dataclass
class Kept:
    """What the product shows after these batches: the records, merged by its rules."""

    lists: dict[str, dict[str, Record]] = field(default_factory=dict)  # by stage, whole ones only
    usage: dict[tuple[date, str], UsageRecord] = field(default_factory=dict)
    evidence: dict[tuple[str, str], datetime] = field(default_factory=dict)  # by member and source
    never: set[tuple[str, str]] = field(default_factory=set)

    def seen(self) -> dict[str, datetime]:
        """When each member was last seen."""
        newest: dict[str, datetime] = {}
        for (who, _source), at in self.evidence.items():
            newest[who] = max(at, newest.get(who, at))
        return newest

    def seen_since(self, since: datetime) -> dict[str, datetime]:
        """As `seen`; older evidence is met by chance only."""
        return {who: at for who, at in self.seen().items() if at >= since}


def kept(batches: Collection[Batch]) -> Kept:
    """Newest evidence wins, later numbers win over what was not final, of lists the last whole."""
    found = Kept()
    listed: dict[str, dict[str, Record]] = {}
    for batch in batches:
        of_stage = listed.setdefault(batch.stage, {})
        for record in batch.records:
            _keep(record, found, of_stage)
        if batch.stage in ("members", "licences") and (batch.complete or batch.ended):
            whole = listed.pop(batch.stage)
            if batch.complete:
                found.lists[batch.stage] = whole
    return found


def _keep(record: Record, found: Kept, of_stage: dict[str, Record]) -> None:
    match record:
        case MemberRecord() | LicenseRecord():
            of_stage[f"{type(record).__name__} {record.external_id}"] = record
        case SeatRecord():
            of_stage[f"SeatRecord {record.member_id}"] = record
        case UsageRecord():
            before = found.usage.get((record.month, record.metric))
            if before is None or not before.final:
                found.usage[record.month, record.metric] = record
        case SignalRecord():
            of = (record.member_id, record.source)
            found.evidence[of] = max(record.at, found.evidence.get(of, record.at))
        case AbsenceRecord():
            found.never.add((record.member_id, record.source))


def differences(got: Kept, wanted: Kept, seen: Seen = Kept.seen) -> list[str]:
    """What is shown otherwise than wanted, in a few lines; of evidence, what `seen` tells."""
    pairs: dict[str, tuple[Mapping[Any, object], Mapping[Any, object]]] = {
        "lists": (_flat(got.lists), _flat(wanted.lists)),
        "usage": (got.usage, wanted.usage),
        "seen": (seen(got), seen(wanted)),
        "never": (dict.fromkeys(got.never), dict.fromkeys(wanted.never)),
    }
    return [
        f"{name} {key}: {found.get(key)!r:.300}, not {real.get(key)!r:.300}"
        for name, (found, real) in pairs.items()
        for key in sorted({*found, *real}, key=repr)
        if found.get(key) != real.get(key)
    ][:8]


def _flat(lists: Mapping[str, Mapping[str, Record]]) -> dict[tuple[str, str], Record]:
    return {(stage, key): row for stage, rows in lists.items() for key, row in rows.items()}


def lately(found: Kept, plan: ReadPlan) -> dict[str, bool]:
    """Of everybody seen since the plan's horizon, whether that was within thirty days."""
    recent = found.seen_since(plan.activity_since)
    return {who: at >= plan.now - LATELY for who, at in recent.items()}


def damaged(state: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The state with one value after the other replaced by one of another kind, and where.

    Of what is alike, such as a list's entries, the first is taken.
    """
    parts = state.get("stages", {})
    for stage, part in parts.items():
        for path in _paths(part):
            broken: dict[str, Any] = copy.deepcopy(dict(state))
            holder = broken["stages"][stage]
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = 17 if isinstance(holder[path[-1]], str) else "x"
            yield f"{stage} {path} in {part!r:.600}", broken


def _paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = list(value) if isinstance(value, Mapping) else range(min(len(value), 1))
    for step in steps[:6]:
        path = (*above, step)
        yield path
        if isinstance(value[step], Mapping | list):
            yield from _paths(value[step], path)


class _watched:  # noqa: N801 - used as a block
    """Notes where connections go, while the block lasts and wherever they are made."""

    watching: list[set[str]] = []
    hooked = False

    def __enter__(self) -> set[str]:
        cls = type(self)
        if not cls.hooked:
            cls.hooked = True
            sys.addaudithook(cls.hook)  # it can never be taken away again
        cls.watching.append(set())
        return cls.watching[-1]

    def __exit__(self, *_: object) -> None:
        type(self).watching.pop()

    @classmethod
    def hook(cls, event: str, arguments: tuple[Any, ...]) -> None:
        if cls.watching and event == "socket.connect":
            address = arguments[1]
            if isinstance(address, tuple):
                cls.watching[-1].add(f"{address[0]}:{address[1]}")
