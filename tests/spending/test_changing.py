"""What people write down: dated rows, told on the trail, bounded, and all of it or nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections as databases
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from seatwise import audit, spending
from seatwise.models import AuditEvent, Budget, Contract, Cost, Invoice, Reduction, Service, User
from seatwise.models.audit_event import Action
from seatwise.pricing import Alerts, Line, Pack, Terms
from seatwise.spending import InvoiceDraft, MendField
from seatwise.spending.checking import check_terms
from tests.pages import rows
from tests.spending.costs import (
    FULL,
    STAKEHOLDERS,
    account,
    contract,
    first_of,
    month_end,
    people,
)

LAST, NOW = first_of(1), first_of(0)
TERMS = Terms("USD", "month", (FULL, STAKEHOLDERS))
DRAFT = InvoiceDraft("A-1", LAST, month_end(LAST), Decimal("600.00"), "USD", Decimal("114.00"))


@pytest.fixture
def of(db: None) -> Service:
    service = rows.service()
    people(account(service, LAST), 10, LAST)
    return Service.objects.for_table().get(pk=service.pk)


def amounts(of: Service) -> list[Decimal | None]:
    """Of the full seats, the oldest month first."""
    return [cost.amount for cost in Cost.objects.of(of) if cost.line == "full"]


def said(action: Action) -> list[str]:
    return [event.said for event in AuditEvent.objects.filter(action=action).order_by("pk")]


def test_a_contract_is_kept_with_who_when_and_why_and_its_costs_follow(
    of: Service, admin: User
) -> None:
    before = timezone.now()
    made = spending.set_contract(of, TERMS, since=LAST, note=" signed ", by=admin)
    assert (made.terms, made.since, made.note, made.made_by) == (TERMS, LAST, "signed", admin)
    assert before <= made.made_at <= timezone.now()
    assert amounts(of) == [410, 410]
    event = AuditEvent.objects.get(action=Action.CONTRACT_CHANGED)
    assert (event.service, event.about) == ("pagerduty", "contract")
    assert event.said == (
        f"From {LAST:%B %Y} on: Monthly; Business at US$41 a seat and month;"
        " Stakeholders in packs of 50 for US$150 a month."
    )


def test_a_later_state_leaves_the_months_before_at_their_price(of: Service) -> None:
    spending.set_contract(of, TERMS, since=LAST, note="", by=None)
    dearer = replace(TERMS, lines=(replace(FULL, price=Decimal("49.5")), STAKEHOLDERS))
    spending.set_contract(of, dearer, since=NOW, note="", by=None)
    assert amounts(of) == [410, 495]
    assert [each.terms for each in Contract.objects.of(of)] == [dearer, TERMS]


def test_a_state_written_for_the_past_holds_until_the_next_that_is_there(of: Service) -> None:
    spending.set_contract(of, TERMS, since=NOW, note="", by=None)
    cheaper = replace(TERMS, lines=(replace(FULL, price=Decimal(10)),))
    spending.set_contract(of, cheaper, since=first_of(30), note="found in the archive", by=None)
    assert amounts(of) == [100, 410]


def test_of_two_states_from_one_month_on_the_last_one_written_holds(of: Service) -> None:
    spending.set_contract(of, TERMS, since=LAST, note="", by=None)
    mended = replace(TERMS, lines=(replace(FULL, price=Decimal(14)),))
    spending.set_contract(of, mended, since=LAST, note="a slip of the pen", by=None)
    assert amounts(of) == [140, 140]
    assert Contract.objects.count() == 2


def line(**fields: Any) -> Terms:
    return replace(TERMS, lines=(replace(FULL, **fields),))


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(TERMS, currency="XXX"), "currency"),
        (replace(TERMS, term="week"), "term"),  # type: ignore[arg-type]
        (replace(TERMS, lines=()), "name-0"),
        (replace(TERMS, starts=date(1, 1, 1)), "starts"),
        (replace(TERMS, ends=date(9999, 1, 1)), "ends"),
        (replace(TERMS, starts=NOW, ends=LAST), "ends"),
        (replace(TERMS, notice_days=731), "notice_days"),
        (replace(TERMS, notice_days=-1), "notice_days"),
        (replace(TERMS, alerts=Alerts(-1, None)), "allowance"),
        (replace(TERMS, alerts=Alerts(1, Decimal("-0.01"))), "alert_price"),
        (line(name="  "), "name-0"),
        (line(name="x" * 101), "name-0"),
        (line(kind="gold"), "kind-0"),
        (line(key="alerts"), "name-0"),
        (line(key="a b"), "name-0"),
        (line(price=Decimal(-1)), "price-0"),
        (line(price=Decimal("NaN")), "price-0"),
        (line(price=Decimal("Infinity")), "price-0"),
        (line(price=Decimal("1e30")), "price-0"),
        (line(price=Decimal("1.00001")), "price-0"),
        (line(packs=(Pack(50, Decimal(1)),)), "packs-0"),
        (line(price=None, packs=(Pack(0, Decimal(1)),)), "packs-0"),
        (line(price=None, packs=(Pack(50, Decimal(-1)),)), "packs-0"),
        (line(committed=-1), "committed-0"),
        (line(committed=1_000_001), "committed-0"),
        (replace(TERMS, lines=(FULL, replace(FULL, kind="other"))), "name-1"),
        (replace(TERMS, lines=(FULL, replace(FULL, key="more"))), "kind-1"),
        (
            replace(
                TERMS,
                lines=(
                    replace(FULL, licenses=("Pro", "Max")),
                    replace(FULL, key="more", licenses=("Max",)),
                ),
            ),
            "licenses-1",
        ),
    ],
)
def test_a_contract_that_cannot_be_is_refused_and_names_its_field(
    of: Service, terms: Terms, field: str
) -> None:
    with pytest.raises(MendField) as refused:
        spending.set_contract(of, terms, since=NOW, note="", by=None)
    assert refused.value.field == field
    assert str(refused.value).endswith(".")
    assert not Contract.objects.exists()
    assert not said(Action.CONTRACT_CHANGED)


@given(
    price=st.decimals(allow_nan=True, allow_infinity=True),
    committed=st.integers(),
    seats=st.integers(),
)
def test_whatever_is_taken_can_be_kept_and_read_again(
    price: Decimal, committed: int, seats: int
) -> None:
    packed = Line("other", "Packs", "other", packs=(Pack(seats, price),), committed=committed)
    for one in (replace(FULL, price=price, committed=committed), packed):
        terms = replace(TERMS, lines=(one,))
        try:
            check_terms(terms)
        except MendField:
            continue
        assert Terms.from_json(terms.as_json()) == terms


@pytest.mark.parametrize("since", [date(2026, 1, 2), date(1999, 12, 1), date(2200, 1, 1)])
def test_what_holds_from_a_day_holds_from_a_month_on(of: Service, since: date) -> None:
    contract(of, LAST)
    writes: list[Any] = [
        lambda: spending.set_contract(of, TERMS, since=since, note="", by=None),
        lambda: spending.confirm_reduction(of, "full", 1, since=since, note="", by=None),
        lambda: spending.set_budget(of, Decimal(1), "USD", since=since, by=None),
    ]
    for write in writes:
        with pytest.raises(MendField) as refused:
            write()
        assert refused.value.field == "since"


def test_a_confirmed_reduction_lowers_what_stays_billed(of: Service, admin: User) -> None:
    people(of.connections.get(), 30, LAST, left=LAST.replace(day=20))
    ratchet = replace(TERMS, lines=(replace(FULL, ratchet=True),))
    spending.set_contract(of, ratchet, since=LAST, note="", by=admin)
    assert amounts(of) == [1640, 1640]
    made = spending.confirm_reduction(of, "full", 12, since=NOW, note="ticket 7", by=admin)
    assert (made.seats, made.since, made.note, made.made_by) == (12, NOW, "ticket 7", admin)
    assert amounts(of) == [1640, 492]
    assert said(Action.REDUCTION_CONFIRMED) == [
        f"12 seats of Business are billed from {NOW:%B %Y} on."
    ]


@pytest.mark.parametrize(
    ("line_key", "seats", "since", "field"),
    [
        ("gold", 1, NOW, "line"),
        ("full", 1, first_of(3), "line"),  # no contract held then
        ("full", -1, NOW, "seats"),
        ("full", 1_000_001, NOW, "seats"),
    ],
)
def test_a_reduction_that_cannot_be_is_refused(
    of: Service, line_key: str, seats: int, since: date, field: str
) -> None:
    contract(of, LAST)
    with pytest.raises(MendField) as refused:
        spending.confirm_reduction(of, line_key, seats, since=since, note="", by=None)
    assert refused.value.field == field
    assert not Reduction.objects.exists()


def test_a_budget_has_a_history_and_an_end(of: Service, admin: User) -> None:
    spending.set_budget(of, Decimal("400.50"), "EUR", since=LAST, by=admin)
    spending.set_budget(of, None, "EUR", since=NOW, by=admin)
    assert [(each.amount, each.since) for each in Budget.objects.of(of)] == [
        (None, NOW), (Decimal("400.50"), LAST),
    ]  # fmt: skip
    assert said(Action.BUDGET_CHANGED) == [
        f"From {LAST:%B %Y} on: €400.50 a month.",
        f"From {NOW:%B %Y} on: no budget.",
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "field"),
    [("-1", "USD", "amount"), ("1.005", "USD", "amount"), ("1e10", "USD", "amount"),
     ("1", "usd", "currency"), ("1", "", "currency")],
)  # fmt: skip
def test_a_budget_that_cannot_be_is_refused(
    of: Service, amount: str, currency: str, field: str
) -> None:
    with pytest.raises(MendField) as refused:
        spending.set_budget(of, Decimal(amount), currency, since=NOW, by=None)
    assert refused.value.field == field
    assert not Budget.objects.exists()


def test_invoices_are_written_down_as_they_are_and_removed_with_a_word(
    of: Service, admin: User
) -> None:
    draft = replace(DRAFT, number="  A\x00-1 ", note="half a \ud800 pair", issued=NOW)
    [made] = spending.add_invoices(of, [draft], source="bills.csv", by=admin)
    kept = Invoice.objects.get()
    assert kept == made
    assert (kept.number, kept.note, kept.source) == ("A-1", "half a  pair", "bills.csv")
    assert (kept.amount, kept.tax, kept.issued) == (Decimal(600), Decimal(114), NOW)
    spending.remove_invoice(of, kept)
    assert not Invoice.objects.exists()
    told = f"A-1: US$600 for {LAST} to {month_end(LAST)}"
    assert said(Action.INVOICE_ADDED) == said(Action.INVOICE_REMOVED) == [told]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"number": " "}, "number"),
        ({"number": "x" * 101}, "number"),
        ({"ends": LAST - timedelta(days=1)}, "ends"),
        ({"starts": date(1, 1, 1)}, "starts"),
        ({"ends": date(9999, 12, 31)}, "ends"),
        ({"ends": LAST + timedelta(days=366 * 5 + 1)}, "ends"),
        ({"amount": Decimal("0.001")}, "amount"),
        ({"amount": Decimal("-1e12")}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"tax": Decimal("Infinity")}, "tax"),
        ({"currency": "ZZZ"}, "currency"),
        ({"issued": date(1990, 1, 1)}, "issued"),
        ({"note": "x" * 1_001}, "note"),
    ],
)
def test_one_invoice_that_cannot_be_keeps_all_of_them_out(
    of: Service, changed: dict[str, Any], field: str
) -> None:
    bad = replace(DRAFT, **{"number": "A-2", **changed})
    with pytest.raises(MendField) as refused:
        spending.add_invoices(of, [DRAFT, bad], by=None)
    assert refused.value.field == field
    assert not Invoice.objects.exists()
    assert not said(Action.INVOICE_ADDED)


def test_a_number_is_never_doubled_but_another_service_may_have_it(of: Service) -> None:
    spending.add_invoices(of, [DRAFT], by=None)
    with pytest.raises(MendField, match="A-1 is there already"):
        spending.add_invoices(of, [replace(DRAFT, number="B"), DRAFT], by=None)
    with pytest.raises(MendField, match="B stands there twice"):
        spending.add_invoices(
            of, [replace(DRAFT, number="B"), replace(DRAFT, number=" B")], by=None
        )
    assert Invoice.objects.count() == 1
    spending.add_invoices(rows.service("zoom", "Zoom"), [DRAFT], by=None)
    assert Invoice.objects.count() == 2


def test_many_invoices_are_one_line_of_the_trail(of: Service) -> None:
    spending.add_invoices(of, [replace(DRAFT, number=f"N{n:03}") for n in range(25)], by=None)
    [event] = AuditEvent.objects.filter(action=Action.INVOICE_ADDED)
    assert event.about == "25 invoices"
    assert event.said.startswith("N000: US$600 for")
    assert event.said.endswith("; and 5 more")


def test_what_cannot_be_told_is_not_written(of: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("no trail")

    monkeypatch.setattr(audit, "record", broken)
    with pytest.raises(RuntimeError):
        spending.add_invoices(of, [DRAFT], by=None)
    with pytest.raises(RuntimeError):
        spending.set_contract(of, TERMS, since=NOW, note="", by=None)
    assert not Invoice.objects.exists()
    assert not Contract.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_who_add_one_invoice_at_once_add_it_once() -> None:
    of = rows.service()
    together = threading.Barrier(8)

    def add(_: int) -> bool:
        together.wait(60)
        try:
            return bool(spending.add_invoices(of, [DRAFT], by=None))
        except MendField:
            return False
        finally:
            databases.close_all()

    with ThreadPoolExecutor(8) as people_at_once:
        assert sorted(people_at_once.map(add, range(8))) == [False] * 7 + [True]
    assert Invoice.objects.count() == 1
