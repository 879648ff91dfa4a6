"""Findings are opened, renewed, closed and found again; money adds up; nobody unknown is in it."""

from datetime import timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from seatwise import insights, pricing, spending
from seatwise.insights import worth
from seatwise.models import Connection, Finding, Member, RuleLook, Saving, Service
from seatwise.pricing import Line, Pack
from tests.insights.wasteful import (
    FULL,
    PRICE,
    Wasteful,
    contract,
    leave,
    look,
    member,
    wasteful,
)
from tests.pages import rows

IDLE = "idle_full_seat"


@pytest.fixture
def wastes(db: None) -> Wasteful:
    found = wasteful()
    contract(found.service)
    found.looked()
    return found


def standing(wastes: Wasteful, rule: str = IDLE) -> list[Finding]:
    return list(Finding.objects.of(wastes.service).of_rule(rule).open_now().order_by("text"))


def seen_again(someone: Member) -> None:
    """Today, which the account's last reading tells of."""
    now = timezone.now()
    Member.objects.filter(pk=someone.pk).update(last_seen_at=now)
    Connection.objects.update(activity_as_of=now)


def test_a_second_look_renews_what_stands_and_opens_nothing_twice(wastes: Wasteful) -> None:
    before = {each.pk: each.last_at for each in standing(wastes)}
    wastes.looked()
    after = {each.pk: each.last_at for each in standing(wastes)}
    assert before.keys() == after.keys()
    assert all(after[pk] > before[pk] for pk in before)


def test_what_is_found_no_more_is_over_and_what_is_found_again_is_the_same(
    wastes: Wasteful,
) -> None:
    ida, ivo = standing(wastes)
    seen_again(wastes.idle[1])
    wastes.looked()
    assert [each.pk for each in standing(wastes)] == [ida.pk]
    ivo.refresh_from_db()
    assert ivo.over_at is not None
    Member.objects.filter(pk=wastes.idle[1].pk).update(
        last_seen_at=timezone.now() - timedelta(days=50)
    )
    wastes.looked()
    assert {each.pk for each in standing(wastes)} == {ida.pk, ivo.pk}
    assert "found again" in ivo.events.last().said  # type: ignore[union-attr]


def test_people_s_decisions_stay_with_what_is_found_again(wastes: Wasteful) -> None:
    ivo = standing(wastes)[1]
    until = timezone.now().date() + timedelta(days=30)
    Finding.objects.numbered(wastes.service, [ivo.pk]).update(state="exempted", until=until)
    seen_again(wastes.idle[1])
    wastes.looked()
    Member.objects.filter(pk=wastes.idle[1].pk).update(
        last_seen_at=timezone.now() - timedelta(days=50)
    )
    wastes.looked()
    ivo.refresh_from_db()
    assert (ivo.state, ivo.until, ivo.over_at) == ("exempted", until, None)
    assert ivo.waste is None


def test_a_snooze_ends_the_day_after_its_day(wastes: Wasteful) -> None:
    ida, ivo = standing(wastes)
    today = timezone.now().date()
    Finding.objects.numbered(wastes.service, [ida.pk]).update(state="snoozed", until=today)
    yesterday = today - timedelta(days=1)
    Finding.objects.numbered(wastes.service, [ivo.pk]).update(state="exempted", until=yesterday)
    wastes.looked()
    assert [each.state for each in standing(wastes)] == ["snoozed", "open"]
    assert ivo.events.count() == 1


def test_money_is_shared_to_the_cent_and_is_the_pure_cores(db: None) -> None:
    found = wasteful()
    odd = Line(
        "full", "Full seats", "full", packs=(Pack(1, Decimal("33.33")), Pack(4, Decimal(100)))
    )
    contract(found.service, odd)
    found.looked()
    service = Service.objects.for_table().get(pk=found.service.pk)
    today = timezone.now().date()
    terms = spending.terms_on(service, today)
    assert terms is not None
    position = spending.position(service, terms, today)
    assert position is not None
    keys = tuple(f"member:{each.pk}" for each in (found.invited, *found.idle))
    whole = pricing.bank(terms, position, [pricing.Claim("x", "full", keys)], today)
    claiming = Finding.objects.of(service).claiming()
    assert sum(each.waste or 0 for each in claiming) == whole.waste
    assert sum(each.realisable or 0 for each in claiming) == whole.realisable
    # Ten by 4 + 4 + 1 + 1 are 266.66, seven by 4 + 1 + 1 + 1 are 199.99; three of ten are 80.00.
    assert (whole.waste, whole.realisable) == (Decimal("80.00"), Decimal("66.67"))
    assert position.spend is not None
    assert whole.waste <= position.spend


