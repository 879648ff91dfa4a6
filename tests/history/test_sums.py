"""The pure part: days in a zone whose clock moves, seats, seat-days and marks."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from seatwise.history.days import day_of, days_of, end_of, midnight, months_from
from seatwise.history.seats import Seat, Told, course, net, until
from seatwise.history.sweep import EVERYBODY, Key, Looks, Moves, note, sweep

BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # puts its clock forward at midnight


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 28), BERLIN, 24),
        (date(2026, 3, 29), BERLIN, 23),
        (date(2026, 10, 25), BERLIN, 25),
        (date(2026, 3, 8), HAVANA, 23),
        (date(2026, 11, 1), HAVANA, 25),
    ],
)
def test_a_day_is_as_long_as_its_zone_makes_it(day: date, zone: ZoneInfo, hours: int) -> None:
    begins, ends = midnight(day, zone), end_of(day, zone)
    assert ends - begins == timedelta(hours=hours) - timedelta(microseconds=1)
    assert day_of(begins, zone) == day_of(ends, zone) == day
    assert day_of(ends + timedelta(microseconds=1), zone) == day + timedelta(days=1)


def test_months_and_their_days_follow_on_each_other() -> None:
    months = list(months_from(date(2025, 12, 31), date(2026, 2, 1)))
    assert months == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]
    assert len(list(days_of(date(2028, 2, 1)))) == 29


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC) + timedelta(days=day - 1)


def test_a_row_without_a_beginning_is_told_by_what_was_before_each_change() -> None:
    events = [
        Told(at(1), "listed", "", "", ""),
        Told(at(5), "changed", "role", "user", "admin"),
        Told(at(6), "left", "", "", ""),
    ]
    assert list(course(events, Seat("admin", "Pro"))) == [
        (at(1), Seat("user", "Pro")),
        (at(5), Seat("admin", "Pro")),
        (at(6), None),
    ]


def test_the_mark_is_the_most_at_one_moment_and_when_it_was_first_reached() -> None:
    moves: Moves = {}
    for steps in (
        [(at(2), Seat("user", None)), (at(20), None)],
        [(at(4), Seat("user", None)), (at(4, 15), None)],  # no day's end sees this one
        [(at(10), Seat("user", None)), (at(11), Seat("admin", None))],
    ):
        note(moves, iter(steps))
    (month,) = sweep([Looks(moves, at(2), at(25))], zone=UTC, now=at(25))
    everybody = month.of[EVERYBODY]
    assert month.days == 23  # from the 2nd on; the 25th is not over
    assert (everybody.most, everybody.most_at, everybody.at_end) == (2, at(4), 1)
    assert everybody.seat_days == 18 + 15
    assert month.of[Key("role", "admin")].seat_days == 14
    assert month.of[Key("role", "user")].at_end == 0


def test_a_month_that_begins_at_its_mark_reached_it_at_its_first_moment() -> None:
    moves: Moves = {at(2): Counter({EVERYBODY: 3}), at(9): Counter({EVERYBODY: -1})}
    late = datetime(2026, 4, 9, tzinfo=UTC)
    _march, april = sweep([Looks(moves, at(2), late)], zone=UTC, now=late)
    assert april.of[EVERYBODY].most == 2
    assert april.of[EVERYBODY].most_at == datetime(2026, 4, 1, tzinfo=UTC)
    assert april.days == 8


def test_days_after_the_last_look_are_unknown_and_not_counted() -> None:
    moves: Moves = {at(2): Counter({EVERYBODY: 1})}
    now = datetime(2026, 6, 1, tzinfo=UTC)
    (month,) = sweep([Looks(moves, at(2), at(5))], zone=UTC, now=now)
    assert (month.days, month.of[EVERYBODY].seat_days) == (4, 4)


def test_each_account_is_counted_to_its_own_last_look() -> None:
    """And for marks to the end of that month, but not in the next one."""
    early: Moves = {at(2): Counter({EVERYBODY: 5}), at(3): Counter({EVERYBODY: -1})}
    late: Moves = {at(4): Counter({EVERYBODY: 2})}
    now = datetime(2026, 4, 3, tzinfo=UTC)
    accounts = [Looks(early, at(2), at(6)), Looks(late, at(4), now)]
    march, april = sweep(accounts, zone=UTC, now=now)
    both, one = march.of[EVERYBODY], april.of[EVERYBODY]
    assert (march.days, both.seat_days) == (30, 5 + 4 * 4 + 28 * 2)
    assert (both.most, both.most_at, both.at_end) == (6, at(4), 6)
    assert (april.days, one.seat_days, one.most, one.at_end) == (2, 4, 2, 2)


def test_an_account_that_was_replaced_holds_no_seat_from_then_on() -> None:
    steps = [(at(1), Seat("user", "")), (at(5), Seat("admin", ""))]
    assert list(until(iter(steps), at(3))) == [steps[0], (at(3), None)]
    assert list(until(iter(steps), None)) == steps
    for first, last, what in (
        (at(1), at(2), ()),
        (at(1), at(4), ("replaced",)),
        (at(3), at(6), ()),
        (at(0), at(6), ("joined", "replaced")),
    ):
        assert net(iter(steps), first, last, ends=at(3)).what == what


def test_who_was_there_at_the_first_look_did_not_join() -> None:
    steps = [(at(2), Seat("user", "")), (at(4), None), (at(6), Seat("user", ""))]
    for first, last, what in (
        (at(1), at(3), ("listed",)),
        (at(1), at(5), ("listed", "left")),
        (at(1), at(7), ("listed",)),
        (at(3), at(7), ("away",)),
        (at(5), at(7), ("returned",)),
    ):
        assert net(iter(steps), first, last, listed=True).what == what


def test_a_licence_that_is_told_for_the_first_time_is_no_change_of_it() -> None:
    told = [Told(at(1), "listed", "", "", ""), Told(at(3), "listed", "license", "", "Pro")]
    given = [Told(at(1), "listed", "", "", ""), Told(at(3), "changed", "license", "", "Pro")]
    for events, what in ((told, ()), (given, ("license",))):
        found = net(course(events, Seat("user", "Pro")), at(2), at(4))
        assert (found.now, found.what) == (Seat("user", "Pro"), what)


def test_who_left_and_came_back_was_away_and_who_came_and_went_is_told_as_that() -> None:
    steps = [(at(1), Seat("user", "")), (at(3), None), (at(5), Seat("admin", ""))]
    assert net(iter(steps), at(2), at(6)).what == ("role", "away")
    assert net(iter(steps), at(4), at(6)).what == ("returned",)
    assert net(iter(steps), at(2), at(4)).what == ("left",)
    assert net(iter(steps[:2]), at(0), at(4)).what == ("passed",)
    assert net(iter(steps[:1]), at(0), at(4)).what == ("joined",)
