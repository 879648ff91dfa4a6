"""What happened at a simulated company: incidents, their alerts, and the log of who did what.

A month's history follows from the seed, the people and the month alone, so the past is the same
whenever one looks. An incident holds its whole story, the future included; `as_of` cuts it.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from math import cos, pi
from typing import Final, Literal

from . import names
from .people import Account, Person, Service, identifier

Kind = Literal["trigger", "assign", "notify", "acknowledge", "annotate", "escalate", "resolve"]
Status = Literal["triggered", "acknowledged", "resolved"]
LONGEST: Final = timedelta(days=28)  # an incident is over by then, or is never heard of again
BUSY_HOURS: Final = (2, 2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 8, 8, 7, 6, 5, 4, 4, 3, 3, 3, 2)


@dataclass(frozen=True, slots=True)
class Agent:
    """Who did something: a person, a monitored service or an integration."""

    type: Literal["user", "service", "integration"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an incident's log. `person` is whom it was done to (assigned, notified)."""

    id: str
    kind: Kind
    at: datetime
    agent: Agent
    person: Person | None = None
    channel: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One signal of a monitoring tool, grouped under an incident."""

    id: str
    at: datetime
    resolved_at: datetime | None
    severity: str


@dataclass(frozen=True)
class Incident:
    """An incident from its trigger to its end, if it ever ends."""

    id: str
    number: int
    title: str
    service: Service
    urgency: str
    alerts: tuple[Alert, ...]
    entries: tuple[Entry, ...]  # oldest first; the first is the trigger

    @cached_property
    def created_at(self) -> datetime:
        """When it was triggered, in UTC."""
        return self.entries[0].at

    def entries_by(self, now: datetime) -> list[Entry]:
        """The log as it stands at that moment, oldest first."""
        return [entry for entry in self.entries if entry.at <= now]

    def alerts_by(self, now: datetime) -> list[Alert]:
        """The alerts that have come in by that moment."""
        return [alert for alert in self.alerts if alert.at <= now]

    def status_at(self, now: datetime) -> tuple[Status, Entry]:
        """Its status at that moment, and the log entry that brought it about."""
        words: dict[str, Status] = {
            "trigger": "triggered",
            "escalate": "triggered",
            "acknowledge": "acknowledged",
            "resolve": "resolved",
        }
        last = [entry for entry in self.entries_by(now) if entry.kind in words][-1]
        return words[last.kind], last


Moment = tuple[Entry, Incident]


def month_of(account: Account, first: date) -> tuple[Incident, ...]:
    """Every incident created in the month (UTC) that begins on `first`, oldest first."""
    index = first.year * 12 + first.month - 1
    rng = random.Random(f"{account.seed}/{account.subdomain}/{first:%Y-%m}")
    stories = _Stories(account, rng, _ghost(account, index) if index % 3 == 0 else None)
    times = sorted(_times(rng, first, _count(rng, account, index)))
    return tuple(
        stories.tell(
            number=(index - 2020 * 12) * 1000 + n,
            at=at,
            # now and then one is forgotten and stays open: its month can never be final
            forgotten=index % 5 == 2 and n == 100,
        )
        for n, at in enumerate(times, start=1)
    )


def deleted_users(account: Account, first: date) -> tuple[str, ...]:
    """Ids of the people who acted in that month and have been deleted since."""
    index = first.year * 12 + first.month - 1
    return (_ghost(account, index).id,) if index % 3 == 0 else ()


def _ghost(account: Account, index: int) -> Agent:
    return Agent("user", identifier(account.seed, account.subdomain, "ghost", index), "Former user")


def _count(rng: random.Random, account: Account, index: int) -> int:
    growth = min(480, max(260, 300 + 7 * (index - 2025 * 12)))
    season = 1 + 0.12 * cos(2 * pi * (index % 12 - 10) / 12)
    full = min(600, max(200, growth * season * rng.uniform(0.94, 1.06)))
    return max(100, round(full * account.volume))


def _times(rng: random.Random, first: date, count: int) -> set[datetime]:
    start = datetime(first.year, first.month, 1, tzinfo=UTC)
    days = ((start + timedelta(days=31)).replace(day=1) - start).days
    weights = [0.45 if (start + timedelta(days=d)).weekday() > 4 else 1.0 for d in range(days)]
    times: set[datetime] = set()
    while len(times) < count:
        day = rng.choices(range(days), weights)[0]
        hour = rng.choices(range(24), BUSY_HOURS)[0]
        times.add(start + timedelta(days=day, hours=hour, seconds=rng.randrange(3600)))
    return times


class _Stories:
    """Tells the incidents of one month, one after the other."""

    def __init__(self, account: Account, rng: random.Random, ghost: Agent | None) -> None:
        self.account, self.rng, self.ghost = account, rng, ghost
        self.actors = [person for person in account.people if person.acts]
        self.teams = {
            team.id: [person for person in self.actors if team in person.teams]
            for team in account.teams
        }

    def tell(self, number: int, at: datetime, forgotten: bool) -> Incident:
        rng, place = self.rng, (self.account.seed, self.account.subdomain, number)
        service = rng.choice(self.account.services)
        urgency = "high" if rng.random() < 0.7 else "low"
        log = _Log(place)
        machine = Agent("service", service.id, service.name)
        by_hand = rng.random() < 0.03
        first = self.somebody(service, at)
        tool = Agent("integration", service.integration_id, f"{service.name} monitoring")
        reporter = first if by_hand else None
        log.add("trigger", at, _agent(reporter) if reporter else rng.choice((machine, tool)))
        end = self.work(log, service, urgency, machine, first, forgotten)
        return Incident(
            id=identifier(*place, "incident", length=13, prefix="Q"),
            number=number,
            title=f"{service.name}: {rng.choice(names.SYMPTOMS)}",
            service=service,
            urgency=urgency,
            alerts=() if by_hand else self.alerts(place, at, end),
            entries=tuple(sorted(log.entries, key=lambda entry: entry.at)),
        )

    def work(
        self,
        log: "_Log",
        service: Service,
        urgency: str,
        machine: Agent,
        person: Person | None,
        forgotten: bool,
    ) -> datetime | None:
        """Fills the log up to the end of the incident, and returns that (None: it never ends)."""
        rng = self.rng
        at = log.entries[0].at + timedelta(seconds=1)
        flaps = rng.random() < 0.1 and not forgotten
        end = at + timedelta(seconds=rng.randrange(60, 240)) if flaps else None
        if person is None:  # nobody is at work: only the machine can end it
            return None if forgotten else log.close(machine, at + timedelta(hours=2))
        log.add("assign", at, machine, person)
        if urgency == "low" and not flaps and not forgotten and rng.random() < 0.06:
            end = at + timedelta(seconds=rng.randrange(2 * 86400, 20 * 86400))
            self.page(log, machine, person, urgency, at, end)
            return log.close(machine, end)  # nobody ever looked at it
        if not flaps and rng.random() < 0.15:
            later = at + timedelta(minutes=30)
            self.page(log, machine, person, urgency, at, later)
            person = self.somebody(service, later, but=person) or person
            log.add("escalate", later, machine, person)
            at = later + timedelta(seconds=1)
        answered = at + timedelta(seconds=int(rng.lognormvariate(5.5, 0.8)))
        self.page(log, machine, person, urgency, at, end or answered)
        if end is not None:
            return log.close(machine, end)
        at = self.answer(log, service, person, answered)
        if forgotten:
            return None
        lasting = timedelta(seconds=rng.lognormvariate(8.2, 1.4))
        if rng.random() < 0.02:
            lasting = timedelta(seconds=rng.randrange(2 * 86400, 24 * 86400))
        end = at + min(lasting, LONGEST * 6 / 7)
        machine_ends = rng.random() < 0.35
        return log.close(machine if machine_ends else self.agent(person), end)

    def answer(self, log: "_Log", service: Service, person: Person, at: datetime) -> datetime:
        """Somebody acknowledges, perhaps hands over, perhaps leaves a note."""
        rng = self.rng
        log.add("acknowledge", at, self.agent(person))
        if rng.random() < 0.12:
            other = self.somebody(service, at, but=person)
            if other is not None:
                at += timedelta(minutes=rng.randrange(2, 40))
                log.add("assign", at, self.agent(person), other)
                at += timedelta(minutes=rng.randrange(1, 15))
                log.add("acknowledge", at, self.agent(other))
        while rng.random() < 0.3:
            at += timedelta(minutes=rng.randrange(3, 90))
            author = self.somebody(service, at) or person
            log.add("annotate", at, self.agent(author), note=rng.choice(names.NOTES))
        return at + timedelta(seconds=rng.randrange(30, 600))

    def page(
        self,
        log: "_Log",
        machine: Agent,
        person: Person,
        urgency: str,
        since: datetime,
        until: datetime,
    ) -> None:
        """Tells the person by their channels, louder and louder until somebody answers."""
        steps = [("push", 0), ("email", 0)]
        if urgency == "high":
            steps += [("sms", 1), ("phone", 3), ("sms", 8), ("phone", 12)]
        for channel, minutes in steps:
            at = since + timedelta(minutes=minutes, seconds=1)
            if channel in person.channels and at < until:
                log.add("notify", at, machine, person, channel)

    def somebody(self, service: Service, at: datetime, but: Person | None = None) -> Person | None:
        """Someone of the service's team who is at work, else anybody who is."""
        for group in (self.teams[service.team.id], self.actors):
            there = [p for p in group if p is not but and p.presence.covers(at)]
            if there:
                return self.rng.choice(there)
        return None

    def agent(self, person: Person) -> Agent:
        """That person, or now and then the colleague who has been deleted since."""
        if self.ghost is not None and self.rng.random() < 0.04:
            return self.ghost
        return _agent(person)

    def alerts(
        self, place: tuple[object, ...], at: datetime, end: datetime | None
    ) -> tuple[Alert, ...]:
        rng = self.rng
        count = min(40, 1 + int(rng.expovariate(0.6)))
        span = int(((end or at + timedelta(days=20)) - at).total_seconds())
        made = []
        for n in range(count):
            came = at + timedelta(seconds=0 if n == 0 else rng.randrange(span))
            cleared = came + timedelta(seconds=int(rng.expovariate(1 / 1800)) + 30)
            early = end is None or cleared < end
            gone = cleared if early and rng.random() < 0.5 and n > 0 else end
            severity = rng.choice(("critical", "error", "warning"))
            name = identifier(*place, "alert", n, length=13, prefix="Q")
            made.append(Alert(name, came, gone, severity))
        return tuple(sorted(made, key=lambda alert: alert.at))


class _Log:
    """An incident's log while it is being written."""

    def __init__(self, place: tuple[object, ...]) -> None:
        self.place = place
        self.entries: list[Entry] = []

    def add(
        self,
        kind: Kind,
        at: datetime,
        agent: Agent,
        person: Person | None = None,
        channel: str = "",
        note: str = "",
    ) -> None:
        name = identifier(*self.place, "entry", len(self.entries), length=13, prefix="R")
        self.entries.append(Entry(name, kind, at, agent, person, channel, note))

    def close(self, agent: Agent, at: datetime) -> datetime:
        at = at.replace(microsecond=0)
        self.add("resolve", at, agent)
        return at


def _agent(person: Person) -> Agent:
    return Agent("user", person.id, person.name)
