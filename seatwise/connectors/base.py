"""What a connector is: a small required interface, and powers it has by implementing them.

A connector is pure and asynchronous: it knows the vendor and the records, not Django, not
the database. It is found through the entry-point group `seatwise.connectors`; nobody
imports one by name, so a third party's package has equal standing with ours.

    connector = find("…")                      facts and doors of one vendor
    app       = connector.oauth_app(config)    where and as whom to ask for consent
    account   = await connector.identify(config, grant)
    checks    = await connector.inspect(config, account, token, asked)
    async with connector.reader(config, account, credentials) as reader:
        async for batch in collect(reader, plan): …
"""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Container, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, Literal, Protocol, Self, runtime_checkable
from zoneinfo import ZoneInfo

from seatwise.connectors.months import last_months
from seatwise.connectors.records import Account, Batch, Check, Grant, Record, SeatKind, Stage
from seatwise.connectors.state import State

ENTRY_POINTS = "seatwise.connectors"
A_DAY = 86_400  # seconds; no setting is longer


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a connector, read from `SEATWISE_<KEY>_<NAME>` in the environment."""

    name: str
    what: str
    default: str | None = None  # None: the ways in that need it wait until it is set
    secret: bool = False
    is_url: bool = False
    is_seconds: bool = False  # a whole number from 1 to A_DAY, or empty


Config = Mapping[str, str]  # a connector's settings by `Setting.name`, checked


@dataclass(frozen=True, slots=True)
class Scope:
    """One permission we ask for, and what it is good for."""

    name: str
    reads: str  # "Members and roles"
    why: str  # "who holds a seat"
    optional: bool = False  # asked for only when somebody has chosen it, never silently
    loses: str = ""  # what will be missing without it, in a sentence
    required: bool = False  # always asked for
    of_person: bool = False  # about whoever authorizes, so that no machine is asked for it


WayKind = Literal["consent", "key", "machine"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to let Seatwise read an account.

    A `consent` is given by a person on the vendor's pages. A `key` is an API key that somebody
    made there. A `machine` is an app of the account that signs in by its own client id and
    secret, with no person and no seat.
    """

    key: str  # "scoped": kept on the connection, never renamed
    kind: WayKind
    name: str  # "OAuth, permission by permission"
    what: str  # whom it suits and what it takes, in a sentence or two
    scope: str = ""  # a consent's one scope; "": the connector's scopes, picked one by one
    removal: str = ""  # how a person ends it at the vendor; "": the connector's `removal`
    needs: tuple[str, ...] = ()  # the settings without which it cannot be used
    idle: timedelta | None = None  # a refresh token that nobody uses dies after so long
    lasts: timedelta | None = None  # from the consent to the hard end; None: no such end

    @property
    def picks_scopes(self) -> bool:
        """Whether an admin chooses what may be read, scope by scope."""
        return self.kind != "key" and not self.scope

    def may_ask(self, scope: Scope) -> bool:
        """Whether a grant of this way can have it: no machine has what is about a person."""
        return not (scope.of_person and self.kind == "machine")


