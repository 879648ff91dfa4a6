"""A connector of somebody else's, whose account is a few lines: for what a state must bring."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from seatwise.connectors.base import (
    Config,
    Connector,
    Credentials,
    ListPrice,
    MetricInfo,
    OAuthApp,
    ReadPlan,
    RoleInfo,
    Scope,
    Setting,
    Way,
)
from seatwise.connectors.errors import ConsentRefused
from seatwise.connectors.records import (
    AbsenceRecord,
    Account,
    Batch,
    Check,
    Gap,
    Grant,
    LicenseRecord,
    MemberRecord,
    SeatRecord,
    SignalRecord,
    UsageRecord,
)
from seatwise.connectors.state import StateRefused

NO_CALLS = Gap("calls", "Calls cannot be read.", "Acme said so.", "Nobody can.")
OVERLAP = timedelta(hours=1)


@dataclass
class World:
    """What is so at Acme, and what was asked of it."""

    people: list[str] = field(default_factory=lambda: ["ada", "ben", "cat"])
    never: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)  # by month: "2025-10"
    acts: list[tuple[str, datetime]] = field(default_factory=list)
    without_calls: bool = False
    refuses: bool = False  # any state
    asked: list[str] = field(default_factory=list)


class Acme:
    """Everything but consents: an API key is the one way in."""

    key: ClassVar[str] = "acme"
    name: ClassVar[str] = "Acme"
    settings: ClassVar[tuple[Setting, ...]] = ()
    ways: ClassVar[tuple[Way, ...]] = (Way("key", "key", "API key", "Made under Acme's settings."),)
    scopes: ClassVar[tuple[Scope, ...]] = ()
    reads: ClassVar[Mapping[str, tuple[frozenset[str], ...]]] = {}
    roles: ClassVar[Mapping[str, RoleInfo]] = {"user": RoleInfo("user", "User", "full", 1)}
    metrics: ClassVar[tuple[MetricInfo, ...]] = (MetricInfo("calls", "Calls", "calls", "GET /c"),)
    sources: ClassVar[Mapping[str, str]] = {"acted": "did something", "signed_in": "signed in"}
    usage_headline: ClassVar[tuple[str, ...]] = ("calls",)
    list_prices: ClassVar[tuple[ListPrice, ...]] = ()
    authorizer: ClassVar[str] = "Anybody."
    removal: ClassVar[str] = "Ask Acme."
    evidence: ClassVar[str] = "What was done."
    default_api_url: ClassVar[str] = "https://acme.example"

    def __init__(self, world: World) -> None:
        self.world = world

    def oauth_app(self, config: Config) -> OAuthApp:
        raise NotImplementedError

    async def identify(self, config: Config, grant: Grant) -> Account:
        return Account("acme-1", "Acme", "", self.default_api_url, "", "")

    async def inspect(
        self, config: Config, account: Account, token: str, asked: frozenset[str]
    ) -> tuple[Check, ...]:
        return (Check("members", "Members", "ok", f"There are {len(self.world.people)}."),)

    async def machine_grant(self, app: OAuthApp, account_name: str, scopes: Iterable[str]) -> Grant:
        raise ConsentRefused("Acme knows no apps that act for themselves.")

    def token_of(self, api_key: str) -> str:
        return api_key

    @asynccontextmanager
    async def reader(
        self, config: Config, account: Account, credentials: Credentials
    ) -> AsyncIterator["Reader"]:
        yield Reader(self.world)


class Reader:
    """Asks for no month twice that was over, and for no action twice but the newest hour's.

    Its lists are a page or two, so it does not resume: each attempt reads them anew.
    """

    def __init__(self, world: World) -> None:
        self.requests: Counter[str] = Counter()
        self._world = world

    async def members(self) -> AsyncIterator[Batch]:
        half = len(self._world.people) // 2
        for some in (self._world.people[:half], self._world.people[half:]):
            records = tuple(MemberRecord(p, f"{p}@acme.example", p, "user", False) for p in some)
            yield Batch("members", records)
        yield Batch("members", complete=True, ended=True)

    async def licenses(self) -> AsyncIterator[Batch]:
        seats = [SeatRecord(person, "L", None) for person in self._world.people]
        license_ = LicenseRecord("L", "Seat", "full", len(seats), None)
        yield Batch("licences", (license_, *seats), complete=True, ended=True)

    async def usage(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        part: Mapping[str, Any] = plan.known("usage")
        if self._world.refuses and part:
            raise StateRefused("Acme forgot all of it.")
        final = set(part["final"] if part and part["home"] == plan.home_code else ())
        present = plan.now.astimezone(plan.zone).date().replace(day=1)
        for month in plan.months:
            if f"{month:%Y-%m}" in final:
                continue
            yield self._month(month, month < present, final, plan)
        gaps = (NO_CALLS,) if self._world.without_calls else ()
        yield Batch("usage", gaps=gaps, complete=True, ended=True)

    async def activity(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        part = plan.known("activity")
        since = plan.activity_since
        if part:
            since = max(since, datetime.fromisoformat(part["until"]) - OVERLAP)
        self._world.asked.append(f"since {since:%Y-%m-%d %H:%M}")
        acts = [SignalRecord(who, "acted", at, "") for who, at in self._world.acts if at >= since]
        never = [AbsenceRecord(who, "signed_in") for who in self._world.never]
        state = {"until": plan.now.isoformat()}
        yield Batch("activity", (*acts, *never), complete=True, ended=True, state=state)

    def _month(self, month: date, over: bool, final: set[str], plan: ReadPlan) -> Batch:
        name = f"{month:%Y-%m}"
        self._world.asked.append(name)
        if self._world.without_calls:
            return Batch("usage")
        if over:
            final.add(name)
        calls = UsageRecord(month, "calls", self._world.calls.get(name, 0), over, "GET /c")
        end = datetime(month.year, month.month, 28, tzinfo=UTC)
        acts = [SignalRecord(who, "acted", at, "") for who, at in self._world.acts if at < end]
        state = {"final": sorted(final), "home": plan.home_code}
        abroad = [UsageRecord(month, "abroad", 1, over, "GET /c")] if plan.home_code else []
        return Batch("usage", (calls, *abroad, *acts), state=state)


def connector(world: World) -> Connector:
    """Acme as the product would find it."""
    made: Connector = Acme(world)
    return made
