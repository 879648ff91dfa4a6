"""The letter to the vendor's renewals: counts, the wanted numbers, and nobody's name unasked."""

from datetime import date

import pytest
from django.utils import timezone

from seatwise import insights
from seatwise.models import Finding, Service
from tests.insights.wasteful import Wasteful, contract, leave, wasteful


@pytest.fixture
def wastes(db: None) -> Wasteful:
    found = wasteful()
    contract(found.service, notice_days=10)
    found.looked()
    return found


def written(wastes: Wasteful, *, with_seats: bool = False) -> insights.Letter:
    service = Service.objects.for_table().get(pk=wastes.service.pk)
    findings = list(Finding.objects.of(service).claiming().for_table())
    today: date = timezone.now().date()
    return insights.letter(service, findings, today, with_seats=with_seats, sender="Ada Admin")


def test_it_asks_for_the_numbers_that_are_left(wastes: Wasteful) -> None:
    # Ten are held and billed; two are idle and one is invited for long: seven stay.
    text = written(wastes).text
    assert "- Full seats: 10 paid seats today, 7 wanted (10 are held today)." in text


def test_it_counts_by_rule_and_names_nobody_unless_asked(wastes: Wasteful) -> None:
    text = written(wastes).text
    assert "- Idle full seat: 2." in text
    assert "- Invitation pending: 1." in text
    assert "stakeholder’s seat" not in text  # hers is counted as idle already
    assert not [word for word in ("Ida", "Ivo", "Inga", "Una", "@") if word in text]
    named = written(wastes, with_seats=True).text
    assert [name for name in ("Ida Idle", "Ivo Idle", "Inga Invited") if name not in named] == []
    assert "Una" not in named  # nobody could tell when they were last seen


def test_it_says_from_when_and_by_which_contract(wastes: Wasteful) -> None:
    finding = Finding.objects.of(wastes.service).claiming().first()
    assert finding is not None
    assert finding.realisable_from is not None
    told = written(wastes)
    assert f"from {finding.realisable_from:%-d %B %Y} on" in told.subject
    assert "Our contract is monthly, with 10 days of notice." in told.text
    assert "acme-prod (P1)" in told.text


def test_seats_that_are_gone_and_still_billed_are_asked_back(wastes: Wasteful) -> None:
    leave(wastes.idle)
    wastes.looked()
    text = written(wastes).text
    assert "- Full seats: 10 paid seats today, 7 wanted (8 are held today)." in text
    assert "- Seats bought and not used: 2." in text


def test_without_a_contract_there_is_nothing_to_ask_for(db: None) -> None:
    found = wasteful()
    found.looked()
    told = written(found)
    assert not told.asks
    assert "contract is" not in told.text
