"""What rules are told, and what they answer. Vendor-neutral, frozen, nothing of Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from seatwise.pricing import Position, Terms

Confidence = Literal["certain", "likely", "hint"]


@dataclass(frozen=True, slots=True)
class DutyFact:
    """A place where somebody is called, as it stands."""

    kind: str  # connectors.records.DutyKind
    place: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class PersonFact:
    """Who somebody is, by the people file."""

    name: str
    department: str
    left_on: date | None


@dataclass(frozen=True, slots=True)
class SeatFact:
    """One current member of one account. None is unknown."""

    key: str  # "member:17"
    member: int  # its number in our tables
    connection: int
    external_id: str
    name: str
    email: str
    role: str  # the vendor's word
    role_name: str
    rank: int  # most powerful first: 0 is the owner
    kind: str  # connectors.records.SeatKind
    license: str
    line: str  # the pricing.Line that bills it; "": none does, or there is no contract
    status: str  # of models.member_status: "active", "idle_30", …, "unknown", "invited"
    last_seen_at: datetime | None
    last_seen_source: str
    last_seen_proof: str
    since: datetime | None  # when they joined; None: were there at the first look
    listed_at: datetime  # when we first saw them
    duties: tuple[DutyFact, ...] | None  # None: duty was not read
    reach: tuple[str, ...] | None  # "email", "sms", "phone", "push"; None: not read
    person: PersonFact | None  # None: not in the people file, or there is none


@dataclass(frozen=True, slots=True)
class PoolFact:
    """A licence as the vendor counts it."""

    name: str
    kind: str
    used: int | None
    available: int | None  # None: unlimited, or not known


@dataclass(frozen=True, slots=True)
class StrayDuty:
    """A duty of somebody whom the vendor does not list any more."""

    person: str
    name: str
    connection: int
    duty: DutyFact


@dataclass(frozen=True, slots=True)
class Facts:
    """All of a service on one day."""

    service: str  # its name
    on: date
    now: datetime  # aware
    seats: tuple[SeatFact, ...]
    pools: tuple[PoolFact, ...] = ()
    strays: tuple[StrayDuty, ...] = ()
    usage: Mapping[date, Mapping[str, int]] = field(default_factory=dict)  # by month and metric
    final: frozenset[date] = frozenset()  # months of which nothing changes any more
    terms: Terms | None = None
    position: Position | None = None
    has_people: bool = False  # whether there is a people file
    as_of: Mapping[str, datetime | None] = field(default_factory=dict)  # "members", "activity", …


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact that a person can check."""

    what: str  # "Last seen"
    value: str
    source: str = ""  # "acknowledged incident #88213"
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, before any money."""

    rule: str
    subject: str  # unique within the rule: "member:17", "line:full", "account:3"
    text: str
    evidence: tuple[Evidence, ...]
    confidence: Confidence
    reversible: bool
    member: int | None = None
    connection: int | None = None
    seats: tuple[str, ...] = ()  # keys of SeatFacts that need not be paid
    empty: int = 0  # paid seats that nobody holds
    line: str = ""
    to_line: str = ""  # "": given back
    counts: bool = False  # whether the seats may be counted in savings: never where unknown
    why_not: str = ""  # why they are not, where the rule found seats


@dataclass(frozen=True, slots=True)
class Spared:
    """Somebody whom a rule looked at and did not flag, and the guard that says why."""

    rule: str
    subject: str
    guard: str
