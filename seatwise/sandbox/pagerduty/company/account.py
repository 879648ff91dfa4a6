"""A simulated account: its people, teams, services, schedules, policies and licences.

Everything follows from the seed alone. People come and go and change role at moments that are
fixed for all time, so the past looks the same whenever one looks.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from . import names
from .codes import Chance, identifier
from .crew import Crew, roles_of
from .duty import Hours, Layer, Level, Policy, Schedule
from .licenses import License, abilities, licenses
from .people import LEADING, Person, Roster, Seat, Team
from .tempo import Tempo

WEEK: Final = 7 * 86_400
FIRST_TURN: Final = 1_546_851_600  # Monday, 2019-01-07 at 9 UTC
MONTHLY: Final = 400  # incidents of the first account, where nobody says how many


@dataclass(frozen=True, eq=False, slots=True)
class Integration:
    """A monitoring tool that reports to a service."""

    id: str
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Service:
    """A monitored thing that incidents happen to."""

    id: str
    name: str
    team: Team
    integration: Integration
    policy: Policy


@dataclass(frozen=True, slots=True)
class Kind:
    """What distinguishes the accounts of one vendor from each other."""

    subdomain: str
    name: str
    region: str
    time_zone: str
    domain: str
    users: int
    monthly: float


@dataclass(frozen=True, eq=False)
class Account:
    """One company's account in one region."""

    seed: int
    subdomain: str
    name: str
    id: str
    region: str
    time_zone: str
    plan: str
    abilities: tuple[str, ...]
    api_key: str = field(repr=False)
    chance: Chance = field(repr=False)
    tempo: Tempo = field(repr=False)
    roster: Roster = field(repr=False)
    teams: tuple[Team, ...] = field(repr=False)
    actors: dict[str, tuple[Seat, ...]] = field(repr=False)  # by team: who works on incidents
    schedules: tuple[Schedule, ...] = field(repr=False)
    policies: tuple[Policy, ...] = field(repr=False)
    services: tuple[Service, ...] = field(repr=False)
    licenses: tuple[License, ...] = field(repr=False)

    @cached_property
    def api_url(self) -> str:
        """Where the real API of the region would be; its answers point there."""
        return f"https://api{'.eu' if self.region == 'eu' else ''}.pagerduty.com"

    @cached_property
    def web_url(self) -> str:
        """Where the real account's pages would be."""
        return f"https://{self.subdomain}.pagerduty.com"

    @cached_property
    def license_of(self) -> dict[str, License]:
        """The licence that each role needs."""
        return {role: each for each in self.licenses for role in each.roles}


def kinds(users: int, monthly: float, count: int) -> list[Kind]:
    """The first account is as large as wanted; further ones are small and alternate in region."""
    made = [
        Kind(
            *("harbor-prod", "Harbor Production", "us", "America/Los_Angeles", "harbor.example"),
            users,
            monthly,
        ),
        Kind(
            *("harbor-eu", "Harbor Europe", "eu", "Europe/Berlin", "harbor-eu.example"),
            min(60, users),
            monthly * 0.3,
        ),
    ]
    for n in range(3, count + 1):
        region, zone = (("us", "America/New_York"), ("eu", "Europe/London"))[(n + 1) % 2]
        name = f"harbor-{n}"
        kind = Kind(
            name, f"Harbor {n}", region, zone, f"{name}.example", min(60, users), monthly * 0.3
        )
        made.append(kind)
    return made[:count]


