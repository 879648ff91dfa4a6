"""For any account, however it was looked at: every day is told as it was then."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from seatwise import history
from seatwise.models import Service, User
from tests.history.looks import BEGIN, Account, Look, Memory, Person, lived, look

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


@given(
    looks, st.none() | st.timedeltas(INSTANT, 40 * DAY), st.integers(0, 150), st.integers(0, 150)
)
@anything
@pytest.mark.usefixtures("db", "berlin")
def test_days_months_and_comparisons_are_told_as_it_was_then(
    admin: User, given_looks: list[Look], replaced: timedelta | None, one: int, other: int
) -> None:
    first, last = (BEGIN.date() + DAY * days for days in sorted((one, other)))
    with transaction.atomic():
        memory = lived(given_looks, replaced, admin)
        service = Service.objects.get()
        for at in memory.moments:
            for moment in (at - INSTANT, at):
                assert shown(service, moment) == memory.shown(moment)
        assert [numbers(month) for month in history.months(service)] == counted_by_hand(memory)
        found = history.between(service, first, last)
        assert found.counts == compared_by_hand(memory, first, last)
        assert found.before == len(memory.at(history.end_of(first, ZONE)))
        assert found.after == len(memory.at(history.end_of(last, ZONE)))
        told = list(history.differences(service, first, last, found.members))
        assert [each.member for each in told] == found.members
        assert Counter(what for each in told for what in each.net.what) == found.counts
        transaction.set_rollback(True)  # each example leaves nothing behind


def shown(service: Service, moment: datetime) -> dict[int, tuple[object, ...]]:
    columns = ("role_then", "license_then", "email_then", "name_then", "invited_then")
    members = history.held_at(service, moment)
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
    """Each account counts from its first look to its last one."""
    spans = {
        account: [at.astimezone(ZONE).date() for at in (account.since, account.until)]
        for account in memory.accounts
        if account.since and account.until
    }
    if not spans:
        return []
    days = [min(since for since, _until in spans.values())]
    while days[-1] < max(until for _since, until in spans.values()):
        days.append(days[-1] + DAY)
    found = []
    for month in sorted({day.replace(day=1) for day in days}, reverse=True):
        here = {account: span for account, span in spans.items() if span[1] >= month}
        found.append((month, by_hand(here, month)))
    return found


def by_hand(spans: dict[Account, list[date]], month: date) -> Numbers:
    days = [day for n in range(31) if (day := month + n * DAY).month == month.month]
    seat_days: Counter[tuple[str, str]] = Counter()
    for account, (since, until) in spans.items():
        for day in days:
            if since <= day <= until:
                seat_days += account.counted(history.end_of(day, ZONE))
    moments = {datetime(month.year, month.month, 1, tzinfo=ZONE)}
    moments |= {at for each in spans for at, _truth in each.truths if in_month(at, month)}
    most: dict[tuple[str, str], tuple[int, datetime]] = {}
    for moment in sorted(moments):
        for key, seats in counted(spans, moment).items():
            if seats > most.get(key, (0, moment))[0]:
                most[key] = (seats, moment)
    at_end = counted(spans, history.end_of(days[-1], ZONE))
    told: Numbers = {
        key: (seat_days[key], seats, at, at_end[key]) for key, (seats, at) in most.items()
    }
    # Between the last look at one account and the first at another nothing is known of any day.
    is_known = any(since <= day <= until for since, until in spans.values() for day in days)
    told.setdefault(("all", ""), (0 if is_known else None, 0, None, 0))
    if ("license", "") in told:  # what is unknown has no mark
        told["license", ""] = (seat_days["license", ""], None, None, at_end["license", ""])
        if not seat_days["license", ""] and not at_end["license", ""]:
            del told["license", ""]
    return told


def in_month(at: datetime, month: date) -> bool:
    return at.astimezone(ZONE).date().replace(day=1) == month


def counted(accounts: Iterable[Account], moment: datetime) -> Counter[tuple[str, str]]:
    return sum((each.counted(moment) for each in accounts), Counter())


def compared_by_hand(memory: Memory, first: date, last: date) -> Counter[str]:
    counts: Counter[str] = Counter()
    for account in memory.accounts:
        begin, end = (history.end_of(day, ZONE) for day in (first, last))
        was, now = account.at(begin), account.at(end)
        earlier = {person for at, truth in account.truths if at <= begin for person in truth}
        between = [truth for at, truth in account.truths if begin < at <= end]
        gone = account.replaced_at is not None and account.replaced_at <= end
        for person in {each for truth in (was, now, *between) for each in truth}:
            joined = "listed" if person.was_there else "joined"
            came = "returned" if person in earlier else joined
            went = "replaced" if gone and person in account.newest else "left"
            if person in was and person in now:
                told = was_told(account, person, begin)
                counts["role"] += was[person][0].role != now[person][0].role
                counts["license"] += was[person][1] != now[person][1] and told
                counts["away"] += any(person not in truth for truth in between)
            elif person in now:
                counts[came] += 1
            elif person in was:
                counts[went] += 1
            elif came != "listed" and went == "left":
                counts["passed"] += 1
            else:
                counts.update([came, went])
    return +counts


def was_told(account: Account, person: Person, moment: datetime) -> bool:
    """Whether a licence of theirs was known by then, be it that they hold none."""
    look = account.licenses_at
    if look is None or look <= moment:
        return True
    return person not in (seats := account.at(look)) or not seats[person][1]
