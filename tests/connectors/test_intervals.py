"""Stretches of time, against the same question asked minute by minute."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seatwise.connectors.pagerduty.activity.intervals import (
    Interval,
    length,
    merged,
    shortened,
    without,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = 30


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def minutes(intervals: list[Interval]) -> list[int]:
    """Every minute in them, as often as it is in one."""
    return [n for n in range(MINUTES) for since, until in intervals if since <= at(n) < until]


PLACES = st.integers(0, MINUTES)
PAIRS = st.tuples(PLACES, PLACES).map(lambda pair: (at(min(pair)), at(max(pair))))
SOME = st.lists(PAIRS, max_size=6)


@given(SOME)
def test_merged_intervals_are_the_same_time_and_never_touch(some: list[Interval]) -> None:
    found = merged(some)
    assert minutes(found) == sorted(set(minutes(some)))
    assert all(one[1] < two[0] for one, two in pairwise(found))


@given(PAIRS, SOME)
def test_what_is_left_is_what_nobody_took_newest_first(
    whole: Interval, some: list[Interval]
) -> None:
    left = without(whole, some)
    assert minutes(left) == sorted(set(minutes([whole])) - set(minutes(some)))
    assert left == sorted(left, reverse=True)
    assert length(left) == timedelta(minutes=len(minutes(left)))


@given(SOME, st.integers(0, MINUTES))
def test_a_shortened_interval_keeps_its_beginning(some: list[Interval], by: int) -> None:
    found = shortened(some, timedelta(minutes=by))
    assert [since for since, _ in found] == [since for since, _ in some]
    assert all(since <= until for since, until in found)
    assert all(new[1] <= old[1] for new, old in zip(found, some, strict=True))
