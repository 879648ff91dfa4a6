"""Days as people and programs write them: one meaning each, or none."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise.memberfile import either, moment, order_of
from seatwise.memberfile.dates import NoDay, Order

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-04", "2026-03-04T00:00"),
        ("2026/3/4", "2026-03-04T00:00"),
        ("2026-03-04T05:06:07Z", "2026-03-04T05:06"),
        ("2026-03-04 05:06:07.123456 UTC", "2026-03-04T05:06"),
        ("2026-03-04T05:06:07+02:00", "2026-03-04T03:06"),
        ("2026-03-04 05:06 -0330", "2026-03-04T08:36"),
        ("04.03.2026", "2026-03-04T00:00"),
        ("4.3.26, 5:06", "2026-03-04T05:06"),
        ("3/4/2026 5:06 PM", "2026-03-04T17:06"),
        ("03-04-2026 12:30 am", "2026-03-04T00:30"),
        ("4 Mar 2026", "2026-03-04T00:00"),
        ("04-Mar-26", "2026-03-04T00:00"),
        ("March 4, 2026 at 5:06 pm", "2026-03-04T17:06"),
        ("Wed, 04 Mar 2026 05:06:07 GMT", "2026-03-04T05:06"),
        ("Wednesday 03/04/2026", "2026-03-04T00:00"),
        ("wed. 3/4/26", "2026-03-04T00:00"),
        ("Thurs, March 5, 2026", "2026-03-05T00:00"),
        ("2026-03-04\n 5:06", "2026-03-04T05:06"),
    ],
)
def test_many_ways_to_write_a_day_are_read(text: str, told: str) -> None:
    found = moment(text, "month", UTC)
    assert found is not None
    assert f"{found:%Y-%m-%dT%H:%M}" == told


@pytest.mark.parametrize(
    "text",
    ["2026", "13:00", "2026-02-30", "3/4/5/6", "1/2-2026", "2026-03-04 25:00", "4 Foo 2026", "x",
     "2026-03-04 13:00 pm", "2026-03-04 05:06 +99:00", "9999-12-31T23:59:59-14:00", "3 days ago",
     "Wed, 03/04/2026", "Thu, 04 Mar 2026", "Wed, 2026-03-05", "Wedge 04.03.2026",
     "2026-03-04" + " " * 200 + "5:06"],
)  # fmt: skip
def test_what_is_no_day_is_told_so(text: str) -> None:
    with pytest.raises(NoDay):
        moment(text, "day", UTC)


@pytest.mark.parametrize("text", ["", " - ", "never", "N/A", "–", "unknown"])
def test_no_day_in_words_is_unknown(text: str) -> None:
    assert moment(text, "day", UTC) is None


@given(day=DAYS, order=st.sampled_from(["day", "month"]), mark=st.sampled_from("/-"))
def test_a_day_is_read_back_in_the_order_in_which_it_was_written(
    day: date, order: Order, mark: str
) -> None:
    form = f"%d{mark}%m{mark}%Y" if order == "day" else f"%m{mark}%d{mark}%Y"
    assert moment(day.strftime(form), order, UTC) == datetime(*day.timetuple()[:3], tzinfo=UTC)
    told = order_of([day.strftime(form)])
    assert told == (order if day.day > 12 else "any" if day.day == day.month else "ask")


def test_the_days_themselves_tell_their_order_where_they_can() -> None:
    assert order_of(["03/04/2026", "31/03/2026"]) == "day"
    assert order_of(["03/04/2026", "03/31/2026 10:00"]) == "month"
    assert order_of(["03/04/2026", "04/04/2026"]) == "ask"
    assert order_of(["31/03/2026", "03/31/2026"]) == "ask"
    assert order_of(["04.03.2026", "2026-03-04", "", "x", date(2026, 3, 4)]) == "any"
    assert either(["", "05/05/2026", date(2026, 3, 4), "03/04/2026"]) == "03/04/2026"


def test_a_weekday_tells_the_order_where_it_fits_in_one_only() -> None:
    assert order_of(["Wed, 03/04/2026"]) == "month"  # 4 March; 3 April is a Friday
    assert order_of(["Fri, 03/04/2026", "01/02/2026"]) == "day"
    assert order_of(["Wed, 03/25/2026", "Wednesday, 25/03/2026"]) == "ask"
    assert order_of(["Sun, 03/04/2026"]) == "any"  # it fits in none: a mistake in any order
    assert order_of(["Wed, 03/25/2026"]) == "month"
    assert moment("Wed, 03/25/2026", "month", UTC) == datetime(2026, 3, 25, tzinfo=UTC)


def test_a_weekday_that_fits_in_both_orders_leaves_it_open() -> None:
    written = "Thu, 01/10/2026"
    assert {date(2026, 1, 10).weekday(), date(2026, 10, 1).weekday()} == {5, 3}
    both = "Sun, 02/08/2026"  # 2 August and 8 February
    assert order_of([written, both]) == "day"
    assert (order_of([both]), either([written, both])) == ("ask", both)


@pytest.mark.parametrize("text", ["03/04/0000", "03/04/2026 99:99", "Mon, 03/04/2026"])
def test_what_is_no_day_in_any_order_is_not_asked_about(text: str) -> None:
    assert (order_of([text]), either([text])) == ("any", "")
