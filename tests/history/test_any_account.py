"""For any account, however it was looked at: every day is told as it was then."""

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from seatwise import history
from seatwise.models import Member, Service, User
from tests.history.looks import BEGIN, Look, Memory, Person, connected, lived, look

ZONE = ZoneInfo("Europe/Berlin")  # whose clock is put forward within the looks
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)

anything = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
looks = st.lists(look, min_size=1, max_size=6)


@pytest.fixture
def berlin(settings: Settings) -> None:
    settings.BILLING_ZONE = ZONE


@given(looks, st.integers(0, 150), st.integers(0, 150))
@anything
@pytest.mark.usefixtures("db", "berlin")
def test_days_months_and_comparisons_are_told_as_it_was_then(
    admin: User, given_looks: list[Look], one: int, other: int
) -> None:
    first, last = (BEGIN.date() + DAY * days for days in sorted((one, other)))
    with transaction.atomic():
        connection = connected()
        memory = lived(given_looks, connection, admin)
        service = Service.objects.get(pk=connection.service_id)
        for at, _truth in memory.truths:
            for moment in (at - INSTANT, at):
                assert shown(service, moment) == memory.shown(moment)
        assert [numbers(month) for month in history.months(service)] == counted_by_hand(memory)
        found = history.between(service, first, last)
        assert found.counts == compared_by_hand(memory, first, last)
        assert found.before == len(memory.at(history.end_of(first, ZONE)))
        assert found.after == len(memory.at(history.end_of(last, ZONE)))
        transaction.set_rollback(True)  # each example leaves nothing behind


def shown(service: Service, moment: datetime) -> dict[int, tuple[object, ...]]:
    columns = ("role_then", "license_then", "email_then", "name_then", "invited_then")
    members = Member.objects.of(service).as_of(moment)
    return {pk: tuple(rest) for pk, *rest in members.values_list("pk", *columns)}


Numbers = dict[tuple[str, str], tuple[int | None, int | None, datetime | None, int]]


def numbers(month: history.Month) -> tuple[date, Numbers]:
    lines = [("all", month.everybody), *(("role", line) for line in month.roles)]
    lines += [("license", line) for line in month.licenses]
    return month.first, {
        (by, line.name): (line.seat_days, line.most, line.most_at, line.at_end)
        for by, line in lines
    }


def counted_by_hand(memory: Memory) -> list[tuple[date, Numbers]]:
    moments = [at for at, _truth in memory.truths]
    first = next((at for at, truth in memory.truths if truth), None)
    if first is None:
        return []
    days = [first.astimezone(ZONE).date()]
    while days[-1] < moments[-1].astimezone(ZONE).date():
        days.append(days[-1] + DAY)
    found = []
    for month in sorted({day.replace(day=1) for day in days}, reverse=True):
        mine = [day for day in days if day.replace(day=1) == month]
        begin = datetime(month.year, month.month, 1, tzinfo=ZONE)
        inside = [max(begin, first)]
        inside += [at for at in moments if at >= first and at.astimezone(ZONE).date() in mine]
        found.append((month, by_hand(memory, mine, inside)))
    return found


def by_hand(memory: Memory, days: list[date], moments: list[datetime]) -> Numbers:
    seat_days: Counter[tuple[str, str]] = Counter()
    for day in days:
        seat_days += memory.counted(history.end_of(day, ZONE))
    most: dict[tuple[str, str], tuple[int, datetime]] = {}
    for moment in moments:
        for key, seats in memory.counted(moment).items():
            if seats > most.get(key, (0, moment))[0]:
                most[key] = (seats, moment)
    at_end = memory.counted(history.end_of(days[-1], ZONE))
    told: Numbers = {
        key: (seat_days[key], seats, at, at_end[key]) for key, (seats, at) in most.items()
    }
    told.setdefault(("all", ""), (0, 0, None, 0))
    if ("license", "") in told:  # what is unknown has no mark
        told["license", ""] = (seat_days["license", ""], None, None, at_end["license", ""])
        if not seat_days["license", ""] and not at_end["license", ""]:
            del told["license", ""]
    return told


def compared_by_hand(memory: Memory, first: date, last: date) -> Counter[str]:
    begin, end = (history.end_of(day, ZONE) for day in (first, last))
    was, now = memory.at(begin), memory.at(end)
    earlier = {person for at, truth in memory.truths if at <= begin for person in truth}
    between = [truth for at, truth in memory.truths if begin < at <= end]
    counts: Counter[str] = Counter()
    for person in {each for truth in (was, now, *between) for each in truth}:
        if person in was and person in now:
            counts["role"] += was[person][0].role != now[person][0].role
            counts["license"] += was[person][1] != now[person][1] and was_told(
                memory, person, begin
            )
            counts["away"] += any(person not in truth for truth in between)
        elif person in now:
            counts["returned" if person in earlier else "joined"] += 1
        else:
            counts["left" if person in was else "passed"] += 1
    return +counts


def was_told(memory: Memory, person: Person, moment: datetime) -> bool:
    """Whether a licence of theirs was known by then, be it that they hold none."""
    look = memory.licenses_at
    if look is None or look <= moment:
        return True
    return person not in (seats := memory.at(look)) or not seats[person][1]