@dataclass(frozen=True, slots=True)
class RoleInfo:
    """A vendor's role word and what it means in money."""

    word: str
    name: str  # as the vendor's own pages call it
    seat: SeatKind
    rank: int  # most powerful first: 0 is the owner


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One monthly number: what exactly is counted and where it is read."""

    key: str
    name: str
    definition: str
    source: str
    estimate: bool = False
    by_home: bool = False  # told only where the home country's code is given, and by it


@dataclass(frozen=True, slots=True)
class ListPrice:
    """A plan as the vendor sells it to everybody. Prices are of a month; None is not published."""

    key: str  # "business": kept in contracts, never renamed
    name: str
    currency: str
    monthly: Decimal | None  # of a full seat, where one can leave every month
    yearly: Decimal | None  # of a full seat and month, where one stays a year
    packs: tuple[tuple[int, Decimal], ...]  # of stakeholders: seats, price of the pack
    priced_on: date  # when the vendor's pages were looked at
    source: str  # where that stands, in words
    ratchet: bool = True  # whether a month bills the most seats of it or any before
    free_seats: int | None = None  # a plan that costs nothing has so many full seats at most


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """The vendor's OAuth addresses and our client there."""

    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str
    token_url: str
    revoke_url: str | None
    hosts: frozenset[str]  # the only "host:port" the client may talk to
    issuers: frozenset[str] = frozenset()  # who may say `iss` in an answer (RFC 9207)
    # Seconds for which a refresh token is known to work on after it was exchanged; None: nobody
    # knows, so an exchange whose outcome is unknown is never tried a second time.
    grace: float | None = None


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """What one sync asks for."""

    MONTHS: ClassVar[int] = 12  # the current, provisional one included
    HORIZON: ClassVar[timedelta] = timedelta(days=90)  # older silence is idle for 90 days

    months: Sequence[date]  # first days, newest first
    zone: ZoneInfo  # in which a month begins and ends
    now: datetime  # aware; the end of the current, provisional month
    activity_since: datetime  # how far back activity is read
    state: Mapping[str, object] = field(default_factory=dict)  # an earlier reading's; {}: none
    home_code: str = ""  # the country code of home, "49", to tell calls abroad; "": not asked
    read_at: datetime | None = None  # the moment of reading, where `now` lies before it

    @classmethod
    def at(cls, now: datetime, zone: ZoneInfo, state: Mapping[str, object] | None = None) -> Self:
        """The usual plan: twelve months of usage in that zone, ninety days of activity."""
        months = last_months(now.astimezone(zone).date(), cls.MONTHS)
        return cls(months, zone, now, now - cls.HORIZON, state or {})

    def known(self, stage: Stage) -> Mapping[str, Any]:
        """What an earlier reading's state holds of a stage; {} where there was none."""
        return State.opened(self.state).of(stage)


class Credentials(Protocol):
    """Hands out access tokens; the reader never sees a refresh token."""

    async def token(self) -> str:
        """A token believed valid. Raises CredentialsRejected when the grant is gone."""

    async def renew(self, rejected: str) -> str:
        """Another token after the vendor answered 401 to `rejected`."""


class Reader(Protocol):
    """An open account. What else it can read are the powers below."""

    requests: Counter[str]  # requests made, by endpoint


@runtime_checkable
class ReadsMembers(Protocol):
    def members(self) -> AsyncIterator[Batch]: ...


@runtime_checkable
class ReadsLicenses(Protocol):
    def licenses(self) -> AsyncIterator[Batch]: ...


@runtime_checkable
class ReadsUsage(Protocol):
    def usage(self, plan: ReadPlan) -> AsyncIterator[Batch]: ...


@runtime_checkable
class ReadsActivity(Protocol):
    def activity(self, plan: ReadPlan) -> AsyncIterator[Batch]: ...


