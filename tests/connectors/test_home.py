"""Billable alerts at home and abroad: counted by country code, and no number is kept."""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from seatwise.connectors.pagerduty.usage.abroad import code, words
from tests.connectors.usages import SPLIT, Read, agrees, listed, numbers, plan, usage
from tests.sandboxes import Running, running

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEXT = NOW + timedelta(days=1)
OPTIONS: dict[str, Any] = {"seed": 6, "users": 90, "months": 3, "incidents": 2400}
MONTHS = {
    "2026-10": ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
    "2026-11": ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running(now=NOW, **OPTIONS) as started:
        yield started


@pytest.fixture(scope="module")
def next_day() -> Iterator[Running]:
    with running(now=NEXT, **OPTIONS) as started:
        yield started


@pytest.fixture(autouse=True)
def _good_day(sandbox: Running, next_day: Running) -> Iterator[None]:
    yield
    for each in (sandbox, next_day):
        each.clear_faults()
        each.forget_requests()


def addresses(sandbox: Running, month: str) -> list[str]:
    """Where the month's SMS and phone calls went to, by the vendor's own list."""
    since, until = MONTHS[month]
    return [
        row["address"]
        for channel in ("sms", "phone")
        for row in listed(
            sandbox,
            "/notifications",
            "notifications",
            since=since,
            until=until,
            filter=f"{channel}_notification",
        )
    ]


def split_is_right(sandbox: Running, got: Read, home: str, month: str) -> None:
    went = Counter(to.startswith(f"+{home}") for to in addresses(sandbox, month))
    assert went[True]
    assert went[False]
    found = [got.numbers[month, metric].value for metric in SPLIT]
    assert found == [went[True], went[False]]


@pytest.mark.parametrize("home", ["1", "49"])
@pytest.mark.parametrize("refused", [False, True])
def test_home_and_abroad_are_told_apart_by_list_and_by_log(
    sandbox: Running, home: str, refused: bool
) -> None:
    expected = {month: addresses(sandbox, month) for month in MONTHS}
    if refused:
        sandbox.fault(path="/notifications", status=403, times=None)
    asked = plan(NOW, home=home)
    got = usage(sandbox, asked)
    agrees(sandbox, got.numbers, asked)
    for month, went in expected.items():
        at_home = sum(to.startswith(f"+{home}") for to in went)
        found = [got.numbers[month, metric] for metric in SPLIT]
        assert [usage.value for usage in found] == [at_home, len(went) - at_home]
        assert 0 < at_home < len(went)
        source = "GET /log_entries" if refused else "GET /notifications"
        assert {usage.source for usage in found} == {source}


def test_without_a_home_nothing_is_listed_and_nothing_told(sandbox: Running) -> None:
    got = usage(sandbox, plan(NOW))
    assert not {metric for _, metric in got.numbers} & set(SPLIT)
    assert got.requests["GET /notifications"] == 12


def test_months_that_were_read_without_a_home_are_read_again(sandbox: Running) -> None:
    first = usage(sandbox, plan(NOW))
    asked = plan(NOW, home="1", state=first.state)
    got = usage(sandbox, asked)
    agrees(sandbox, got.numbers, asked)
    split_is_right(sandbox, got, "1", "2026-10")
    again = usage(sandbox, plan(NOW, home="49", state=got.state))
    split_is_right(sandbox, again, "49", "2026-10")


@pytest.mark.parametrize("refused", [False, True])
def test_the_next_day_only_what_is_new_is_listed(
    sandbox: Running, next_day: Running, refused: bool
) -> None:
    expected = addresses(next_day, "2026-11")
    if refused:
        for each in (sandbox, next_day):
            each.fault(path="/notifications", status=403, times=None)
    first = usage(sandbox, plan(NOW, home="1"))
    second = usage(next_day, plan(NEXT, home="1", state=first.state))
    known = numbers([*first.batches, *second.batches])
    agrees(next_day, known, plan(NEXT, home="1"))
    at_home = sum(to.startswith("+1") for to in expected)
    found = [known["2026-11", metric].value for metric in SPLIT]
    assert found == [at_home, len(expected) - at_home]
    assert sum(second.requests.values()) <= 30
    assert sum(first.requests.values()) > 60


def test_no_address_is_handed_over_kept_or_logged(
    sandbox: Running, caplog: pytest.LogCaptureFixture
) -> None:
    went = {to for month in MONTHS for to in addresses(sandbox, month)}
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    got = [usage(sandbox, plan(NOW, home="1"))]
    sandbox.fault(path="/notifications", status=403, times=None)
    got.append(usage(sandbox, plan(NOW, home="1")))
    said = repr([each.batches for each in got]) + json.dumps([each.state for each in got])
    said += caplog.text
    for address in went:
        assert address not in said
        assert address.removeprefix("+") not in said


@pytest.mark.parametrize(
    ("address", "home", "abroad"),
    [
        ("+4915112345678", "49", False),
        ("+49 (151) 1234", "49", False),
        ("+4915112345678", "1", True),
        ("+14155550123", "1", False),
        ("+12425550123", "1242", False),
        ("+14155550123", "1242", True),
        ("+35385000012", "33", True),
        (" +4477009001", "49", True),
        ("015112345678", "49", False),
        ("004477009001", "49", False),
        ("4477009001", "49", False),
        ("+", "49", False),
        ("", "49", False),
        (None, "49", False),
        (49, "49", False),
    ],
)
def test_abroad_is_an_international_number_with_another_code(
    address: object, home: str, abroad: bool
) -> None:
    assert (list(words("sms", code(address), home)) == ["sms", "sms abroad"]) is abroad


@pytest.mark.fault(53)
@pytest.mark.parametrize("times", [1, None])
def test_a_total_that_is_not_what_the_list_shows_is_asked_again_and_then_said(
    sandbox: Running, times: int | None
) -> None:
    month = MONTHS["2026-11"]
    shown = listed(
        sandbox,
        "/notifications",
        "notifications",
        since=month[0],
        until=month[1],
        filter="sms_notification",
    )
    body = {"notifications": shown[:1], "more": True, "total": len(shown) + 9}
    wrong = {"path": "/notifications", "kind": "json", "body": body}
    sandbox.fault(**wrong, query="filter=sms_notification&limit=1&", times=times)
    got = usage(sandbox, plan(NOW, months=1, home="1"))
    assert [got.numbers["2026-11", name].value for name in SPLIT] == _split(sandbox, "2026-11")
    if times:
        agrees(sandbox, got.numbers, plan(NOW, months=1, home="1"))
        assert got.gaps == []
    else:
        (gap,) = got.gaps
        assert gap.what == "How many notifications went out by sms in 2026-11 is not certain."


def _split(sandbox: Running, month: str) -> list[int]:
    went = addresses(sandbox, month)
    at_home = sum(to.startswith("+1") for to in went)
    return [at_home, len(went) - at_home]


def test_mail_and_push_go_nowhere_abroad() -> None:
    assert list(words("email", "4477", "49")) == ["email"]


def test_of_a_number_only_the_code_is_ever_known() -> None:
    assert code("+491511234567890") == "4915"
