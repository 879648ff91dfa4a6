"""Months as a person's calendar has them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from seatwise.connectors.months import borders, last_months

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    ("month", "hours"),
    [
        (date(2026, 2, 1), 28 * 24),
        (date(2026, 3, 1), 31 * 24 - 1),
        (date(2026, 11, 1), 30 * 24 + 1),
    ],
)
def test_a_month_with_a_change_of_clocks_is_an_hour_shorter_or_longer(
    month: date, hours: int
) -> None:
    start, end = borders(month, NEW_YORK)
    assert end - start == timedelta(hours=hours)


@pytest.mark.fault(68)
def test_the_first_hours_of_march_in_utc_are_february_in_new_york() -> None:
    start, end = borders(date(2026, 2, 1), NEW_YORK)
    assert start <= datetime(2026, 3, 1, 4, 30, tzinfo=UTC) < end


def test_december_ends_where_january_begins() -> None:
    assert borders(date(2026, 12, 1), ZoneInfo("UTC"))[1] == datetime(2027, 1, 1, tzinfo=UTC)


def test_the_last_months_go_back_over_the_turn_of_the_year() -> None:
    assert last_months(date(2026, 2, 28), 4) == [
        date(2026, 2, 1),
        date(2026, 1, 1),
        date(2025, 12, 1),
        date(2025, 11, 1),
    ]
