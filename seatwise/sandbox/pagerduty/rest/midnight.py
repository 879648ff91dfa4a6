"""Everybody in an account as analytics knows them: as they were at the last midnight (UTC)."""

from collections import Counter
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from ..company.account import Account
from ..company.duty import Schedule
from ..company.people import Person, Seat
from ..company.visits import visits
from ..company.world import Company


class Snapshot:
    """The people of one account at a moment, and what they were part of."""

    def __init__(self, account: Account, as_of: int) -> None:
        self.account, self.as_of = account, as_of
        self.people = [p for p in account.roster.ever() if p.since <= as_of < p.until]
        members = {
            schedule.id: {
                person.id
                for layer in schedule.layers
                for seat in layer.seats
                if (person := seat.at(as_of)) is not None
            }
            for schedule in account.schedules
        }
        self.schedules = Counter(name for names in members.values() for name in names)
        self.policies: Counter[str] = Counter()
        for policy in account.policies:
            targets = [target for level in policy.levels for target in level.targets]
            self.policies.update({name for each in targets for name in self._in(each, members)})
        self._signed_in: dict[str, int | None] = {}
        self._sorted: dict[str, list[Person]] = {}

    def signed_in(self, person: Person) -> int | None:
        """When somebody last signed in before that moment, or None."""
        if person.id not in self._signed_in:
            last = next(visits(self.account, person, self.as_of), None)
            self._signed_in[person.id] = last.at if last else None
        return self._signed_in[person.id]

    def key(self, column: str) -> Callable[[Person], tuple[str | int, str]]:
        """What people are sorted by: a column of the API's rows, then their id."""
        by: Callable[[Person], str | int] = {
            "name": lambda person: person.name.casefold(),
            "user_name": lambda person: person.name.casefold(),
            "email": lambda person: person.email,
            "role": lambda person: person.role,
            "created_at": lambda person: person.joined_at,
            "last_sign_in_at": lambda person: self.signed_in(person) or 0,
        }.get(column, lambda person: person.id)
        return lambda person: (by(person), person.id)

    def sorted(self, column: str) -> list[Person]:
        """Everybody in ascending order of that column."""
        if column not in self._sorted:
            self._sorted[column] = sorted(self.people, key=self.key(column))
        return self._sorted[column]

    def _in(self, target: Schedule | Seat, members: dict[str, set[str]]) -> set[str]:
        if isinstance(target, Schedule):
            return members[target.id]
        person = target.at(self.as_of)
        return {person.id} if person else set()


def snapshot(company: Company, as_of: int) -> Snapshot:
    """The account at that moment, made once for as long as nothing unscripted happens."""
    key = as_of, company.account.roster.version
    if company not in _MADE or _MADE[company][0] != key:
        _MADE[company] = key, Snapshot(company.account, as_of)
    return _MADE[company][1]


_MADE: Final[WeakKeyDictionary[Company, tuple[tuple[int, int], Snapshot]]] = WeakKeyDictionary()
