"""The shapes in which a connector hands over what it read: frozen, vendor-neutral, no Django.

A vendor's document (`…Doc`) becomes a record (`…Record`) here; a record becomes a row in
`models/`. `None` always means unknown. Times are aware datetimes in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

SeatKind = Literal["full", "stakeholder", "other"]


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """One person the vendor lists as holding a seat or an invitation."""

    external_id: str
    email: str
    name: str
    role: str  # the vendor's word, raw
    invited: bool  # an invitation was sent and not yet accepted
    url: str = ""  # the person's page at the vendor; https only, else empty
    job_title: str = ""
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LicenseRecord:
    """One licence the account has. Several licences may draw on one pool of seats."""

    external_id: str
    name: str
    kind: SeatKind
    used: int | None  # seats allocated, as the vendor counts them
    available: int | None  # seats still free; None where unlimited or unknown
    description: str = ""


@dataclass(frozen=True, slots=True)
class SeatRecord:
    """Which licence a member holds."""

    member_id: str
    license_id: str
    allocated_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One number of one month.

    `final` is true only when the month is over and nothing in it can still change.
    """

    month: date  # the first day of the month, in the zone the months were asked in
    metric: str  # a key of the connector's `metrics`
    value: int
    final: bool
    source: str  # where it was read, for example "GET /incidents"


@dataclass(frozen=True, slots=True)
class SignalRecord:
    """Evidence that a member did something. Being paged or being on call is no evidence."""

    member_id: str
    source: str  # a key of the connector's `sources`
    at: datetime
    proof: str  # one short line a person can check: "acknowledged incident #88213"
    url: str = ""


DutyKind = Literal["schedule", "policy", "override", "oncall"]


@dataclass(frozen=True, slots=True)
class DutyRecord:
    """A place where somebody is called, be they still a member or not. Duty is no presence."""

    member_id: str
    name: str  # as the place calls them
    kind: DutyKind
    place_id: str
    place: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class ReachRecord:
    """The ways in which a member can be reached; never an address or a number."""

    member_id: str
    channels: tuple[str, ...]  # of "email", "sms", "phone", "push"


@dataclass(frozen=True, slots=True)
class AbsenceRecord:
    """The vendor's own word that a member never did something: never, which is not unknown."""

    member_id: str
    source: str  # a key of the connector's `sources`


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be read: what, why, and who can change it."""

    capability: str  # "account", "members", "licences", "usage", "activity", or a metric's key
    what: str  # "Notifications by channel cannot be read."
    why: str  # "The permission users:notifications.read was not granted."
    remedy: str  # "Ask an Account Owner to add it to the app, then integrate again."
    minor: bool = False  # other evidence stands in for it: told in the coverage, and no note
    chosen: bool = False  # an admin did not ask for it: told, and no limit


Verdict = Literal["ok", "limited", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at before a connection is trusted, with what to do about it.

    A check that is not `ok` limits the connection, never fails it: `gap` says what is lost.
    """

    key: str  # "role"
    name: str  # "Who authorized"
    verdict: Verdict  # unknown: it could not be looked at
    found: str  # "Ada Lovelace, Global Admin", in a sentence or less
    remedy: str = ""  # what to do and who can do it; "" where nothing needs doing
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The account at the vendor that a grant opens, and the person who gave it."""

    external_id: str
    name: str  # what people call it: the subdomain
    region: str  # "US", "EU"
    api_url: str
    granted_by: str  # name and e-mail of the authorizing person; "" for machine grants
    granted_role: str  # that person's role in the vendor's word; "" where unknown
    scopes: frozenset[str] | None = None  # what was granted; None where nobody knows


@dataclass(frozen=True, slots=True)
class Grant:
    """What the vendor's token endpoint answered, checked. Never log or print one."""

    access_token: str
    refresh_token: str | None
    expires_in: int | None  # seconds; None where the answer gave nothing usable
    scopes: frozenset[str] | None  # None where nobody tells: an API key
    id_token: str | None = None
    account: str = ""  # a machine's: which account it is for, in the vendor's words

    def __repr__(self) -> str:
        scopes = None if self.scopes is None else sorted(self.scopes)
        return f"Grant(scopes={scopes}, expires_in={self.expires_in}, …)"


Stage = Literal["members", "licences", "usage", "activity", "duty"]
Record = (
    MemberRecord
    | LicenseRecord
    | SeatRecord
    | UsageRecord
    | SignalRecord
    | AbsenceRecord
    | DutyRecord
    | ReachRecord
)


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of what was read, with how far the stage has come.

    `complete` says that the stage was read to its end: of a list nobody is missing; of usage
    every month was asked, and what was refused is in the gaps. A stage's last batch is
    `ended` even where it is not complete.
    """

    stage: Stage
    records: tuple[Record, ...] = ()
    done: int = 0  # counted in `unit`, so far
    total: int | None = None  # None where nobody can know
    unit: str = "rows"  # what is counted: "members", "months", "entries"
    complete: bool = False  # the stage was read to its end; what was refused is in the gaps
    gaps: tuple[Gap, ...] = ()
    ended: bool = False  # nothing more comes of this stage, though it may have a hole
    # From here a later reading may go on, once these records and all before them are kept. A
    # connector gives its stage's part; `collect` hands over the whole. None: nothing new to say.
    state: Mapping[str, object] | None = None
    # From here another attempt at the same reading may go on with this stage's list, once these
    # records are kept. None: the list would have to be read anew.
    place: Mapping[str, object] | None = None
    # The list is read from its beginning after all: what earlier attempts got of it is void.
    anew: bool = False
