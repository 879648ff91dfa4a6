"""A saving is booked once, when the seats are gone and the contract says that they are not billed.

The worked example is of docs/savings.md: a monthly contract whose highest number stays billed.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from seatwise import spending
from seatwise.models import AuditEvent, Finding, Member, Saving, Service
from seatwise.pricing import Line, Pack
from tests.insights.wasteful import Wasteful, contract, leave, look, member
from tests.pages import rows
from tests.spending.costs import first_of

PRICE = Decimal("41.00")
FULL = Line("full", "Full seats", "full", price=PRICE, ratchet=True)


def next_month() -> date:
    return first_of(-1)


def confirm(service: Service, seats: int, since: date | None = None) -> None:
    """As somebody writes it down on the Spend tab."""
    fresh = Service.objects.for_table().get(pk=service.pk)
    spending.confirm_reduction(fresh, "full", seats, since=since or next_month(), note="", by=None)
    look(service)


def booked_on(service: Service, day: date) -> Decimal:
    """What is not billed any more on that day, a month."""
    found = Saving.objects.of(service)
    return sum((each.monthly for each in found if each.since <= day), Decimal(0))


@pytest.fixture
def mark(db: None) -> Wasteful:
    """120 were held once, 100 are today; ten of them are idle."""
    service = rows.service()
    account = rows.connection(service, duty_as_of=timezone.now())
    busy = [member(account, f"Busy {n}", seen=1) for n in range(90)]
    idle = [member(account, f"Idle {n}", seen=100) for n in range(10)]
    leave([member(account, f"Gone {n}", seen=100) for n in range(20)])
    account.members_as_of = account.activity_as_of = timezone.now()
    account.save()
    contract(service, FULL)
    look(service)
    return Wasteful(service, account, idle, busy[0], busy[1])


def test_the_worked_example_by_hand(mark: Wasteful) -> None:
    service, today = mark.service, timezone.now().date()
    unused = Finding.objects.of(service).of_rule("seats_not_used").get()
    assert unused.text == "20 of 120 paid seats of Full seats are held by nobody."
    claiming = Finding.objects.of(service).claiming()
    # 20 that nobody holds and 10 idle ones are wasted: 30 × 41.
    assert sum(each.waste or 0 for each in claiming.all()) == Decimal(1230)
    # Ten are deleted. Nothing is realised by that: all 120 stay billed.
    leave(mark.idle)
    look(service)
    assert booked_on(service, next_month()) == 0
    assert sum(each.waste or 0 for each in claiming.all()) == Decimal(1230)
    # The vendor confirms 90 from the next month's first day on: 30 × 41, from that day.
    confirm(service, 90)
    assert booked_on(service, today) == 0
    assert booked_on(service, next_month()) == Decimal(1230)
    saving = Saving.objects.of(service).get()
    assert (saving.seats, saving.since, saving.currency) == (30, next_month(), "USD")
    idle = Finding.objects.of(service).of_rule("idle_full_seat")
    assert {each.state for each in idle} == {"realised"}
    assert saving.findings.count() == 10
    # And nothing of it can be realised a second time.
    assert sum(each.realisable or 0 for each in claiming.all()) == 0
    assert AuditEvent.objects.filter(action="saving_booked").count() == 1


def test_nothing_is_booked_twice_however_often_one_looks(mark: Wasteful) -> None:
    leave(mark.idle)
    confirm(mark.service, 90)
    for _ in range(3):
        look(mark.service)
    assert Saving.objects.count() == 1


def test_a_confirmation_waits_until_the_seats_are_gone(mark: Wasteful) -> None:
    confirm(mark.service, 90)
    assert not Saving.objects.exists()
    leave(mark.idle)
    look(mark.service)
    assert Saving.objects.get().seats == 30


def test_a_reduction_to_what_is_billed_anyway_saves_nothing(mark: Wasteful) -> None:
    confirm(mark.service, 120)
    assert not Saving.objects.exists()


def test_whoever_is_only_active_again_is_not_realised(mark: Wasteful) -> None:
    leave(mark.idle[:5])
    Member.objects.filter(pk=mark.idle[9].pk).update(last_seen_at=timezone.now())
    look(mark.service)
    confirm(mark.service, 95)
    saving = Saving.objects.get()
    assert saving.seats == 25
    assert {each.member_id for each in saving.findings.all()} == {e.pk for e in mark.idle[:5]}
    back = Finding.objects.of_member(mark.idle[9]).of_rule("idle_full_seat").get()
    assert back.state == "open"


def test_a_new_state_of_the_contract_books_what_is_committed_less(db: None) -> None:
    service = rows.service()
    account = rows.connection(service)
    people = [member(account, f"Busy {n}", seen=1) for n in range(8)]
    leave(people[:2])
    yearly = Line("full", "Full seats", "full", price=PRICE, committed=20)
    contract(service, yearly, term="year")
    look(service)
    fresh = Service.objects.for_table().get(pk=service.pk)
    terms = spending.terms_on(fresh, timezone.now().date())
    assert terms is not None
    fewer = Line("full", "Full seats", "full", price=PRICE, committed=12)
    spending.set_contract(
        fresh, replace(terms, lines=(fewer,)), since=next_month(), note="", by=None
    )
    look(service)
    saving = Saving.objects.get()
    assert (saving.seats, saving.monthly, saving.since) == (8, 8 * PRICE, next_month())
    assert saving.contract is not None


@pytest.mark.parametrize(
    ("price", "monthly"),
    [
        ("41", Decimal(328)),  # 8 × 41
        ("60", Decimal(100)),  # 20 × 41 = 820 before, 12 × 60 = 720 after: no more than that
        ("30", Decimal(328)),  # what a lower price saves is none of the seats'
        ("70", None),  # 840: the bill does not fall
    ],
)
def test_a_saving_is_never_more_than_the_bill_falls_by(
    db: None, price: str, monthly: Decimal | None
) -> None:
    service = rows.service()
    member(rows.connection(service), "Busy", seen=1)
    contract(service, Line("full", "Full seats", "full", price=PRICE, committed=20), term="year")
    look(service)
    fresh = Service.objects.for_table().get(pk=service.pk)
    terms = spending.terms_on(fresh, timezone.now().date())
    assert terms is not None
    after = Line("full", "Full seats", "full", price=Decimal(price), committed=12)
    spending.set_contract(
        fresh, replace(terms, lines=(after,)), since=next_month(), note="", by=None
    )
    look(service)
    assert [each.monthly for each in Saving.objects.all()] == ([monthly] if monthly else [])


def test_a_contract_that_was_written_wrong_and_mended_is_no_saving(db: None) -> None:
    service = rows.service()
    member(rows.connection(service), "Busy", seen=1)
    wrong = Line("full", "Full seats", "full", price=PRICE, committed=200)
    contract(service, wrong, term="year")
    look(service)
    contract(service, Line("full", "Full seats", "full", price=PRICE, committed=20), term="year")
    look(service)
    assert not Saving.objects.exists()


def test_what_was_agreed_before_the_first_look_is_no_saving_of_ours(db: None) -> None:
    service = rows.service()
    member(rows.connection(service), "Busy", seen=1)
    for months, committed in ((30, 20), (20, 12)):
        line = Line("full", "Full seats", "full", price=PRICE, committed=committed)
        contract(service, line, term="year", ago=timezone.now().date() - first_of(months))
    look(service)
    assert not Saving.objects.exists()


def test_a_reduction_and_a_new_contract_for_the_same_month_are_one_saving(mark: Wasteful) -> None:
    leave(mark.idle)
    fresh = Service.objects.for_table().get(pk=mark.service.pk)
    terms = spending.terms_on(fresh, timezone.now().date())
    assert terms is not None
    spending.set_contract(fresh, terms, since=next_month(), note="the same", by=None)
    confirm(mark.service, 90)
    assert Saving.objects.get().monthly == 30 * PRICE


def test_moving_to_another_line_saves_what_is_left_of_the_difference(db: None) -> None:
    service = rows.service()
    account = rows.connection(service, duty_as_of=timezone.now())
    for number in range(5):
        member(account, f"Busy {number}", seen=1)
    look_only = {"seen": 3, "last_seen_source": "signed_in"}
    readers = [member(account, f"Reader {n}", **look_only) for n in range(3)]  # type: ignore[arg-type]
    account.members_as_of = account.activity_as_of = timezone.now()
    account.save()
    packs = Line("stakeholder", "Stakeholders", "stakeholder", packs=(Pack(5, Decimal(30)),))
    contract(service, FULL, packs)
    look(service)
    found = Finding.objects.of(service).of_rule("to_stakeholder")
    # 3 × 41 less a pack of 30.
    assert sum(each.realisable or 0 for each in found.claiming()) == Decimal(93)
    Member.objects.filter(pk__in=[each.pk for each in readers]).update(role="read_only_user")
    for each in readers:
        rows.event(each, "changed", field="role", before="user", after="read_only_user")
    look(service)
    assert not Saving.objects.exists()
    confirm(service, 5)
    saving = Saving.objects.get()
    assert (saving.seats, saving.monthly) == (3, Decimal(93))
    assert {each.state for each in found.all()} == {"realised"}


def test_without_a_price_nothing_is_booked(db: None) -> None:
    service = rows.service()
    account = rows.connection(service)
    leave([member(account, "Gone", seen=100)])
    member(account, "Busy", seen=1)
    contract(service, Line("full", "Full seats", "full", ratchet=True))
    look(service)
    confirm(service, 1)
    assert not Saving.objects.exists()
