"""The two simulated companies: who belongs to them, in which role, on which licence.

Everything follows from the seed alone. Nothing here knows the time.
"""

import hashlib
import random
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

from . import names

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
RESPONDING: Final = frozenset({"owner", "admin", "user", "limited_user", "restricted_access"})
READS_LICENSES: Final = frozenset({"owner", "admin"})
EPOCH: Final = datetime(2019, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Team:
    """A team; people and services belong to it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Service:
    """A monitored thing that incidents happen to."""

    id: str
    name: str
    team: Team
    integration_id: str


@dataclass(frozen=True, slots=True)
class License:
    """A kind of seat. `free` seats are shared by all licences of the same `pool`."""

    id: str
    name: str
    description: str
    roles: tuple[str, ...]
    role_group: str
    pool: str
    free: int


@dataclass(frozen=True, slots=True)
class Presence:
    """When a person works on incidents: always, or for a while in each long cycle of days.

    Cycles are counted from a fixed day, so that who was away in the past never changes.
    """

    period: int = 1
    phase: int = 0
    days: int = 1

    def covers(self, at: datetime) -> bool:
        """Whether the person is at work at that moment."""
        return ((at - EPOCH).days + self.phase) % self.period < self.days


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a seat. `acts` says whether they ever work on incidents."""

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
    allocated_at: datetime
    channels: tuple[str, ...]
    acts: bool
    presence: Presence


@dataclass(frozen=True)
class Account:
    """One company's account in one region."""

    seed: int
    subdomain: str
    name: str
    id: str
    region: str
    time_zone: str
    domain: str
    abilities: tuple[str, ...]
    api_key: str = field(repr=False)
    volume: float
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    licenses: tuple[License, ...]
    people: tuple[Person, ...]  # by name, as the vendor lists them

    def person(self, user_id: str) -> Person | None:
        """The person with that id, or None when there is none (any more)."""
        return self._by_id.get(user_id)

    def member(self, email: str) -> Person | None:
        """The person who signs in with that e-mail address here, in any case of letters."""
        return self._by_email.get(email.strip().casefold())

    @property
    def api_url(self) -> str:
        """Where the real API of the region would be; its answers point there."""
        return f"https://api{'.eu' if self.region == 'eu' else ''}.pagerduty.com"

    @cached_property
    def seats(self) -> Counter[str]:
        """How many people hold each licence (by its id), invited people too."""
        return Counter(person.license_id for person in self.people)

    @cached_property
    def _by_id(self) -> dict[str, Person]:
        return {person.id: person for person in self.people}

    @cached_property
    def _by_email(self) -> dict[str, Person]:
        return {person.email: person for person in self.people}


def companies(seed: int, people: int) -> tuple[Account, Account]:
    """The US account with so many people, and the EU account with 60 (fewer if `people` is less).

    The owner and the admins of the US account belong to both, under different ids.
    """
    if people < 1:
        raise ValueError("a company has at least one person")
    us = _account(seed, "harbor-prod", people, shared=())
    leaders = tuple(person for person in us.people if person.role in READS_LICENSES)
    eu = _account(seed, "harbor-eu", min(60, people), shared=leaders)
    return us, eu


def identifier(*parts: object, length: int = 6, prefix: str = "P") -> str:
    """An id in the vendor's style that depends on nothing but its parts."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=16).digest()
    number, letters = int.from_bytes(digest), ""
    while len(letters) < length:
        number, rest = divmod(number, 36)
        letters += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest]
    return prefix + letters


def _account(seed: int, subdomain: str, size: int, shared: tuple[Person, ...]) -> Account:
    european = subdomain == "harbor-eu"
    rng = random.Random(f"{seed}/{subdomain}/people")
    teams = tuple(Team(identifier(seed, subdomain, "team", n), n) for n in names.TEAMS)
    by_name = {team.name: team for team in teams}
    services = tuple(
        Service(
            identifier(seed, subdomain, "service", name),
            name,
            by_name[team],
            identifier(seed, subdomain, "integration", name),
        )
        for name, team in names.SERVICES
    )
    roles = _roles(size)
    licenses = _licenses(seed, subdomain, roles)
    domain = "harbor-eu.example" if european else "harbor.example"
    people = _people(rng, (seed, subdomain), roles, teams, licenses, domain, shared)
    lacking = {"service_support_hours"} if european else set()
    return Account(
        seed=seed,
        subdomain=subdomain,
        name="Harbor Europe" if european else "Harbor Production",
        id=identifier(seed, subdomain, "account"),
        region="eu" if european else "us",
        time_zone="Europe/Berlin" if european else "America/Los_Angeles",
        domain=domain,
        abilities=tuple(a for a in names.ABILITIES if a not in lacking),
        api_key="y_" + identifier(seed, subdomain, "key", length=18, prefix=""),
        volume=0.3 if european else 1.0,
        teams=teams,
        services=services,
        licenses=licenses,
        people=tuple(sorted(people, key=lambda p: (p.name.casefold(), p.id))),
    )


def _roles(size: int) -> list[str]:
    """One role a person; every role once before any comes twice."""
    counts = {role: max(1, round(share * size / 250)) for role, share in ROLES.items()}
    counts["owner"] = 1
    counts["admin"] = min(6, max(1, size // 8))
    rest = sum(count for role, count in counts.items() if role != "limited_user")
    counts["limited_user"] = max(0, size - rest)
    more = [role for role, count in counts.items() for _ in range(count - 1)]
    return [*ROLES, *more][:size]


def _licenses(seed: int, subdomain: str, roles: list[str]) -> tuple[License, ...]:
    full = ("owner", "admin", "user", "limited_user", "observer", "restricted_access")
    held = sum(role in full for role in roles)
    readers = len(roles) - held
    pack = 50 * max(1, -(-readers // 50))
    made = (
        ("Business", "Full users on the Business plan", full, "FullUser", 10 + held % 15),
        ("Stakeholder", "Reads and subscribes", ("read_only_user",), "Stakeholder", pack - readers),
        (
            "Limited Stakeholder",
            "Reads status pages only",
            ("read_only_limited_user",),
            "Stakeholder",
            pack - readers,
        ),
    )
    return tuple(
        License(identifier(seed, subdomain, "license", name), name, text, valid, group, group, free)
        for name, text, valid, group, free in made
    )


def _people(
    rng: random.Random,
    place: tuple[object, ...],
    roles: list[str],
    teams: tuple[Team, ...],
    licenses: tuple[License, ...],
    domain: str,
    shared: tuple[Person, ...],
) -> list[Person]:
    homes = names.HOMES_EU if domain == "harbor-eu.example" else names.HOMES_US
    by_role = {role: kind.id for kind in licenses for role in kind.roles}
    waiting = {role: [p for p in shared if p.role == role] for role in READS_LICENSES}
    taken: set[str] = {person.email for person in shared}
    people = []
    for index, role in enumerate(roles):
        same = waiting[role].pop(0) if waiting.get(role) else None
        name, email = (same.name, same.email) if same else _name(rng, taken, domain)
        zone, country, number = rng.choice(homes)
        leads = role in READS_LICENSES
        invited = not leads and rng.random() < 0.058
        steady = leads or rng.random() > 0.34
        acts = role in RESPONDING and not invited and (leads or rng.random() > 0.03)
        cycle = Presence(rng.randrange(260, 420), rng.randrange(1000), rng.randrange(30, 60))
        people.append(
            Person(
                id=identifier(*place, "person", index, length=6 if index < 1000 else 13),
                email=email,
                name=name,
                role=role,
                job_title=rng.choice(names.JOBS[role]),
                time_zone=zone,
                country_code=country,
                number=f"{number}{rng.randrange(100, 200):03d}",
                invited=invited,
                teams=() if role == "owner" else tuple(rng.sample(teams, rng.choice((1, 1, 2)))),
                license_id=by_role[role],
                allocated_at=EPOCH + timedelta(seconds=rng.randrange(1400 * 86400)),
                channels=_channels(rng, role, invited),
                acts=acts,
                presence=Presence() if steady else cycle,
            )
        )
    return people


def _name(rng: random.Random, taken: set[str], domain: str) -> tuple[str, str]:
    given, family = rng.choice(names.GIVEN), rng.choice(names.FAMILY)
    local = f"{_ascii(given)}.{_ascii(family)}"
    email, again = f"{local}@{domain}", 1
    while email in taken:
        again += 1
        email = f"{local}{again}@{domain}"
    taken.add(email)
    return f"{given} {family}", email


def _ascii(word: str) -> str:
    plain = word.casefold().translate(str.maketrans("łøı", "loi", "’"))
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()


def _channels(rng: random.Random, role: str, invited: bool) -> tuple[str, ...]:
    if role not in RESPONDING or invited:
        return ("email",)
    more = (("push", 0.75), ("sms", 0.8), ("phone", 0.7))
    return ("email", *(channel for channel, share in more if rng.random() < share))
