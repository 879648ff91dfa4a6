"""The one story everything follows from: how each incident begins, who is called, how it ends.

An incident's story depends on its account, its day and its number on that day alone: nothing is
stored, and the past is the same whenever one looks. It is told whole, the future included;
whoever shows it cuts it at the present moment. Times are seconds since 1970.
"""

from dataclasses import dataclass, field
from math import log
from typing import Final, Literal, NamedTuple

from . import names
from .account import Account, Integration, Service
from .codes import DAY, EVEN, share, words
from .people import Person
from .tempo import follows

Kind = Literal["trigger", "assign", "notify", "acknowledge", "annotate", "escalate", "resolve"]
Status = Literal["triggered", "acknowledged", "resolved"]
Agent = Person | Service | Integration

REACH: Final = DAY - 3600  # seconds: nothing happens to a common incident after that
CALLING: Final = 4 * 3600  # seconds: nobody is told about an incident after that
LONGEST: Final = 28 * DAY  # nothing at all happens to any incident after that
LASTING: Final = 50  # one in so many incidents of a day is a long one
INCIDENT, ALERT, ENTRY = 0, 1, 2  # sorts of id
NOTICES: Final = 128  # log entries that are notifications are counted from there
BECOMES: Final[dict[str, Status]] = {
    "trigger": "triggered",
    "escalate": "triggered",
    "acknowledge": "acknowledged",
    "resolve": "resolved",
}
RULES: Final[dict[str, tuple[tuple[str, int], ...]]] = {  # by urgency: channel, minutes to wait
    "high": (("push", 0), ("email", 0), ("sms", 1), ("phone", 3), ("sms", 8), ("phone", 12)),
    "low": (("push", 0), ("email", 0)),
}
BY_HAND, HIGH, FLAPS, IGNORED = share(3), share(70), share(10), share(6)
LATE, LATER, HANDED, NOTED, NOTED_TWICE = share(18), share(4), share(20), share(45), share(16)
BY_MACHINE = share(35)


class Entry(NamedTuple):
    """One line of an incident's log. `to` is whom it was done to (assigned, notified)."""

    at: int
    ordinal: int  # within the incident, for ever the same
    kind: Kind
    by: Agent
    to: tuple[Person, ...] = ()
    detail: str = ""  # the channel of a notification, the text of a note

    @property
    def important(self) -> bool:
        """Whether an overview has it: no messages, and nothing that a policy assigns by itself."""
        by_policy = self.kind == "assign" and isinstance(self.by, Service)
        return self.kind != "notify" and not by_policy


class Alert(NamedTuple):
    """One signal of a monitoring tool, grouped under an incident."""

    at: int
    ordinal: int
    resolved_at: int | None
    severity: str


@dataclass(eq=False, slots=True)
class Incident:
    """An incident from its trigger to its end, if it ever ends."""

    account: Account
    day: int
    n: int
    number: int
    at: int
    service: Service
    urgency: str
    title: str
    steps: list[Entry]  # oldest first, without the notifications
    alert_count: int
    end: int | None
    _alerts: list[Alert] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """Its id, which says where in the history it is."""
        return self.account.chance.write("Q", INCIDENT, self.day, self.n)

    def entry_id(self, entry: Entry) -> str:
        """The id of one line of its log."""
        return self.account.chance.write("R", ENTRY, self.day, self.n, entry.ordinal)

    def alert_id(self, alert: Alert) -> str:
        """The id of one of its alerts."""
        return self.account.chance.write("Q", ALERT, self.day, self.n, alert.ordinal)

    def standing(self, now: int) -> tuple[Status, Entry]:
        """Its status at that moment, and the log entry that brought it about."""
        for entry in reversed(self.steps):
            if entry.at <= now and entry.kind in BECOMES:
                return BECOMES[entry.kind], entry
        return "triggered", self.steps[0]

    def notices(self) -> list[Entry]:
        """Every message sent to a person about it, oldest first."""
        return _notices(self)

    def log(self, now: int) -> list[Entry]:
        """The whole log as it stands at that moment, oldest first."""
        both = [entry for entry in (*self.steps, *self.notices()) if entry.at <= now]
        return sorted(both, key=lambda entry: entry[:2])

    def alerts(self) -> list[Alert]:
        """Every alert it ever gets, oldest first."""
        if self._alerts is None:
            self._alerts = _alerts(self)
        return self._alerts

    def alert_counts(self, now: int) -> tuple[int, int]:
        """How many alerts have come in by that moment, and how many of them are resolved."""
        if self.end is not None and self.end <= now:
            return self.alert_count, self.alert_count
        come = [alert for alert in self.alerts() if alert.at <= now]
        gone = sum(a.resolved_at is not None and a.resolved_at <= now for a in come)
        return len(come), gone


