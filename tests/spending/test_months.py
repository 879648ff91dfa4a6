"""What months cost, from a past that was really looked at, and what was invoiced for them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from seatwise import spending
from seatwise.models import Budget, Person, Reduction, Service
from seatwise.pricing import Alerts
from tests.pages import rows
from tests.spending.costs import (
    FULL,
    STAKEHOLDERS,
    account,
    contract,
    first_of,
    invoice,
    month_end,
    people,
    refreshed,
)

THEN, BEFORE, LAST, NOW = first_of(3), first_of(2), first_of(1), first_of(0)


@pytest.fixture
def of(db: None) -> Service:
    return rows.service()


def amounts(service: Service) -> list[Decimal | None]:
    """The newest month first."""
    return [each.expected for each in spending.months(service)]


def test_a_month_costs_what_was_held_in_it_and_stays_at_its_price(of: Service) -> None:
    there = account(of, THEN)
    people(there, 10, THEN)
    people(there, 5, THEN, left=LAST.replace(day=2))
    contract(of, THEN)
    contract(of, NOW, replace(FULL, price=Decimal(49)))
    # Five left in the month before this one, in which fifteen were held for a day.
    assert amounts(refreshed(of)) == [490, 615, 615, 615]


def test_a_ratchet_holds_until_a_reduction_is_confirmed(of: Service) -> None:
    there = account(of, THEN)
    people(there, 10, THEN)
    people(there, 5, THEN, left=BEFORE.replace(day=2))
    contract(of, THEN, replace(FULL, ratchet=True))
    assert amounts(refreshed(of)) == [15 * 41] * 4
    Reduction.objects.create(service=of, line="full", seats=10, since=NOW, made_at=timezone.now())
    assert amounts(refreshed(of)) == [10 * 41, *[15 * 41] * 3]
    [cost] = spending.months(of)[1].costs
    assert (cost.held, cost.seats) == (10, 15)
    assert "15 is the most of any month before, and stays billed" in cost.why


def test_stakeholders_are_billed_by_the_pack_and_full_users_each(of: Service) -> None:
    there = account(of, NOW)
    people(there, 3, NOW)
    people(there, 51, NOW, role="read_only_user")
    contract(of, NOW, FULL, STAKEHOLDERS)
    [month] = spending.months(refreshed(of))
    assert {cost.line: cost.seats for cost in month.costs} == {"full": 3, "stakeholder": 100}
    assert {cost.line: cost.amount for cost in month.costs} == {
        "full": Decimal(123),
        "stakeholder": Decimal(300),
    }
    assert month.expected == 423


def test_without_a_price_a_month_has_seats_and_no_amount(of: Service) -> None:
    people(account(of, NOW), 3, NOW)
    contract(of, NOW, replace(FULL, price=None))
    [month] = spending.months(refreshed(of))
    assert (month.expected, month.costs[0].seats, month.costs[0].amount) == (None, 3, None)


def test_before_the_contract_began_nothing_is_told(of: Service) -> None:
    people(account(of, THEN), 3, THEN)
    contract(of, LAST)
    assert [each.month for each in spending.months(refreshed(of))] == [NOW, LAST]


def test_after_its_end_a_contract_that_does_not_renew_bills_nothing(of: Service) -> None:
    people(account(of, THEN), 3, THEN)
    contract(of, THEN, term="year", ends=month_end(BEFORE), renews=False)
    assert amounts(refreshed(of)) == [None, 123, 123]  # this month stands there, without a cost
    contract(of, THEN, term="year", ends=month_end(BEFORE), renews=True)
    assert amounts(refreshed(of)) == [123, 123, 123, 123]


def test_alerts_cost_only_where_allowance_and_price_are_known(of: Service) -> None:
    there = account(of, LAST)
    people(there, 1, LAST)
    rows.usage(there, LAST, billable_alerts=130)
    contract(of, LAST, alerts=Alerts(allowance=100))
    assert amounts(refreshed(of)) == [41, 41]
    contract(of, LAST, alerts=Alerts(allowance=100, price=Decimal("0.35")))
    now, last = spending.months(refreshed(of))
    assert last.expected == Decimal(41) + 30 * Decimal("0.35")
    # Of this month nobody knows how many there were, so nobody knows what it costs.
    assert (now.expected, now.costs[-1].amount) == (None, None)


def test_an_invoice_falls_to_its_months_and_is_compared_with_the_contract(of: Service) -> None:
    people(account(of, BEFORE), 10, BEFORE)
    contract(of, BEFORE)
    invoice(of, "A-1", BEFORE, month_end(LAST), "900.00")
    invoice(of, "A-2", LAST, LAST + timedelta(days=1), "10.00", currency="EUR")
    now, last, before = spending.months(refreshed(of))
    assert last.invoiced is not None
    assert before.invoiced is not None
    assert last.invoiced + before.invoiced == 900
    assert before.difference == before.invoiced - 410
    assert now.invoiced is None
    assert now.difference is None
    assert last.partial == "Invoices in EUR are not in it."


def test_a_standing_tells_commitment_gap_value_and_renewal(of: Service) -> None:
    people(account(of, NOW), 80, NOW)
    today = timezone.now().date()
    contract(
        of, NOW, replace(FULL, committed=100), term="year",
        ends=today + timedelta(days=90), notice_days=60, renews=True,
    )  # fmt: skip
    Budget.objects.create(
        service=of, since=NOW, amount=Decimal(4000), currency="USD", made_at=timezone.now()
    )
    service = refreshed(of)
    standing = spending.standings([service], today)[service.pk]
    assert (standing.committed, standing.held, standing.gap) == (100, 80, 20)
    assert standing.expected == 4100
    assert standing.value == 100 * 41 * 12
    assert standing.over_budget
    assert standing.renewal is not None
    assert standing.renewal.notice_by == today + timedelta(days=30)


def test_standings_of_many_services_take_a_fixed_number_of_queries(
    of: Service, django_assert_num_queries: object
) -> None:
    services = [of, *(rows.service(f"s{n}", f"S{n}") for n in range(5))]
    for each in services:
        contract(each, NOW)
        invoice(each, "1", NOW, month_end(NOW), "10.00")
    with django_assert_num_queries(4):  # type: ignore[operator]
        found = spending.standings(services, timezone.now().date())
    assert {each.invoiced for each in found.values()} == {Decimal(10)}


@pytest.mark.parametrize("by", spending.BY)
def test_groups_add_up_to_the_month_to_the_cent(of: Service, by: spending.By) -> None:
    there = account(of, NOW)
    people(there, 4, NOW, teams=["Ops"])
    people(there, 2, NOW, teams=["Ops", "Web"])
    loners = people(there, 1, NOW)
    people(there, 7, NOW, role="read_only_user", teams=["Web"])
    Person.objects.create(email=loners[0].email, department="Sales", as_of=timezone.now())
    contract(of, NOW, replace(FULL, price=Decimal("41.37"), committed=10), STAKEHOLDERS)
    service = refreshed(of)
    [month] = spending.months(service)
    found = spending.groups(service, NOW, by)
    assert sum(each.amount or 0 for each in found) == month.expected
    seats = {each.name: each.seats for each in found}
    assert seats["Held by nobody"] == 3 + 43  # committed, and places in the pack
    assert sum(seats.values()) == 10 + 50
    if by == "team":
        assert [int(seats[name]) for name in ("Ops", "Web", "No team")] == [5, 8, 1]
    if by == "department":
        assert [int(seats[name]) for name in ("Sales", "No department")] == [1, 13]


def test_a_past_month_is_grouped_by_who_held_a_seat_then(of: Service) -> None:
    there = account(of, BEFORE)
    people(there, 2, BEFORE, teams=["Ops"])
    people(there, 3, BEFORE, left=NOW, teams=["Gone"])
    contract(of, BEFORE)
    found = {each.name: each.amount for each in spending.groups(refreshed(of), LAST, "team")}
    assert found == {"Gone": 123, "Ops": 82}


def test_a_forecast_goes_to_the_renewal_at_the_seats_of_today(of: Service) -> None:
    people(account(of, NOW), 10, NOW)
    ends = month_end(first_of(-3))
    contract(of, NOW, term="year", ends=ends, renews=True)
    contract(of, first_of(-2), replace(FULL, price=Decimal(50)), term="year", ends=ends)
    found = spending.forecast(refreshed(of), timezone.now().date())
    assert {each.month: each.amount for each in found} == {
        first_of(-1): Decimal(410),
        first_of(-2): Decimal(500),
        first_of(-3): Decimal(500),
    }


def test_the_position_of_now_counts_those_who_came_since_the_last_look(of: Service) -> None:
    there = account(of, LAST)
    people(there, 10, LAST)
    contract(of, LAST, replace(FULL, ratchet=True))
    service = refreshed(of)
    terms = spending.terms_on(service, NOW)
    assert terms is not None
    found = spending.position(service, terms, timezone.now().date())
    assert found is not None
    assert (found.billed["full"].seats, found.held["full"]) == (10, 10)
    assert found.spend == 410
