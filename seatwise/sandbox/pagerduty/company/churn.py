"""People who come, go and change role while somebody is still reading the list of them.

Only people who never work on incidents leave or change, so that the history stays true.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from . import names
from .account import Account
from .codes import EVEN, identifier
from .crew import RESTING
from .people import Person

CHURN = -5  # a place in the account's chance that is no day


class Churn:
    """Unscripted comings and goings in one account, so many for each page that is read."""

    def __init__(self, account: Account, now: Callable[[], int]) -> None:
        self._account, self._now = account, now
        self._due = 0.0
        self._done = 0

    def happen(self, rate: float) -> None:
        """Lets `rate` changes happen; parts of one are saved up."""
        self._due += rate
        while self._due >= 1:
            self._due -= 1
            self._done += 1
            self._change(self._account.chance.draws(CHURN, self._done))

    def _change(self, draws: tuple[int, ...]) -> None:
        roster, now = self._account.roster, self._now()
        people = roster.at(now)
        what = self._done % 3
        person = _somebody(people, draws[0])
        if what == 1 or person is None:
            roster.join(self._newcomer(people[draws[1] * len(people) // EVEN], draws, now))
        elif what == 2:
            roster.leave(person, now)
        else:
            role = RESTING.get(person.role, person.role)
            kind = self._account.license_of.get(role)
            if kind is not None and role != person.role:
                roster.turn(person, now, role, kind.id)
            else:
                roster.leave(person, now)

    def _newcomer(self, like: Person, draws: tuple[int, ...], now: int) -> Person:
        """Somebody new, an observer in the teams of somebody who is there already."""
        account = self._account
        given = names.GIVEN[draws[2] % len(names.GIVEN)]
        family = names.FAMILY[draws[3] % len(names.FAMILY)]
        domain = like.email.rpartition("@")[2]
        return replace(
            like,
            id=identifier(account.id, "newcomer", self._done, length=13),
            email=f"newcomer.{self._done}@{domain}",
            name=f"{given} {family}",
            role="observer",
            license_id=account.license_of["observer"].id,
            channels=("email",),
            invited=True,
            acts=False,
            joined_at=now,
            allocated_at=now,
            since=now,
        )


def _somebody(people: Sequence[Person], draw: int) -> Person | None:
    """Somebody who may leave without a trace in the history."""
    for n in range(len(people)):
        person = people[(draw + n) % len(people)]
        if not person.acts:
            return person
    return None
