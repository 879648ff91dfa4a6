"""The configuration changes of an account, for its audit trail.

They follow from the rest of the history: people who come, go and change role, turns that somebody
else takes over, and a thin stream of ordinary edits. Whoever changes something belongs to the
account at that moment, may do it and is signed in. Times are seconds since 1970.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from .account import Service
from .codes import DAY, EVEN, identifier, share
from .duty import Policy, Schedule, Shift
from .people import EVER, LEADING, Person, Seat, Team
from .visits import signed_in
from .world import Company

Method = Literal["browser", "oauth", "api_token", "identity_provider", "other"]
Action = Literal["create", "update", "delete"]
Thing = Person | Schedule | Policy | Service | Team
Value = str | int | None  # a number is a time
Field = tuple[str, Value, Value]  # name, before, after

BLOCK: Final = 28 * DAY  # what happened is worked out for so long a stretch at once
AHEAD: Final = 3 * DAY  # a turn is taken over so long before it begins, at most
RECORDED: Final = 60  # schedules whose overrides are recorded, about; the others' are imported
BUSIEST: Final = 30  # ordinary edits on a working day, at most
EDITS, EDIT, RECORD, ACTOR = -6, -7, -8, -9  # places in the account's chance that are no days
BY_DIRECTORY, BY_KEY, BY_APP, BY_SELF = share(40), share(5), share(15), share(60)


class Change(NamedTuple):
    """One change. Without an actor it was made by a machine, see the method."""

    at: int
    id: str
    actor: Person | None
    method: Method
    action: Action
    thing: Thing
    fields: tuple[Field, ...] = ()
    added: tuple[str, Person] | None = None  # in which list of the thing somebody now is


def changes(company: Company, since: int, until: int) -> list[Change]:
    """What was changed in the window, oldest first; nothing later than now."""
    if company not in _TRAILS:
        _TRAILS[company] = _Trail(company)
    trail = _TRAILS[company]
    return trail.between(max(since, company.start), min(until, company.now() + 1))


def order(change: Change) -> tuple[int, int, str]:
    """Nobody is deleted before they are created, though both be in the same second."""
    return change.at, ("create", "update", "delete").index(change.action), change.id


class _Trail:
    """One account's changes; what was worked out before is remembered."""

    def __init__(self, company: Company) -> None:
        self.account, self.start = company.account, company.start
        account = company.account
        # nobody ever becomes a leader, stops being one or comes unscripted as one
        self.leaders = [p for p in account.roster.ever() if p.role in LEADING]
        total = len(account.schedules)
        self.recorded = [
            schedule
            for n, schedule in enumerate(account.schedules)
            if account.chance.draws(RECORD, n)[0] * total < RECORDED * EVEN
        ]
        self._edited: dict[int, list[Change]] = {}
        self._known: dict[str, Change] = {}
        self._people: tuple[int, list[Change]] = (-1, [])

    def between(self, since: int, until: int) -> list[Change]:
        found: list[Change] = []
        for block in range(since // BLOCK, (until - 1) // BLOCK + 1 if until > since else 0):
            if block not in self._edited:
                self._edited[block] = self._edited_in(block)
            found += _cut(self._edited[block], since, until)
        found += _cut(self._comings(), since, until)
        return sorted(found, key=order)

    def _comings(self) -> list[Change]:
        """Everything that happens to people from the start on, in the future too."""
        roster = self.account.roster
        if self._people[0] != roster.version:
            found = [
                change
                for _, versions in groupby(roster.ever(), key=attrgetter("id"))
                for change in self._life(list(versions))
            ]
            self._people = (roster.version, sorted(found, key=order))
        return self._people[1]

    def _life(self, versions: list[Person]) -> Iterator[Change]:
        first, last = versions[0], versions[-1]
        if first.since == first.joined_at >= self.start:
            fields: tuple[Field, ...] = (
                ("name", None, first.name),
                ("email", None, first.email),
                ("role", None, first.role),
            )
            yield self._by_leader(first.since, "create", first, fields, first)
            for team in first.teams:
                yield self._by_leader(first.since, "update", team, (), first, ("members", first))
        for before, after in pairwise(versions):
            if before.role != after.role and after.since >= self.start:
                role: Field = ("role", before.role, after.role)
                yield self._by_leader(after.since, "update", after, (role,), after)
        if self.start <= last.until < EVER:
            gone: tuple[Field, ...] = (("name", last.name, None), ("role", last.role, None))
            yield self._by_leader(last.until, "delete", last, gone, last)

    def _by_leader(
        self,
        at: int,
        action: Action,
        thing: Thing,
        fields: tuple[Field, ...],
        whom: Person,
        added: tuple[str, Person] | None = None,
    ) -> Change:
        """What a leader, or the company's directory, does to somebody; all of it by the same."""
        name = identifier(self.account.id, at, action, thing.id, whom.id, length=13)
        if name not in self._known:
            draws = self.account.chance.draws(ACTOR - at, int.from_bytes(whom.id.encode()[-7:]))
            actor = None if draws[0] < BY_DIRECTORY else self._leader(at, draws[1], whom)
            method: Method = _method(draws[2]) if actor else "identity_provider"
            self._known[name] = Change(at, name, actor, method, action, thing, fields, added)
        return self._known[name]

    def _edited_in(self, block: int) -> list[Change]:
        """Ordinary edits and overrides in one stretch, oldest first."""
        since, until = block * BLOCK, block * BLOCK + BLOCK
        made = [c for day in range(since // DAY, until // DAY) for c in self._edits(day)]
        for schedule in self.recorded:
            shifts = schedule.overrides(since, until + AHEAD)
            made += [self._override(schedule, shift) for shift in shifts]
        return sorted((c for c in made if since <= c.at < until), key=order)

    def _override(self, schedule: Schedule, shift: Shift) -> Change:
        """Somebody enters that a turn is held by another, not before that one has come."""
        name = identifier(self.account.id, "override", schedule.id, shift.start, length=13)
        draws = self.account.chance.draws(ACTOR, int.from_bytes(name.encode()[-7:]))
        at = max(shift.start - 600 - draws[0] * (AHEAD - 1200) // EVEN, shift.person.joined_at)
        actor: Person | None = shift.person
        if draws[1] > BY_SELF or not self._may(shift.person, at):
            actor = self._leader(at, draws[2])
        times: tuple[Field, ...] = (
            ("override_start", None, shift.start),
            ("override_end", None, shift.end),
        )
        added = ("overrides", shift.person)
        method: Method = _method(draws[3]) if actor else "api_token"
        return Change(at, name, actor, method, "update", schedule, times, added)

    def _edits(self, day: int) -> Iterator[Change]:
        """A day's ordinary edits: few of them on a weekend."""
        account, weekend = self.account, (day + 3) % 7 > 4
        mean = min(BUSIEST, len(account.teams) / 8) * (0.15 if weekend else 1.0)
        for n in range(round(2 * mean * account.chance.draws(EDITS, day)[0] / EVEN)):
            draws = account.chance.draws(EDIT, day << 8 | n)
            at = day * DAY + 7 * 3600 + draws[0] * 13 * 3600 // EVEN
            kinds: tuple[Sequence[Thing], ...] = (
                *(account.schedules, account.policies, account.services, account.teams),
            )
            many = kinds[draws[1] % 4] or account.services
            thing = many[draws[2] * len(many) // EVEN]
            name = identifier(account.id, "edit", day, n, length=13)
            by_key = draws[3] < BY_KEY
            actor = None if by_key else self._editor(thing, at, draws)
            method: Method = _method(draws[4]) if actor else "api_token"
            field: Field = ("description", None, None)
            yield Change(at, name, actor, method, "update", thing, (field,))

    def _editor(self, thing: Thing, at: int, draws: tuple[int, ...]) -> Person | None:
        """A manager of the team it belongs to, or a leader."""
        team = thing if isinstance(thing, Team) else getattr(thing, "team", None)
        seats: tuple[Seat, ...] = self.account.actors[team.id] if team and draws[5] & 1 else ()
        for n in range(min(4, len(seats))):
            person = seats[(draws[6] + n) % len(seats)].at(at)
            if person and person.role == "user" and self._may(person, at):
                return person
        return self._leader(at, draws[7])

    def _leader(self, at: int, draw: int, whom: Person | None = None) -> Person | None:
        """An owner or admin who is signed in, and not the one whom it is done to."""
        for n in range(len(self.leaders)):
            person = self.leaders[(draw + n) % len(self.leaders)]
            if (whom is None or person.id != whom.id) and self._may(person, at):
                return person
        return None

    def _may(self, person: Person, at: int) -> bool:
        there = person.joined_at <= at < person.until and person.presence.covers(at)
        return there and not person.invited and signed_in(self.account, person, at)


def _method(draw: int) -> Method:
    return "oauth" if draw < BY_APP else "browser"


def _cut(found: list[Change], since: int, until: int) -> list[Change]:
    low = bisect_left(found, since, key=lambda change: change.at)
    high = bisect_left(found, until, key=lambda change: change.at)
    return found[low:high]


_TRAILS: Final[WeakKeyDictionary[Company, _Trail]] = WeakKeyDictionary()
