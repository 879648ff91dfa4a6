"""Opens an account of the simulated vendor the way the product does, for tests."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from seatwise.connectors import oauth
from seatwise.connectors.base import Connector, ReadPlan, find, scopes_to_ask
from seatwise.connectors.collect import collect
from seatwise.connectors.http import FixedToken
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Account, Batch, Check, Gap, Grant, Record
from tests.sandboxes import Running

REDIRECT = "http://127.0.0.1:9/back"


@dataclass
class Pauses:
    """Stands in for sleeping: notes how long it would have been."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)

    def clock(self) -> float:
        """Seconds on a clock for which those pauses have passed."""
        return time.monotonic() + sum(self.seconds)


def impatient(pauses: Pauses | None = None, **limits: float) -> Patience:
    """The product's limits, except that it never really waits."""
    pauses = pauses or Pauses()
    return Patience(pause=pauses, clock=pauses.clock, **limits)  # type: ignore[arg-type]


def connector() -> Connector:
    """PagerDuty as the product finds it, but without waits."""
    found = find("pagerduty")
    assert found is not None
    made: Connector = type(found)(patience=impatient())  # type: ignore[call-arg]
    return made


async def authorize(
    sandbox: Running, email: str, account: str = "harbor-prod", scopes: Iterable[str] | None = None
) -> Grant:
    """A grant by that person, through the vendor's own pages."""
    pagerduty = connector()
    app = pagerduty.oauth_app(sandbox.settings)
    asked = scopes_to_ask(pagerduty.scopes) if scopes is None else list(scopes)
    begun = oauth.begin(app, redirect_uri=REDIRECT, scopes=asked)
    back = parse_qs(urlsplit(sandbox.decide(begun.url, email, account)).query)
    assert back["state"] == [begun.state]
    return await oauth.exchange(
        app,
        code=back["code"][0],
        verifier=begun.verifier,
        redirect_uri=REDIRECT,
        asked=frozenset(asked),
    )


async def identified(sandbox: Running, grant: Grant) -> Account:
    """The account behind a grant."""
    return await connector().identify(sandbox.settings, grant)


async def inspected(
    sandbox: Running, grant: Grant, asked: Iterable[str] | None = None
) -> tuple[Check, ...]:
    """The checks of the account behind a grant, of which the usual scopes were asked."""
    pagerduty = connector()
    account = await pagerduty.identify(sandbox.settings, grant)
    wanted = frozenset(scopes_to_ask(pagerduty.scopes) if asked is None else asked)
    return await pagerduty.inspect(sandbox.settings, account, grant.access_token, wanted)


@dataclass
class Collected:
    """Everything one reading brought."""

    batches: list[Batch]

    def of(self, kind: type[Record]) -> list[Record]:
        return [r for batch in self.batches for r in batch.records if isinstance(r, kind)]

    def completed(self) -> set[str]:
        return {batch.stage for batch in self.batches if batch.complete}

    def gaps(self) -> list[Gap]:
        return [gap for batch in self.batches for gap in batch.gaps]


async def read(sandbox: Running, account: Account, token: str, plan: ReadPlan) -> Collected:
    """The whole account with one access token."""
    opened = connector().reader(sandbox.settings, account, FixedToken(token))
    async with opened as reader:
        return Collected([batch async for batch in collect(reader, plan)])


def plan_for(now: datetime, count: int, since: datetime, zone: str = "UTC") -> ReadPlan:
    """The last `count` months, newest first."""
    local = now.astimezone(ZoneInfo(zone))
    number = local.year * 12 + local.month - 1
    months = [date((number - n) // 12, (number - n) % 12 + 1, 1) for n in range(count)]
    return ReadPlan(months, ZoneInfo(zone), now, since)