def account(
    seed: int, kind: Kind, plan: str, since: int, until: int, shared: tuple[Person, ...] = ()
) -> Account:
    """An account with everybody who belongs to it at some time between two moments.

    The leaders in `shared` belong to this one too, under other ids. Raises nothing.
    """
    place = (seed, kind.subdomain)
    chance = Chance(*place)
    total = max(len(names.TEAMS), kind.users // 20)
    teams = tuple(Team(identifier(*place, "team", n), _team(n)) for n in range(total))
    roles = roles_of(kind.users, plan)
    seats_of = licenses(place, plan, roles)
    crew = Crew(place, chance, kind.domain, teams, seats_of, since, until)
    seats = crew.seats(roles, shared)
    actors, managers = _by_team(teams, seats)
    leaders = tuple(seat for seat in seats if seat.role in LEADING)
    rotas = {team.id: _schedules(place, n, team, actors[team.id]) for n, team in enumerate(teams)}
    policies = tuple(
        _policy(place, team, rotas[team.id], managers.get(team.id, leaders[0]), leaders)
        for team in teams
    )
    major = Policy(
        identifier(*place, "policy", "major"),
        "Major incidents",
        None,
        (Level(identifier(*place, "major", 1), 15, leaders[:3]),),
    )
    lacking = frozenset({"service_support_hours"}) if kind.subdomain == "harbor-eu" else frozenset()
    return Account(
        seed=seed,
        subdomain=kind.subdomain,
        name=kind.name,
        id=identifier(*place, "account"),
        region=kind.region,
        time_zone=kind.time_zone,
        plan=plan,
        abilities=abilities(plan, lacking),
        api_key="y_" + identifier(*place, "key", length=18, prefix=""),
        chance=chance,
        tempo=Tempo(chance, kind.monthly),
        roster=Roster(person for seat in seats for person in seat.holders),
        teams=teams,
        actors=actors,
        schedules=tuple(schedule for team in teams for schedule in rotas[team.id]),
        policies=(*policies, major),
        services=_services(place, policies),
        licenses=seats_of,
    )


def _team(n: int) -> str:
    again, which = divmod(n, len(names.TEAMS))
    return f"{names.TEAMS[which]} {again + 1}" if again else names.TEAMS[which]


def _by_team(
    teams: tuple[Team, ...], seats: list[Seat]
) -> tuple[dict[str, tuple[Seat, ...]], dict[str, Seat]]:
    """Each team's seats whose holders work on incidents, and the seat of its manager."""
    working: dict[str, list[Seat]] = {team.id: [] for team in teams}
    managers: dict[str, Seat] = {}
    for seat in seats:
        for team in seat.holders[0].teams:
            if seat.holders[0].acts:
                working[team.id].append(seat)
                if seat.role == "user":
                    managers.setdefault(team.id, seat)
    return {name: tuple(found) for name, found in working.items()}, managers


def _schedules(
    place: tuple[object, ...], n: int, team: Team, seats: tuple[Seat, ...]
) -> tuple[Schedule, ...]:
    """A team's first and second line, as far as it has the people for them."""
    zone = names.TEAM_ZONES[n % len(names.TEAM_ZONES)]
    first, second = seats[:6], seats[6:12] or seats[1:]
    turn = (WEEK, WEEK, WEEK // 7)[n % 3]

    def layer(line: str, title: str, members: tuple[Seat, ...], hours: Hours | None) -> Layer:
        name = identifier(*place, team.id, line, title)
        return Layer(name, title, FIRST_TURN, turn, members, hours)

    made = []
    for line, members in (("Primary", first), ("Secondary", second)):
        if not members:
            continue
        layers = [layer(line, "Around the clock", members, None)]
        if line == "Primary" and n % 4 == 1 and len(members) > 3:
            layers = [
                layer(line, "Working hours", members[:3], Hours(9 * 3600, 8 * 3600)),
                layer(line, "Nights and gaps", members[3:], None),
            ]
        name = identifier(*place, team.id, line)
        made.append(Schedule(name, f"{team.name} {line}", team, zone, tuple(layers)))
    return tuple(made)


def _policy(
    place: tuple[object, ...],
    team: Team,
    schedules: tuple[Schedule, ...],
    manager: Seat,
    leaders: tuple[Seat, ...],
) -> Policy:
    """First line, second line, then the team's manager and one of the leaders."""
    targets: list[tuple[Schedule | Seat, ...]] = [(each,) for each in schedules]
    targets.append((manager, *(seat for seat in leaders[-1:] if seat is not manager)))
    levels = tuple(
        Level(identifier(*place, team.id, "level", n), 30, each) for n, each in enumerate(targets)
    )
    return Policy(identifier(*place, team.id, "policy"), f"{team.name} escalation", team, levels)


def _services(place: tuple[object, ...], policies: tuple[Policy, ...]) -> tuple[Service, ...]:
    """The well-known services, then one for each team that a large company has besides."""
    by_team = {policy.team.name: policy for policy in policies if policy.team}
    wanted = [*names.SERVICES]
    known = len(names.TEAMS)
    wanted += [(f"{p.team.name} API", p.team.name) for p in policies[known:] if p.team]
    made = []
    for name, team in wanted:
        policy = by_team[team]
        tool = Integration(identifier(*place, "integration", name), f"{name} monitoring")
        assert policy.team is not None
        made.append(Service(identifier(*place, "service", name), name, policy.team, tool, policy))
    return tuple(made)