def tell(
    account: Account, day: int, n: int, number: int, at: int, faces: bytes, before: bytes
) -> Incident:
    """The n-th incident of that day. `before` is the chance of the one it follows, if it does."""
    draws = words(faces)
    place = words(before)[2] if follows(n) else draws[2]
    part = place / EVEN
    service = account.services[int(len(account.services) * part**1.4)]
    urgency = "high" if draws[3] < HIGH else "low"
    teller = _Teller(account, service, urgency, draws)
    if is_forgotten(day, n):
        lasting, forgotten = None, True
    else:
        lasting, forgotten = (draws[14] if is_lasting(n) else None), False
    end = teller.tell(at, lasting, forgotten)
    by_hand = draws[4] < BY_HAND and isinstance(teller.steps[0].by, Person)
    count = 0 if by_hand else 1 + min(39, int(-1.7 * log(1 - draws[5] / EVEN)))
    return Incident(
        account,
        day,
        n,
        number,
        at,
        service,
        urgency,
        f"{service.name}: {names.SYMPTOMS[draws[6] % len(names.SYMPTOMS)]}",
        teller.steps,
        count,
        end,
    )


def is_lasting(n: int) -> bool:
    """Whether a day's n-th incident may go on for longer than a day. None of them follows one."""
    return n % LASTING == 7


def is_forgotten(day: int, n: int) -> bool:
    """Whether it is one of the few that nobody ever resolves: its month can never be final."""
    return n == 0 and day % 151 == 47