@runtime_checkable
class ReadsDuty(Protocol):
    def duty(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        """One batch with all of it, or none where nobody let it be read."""


@runtime_checkable
class Resumes(Protocol):
    """Can go on with a list that an earlier attempt at the same reading has begun."""

    def resume(
        self, stage: Stage, place: Mapping[str, Any], records: Iterable[Record], *, ended: bool
    ) -> None:
        """Takes up "members" or "licences", before anything is read and at most once each.

        `place` is that of the newest batch that was kept, and `records` are all of the stage that
        were kept, streamed; none of them is handed over again, unless a batch says that the list is
        read `anew`. With `ended` that batch was the last: the stage is not read again, and the
        others rest on it as if it had been. Raises StateRefused for a place that it cannot go on
        from; then the stage is read anew.
        """


class Connector(Protocol):
    """One vendor: facts as data, doors as functions."""

    key: ClassVar[str]  # "acme": the folder, the settings' prefix, the catalogue's link
    name: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    ways: ClassVar[tuple[Way, ...]]  # the recommended one first
    scopes: ClassVar[tuple[Scope, ...]]
    # What can be read with which scopes: "members", "licences", "activity" and the metrics' keys,
    # each with the sets of scopes of which any one is enough.
    reads: ClassVar[Mapping[str, tuple[frozenset[str], ...]]]
    roles: ClassVar[Mapping[str, RoleInfo]]
    metrics: ClassVar[tuple[MetricInfo, ...]]
    sources: ClassVar[Mapping[str, str]]  # evidence: key -> "an action on an incident"
    # The metrics of the chart, bars first; the usage page has colours for so many of each kind.
    usage_headline: ClassVar[tuple[str, ...]]
    list_prices: ClassVar[tuple[ListPrice, ...]]  # the usual one first; () where none is known
    authorizer: ClassVar[str]  # who must press Authorize at the vendor
    removal: ClassVar[str]  # how a person removes our app at the vendor; a way may know better
    evidence: ClassVar[str]  # what counts as "seen" and what cannot be seen
    default_api_url: ClassVar[str]  # where an account is read when nobody names an address

    def oauth_app(self, config: Config) -> OAuthApp: ...

    async def identify(self, config: Config, grant: Grant) -> Account:
        """Whose grant this is, by an ID token or by asking. Raises VendorError."""

    async def inspect(
        self, config: Config, account: Account, token: str, asked: frozenset[str]
    ) -> tuple[Check, ...]:
        """What of an account can be read, looked at one by one. Raises VendorError only where
        nothing at all can be said (the token is refused, the vendor does not answer)."""

    def token_of(self, api_key: str) -> str:
        """The token that credentials hand out for an API key; a reader knows it from a grant's."""

    async def machine_grant(self, app: OAuthApp, account_name: str, scopes: Iterable[str]) -> Grant:
        """A machine's tokens for the account of that name, whose region is found, not asked.

        Raises ConsentRefused where no region knows the account or the app, AppRejected,
        TryAgainLater, BrokenAnswer.
        """

    def reader(
        self, config: Config, account: Account, credentials: Credentials
    ) -> AbstractAsyncContextManager[Reader]: ...


@cache
def all_connectors() -> Mapping[str, Connector]:
    """Every installed connector by its key."""
    found = (entry.load()() for entry in entry_points(group=ENTRY_POINTS))
    return {connector.key: connector for connector in found}


def find(key: str) -> Connector | None:
    """The connector with this key, or None where nobody has written one."""
    return all_connectors().get(key)


def removal_of(connector: Connector, kind: WayKind) -> str:
    """How a person ends at the vendor what was let in by a way of that kind."""
    told = (way.removal for way in connector.ways if way.kind == kind and way.removal)
    return next(told, connector.removal)


def seconds_in(text: str) -> int | None:
    """What a setting that `is_seconds` says; None where it is empty. Raises ValueError."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= A_DAY):
        raise ValueError(f"must be empty or a whole number of seconds from 1 to {A_DAY:,}.")
    return int(text)


def scopes_to_ask(scopes: Iterable[Scope], chosen: Container[str] = ()) -> list[str]:
    """The names of what is asked for: all that is not optional, and what was chosen of the rest."""
    return [scope.name for scope in scopes if not scope.optional or scope.name in chosen]


def readable(connector: Connector, scopes: Collection[str]) -> frozenset[str]:
    """What of the connector's `reads` a grant of these scopes opens, as it promises."""
    granted = frozenset(scopes)
    return frozenset(
        what for what, ways in connector.reads.items() if any(way <= granted for way in ways)
    )


def role_info(connector: Connector | None, word: str) -> RoleInfo:
    """What a role word means; a word nobody knows stays raw and is never guessed paid."""
    known = connector.roles.get(word) if connector else None
    return known or RoleInfo(
        word, f"other ({word})" if connector else word or "no role", "other", 99
    )
