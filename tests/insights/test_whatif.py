"""What a choice of findings is worth: the pure core's own sum, over fewer."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from seatwise import insights, pricing, spending
from seatwise.models import Finding, Service
from tests.insights.wasteful import PRICE, Wasteful, contract, wasteful


@pytest.fixture
def wastes(db: None) -> Wasteful:
    found = wasteful()
    contract(found.service)
    found.looked()
    return found


def today() -> date:
    return timezone.now().date()


def fresh(wastes: Wasteful) -> Service:
    return Service.objects.for_table().get(pk=wastes.service.pk)


def test_the_sum_of_all_is_the_sum_that_was_kept(wastes: Wasteful) -> None:
    standing = Finding.objects.of(wastes.service).claiming()
    told = insights.whatif(fresh(wastes), standing, today())
    assert told.waste == sum(each.waste or 0 for each in standing)
    assert told.realisable == sum(each.realisable or 0 for each in standing)
    assert told.waste is not None
    assert told.waste > 0


def test_a_choice_is_worth_what_the_pure_core_says_of_those_seats(wastes: Wasteful) -> None:
    service = fresh(wastes)
    chosen = Finding.objects.of(service).of_rule("idle_full_seat")
    told = insights.whatif(service, chosen, today())
    terms = spending.terms_on(service, today())
    assert terms is not None
    position = spending.position(service, terms, today())
    assert position is not None
    seats = tuple(f"member:{each.pk}" for each in wastes.idle)
    claim = pricing.Claim("idle", "full", seats)
    expected = pricing.bank(terms, position, [claim], today())
    assert (told.waste, told.realisable, told.since) == (
        expected.waste,
        expected.realisable,
        expected.since,
    )
    assert told.waste == 2 * PRICE


def test_a_seat_in_two_findings_counts_once(wastes: Wasteful) -> None:
    ida = wastes.idle[0]
    chosen = Finding.objects.of(wastes.service).of_member(ida)
    assert {each.rule for each in chosen} == {"idle_full_seat", "to_stakeholder"}
    told = insights.whatif(fresh(wastes), chosen, today())
    assert told.waste == PRICE
    assert told.seats == 1


def test_whoever_is_unknown_adds_nothing(wastes: Wasteful) -> None:
    assert not Finding.objects.of(wastes.service).of_member(wastes.unknown).claiming()
    chosen = Finding.objects.of(wastes.service).of_member(wastes.unknown)
    assert insights.whatif(fresh(wastes), chosen, today()).waste == Decimal(0)


def test_without_a_contract_no_number_is_invented(db: None) -> None:
    found = wasteful()
    found.looked()
    told = insights.whatif(fresh(found), Finding.objects.of(found.service), today())
    assert (told.waste, told.realisable, told.since) == (None, None, None)
    assert told.seats > 0


def test_an_exempted_finding_is_worth_nothing_in_a_choice(wastes: Wasteful) -> None:
    chosen = Finding.objects.of(wastes.service).of_rule("idle_full_seat")
    chosen.update(state="exempted")
    told = insights.whatif(fresh(wastes), chosen, today())
    assert (told.waste, told.left_out) == (Decimal(0), 2)
