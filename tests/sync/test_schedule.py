"""When a connection is synced next: once a period, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from seatwise.models import AuditEvent, Connection, Service, User
from seatwise.sync.schedule import choose, in_words, next_sync
from tests.pages import rows

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    BERLIN,
    ZoneInfo("America/Sao_Paulo"),  # puts clocks forward at midnight
    ZoneInfo("Australia/Lord_Howe"),  # by half an hour
    ZoneInfo("Asia/Kathmandu"),
    ZoneInfo("UTC"),
]
PERIODS = {"6h": timedelta(hours=6), "day": timedelta(days=1), "week": timedelta(days=7)}
SHIFT = timedelta(hours=1)  # of clocks that are put forward or back
START = datetime(2009, 1, 1, tzinfo=UTC)  # from when on the zones' changes are of every kind
moments = st.integers(0, 22 * 365 * 24 * 3600).map(lambda seconds: START + timedelta(0, seconds))
connections = st.builds(
    Connection,
    pk=st.integers(1, 10**9),
    sync_every=st.sampled_from(sorted(PERIODS)),
    sync_minute=st.none() | st.integers(0, 24 * 60 - 1),
    sync_weekday=st.none() | st.integers(0, 6),
)


@given(connections, moments, st.sampled_from(ZONES))
def test_the_next_time_is_ahead_and_never_more_than_a_period(
    connection: Connection, now: datetime, zone: ZoneInfo
) -> None:
    with override_settings(BILLING_ZONE=zone):
        at = next_sync(connection, now)
    assert at is not None
    assert now < at <= now + PERIODS[connection.sync_every] + SHIFT


@given(connections, moments, st.sampled_from(ZONES))
def test_there_is_exactly_one_in_each_period(
    connection: Connection, now: datetime, zone: ZoneInfo
) -> None:
    times, at = [], now
    with override_settings(BILLING_ZONE=zone):
        for _ in range(9):
            following = next_sync(connection, at)
            assert following is not None
            times.append(at := following)
    local = [each.astimezone(zone) for each in times]
    period = PERIODS[connection.sync_every]
    if connection.sync_every == "6h":
        quarters = [(each.date().toordinal(), each.hour // 6) for each in local]
        assert len(set(quarters)) == len(times) or any(_shifted(each) for each in local)
    else:
        days = [each.date() for each in local]
        assert {after - before for before, after in pairwise(days)} == {period}
    assert all(abs(after - before - period) <= SHIFT for before, after in pairwise(times))


@pytest.mark.parametrize(
    ("clock", "on", "expected"),
    [
        (150, "2026-03-28", "2026-03-29T01:30"),  # 02:30 does not exist: 03:30 in summer time
        (150, "2026-10-24", "2026-10-25T00:30"),  # 02:30 is there twice: the first counts
        (390, "2026-03-28", "2026-03-29T04:30"),
        (390, "2026-10-24", "2026-10-25T05:30"),
    ],
)
def test_over_a_change_of_the_clocks_a_day_has_one_sync(
    clock: int, on: str, expected: str, settings: Settings
) -> None:
    settings.BILLING_ZONE = BERLIN
    connection = Connection(pk=1, sync_every="day", sync_minute=clock)
    at = next_sync(connection, datetime.fromisoformat(f"{on}T12:00").replace(tzinfo=UTC))
    assert at == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    after = next_sync(connection, at)
    assert after is not None
    assert after.astimezone(BERLIN).date() == at.astimezone(BERLIN).date() + timedelta(days=1)


@pytest.mark.parametrize("count", [2, 10, 300])
def test_connections_without_a_chosen_time_fill_the_day_evenly(count: int) -> None:
    """No space between two of them is more than three times what would be even."""
    start = datetime(2026, 11, 23, tzinfo=UTC)
    times = sorted(
        next_sync(Connection(pk=pk, sync_every="day"), start) or start for pk in range(1, count + 1)
    )
    spaces = [after - before for before, after in pairwise([*times, times[0] + PERIODS["day"]])]
    assert max(spaces) <= 3 * PERIODS["day"] / count


def test_who_is_started_by_hand_only_has_no_next_time() -> None:
    assert next_sync(Connection(pk=1, sync_every="never"), datetime.now(UTC)) is None


def test_choosing_a_schedule_sets_the_next_sync_and_is_on_the_trail(
    service: Service, admin: User, settings: Settings
) -> None:
    settings.BILLING_ZONE = BERLIN
    connection = rows.connection(service, sync_minute=0)
    choose(connection, every="day", minute=390, weekday=3, by=admin)
    stored = Connection.objects.get()
    assert stored.next_sync_at == connection.next_sync_at
    assert f"{stored.next_sync_at.astimezone(BERLIN):%H:%M}" == "06:30"  # type: ignore[union-attr]
    assert stored.sync_weekday is None  # a daily sync has none
    event = AuditEvent.objects.get(action="schedule_changed")
    assert (
        event.said
        == "Every day at 06:30 (Europe/Berlin). Before: Every day at 00:00 (Europe/Berlin)."
    )
    assert event.actor.startswith("Ada Admin")
    choose(connection, every="day", minute=390, weekday=None, by=admin)
    assert AuditEvent.objects.filter(action="schedule_changed").count() == 1
    choose(connection, every="never", minute=None, weekday=None, by=admin)
    assert Connection.objects.get().next_sync_at is None


def test_of_a_connection_without_a_grant_no_sync_comes_next(service: Service, admin: User) -> None:
    connection = rows.connection(service, state="needs_reconnect")
    choose(connection, every="6h", minute=None, weekday=None, by=admin)
    assert Connection.objects.get().next_sync_at is None


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"every": "hour"}, "every 6 hours, every day"),
        ({"minute": 1440}, "00:00 to 23:59"),
        ({"minute": -1}, "00:00 to 23:59"),
        ({"every": "week", "weekday": 7}, "Monday to Sunday"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_sentence(
    service: Service, admin: User, wish: dict[str, object], told: str
) -> None:
    connection = rows.connection(service)
    given: dict[str, object] = {"every": "day", "minute": None, "weekday": None, **wish}
    with pytest.raises(ValueError, match=told):
        choose(connection, by=admin, **given)  # type: ignore[arg-type]
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("every", "words"),
    [
        ("6h", "Every 6 hours, at 00:30, 06:30, 12:30 and 18:30 (UTC)"),
        ("day", "Every day at 06:30 (UTC)"),
        ("week", "Every Thursday at 06:30 (UTC)"),
        ("never", "Only when somebody asks"),
    ],
)
def test_a_schedule_is_told_in_words(every: str, words: str) -> None:
    connection = Connection(pk=1, sync_every=every, sync_minute=390, sync_weekday=3)
    assert in_words(connection) == words


def _shifted(local: datetime) -> bool:
    """Whether clocks are put forward or back around then."""
    return (local + PERIODS["day"]).utcoffset() != (local - PERIODS["day"]).utcoffset()