class _Teller:
    """Tells one incident, step by step."""

    def __init__(
        self, account: Account, service: Service, urgency: str, draws: tuple[int, ...]
    ) -> None:
        self.account, self.service, self.urgency, self.draws = account, service, urgency, draws
        self.steps: list[Entry] = []

    def tell(self, at: int, lasting: int | None, forgotten: bool) -> int | None:
        """Fills the steps; returns when it ends, or None if it never does."""
        draws, service = self.draws, self.service
        called = service.policy.called(0, at)
        reporter = self.colleague(at, draws[7]) if draws[4] < BY_HAND else None
        tool: Agent = service if draws[4] & 1 else service.integration
        self.add(at, "trigger", reporter or tool)
        if not called:  # nobody is at work: only the machine can end it
            return None if forgotten else self.close(at + 7200, service)
        self.add(at + 1, "assign", service, called)
        if draws[8] < FLAPS and lasting is None and not forgotten:
            return self.close(at + 60 + draws[8] % 180, service)
        if self.urgency == "low" and draws[9] < IGNORED and not forgotten:
            days = 2 + lasting * 18 // EVEN if lasting is not None else 0
            return self.close(at + days * DAY + 18_000 + draws[9] % 36_000, service)
        at, person = self.escalate(at + 1, called)
        at, person = self.answer(at, person)
        if forgotten:
            return None
        if lasting is not None:
            at += 2 * DAY + lasting * (22 * DAY) // EVEN
        else:
            at += min(60 + int(-7200 * log(1 - draws[12] / EVEN)), REACH // 2)
        machine = draws[13] < BY_MACHINE or person.until <= at
        return self.close(at, service if machine else person)

    def escalate(self, at: int, called: tuple[Person, ...]) -> tuple[int, Person]:
        """While nobody answers, an urgent one goes up the policy. Who has it at last, and when."""
        policy, late = self.service.policy, self.draws[10]
        if self.urgency == "high" and late < LATE:
            for level in range(1, 3 if late < LATER else 2):
                higher = policy.called(level, at) if level < len(policy.levels) else ()
                if not higher:
                    break
                at += policy.levels[level - 1].minutes * 60
                self.add(at, "escalate", self.service, higher)
                called = higher
        return at, called[0]

    def answer(self, at: int, person: Person) -> tuple[int, Person]:
        """Somebody acknowledges, perhaps hands over, perhaps leaves notes."""
        draws = self.draws
        at += 20 + min(int(-300 * log(1 - draws[11] / EVEN)), 1500)
        self.add(at, "acknowledge", person)
        if draws[15] < HANDED:
            other = self.colleague(at, draws[7])
            if other is not None and other is not person:
                at += 120 + draws[15] % 2280
                self.add(at, "assign", person, (other,))
                at += 60 + draws[15] % 840
                self.add(at, "acknowledge", other)
                person = other
        noted = draws[6]
        for bound in (NOTED, NOTED_TWICE):
            if noted < bound:
                at += 180 + noted % 5220
                author = self.colleague(at, noted * 7 % EVEN) or person
                note = names.NOTES[noted % len(names.NOTES)]
                self.add(at, "annotate", author, (), note)
        return at, person

    def colleague(self, at: int, draw: int) -> Person | None:
        """Somebody of the service's team who is at work then."""
        seats = self.account.actors[self.service.team.id]
        for n in range(min(4, len(seats))):
            person = seats[(draw + n) % len(seats)].at(at)
            if person and person.presence.covers(at) and person.acts and person.until > at + DAY:
                return person
        return None

    def close(self, at: int, by: Agent) -> int:
        self.add(at, "resolve", by)
        return at

    def add(
        self, at: int, kind: Kind, by: Agent, to: tuple[Person, ...] = (), detail: str = ""
    ) -> None:
        self.steps.append(Entry(at, len(self.steps), kind, by, to, detail))


def _notices(told: Incident) -> list[Entry]:
    """People are told by their channels, louder and louder, until somebody answers."""
    made: list[tuple[int, Person, str]] = []
    for n, step in enumerate(told.steps):
        if not step.to:
            continue
        until = next((s.at for s in told.steps[n + 1 :] if s.kind != "annotate"), step.at + DAY)
        for person in step.to:
            for channel, minutes in RULES[told.urgency]:
                at = step.at + minutes * 60 + 1
                if at < until and channel in person.channels:
                    made.append((at, person, channel))
    made.sort(key=lambda each: each[0])
    return [
        Entry(at, NOTICES + n, "notify", told.service, (person,), channel)
        for n, (at, person, channel) in enumerate(made)
    ]


def _alerts(told: Incident) -> list[Alert]:
    """The first comes with the incident, the others while it lasts; all end with it at last."""
    chance, made = told.account.chance, []
    span = (told.end if told.end is not None else told.at + 20 * DAY) - told.at
    for n in range(told.alert_count):
        draws = chance.draws(told.day << 20 | told.n, n + 1)
        came = told.at + (draws[0] * span // EVEN if n else 0)
        cleared = came + 30 + int(-1800 * log(1 - draws[1] / EVEN))
        early = n > 0 and draws[2] & 1 and (told.end is None or cleared < told.end)
        severity = ("critical", "error", "warning")[draws[3] % 3]
        made.append((came, n, cleared if early else told.end, severity))
    return [Alert(*each) for each in sorted(made)]
