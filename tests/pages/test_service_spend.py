"""The Spend tab: what it shows is what the pure core says, and what is typed is checked."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from seatwise import spending
from seatwise.models import AuditEvent, Budget, Contract, Invoice, Reduction, Saving, Service
from seatwise.pricing import words
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

PAGE = "/services/pagerduty/spend/"
LAST, NOW = first_of(1), first_of(0)
LINE = {"name-0": "Business", "kind-0": "full", "price-0": "41"}
ROOT = Path(__file__).parents[2]
XSS = '"><script>alert(1)</script>'


@pytest.fixture
def of(db: None) -> Service:
    service = rows.service()
    there = account(service, LAST)
    people(there, 10, LAST)
    people(there, 5, LAST, left=LAST.replace(day=20))
    return service


def told(client: Client, path: str = PAGE) -> str:
    """The page's words without its tags."""
    return text(client.get(path).content.decode())


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def fresh() -> Service:
    return Service.objects.for_table().get(key="pagerduty")


def test_without_a_contract_the_page_says_what_to_do(
    as_admin: Client, as_viewer: Client, of: Service
) -> None:
    assert "Write down the contract" in told(as_admin)
    assert "An admin can do so: ask" in told(as_viewer)


def test_the_figures_are_those_of_the_core(as_viewer: Client, of: Service) -> None:
    today = timezone.now().date()
    contract(of, LAST, replace(FULL, committed=20), term="year", ends=today + timedelta(days=90),
             notice_days=30, renews=True)  # fmt: skip
    invoice(of, "A-7", LAST, month_end(NOW), "999.99", tax=Decimal("190.00"))
    service = refreshed(of)
    page = told(as_viewer)
    for month in spending.months(service):
        for amount in (month.expected, month.invoiced):
            assert amount is not None
            assert words(amount, "USD") in page
    assert "10 used, 10 held by nobody." in page
    assert "Worth US$9,840 a year." in page
    assert "In 90 days. Notice by" in page
    assert "It renews by itself." in page


def test_a_public_plan_fills_the_form_with_its_price_and_its_date(
    as_admin: Client, of: Service
) -> None:
    html = as_admin.get(f"{PAGE}contract/?plan=business&term=year").content.decode()
    assert re.search(r'name="price-0"[^>]*value="41"', html)
    assert re.search(r'name="packs-1"[^>]*value="50: 150"', html)
    assert "as of September 2026" in html


def test_a_contract_is_written_down_and_costs_follow(as_admin: Client, of: Service) -> None:
    form = {
        "since": f"{LAST:%Y-%m}", "currency": "USD", "term": "month", "renews": "",
        "note": "signed by Ada", "allowance": "100", "alert_price": "0,35", **LINE,
        "ratchet-0": "yes", "name-1": "Stakeholders", "kind-1": "stakeholder",
        "packs-1": "50: 150, 250: 700.50",
    }  # fmt: skip
    assert as_admin.post(f"{PAGE}contract/", form).status_code == 302
    terms = Contract.objects.get().terms
    assert [(line.key, line.price, line.ratchet) for line in terms.lines] == [
        ("full", Decimal(41), True),
        ("stakeholder", None, False),
    ]
    assert terms.lines[1].packs == ((50, Decimal(150)), (250, Decimal("700.50")))
    assert (terms.alerts.allowance, terms.alerts.price) == (100, Decimal("0.35"))
    assert "signed by Ada" in told(as_admin)
    event = AuditEvent.objects.get(action="contract_changed")
    assert "Business at US$41 a seat and month" in event.said


def test_a_change_from_a_month_on_leaves_the_months_before_at_their_price(
    as_admin: Client, of: Service
) -> None:
    contract(of, LAST, FULL)
    form = {"since": f"{NOW:%Y-%m}", "currency": "USD", "term": "month", **LINE, "price-0": "49.00",
            "key-0": "full"}  # fmt: skip
    assert as_admin.post(f"{PAGE}contract/", form).status_code == 302
    assert [each.expected for each in spending.months(fresh())] == [490, 615]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"price-0": "4e3"}, "Write an amount as 41"),
        ({"price-0": "NaN"}, "Write an amount as 41"),
        ({"price-0": "-1"}, "Write an amount from 0"),
        ({"price-0": "1" * 30}, "Write an amount as 41"),
        ({"committed-0": "x"}, "Write a whole number"),
        ({"packs-0": "50"}, "Write packs as"),
        ({"packs-0": "50: 150"}, "a price for each seat or packs, not both"),
        ({"since": "2026"}, "Write a month as 2026-11"),
        ({"since": "1900-01"}, "Choose a month of 2000 to 2199"),
        ({"currency": "XXX"}, "Choose a currency"),
        ({"ends": "2026-02-31"}, "Write a day as 2026-11-24"),
        ({"starts": "2026-02-01", "ends": "2026-01-01"}, "ends before it begins"),
        ({"notice_days": "9999"}, "0 to 730 days"),
        ({"kind-0": "gold"}, "Choose which seats"),
        ({"name-0": "", "price-0": ""}, "needs a line"),
        ({"note": "x" * 1_001}, "Write 1,000 characters"),
    ],
)
def test_what_cannot_be_taken_comes_back_as_it_was_typed(
    as_admin: Client, of: Service, changed: dict[str, str], said: str
) -> None:
    form = {"since": f"{NOW:%Y-%m}", "currency": "USD", "term": "month", **LINE, **changed}
    answer = as_admin.post(f"{PAGE}contract/", form)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert said in unescape(page)
    assert "Nothing was changed: 1 thing to mend." in page
    name, typed = next(iter(changed.items()))
    if typed and name not in ("currency", "kind-0"):  # nobody can choose those on the page
        assert typed in unescape(page)
    assert not Contract.objects.exists()


