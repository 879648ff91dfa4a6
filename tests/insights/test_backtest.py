"""The rules on a day of the past, with what became of the people they would have found."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rich.console import Console

from seatwise.cli import rules as command
from seatwise.insights import backtest, facts_on
from seatwise.models import Member, Person, Service, Signal
from tests.pages import rows
from tests.spending.costs import account, contract, first_of, on, people, refreshed

BEGAN = first_of(7)
THEN = first_of(2)


@pytest.fixture
def of(db: None) -> Service:
    service = rows.service()
    there = account(service, BEGAN)
    ada, ben, cy, dee = people(there, 4, BEGAN)
    for member, days in ((ada, 100), (ben, 100), (cy, 100), (dee, 10)):
        Signal.objects.create(
            member=member, source="acknowledged", at=on(THEN) - timedelta(days=days),
            proof="acknowledged incident #1", read_at=timezone.now(),
        )  # fmt: skip
    Signal.objects.create(
        member=ben, source="resolved", at=on(THEN) + timedelta(days=9), proof="p",
        read_at=timezone.now(),
    )  # fmt: skip
    Member.objects.filter(pk=ben.pk).update(last_seen_at=on(THEN) + timedelta(days=9))
    Member.objects.filter(pk=cy.pk).update(left_at=timezone.now())
    rows.event(cy, "left", at=timezone.now())
    contract(service, BEGAN)
    return refreshed(service)


def test_a_day_of_the_past_tells_who_was_idle_then_and_what_became_of_them(of: Service) -> None:
    tested = backtest.on(of, THEN, timezone.now())["idle_full_seat"]
    assert (tested.found, tested.counted) == (3, 3)
    assert (tested.gone, tested.seen_again, tested.not_seen) == (1, 1, 1)
    assert tested.spared == {}  # whoever was active then is not even looked at


def test_a_sign_that_a_newer_one_replaced_makes_nobody_idle_in_the_past(of: Service) -> None:
    Signal.objects.filter(source="acknowledged").update(at=timezone.now())
    tested = backtest.on(of, THEN, timezone.now())["idle_full_seat"]
    assert tested.found == 0
    assert tested.spared["nobody can tell when they were last seen"] == 4


def test_the_command_prints_each_rule_of_that_day(of: Service) -> None:
    console = Console(record=True, width=220)
    assert command.on_day(console, THEN, "pagerduty")
    assert "Idle full seat" in console.export_text()
    assert not command.on_day(console, BEGAN - timedelta(days=1), "")
    assert not command.on_day(console, THEN, "zoom")


def test_facts_of_today_are_loaded_in_a_fixed_number_of_queries(
    of: Service, django_assert_max_num_queries: object
) -> None:
    today = timezone.now().date()
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert len(facts_on(of, today, timezone.now()).seats) == 3
    people(of.accounts[0], 30, BEGAN)
    fresh = Service.objects.for_table().get(pk=of.pk)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert len(facts_on(fresh, today, timezone.now()).seats) == 33


def test_who_left_the_company_is_told_by_the_people_file(of: Service) -> None:
    Person.objects.create(
        email="p0@acme.example", left_on=THEN, department="Sales", as_of=timezone.now()
    )
    found = facts_on(of, timezone.now().date(), timezone.now())
    assert found.has_people
    assert [each.person.department for each in found.seats if each.person] == ["Sales"]


def test_duty_that_was_never_read_is_unknown(of: Service) -> None:
    found = facts_on(of, timezone.now().date(), timezone.now())
    assert {each.duties for each in found.seats} == {None}
    of.accounts[0].duty_as_of = timezone.now()
    of.accounts[0].save()
    fresh = Service.objects.for_table().get(pk=of.pk)
    found = facts_on(fresh, timezone.now().date(), timezone.now())
    assert {each.duties for each in found.seats} == {()}
