"""Accounts as they were looked at time and again, and what was true then by remembering it all.

The same looks go through what a sync applies, so what is expected comes from no code under test.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone
from hypothesis import strategies as st

from seatwise import history
from seatwise.connectors.records import Stage
from seatwise.models import Connection, Member, StagedRecord, SyncRun, User
from seatwise.sync import stages
from tests.pages import rows

BEGIN = datetime(2026, 2, 20, 7, 30, tzinfo=UTC)
ROLES = ("user", "admin")
IDS = ("A", "B", "C")
POOLS = ("p", "q")
WHICH = ({"account_id": "P1", "account_name": "one"}, {"account_id": "P2", "account_name": "two"})
NEW: dict[str, object] = {"members_as_of": None}
TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Told:
    """What a vendor tells of one person."""

    role: str
    name: str
    email: str
    invited: bool


@dataclass(frozen=True)
class Look:
    """One reading: who is listed, then, if they were read, which licences there are and whose."""

    account: int
    after: timedelta  # the look before, by a clock that is put back at times
    whole: bool  # else nobody counts as gone
    listed: dict[str, Told]
    pools: dict[str, str] | None  # {id: name}
    seats: dict[str, str]  # {person: pool}
    erases: str  # whoever of this id has left is erased after the look


@dataclass(eq=False)
class Person:
    """One member, from the first time that they were listed until they are erased."""

    pk: int
    was_there: bool  # at the first look
    held: str = ""  # a pool
    license: str = ""
    erased: bool = False


Seats = dict[Person, tuple[Told, str]]


@dataclass(eq=False)
class Account:
    """One account, and everything that was ever true there: who held which seat from when on."""

    connection: Connection
    truths: list[tuple[datetime, Seats]] = field(default_factory=list)
    until: datetime | None = None  # so far it is known
    is_known_whole: bool = False
    is_noted: bool = True  # whether the connection knows when its newest look was
    licenses_at: datetime | None = None  # the first look at licences
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def replaced_at(self) -> datetime | None:
        return self.connection.replaced_at

    @property
    def since(self) -> datetime | None:
        return next((at for at, truth in self.truths if truth), None)

    @property
    def newest(self) -> Seats:
        return self.truths[-1][1] if self.truths else {}

    def at(self, moment: datetime) -> Seats:
        if self.replaced_at and self.replaced_at <= moment:
            return {}
        return next((seats for at, seats in reversed(self.truths) if at <= moment), {})

    def counted(self, moment: datetime) -> Counter[tuple[str, str]]:
        """{("role" | "license" | "all", its name): seats}."""
        counts: Counter[tuple[str, str]] = Counter()
        for told, license_then in self.at(moment).values():
            counts.update([("all", ""), ("role", told.role), ("license", license_then)])
        return counts

    def is_somebody_else(self, key: str, told: Told) -> bool:
        """Whether an id that comes back has neither the address nor the name it had."""
        person = self.people[key]
        if person in self.newest:
            return False
        known = next(truth[person][0] for _at, truth in reversed(self.truths) if person in truth)
        return told.email != known.email and told.name != known.name

    def note(self, at: datetime, *, is_complete: bool, listed: Mapping[str, Told]) -> None:
        """What is true from here on: those in `listed` are as they are told there."""
        there = {person: told for person, (told, _license) in self.newest.items()}
        if is_complete:
            there = {}
        there |= {self.people[key]: told for key, told in listed.items()}
        seats = {person: (told, person.license) for person, told in there.items()}
        if is_complete or not self.is_known_whole or _held(seats) != _held(self.newest):
            self.until = at
        self.is_noted = is_complete or not self.is_known_whole
        self.is_known_whole = self.is_known_whole or is_complete
        self.truths.append((at, seats))


def _held(seats: Seats) -> dict[Person, tuple[str, str]]:
    return {person: (told.role, name) for person, (told, name) in seats.items()}


@dataclass
class Memory:
    """Both accounts."""

    accounts: list[Account]

    @property
    def moments(self) -> list[datetime]:
        return sorted(at for account in self.accounts for at, _truth in account.truths)

    def at(self, moment: datetime) -> Seats:
        return {who: seat for each in self.accounts for who, seat in each.at(moment).items()}

    def shown(self, moment: datetime) -> dict[int, tuple[str, str, str, str, bool]]:
        """As `held_at` is to tell it: {member: (role, licence, email, name, invited)}."""
        return {
            person.pk: (
                told.role,
                license_then,
                "" if person.erased else told.email,
                "Erased person" if person.erased else told.name,
                told.invited,
            )
            for person, (told, license_then) in self.at(moment).items()
        }


told = st.builds(
    Told,
    role=st.sampled_from(ROLES),
    name=st.sampled_from(["Ada", "Bo"]),
    email=st.sampled_from(["x@a.io", "y@a.io"]),
    invited=st.booleans(),
)
look = st.builds(
    Look,
    account=st.sampled_from([0, 0, 1]),
    after=st.integers(-2 * 24 * 6, 40 * 24 * 6).map(lambda tens: timedelta(minutes=10 * tens)),
    whole=st.sampled_from([True, True, False]),
    listed=st.dictionaries(st.sampled_from(IDS), told),
    pools=st.none()
    | st.dictionaries(st.sampled_from(POOLS), st.sampled_from(["Pro", "Basic", "Free"])),
    seats=st.dictionaries(st.sampled_from(IDS), st.sampled_from(POOLS)),
    erases=st.sampled_from(["", "", *IDS]),
)


def lived(looks: list[Look], replaced_after: timedelta | None, admin: User) -> Memory:
    """Takes all looks in, as a sync does, and remembers what was true.

    The first account is replaced so long after its last look, if at all.
    """
    service, clock = rows.service(), BEGIN
    memory = Memory([Account(rows.connection(service, **NEW, **which)) for which in WHICH])
    for each in looks:
        clock += each.after
        account = memory.accounts[each.account]
        _look(account, each, clock + timedelta(minutes=each.account))
        person = account.people.get(each.erases)
        if person is not None and person not in account.newest:
            history.erase(Member.objects.get(pk=person.pk), by=admin)
            account.people.pop(each.erases).erased = True
    first = memory.accounts[0]
    if first.truths and replaced_after is not None:
        first.connection.replaced_at = first.truths[-1][0] + replaced_after
        first.connection.save()
    return memory


def _look(account: Account, each: Look, clock: datetime) -> None:
    run = SyncRun.objects.create(connection=account.connection, state="done", created_at=clock)
    is_first = not account.truths
    at = _members(run, account, each, clock)
    for key, told in each.listed.items():
        if key not in account.people or account.is_somebody_else(key, told):
            member = Member.objects.get(connection=account.connection, external_id=key)
            account.people[key] = Person(member.pk, is_first)
    account.note(at, is_complete=each.whole, listed=each.listed)
    if each.pools is not None:
        at = _licenses(run, account, each, clock + timedelta(seconds=5))
        account.licenses_at = account.licenses_at or at
        _hold(account, each)
        account.note(at, is_complete=False, listed={})
        account.until, account.is_noted = at, True


def _hold(account: Account, each: Look) -> None:
    pools = each.pools or {}
    for key, person in account.people.items():
        if person in account.newest:
            person.held = each.seats.get(key, "") if key in each.listed else ""
        person.license = pools.get(person.held, "")
        person.held = person.held if person.held in pools else ""


def _members(run: SyncRun, account: Account, each: Look, clock: datetime) -> datetime:
    for key, told in each.listed.items():
        more = {"external_id": key, "url": "", "job_title": "", "teams": []}
        _stage(run, "member", key, asdict(told) | more)
    return _apply(run, account, "members", clock, whole=each.whole)


def _licenses(run: SyncRun, account: Account, each: Look, clock: datetime) -> datetime:
    for key, name in (each.pools or {}).items():
        pool = {"name": name, "kind": "full", "used": None, "available": None, "description": ""}
        _stage(run, "license", key, {"external_id": key, **pool})
    for key, pool_id in each.seats.items():
        if key in each.listed and pool_id in (each.pools or {}):
            seat = {"member_id": key, "license_id": pool_id, "allocated_at": None}
            _stage(run, "seat", key, seat)
    return _apply(run, account, "licences", clock, whole=True)


def _apply(
    run: SyncRun, account: Account, name: Stage, clock: datetime, *, whole: bool
) -> datetime:
    """As a sync applies it when the clock shows that; returns the moment that it counts from."""
    earlier = account.truths[-1][0] + TICK if account.truths else clock
    if not account.is_noted:  # the clock is put back only after looks whose time is kept
        clock = max(clock, earlier)
    with patch.object(timezone, "now", return_value=clock):
        stages.apply(run, name, whole=whole, insist=True)
    return max(clock, earlier)


def _stage(run: SyncRun, kind: str, key: str, data: dict[str, Any]) -> None:
    StagedRecord.objects.create(run=run, kind=kind, key=key, data=data)