def test_a_confirmed_reduction_books_what_it_saves(as_admin: Client, of: Service) -> None:
    contract(of, LAST, replace(FULL, ratchet=True))
    form = {"line": "full", "seats": "10", "since": f"{first_of(-1):%Y-%m}", "note": "mail of Ada"}
    assert as_admin.post(f"{PAGE}reduction/", form).status_code == 302
    assert Reduction.objects.get().note == "mail of Ada"
    saving = Saving.objects.get()
    assert (saving.seats, saving.since) == (5, first_of(-1))
    assert saving.monthly == 5 * 41
    assert "10 seats of Business from" in told(as_admin)


def test_a_reduction_of_no_line_is_refused(as_admin: Client, of: Service) -> None:
    contract(of, LAST)
    form = {"line": "gold", "seats": "10", "since": f"{NOW:%Y-%m}"}
    answer = as_admin.post(f"{PAGE}reduction/", form)
    assert answer.status_code == 400
    assert "has no such line" in answer.content.decode()


def test_an_invoice_is_typed_in_shown_by_month_and_removed(as_admin: Client, of: Service) -> None:
    contract(of, LAST)
    refreshed(of)
    form = {"number": "INV 1", "starts": str(LAST), "ends": str(month_end(LAST)),
            "amount": "600,00", "tax": "", "currency": "USD"}  # fmt: skip
    assert as_admin.post(f"{PAGE}invoices/", form).status_code == 302
    made = Invoice.objects.get()
    assert (made.number, made.amount, made.tax) == ("INV 1", Decimal(600), None)
    assert "-US$15" in told(as_admin)  # 615 were expected
    again = as_admin.post(f"{PAGE}invoices/", form)
    assert again.status_code == 400
    assert "is there already" in again.content.decode()
    assert as_admin.post(f"{PAGE}invoices/{made.pk}/remove/").status_code == 302
    assert not Invoice.objects.exists()
    said = [event.said for event in AuditEvent.objects.filter(action__startswith="invoice")]
    assert all("INV 1: US$600 for" in each for each in said)
    assert len(said) == 2


def test_a_budget_is_set_and_ended(as_admin: Client, of: Service) -> None:
    contract(of, LAST)
    refreshed(of)
    form = {"amount": "400", "currency": "USD", "since": f"{NOW:%Y-%m}"}
    assert as_admin.post(f"{PAGE}budget/", form).status_code == 302
    assert "Over it this month." in told(as_admin)
    assert as_admin.post(f"{PAGE}budget/", {**form, "amount": ""}).status_code == 302
    assert [each.amount for each in Budget.objects.of(of)] == [None, Decimal(400)]
    assert "No budget is set." in told(as_admin)


def test_nobody_but_an_admin_changes_anything(as_viewer: Client, of: Service) -> None:
    for path in ("contract/", "reduction/", "budget/", "invoices/", "invoices/file/"):
        assert as_viewer.post(PAGE + path).status_code == 403


def test_a_payload_in_every_field_stays_text(as_admin: Client, of: Service) -> None:
    state = contract(of, LAST, replace(FULL, name=XSS))
    Contract.objects.filter(pk=state.pk).update(note=XSS)
    invoice(of, XSS[:99], LAST, NOW, "1.00", note=XSS, source=XSS)
    Reduction.objects.create(service=of, line="full", seats=1, since=NOW, note=XSS,
                             made_at=timezone.now())  # fmt: skip
    refreshed(of)
    for path in (PAGE, f"{PAGE}contract/"):
        assert "<script>alert" not in as_admin.get(path).content.decode()


def test_months_can_be_taken_along(as_viewer: Client, of: Service) -> None:
    contract(of, LAST)
    refreshed(of)
    file = as_viewer.get(f"{PAGE}?format=csv")
    assert re.search(r'"pagerduty-spend-\d{4}-\d\d-\d\d\.csv"', file["Content-Disposition"])
    lines = b"".join(file).decode().splitlines()
    documented = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    assert " | " + ", ".join(f"`{key}`" for key in lines[0].split(",")) + " |" in documented
    assert lines[0] == "month,currency,held,billed,expected,invoiced,difference,budget,note"
    assert lines[1] == f"{NOW},USD,10,10,410.00,,,,The month is not over."
    assert b"".join(as_viewer.get(f"{PAGE}?format=xlsx"))[:2] == b"PK"


def test_a_service_by_file_or_never_read_has_the_page_too(as_admin: Client, db: None) -> None:
    zoom = rows.service("zoom", "Zoom")
    contract(zoom, LAST, replace(FULL, kind="other", committed=10))
    refreshed(zoom)
    assert "US$410" in told(as_admin, "/services/zoom/spend/")


def test_stakeholders_in_packs_are_told_as_the_core_says(as_viewer: Client, of: Service) -> None:
    people(of.connections.get(), 51, NOW, role="read_only_user")
    contract(of, NOW, FULL, STAKEHOLDERS)
    refreshed(of)
    page = told(as_viewer)
    assert "10 Business , US$410; 100 Stakeholders , US$300" in page
    assert "51 held at most. The packs hold 100." in page
