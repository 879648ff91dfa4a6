"""Seat-days and high-water marks of months, from when seats were taken and given back. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from seatwise.history.days import ONE_DAY, day_of, days_of, midnight, months_from
from seatwise.history.seats import Course, Seat


class Key(NamedTuple):
    """What is counted: everybody, or those of one role or one licence."""

    by: str  # "role", "license", "line" of a contract; "" for everybody
    name: str = ""  # of a licence, "" is unknown or none


EVERYBODY = Key("")
Moves = dict[datetime, Counter[Key]]


class Looks(NamedTuple):
    """One account, as it was looked at."""

    moves: Moves
    since: datetime  # the first look
    until: datetime  # the last one


@dataclass(slots=True)
class Sums:
    """Of one month and one key."""

    seat_days: int = 0
    most: int = 0
    most_at: datetime | None = None  # when the most was first reached
    at_end: int = 0  # held at the last moment that is known of the month


@dataclass(frozen=True, slots=True)
class MonthSums:
    first: date
    days: int  # whose end is known; of these the seat-days are
    of: Mapping[Key, Sums] = field(default_factory=dict)  # of all that was ever held in it


def by_role_and_license(seat: Seat) -> Iterable[Key]:
    return EVERYBODY, Key("role", seat.role), Key("license", seat.license or "")


def note(
    moves: Moves,
    steps: Course,
    members: int = 1,
    keys_of: Callable[[Seat], Iterable[Key]] = by_role_and_license,
) -> None:
    """Adds the comings, goings and changes of so many members to the account's.

    `keys_of`: what a seat is counted as.
    """
    was: Seat | None = None
    for at, seat in steps:
        if seat == was:
            continue
        here = moves.setdefault(at, Counter())
        for each, by in ((was, -members), (seat, members)):
            if each is not None:
                for key in keys_of(each):
                    here[key] += by
        was = seat


def sweep(accounts: Sequence[Looks], *, zone: tzinfo, now: datetime) -> Iterator[MonthSums]:
    """Every month from the first look at any of the accounts to the last one, the oldest first.

    A seat held at the end of a day in `zone` is one seat-day. A day of an account counts once it
    is over, and if the account's last look was not before it. Marks, and what was held at the
    end, count an account's seats to the end of the month of its last look, and no longer.
    """
    all_of_them = [_Account.of(looks, zone) for looks in accounts]
    waiting = deque(sorted((at, n) for n, looks in enumerate(accounts) for at in looks.moves))
    oldest = min(each.first_day for each in all_of_them)
    newest = max(each.last_day for each in all_of_them)
    for month in months_from(oldest, newest):
        here = [each for each in all_of_them if each.last_day >= month]
        levels: Counter[Key] = Counter()
        for account in here:
            levels.update(account.levels)
        begins = midnight(month, zone)
        sums = {key: Sums(0, level, begins) for key, level in levels.items() if level}
        days = 0
        for day in days_of(month):
            ends = midnight(day + ONE_DAY, zone)
            while waiting and waiting[0][0] < ends:
                at, number = waiting.popleft()
                account = all_of_them[number]
                account.levels.update(account.moves[at])
                if account in here:
                    _move(levels, sums, at, account.moves[at])
            known = [each for each in here if each.first_day <= day <= each.last_day]
            if known and ends <= now:
                days += 1
                _count_day(sums, known)
        for key, each in sums.items():
            each.at_end = levels[key]
        yield MonthSums(month, days, sums)


@dataclass(slots=True, eq=False)
class _Account:
    moves: Moves
    first_day: date
    last_day: date
    levels: Counter[Key] = field(default_factory=Counter)  # held there by now

    @classmethod
    def of(cls, looks: Looks, zone: tzinfo) -> "_Account":
        return cls(looks.moves, day_of(looks.since, zone), day_of(looks.until, zone))


def _count_day(sums: dict[Key, Sums], accounts: list[_Account]) -> None:
    for account in accounts:
        for key, level in account.levels.items():
            if level:
                sums[key].seat_days += level


def _move(
    levels: Counter[Key], sums: dict[Key, Sums], at: datetime, move: Mapping[Key, int]
) -> None:
    for key, by in move.items():
        levels[key] += by
        if levels[key] > (sums[key].most if key in sums else 0):
            each = sums.setdefault(key, Sums())
            each.most, each.most_at = levels[key], at
