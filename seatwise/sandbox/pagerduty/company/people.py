"""The people of a simulated account: who they are, and who of them is there at which moment.

Times are seconds since 1970. A change of role makes a new version of the person; a person who
leaves is replaced on the same seat. Nobody here knows what happened to incidents.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from .codes import DAY

RESPONDING: Final = frozenset({"owner", "admin", "user", "limited_user", "restricted_access"})
LEADING: Final = frozenset({"owner", "admin"})
EVER: Final = 1 << 40  # later than anything


@dataclass(frozen=True, eq=False, slots=True)
class Team:
    """A team; people and services belong to it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Presence:
    """When a person works on incidents: always, or for a while in each long cycle of days.

    Cycles are counted from a fixed day, so that who was away in the past never changes.
    """

    period: int = 1
    phase: int = 0
    days: int = 1

    def covers(self, at: int) -> bool:
        """Whether the person is at work at that moment."""
        return (at // DAY + self.phase) % self.period < self.days


@dataclass(frozen=True, eq=False, slots=True)
class Person:
    """Somebody with a seat, as they are from `since` until `until`.

    `acts` says whether they ever work on incidents; `allocated_at` is when they got their licence.
    """

    id: str
    email: str
    name: str
    role: str
    job_title: str
    time_zone: str
    country_code: str
    number: str
    invited: bool
    teams: tuple[Team, ...]
    license_id: str
    channels: tuple[str, ...]
    acts: bool
    presence: Presence
    joined_at: int
    allocated_at: int
    since: int
    until: int = EVER

    @property
    def order(self) -> tuple[str, str, int]:
        """Where they stand in the vendor's lists."""
        return self.name.casefold(), self.id, self.since


@dataclass(frozen=True, eq=False, slots=True)
class Seat:
    """A place in the account that people hold one after the other; versions oldest first."""

    role: str  # that it was made for; its holders' may change
    holders: tuple[Person, ...]

    def at(self, moment: int) -> Person | None:
        """Who holds it at that moment."""
        for person in self.holders:
            if person.since <= moment < person.until:
                return person
        return None


class Roster:
    """Everybody who ever belongs to an account, and who of them does at a moment."""

    def __init__(self, versions: Iterable[Person]) -> None:
        self._all = sorted(versions, key=lambda person: person.order)
        self._by_id: dict[str, list[Person]] = {}
        self._by_email: dict[str, list[Person]] = {}
        self._scripted: dict[str, list[Person]] = {}  # of those who are not as the script has it
        for person in self._all:
            self._file(person)
        self._borders = sorted({at for p in self._all for at in (p.since, p.until)})
        self._last: tuple[int, Sequence[Person]] = (-1, ())
        self.version = 0  # grows with every unscripted change

    def at(self, moment: int) -> Sequence[Person]:
        """Everybody with a seat or an invitation at that moment, by name."""
        stretch = bisect_right(self._borders, moment)
        if self._last[0] != stretch:
            there = [p for p in self._all if p.since <= moment < p.until]
            self._last = (stretch, there)
        return self._last[1]

    def person(self, user_id: str, moment: int) -> Person | None:
        """The person with that id at that moment, or None when there is none (any more)."""
        return _valid(self._by_id.get(user_id, []), moment)

    def member(self, email: str, moment: int) -> Person | None:
        """The person with that e-mail address at that moment, in any case of letters."""
        return _valid(self._by_email.get(email.strip().casefold(), []), moment)

    def ever(self) -> Sequence[Person]:
        """Every version of everybody, by name, those of the future too."""
        return self._all

    def versions(self, user_id: str) -> Sequence[Person]:
        """Everything a person ever is, oldest first; empty for an id nobody has."""
        return sorted(self._by_id.get(user_id, []), key=lambda person: person.since)

    def join(self, person: Person) -> None:
        """Somebody comes who was not in the script."""
        self._become(person.id, [*self._by_id.get(person.id, []), person])

    def leave(self, person: Person, moment: int) -> None:
        """Somebody goes who was not meant to; from that moment on they are deleted, for good."""
        before = [p for p in self._by_id[person.id] if p.until <= person.since]
        self._become(person.id, [*before, replace(person, until=moment)])

    def turn(self, person: Person, moment: int, role: str, license_id: str) -> None:
        """Somebody's role changes out of the script, and with it perhaps the licence."""
        before = [p for p in self._by_id[person.id] if p.until <= person.since]
        same = license_id == person.license_id
        later = replace(
            person,
            role=role,
            license_id=license_id,
            since=moment,
            until=EVER,
            allocated_at=person.allocated_at if same else moment,
        )
        self._become(person.id, [*before, replace(person, until=moment), later])

    def restore(self, user_id: str) -> None:
        """Somebody is again as the script has it; who is not in the script was never there."""
        if user_id in self._scripted:
            self._become(user_id, self._scripted[user_id])
            del self._scripted[user_id]

    def restore_all(self) -> None:
        """Everybody is again as the script has it."""
        for user_id in list(self._scripted):
            self.restore(user_id)

    def _become(self, user_id: str, versions: list[Person]) -> None:
        before = self._by_id.get(user_id, [])
        self._scripted.setdefault(user_id, before)
        for person in before:
            self._all.remove(person)
            self._by_email[person.email].remove(person)
        self._by_id[user_id] = []
        for person in versions:
            insort(self._all, person, key=lambda each: each.order)
            self._file(person)
            for moment in (person.since, person.until):
                insort(self._borders, moment)
        self._last = (-1, ())
        self.version += 1

    def _file(self, person: Person) -> None:
        self._by_id.setdefault(person.id, []).append(person)
        self._by_email.setdefault(person.email, []).append(person)


def _valid(versions: list[Person], moment: int) -> Person | None:
    return next((p for p in versions if p.since <= moment < p.until), None)
