"""Fills an account's seats with people: who they are, when they come, change role and leave."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from . import names
from .codes import DAY, EVEN, Chance, identifier
from .licenses import READING, License
from .people import EVER, LEADING, RESPONDING, Person, Presence, Seat, Team

ROLES: Final = {  # a believable mix for 250 people; what is left over are responders
    "owner": 1,
    "admin": 6,
    "user": 70,
    "limited_user": 112,
    "observer": 10,
    "restricted_access": 8,
    "read_only_user": 35,
    "read_only_limited_user": 8,
}
BEGINNING: Final = int(datetime(2012, 1, 1, tzinfo=UTC).timestamp())
HIRING: Final = 1400 * DAY  # from the beginning on, everybody's first holder came in that time
QUARTER: Final = 91 * DAY
STIR: Final = BEGINNING + 16 * QUARTER  # nobody leaves or changes before that
LEAVERS, CHANGERS = 0.01, 0.005  # of all seats, in a quarter
QUITS, TURNS = -3, -4  # places in the account's chance that are no days
WORKING: Final = {"user": "limited_user", "limited_user": "user"}
RESTING: Final = {  # how the role of somebody who never acts may change
    "user": "read_only_user",
    "limited_user": "read_only_user",
    "observer": "read_only_user",
    "read_only_user": "observer",
    "read_only_limited_user": "read_only_user",
}


def roles_of(size: int, plan: str = "business") -> list[str]:
    """One role a seat; every role once before any comes twice. The free plan has no readers."""
    shares = {r: n for r, n in ROLES.items() if plan != "free" or r not in READING}
    counts = {role: max(1, round(share * size / 250)) for role, share in shares.items()}
    counts["owner"] = 1
    counts["admin"] = min(6, max(1, size // 8))
    rest = sum(count for role, count in counts.items() if role != "limited_user")
    counts["limited_user"] = max(0, size - rest)
    more = [role for role, count in counts.items() for _ in range(count - 1)]
    return [*shares, *more][:size]


class Crew:
    """Makes the people of one account who belong to it at some time between two moments."""

    def __init__(
        self,
        place: tuple[object, ...],
        chance: Chance,
        domain: str,
        teams: tuple[Team, ...],
        licenses: tuple[License, ...],
        since: int,
        until: int,
    ) -> None:
        self.place, self.chance, self.domain, self.teams = place, chance, domain, teams
        self.since, self.until = since, until
        self.homes = names.HOMES_EU if "eu" in domain.split(".", maxsplit=1)[0] else names.HOMES_US
        self.license_of = {role: each.id for each in licenses for role in each.roles}
        self.taken: set[str] = set()

    def seats(self, roles: list[str], shared: tuple[Person, ...]) -> list[Seat]:
        """A seat for each role. The leaders in `shared` take the seats of their role first."""
        self.taken = {person.email for person in shared}
        waiting = {role: [p for p in shared if p.role == role] for role in LEADING}
        quits = self._moments(QUITS, LEAVERS, len(roles))
        turns = self._moments(TURNS, CHANGERS, len(roles))
        rng = random.Random("/".join(map(str, (*self.place, "people"))))
        made = []
        for index, role in enumerate(roles):
            same = waiting[role].pop(0) if waiting.get(role) else None
            first = self._person(rng, index, role, same)
            if role in LEADING or not (index in quits or index in turns):
                made.append(Seat(role, (first,)))
                continue
            versions = self._line(first, index, quits.get(index, []), turns.get(index, []))
            made.append(Seat(role, tuple(p for p in versions if p.until > self.since)))
        return made

    def _moments(self, place: int, part: float, size: int) -> dict[int, list[int]]:
        """For each seat the moments, in order, at which something of that kind happens to it."""
        found: dict[int, list[int]] = {}
        for quarter in range((self.until - STIR) // QUARTER + 1):
            begin = STIR + quarter * QUARTER
            for n in range(int(part * size * quarter), int(part * size * (quarter + 1))):
                draws = self.chance.draws(place, n)
                at = begin + draws[0] * 60 // EVEN * DAY + 9 * 3600 + draws[1] % 28_800
                found.setdefault(draws[2] * size // EVEN, []).append(at)
        return {seat: sorted(moments) for seat, moments in found.items()}

    def _line(
        self, first: Person, index: int, quits: list[int], turns: list[int]
    ) -> Iterator[Person]:
        """Everybody who holds a seat one after the other, each in every role they have."""
        starts = [first.joined_at, *quits]
        for generation, (since, until) in enumerate(zip(starts, [*quits, EVER], strict=True)):
            if generation and until <= self.since:
                continue
            person = first if not generation else self._successor(first, index, generation, since)
            for at in turns:
                other = self._other_role(person)
                if since + DAY < at < until - DAY and other != person.role:
                    yield replace(person, until=at)
                    person = self._turned(person, other, at)
            yield replace(person, until=until)

    def _other_role(self, person: Person) -> str:
        role = (WORKING if person.acts else RESTING).get(person.role, person.role)
        return role if role in self.license_of else person.role

    def _turned(self, person: Person, role: str, at: int) -> Person:
        license_id = self.license_of[role]
        given = person.allocated_at if license_id == person.license_id else at
        return replace(person, role=role, license_id=license_id, since=at, allocated_at=given)

    def _successor(self, first: Person, index: int, generation: int, at: int) -> Person:
        rng = random.Random("/".join(map(str, (*self.place, "person", index, generation))))
        given, family = rng.choice(names.GIVEN), rng.choice(names.FAMILY)
        # numbered by the seat: nobody else's address depends on who came and went elsewhere
        again = f"{index}" if generation == 1 else f"{index}-{generation}"
        return replace(
            first,
            id=identifier(*self.place, "person", index, generation, length=13),
            name=f"{given} {family}",
            email=f"{_ascii(given)}.{_ascii(family)}.{again}@{self.domain}",
            presence=_presence(rng, leads=False),
            invited=False,
            joined_at=at,
            allocated_at=at,
            since=at,
        )

    def _person(self, rng: random.Random, index: int, role: str, same: Person | None) -> Person:
        name, email = (same.name, same.email) if same else self._name(rng)
        zone, country, number = rng.choice(self.homes)
        leads = role in LEADING
        invited = not leads and rng.random() < 0.058
        acts = role in RESPONDING and not invited and (leads or rng.random() > 0.06)
        joined = BEGINNING + int(rng.random() * HIRING)
        return Person(
            id=identifier(*self.place, "person", index, length=6 if index < 1000 else 13),
            email=email,
            name=name,
            role=role,
            job_title=rng.choice(names.JOBS[role]),
            time_zone=zone,
            country_code=country,
            number=f"{number}{100 + int(rng.random() * 100):03d}",
            invited=invited,
            teams=() if role == "owner" else self._teams(rng),
            license_id=self.license_of[role],
            channels=_channels(rng, role, invited),
            acts=acts,
            presence=_presence(rng, leads),
            joined_at=joined,
            allocated_at=joined,
            since=joined,
        )

    def _teams(self, rng: random.Random) -> tuple[Team, ...]:
        one, other = rng.choice(self.teams), rng.choice(self.teams)
        return (one, other) if rng.random() < 0.34 and other is not one else (one,)

    def _name(self, rng: random.Random) -> tuple[str, str]:
        given, family = rng.choice(names.GIVEN), rng.choice(names.FAMILY)
        local = f"{_ascii(given)}.{_ascii(family)}"
        email, again = f"{local}@{self.domain}", 1
        while email in self.taken:
            # a company of thousands would count for ever through its common names
            again += 1 if again < 9 else int(rng.random() * 100_000)
            email = f"{local}{again}@{self.domain}"
        self.taken.add(email)
        return f"{given} {family}", email


_PLAIN: dict[str, str] = {}


def _ascii(word: str) -> str:
    if word not in _PLAIN:
        plain = word.casefold().translate(str.maketrans("łøı", "loi", "’"))
        _PLAIN[word] = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return _PLAIN[word]


def _presence(rng: random.Random, leads: bool) -> Presence:
    steady = leads or rng.random() > 0.34
    period, phase, days = rng.random(), rng.random(), rng.random()
    if steady:
        return Presence()
    return Presence(260 + int(160 * period), int(1000 * phase), 30 + int(30 * days))


def _channels(rng: random.Random, role: str, invited: bool) -> tuple[str, ...]:
    if role not in RESPONDING or invited:
        return ("email",)
    more = (("push", 0.75), ("sms", 0.8), ("phone", 0.7))
    return ("email", *(channel for channel, part in more if rng.random() < part))
