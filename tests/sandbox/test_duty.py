"""Who is on call, as a rule of arithmetic: shifts, overrides and turns of made-up schedules."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwise.sandbox.options import Options
from seatwise.sandbox.pagerduty.company.codes import DAY
from seatwise.sandbox.pagerduty.company.duty import Hours, Layer, Schedule, Shift
from seatwise.sandbox.pagerduty.company.people import EVER, Person, Presence, Seat, Team
from seatwise.sandbox.pagerduty.company.world import World

BASE = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
ZONES = ("UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata")
BORDERS = tuple(  # summer time begins or ends somewhere within days
    int(datetime(2026, month, day, tzinfo=UTC).timestamp())
    for month, day in ((3, 8), (3, 29), (4, 4), (10, 4), (10, 25), (11, 1), (6, 15))
)
SOMEBODY = Person(
    *("P1", "one@harbor.example", "One", "user", "", "UTC", "1", "", False),
    *((), "PL", (), True, Presence(), 0, 0, 0),
)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 32), border=st.sampled_from(BORDERS))
def test_shifts_are_who_is_on_call_at_each_moment(seed: int, border: int) -> None:
    rng = random.Random(seed)
    schedule = _schedule(rng)
    since = border - rng.randrange(4 * DAY)
    until = since + rng.randrange(1, 8 * DAY)
    shifts = schedule.shifts(since, until)
    assert all(one.end <= other.start for one, other in pairwise(shifts))
    assert all(shift.start < shift.end for shift in shifts)
    for at in _moments(rng, shifts, since, until):
        held = schedule.holder(at)
        assert _held(shifts, at) == (held.id if held else None), at


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 32), border=st.sampled_from(BORDERS))
def test_a_shift_is_the_same_in_whatever_window_one_asks_for_it(seed: int, border: int) -> None:
    rng = random.Random(seed)
    schedule = _schedule(rng)
    since, until = border - 20 * DAY, border + 20 * DAY
    everything = schedule.shifts(since, until)
    for _ in range(4):
        begin = rng.randrange(since, until - 1)
        end = rng.randrange(begin + 1, until)
        within = [shift for shift in everything if shift.start < end and shift.end > begin]
        assert schedule.shifts(begin, end) == within
        overridden = schedule.overrides(since, until)
        within = [shift for shift in overridden if shift.start < end and shift.end > begin]
        assert schedule.overrides(begin, end) == within


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 1 << 32), border=st.sampled_from(BORDERS))
def test_overrides_are_what_differs_from_the_rotations(seed: int, border: int) -> None:
    rng = random.Random(seed)
    schedule = _schedule(rng)
    since, until = border - 6 * DAY, border + 6 * DAY
    shifts, overrides = schedule.shifts(since, until), schedule.overrides(since, until)
    turns = [schedule.turns(layer, since, until) for layer in schedule.layers]
    moments = [at for part in (shifts, overrides, *turns) for at in _moments(rng, part)]
    for at in moments:
        if since <= at < until:
            planned = next(filter(None, (_held(part, at) for part in turns)), None)
            real, other = _held(shifts, at), _held(overrides, at)
            assert other == (real if real != planned else None), at
            assert (other or planned) == real, at  # the parts put together give the whole


@pytest.mark.parametrize("seed", [1, 7])
def test_the_schedules_of_an_account_keep_those_rules_too(seed: int) -> None:
    now = datetime(2026, 11, 4, 12, tzinfo=UTC)
    world = World(Options(seed=seed, users=120, months=3, accounts=1, now=now))
    rng = random.Random(seed)
    for schedule in world.companies["harbor-prod"].account.schedules:
        until = int(now.timestamp())
        shifts = schedule.shifts(until - 20 * DAY, until)
        assert all(one.end <= other.start for one, other in pairwise(shifts))
        for at in _moments(rng, shifts, until - 20 * DAY, until):
            held = schedule.holder(at)
            assert _held(shifts, at) == (held.id if held else None)


def _schedule(rng: random.Random) -> Schedule:
    """One or two layers of one to four seats; some people are away, leave or have yet to come."""
    layers = []
    for n in range(rng.randint(1, 2)):
        seats = tuple(_seat(rng, f"{n}{k}") for k in range(rng.randint(1, 4)))
        hours = Hours(rng.randrange(48) * 1800, rng.randrange(1, 47) * 1800)
        turn = rng.choice((DAY, 7 * DAY, DAY // 2))
        start = BASE - rng.randrange(200 * DAY)
        narrow = hours if rng.random() < 0.6 else None
        layers.append(Layer(f"L{n}", f"Layer {n}", start, turn, seats, narrow))
    return Schedule("S", "Line", Team("T", "Team"), rng.choice(ZONES), tuple(layers))


def _seat(rng: random.Random, name: str) -> Seat:
    first = replace(SOMEBODY, id=f"P{name}", since=BASE - rng.randrange(-90, 90) * DAY)
    change = first.since + rng.randrange(1, 300 * DAY)
    away = Presence(rng.randint(8, 30), rng.randrange(30), rng.randint(1, 20))
    first = replace(first, presence=away if rng.random() < 0.5 else Presence())
    second = replace(SOMEBODY, id=f"Q{name}", since=change, until=rng.choice((EVER, change + DAY)))
    return Seat("user", (replace(first, until=change), second))


def _held(shifts: list[Shift], at: int) -> str | None:
    held = [shift.person.id for shift in shifts if shift.start <= at < shift.end]
    assert len(held) < 2
    return held[0] if held else None


def _moments(
    rng: random.Random, shifts: list[Shift], since: int = 0, until: int = EVER
) -> list[int]:
    """Moments around every border, and some at random in between."""
    found = [at + d for s in shifts for at in (s.start, s.end) for d in (-1, 0, 1)]
    found += [rng.randrange(s.start, s.end) for s in shifts]
    if until < EVER:
        found += [rng.randrange(since, until) for _ in range(100)]
    return [at for at in found if since <= at < until]
