"""An account as it was looked at time and again, and what was true then by remembering all of it.

The same looks go through what a sync applies, so what is expected comes from no code under test.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from seatwise import history
from seatwise.models import Connection, Member, StagedRecord, SyncRun, User
from seatwise.sync.licenses import apply_licenses
from seatwise.sync.members import apply_members
from tests.pages import rows

BEGIN = datetime(2026, 2, 20, 7, 30, tzinfo=UTC)
ROLES = ("user", "admin")
IDS = ("A", "B", "C")
POOLS = ("p", "q")


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

    after: timedelta  # the look before
    listed: dict[str, Told]
    pools: dict[str, str] | None  # {id: name}
    seats: dict[str, str]  # {person: pool}
    erases: str  # whoever of this id has left is erased after the look


@dataclass(eq=False)
class Person:
    """One member, from the first time that they were listed until they are erased."""

    pk: int
    held: str = ""  # a pool
    license: str = ""
    erased: bool = False


Seats = dict[Person, tuple[Told, str]]


@dataclass
class Memory:
    """Everything that was ever true: who held which seat from each moment on."""

    truths: list[tuple[datetime, Seats]] = field(default_factory=list)
    licenses_at: datetime | None = None  # the first look at licences

    def at(self, moment: datetime) -> Seats:
        return next((seats for at, seats in reversed(self.truths) if at <= moment), {})

    def shown(self, moment: datetime) -> dict[int, tuple[str, str, str, str, bool]]:
        """As `as_of` is to tell it: {member: (role, licence, email, name, invited)}."""
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

    def counted(self, moment: datetime) -> Counter[tuple[str, str]]:
        """{("role" | "license" | "all", its name): seats}."""
        counts: Counter[tuple[str, str]] = Counter()
        for told, license_then in self.at(moment).values():
            counts.update([("all", ""), ("role", told.role), ("license", license_then)])
        return counts


told = st.builds(
    Told,
    role=st.sampled_from(ROLES),
    name=st.sampled_from(["Ada", "Bo"]),
    email=st.sampled_from(["x@a.io", "y@a.io"]),
    invited=st.booleans(),
)
look = st.builds(
    Look,
    after=st.integers(1, 40 * 24 * 6).map(lambda tens: timedelta(minutes=10 * tens)),
    listed=st.dictionaries(st.sampled_from(IDS), told),
    pools=st.none()
    | st.dictionaries(st.sampled_from(POOLS), st.sampled_from(["Pro", "Basic", "Free"])),
    seats=st.dictionaries(st.sampled_from(IDS), st.sampled_from(POOLS)),
    erases=st.sampled_from(["", "", *IDS]),
)


def lived(looks: list[Look], connection: Connection, admin: User) -> Memory:
    """Takes all looks in, as a sync would, and remembers what was true."""
    memory, people, now = Memory(), dict[str, Person](), BEGIN
    for each in looks:
        now += each.after
        run = SyncRun.objects.create(connection=connection, state="done", created_at=now)
        _members(run, each, now)
        connection.members_as_of = now
        for key in each.listed:
            if key not in people:
                member = Member.objects.get(connection=connection, external_id=key)
                people[key] = Person(member.pk)
        memory.truths.append((now, _seats(people, each)))
        if each.pools is not None:
            now += timedelta(seconds=5)
            _licenses(run, each, now)
            connection.licenses_as_of = now
            _hold(people, each)
            memory.licenses_at = memory.licenses_at or now
            memory.truths.append((now, _seats(people, each)))
        connection.save()
        if each.erases in people and each.erases not in each.listed:
            person = people.pop(each.erases)
            history.erase(Member.objects.get(pk=person.pk), by=admin)
            person.erased = True
    return memory


def _seats(people: dict[str, Person], each: Look) -> Seats:
    return {people[key]: (replace(told), people[key].license) for key, told in each.listed.items()}


def _hold(people: dict[str, Person], each: Look) -> None:
    pools = each.pools or {}
    for key, person in people.items():
        person.held = each.seats.get(key, "") if key in each.listed else person.held
        person.license = pools.get(person.held, "")
        person.held = person.held if person.held in pools else ""


def _members(run: SyncRun, each: Look, now: datetime) -> None:
    for key, told in each.listed.items():
        more = {"external_id": key, "url": "", "job_title": "", "teams": []}
        _stage(run, "member", key, asdict(told) | more)
    apply_members(run, now, whole=True, insist=True)


def _licenses(run: SyncRun, each: Look, now: datetime) -> None:
    for key, name in (each.pools or {}).items():
        pool = {"name": name, "kind": "full", "used": None, "available": None, "description": ""}
        _stage(run, "license", key, {"external_id": key, **pool})
    for key, pool_id in each.seats.items():
        if key in each.listed and pool_id in (each.pools or {}):
            seat = {"member_id": key, "license_id": pool_id, "allocated_at": None}
            _stage(run, "seat", key, seat)
    apply_licenses(run, now, whole=True, insist=True)


def _stage(run: SyncRun, kind: str, key: str, data: dict[str, Any]) -> None:
    StagedRecord.objects.create(run=run, kind=kind, key=key, data=data)


def connected() -> Connection:
    return rows.connection(rows.service(), members_as_of=None)