def test_a_seat_that_two_rules_find_is_in_the_first_one_alone(wastes: Wasteful) -> None:
    both = Finding.objects.of(wastes.service).of_member(wastes.idle[0])
    money = {each.rule: (each.waste, each.why) for each in both}
    assert money[IDLE][0] == PRICE
    assert money["to_stakeholder"] == (Decimal(0), worth.ELSEWHERE)


def test_what_is_exempted_leaves_its_seat_to_the_next_rule(wastes: Wasteful) -> None:
    """Somebody is meant to keep it, but perhaps as a stakeholder: whoever exempts both says so."""
    packs = Line("stakeholder", "Stakeholders", "stakeholder", packs=(Pack(1, Decimal(1)),))
    contract(wastes.service, FULL, packs)
    idle = Finding.objects.of(wastes.service).of_member(wastes.idle[0]).of_rule(IDLE)
    idle.update(state="exempted", until=timezone.now().date() + timedelta(days=9))
    wastes.looked()
    other = Finding.objects.of(wastes.service).of_member(wastes.idle[0]).of_rule("to_stakeholder")
    assert [(each.waste, each.realisable) for each in other] == [(PRICE, PRICE - 1)]


def test_whoever_is_unknown_is_in_no_figure_whatever_else_is_true(db: None) -> None:
    found = wasteful(active=0)
    for number in range(20):
        member(found.account, f"Unknown {number}")
    contract(found.service)
    found.looked()
    unknown = Member.objects.filter(name__startswith="Un")
    claimed = {each.member_id for each in Finding.objects.of(found.service).claiming()}
    assert claimed.isdisjoint(unknown.values_list("pk", flat=True))
    known = {found.invited.pk, *(each.pk for each in found.idle)}
    assert claimed - {None} == known
    waste = sum(each.waste or 0 for each in Finding.objects.of(found.service).claiming())
    assert waste == len(known) * PRICE


def test_without_a_contract_money_is_unknown_and_says_why(db: None) -> None:
    found = wasteful()
    found.looked()
    assert {(each.waste, each.why) for each in standing(found)} == {(None, worth.NO_CONTRACT)}


def test_seats_of_which_a_saving_is_booked_are_in_no_finding_any_more(wastes: Wasteful) -> None:
    leave(wastes.idle)
    wastes.looked()
    [empty] = standing(wastes, "seats_not_used")
    assert empty.realisable == 2 * PRICE
    ahead = timezone.now().date() + timedelta(days=20)
    Saving.objects.create(
        service=wastes.service, line="full", seats=2, monthly=2 * PRICE, currency="USD",
        since=ahead, booked_at=timezone.now(), said="",
    )  # fmt: skip
    wastes.looked()
    [empty] = standing(wastes, "seats_not_used")
    assert (empty.waste, empty.realisable) == (Decimal(0), Decimal(0))
    assert empty.why == worth.BOOKED
    service = Service.objects.for_table().get(pk=wastes.service.pk)
    assert insights.whatif(service, [empty], timezone.now().date()).realisable == 0


def test_a_service_that_was_never_read_has_no_findings(db: None) -> None:
    service = rows.service()
    rows.connection(service, members_as_of=None)
    assert insights.run(service, timezone.now()) == (0, 0, 0)
    assert not RuleLook.objects.of(service)


def test_one_chosen_account_does_not_close_what_stands_in_the_others(wastes: Wasteful) -> None:
    rows.connection(wastes.service, account_id="P2", account_name="second")
    service = Service.objects.for_table().get(pk=wastes.service.pk)
    service.choose(str(service.accounts[-1].pk))
    insights.run(service, timezone.now())
    assert len(standing(wastes)) == 2


def test_ten_thousand_findings_are_kept_in_a_fixed_number_of_queries(db: None) -> None:
    service = rows.service()
    account = rows.connection(service)
    now = timezone.now()
    given: dict[str, Any] = {
        "connection": account, "role": "user", "last_seen_at": now - timedelta(days=80),
        "first_listed_at": now - timedelta(days=300),
    }  # fmt: skip
    Member.objects.bulk_create(
        Member(external_id=f"N{n}", name=f"Person {n}", email=f"n{n}@a.example", **given)
        for n in range(10_000)
    )
    contract(service)
    look(service)
    began = perf_counter()
    with CaptureQueriesContext(database) as asked:
        look(service, now + timedelta(days=1))
    took = perf_counter() - began
    assert Finding.objects.of(service).of_rule(IDLE).open_now().count() == 10_000
    assert len(asked) < 60, len(asked)
    assert took < 60, took
