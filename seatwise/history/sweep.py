"""Seat-days and high-water marks of months, from when seats were taken and given back. Pure."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from seatwise.history.days import ONE_DAY, day_of, days_of, midnight, month_after, months_from
from seatwise.history.seats import Course, Seat


class Key(NamedTuple):
    """What is counted: everybody, or those of one role or one licence."""

    by: str  # "role", "license"; "" for everybody
    name: str = ""  # of a licence, "" is unknown or none


EVERYBODY = Key("")
Moves = dict[datetime, Counter[Key]]


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


def note(moves: Moves, steps: Course, members: int = 1) -> None:
    """Adds the comings, goings and changes of so many members to the account's."""
    was: Seat | None = None
    for at, seat in steps:
        if seat == was:
            continue
        here = moves.setdefault(at, Counter())
        for each, by in ((was, -members), (seat, members)):
            if each is not None:
                here[EVERYBODY] += by
                here[Key("role", each.role)] += by
                here[Key("license", each.license or "")] += by
        was = seat


def sweep(
    moves: Mapping[datetime, Mapping[Key, int]],
    *,
    zone: tzinfo,
    since: datetime,
    until: datetime,
    now: datetime,
) -> Iterator[MonthSums]:
    """Every month from the first look to the last one, the oldest first.

    A seat held at the end of a day in `zone` is one seat-day. A day counts once it is over, and
    if the last look was not before it.
    """
    waiting = deque(sorted(moves.items()))
    levels: Counter[Key] = Counter()
    first_day, last_day = day_of(since, zone), day_of(until, zone)
    for month in months_from(first_day, last_day):
        begins, after = midnight(month, zone), midnight(month_after(month), zone)
        sums = {key: Sums(0, level, max(begins, since)) for key, level in levels.items() if level}
        days = 0
        for day in days_of(month):
            ends = midnight(day + ONE_DAY, zone)
            while waiting and waiting[0][0] < ends:
                _move(levels, sums, *waiting.popleft())
            if first_day <= day <= last_day and ends <= now:
                days += 1
                for key, level in levels.items():
                    if level:
                        sums[key].seat_days += level
        assert not waiting or waiting[0][0] >= after
        for key, each in sums.items():
            each.at_end = levels[key]
        yield MonthSums(month, days, sums)


def _move(
    levels: Counter[Key], sums: dict[Key, Sums], at: datetime, move: Mapping[Key, int]
) -> None:
    for key, by in move.items():
        levels[key] += by
        if levels[key] > (sums[key].most if key in sums else 0):
            each = sums.setdefault(key, Sums())
            each.most, each.most_at = levels[key], at
