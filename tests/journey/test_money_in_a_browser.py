"""What it costs, when it renews and whom it falls to: for every eye, on every screen."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journey.conftest import Visitor
from tests.journey.eyes import at, is_for_every_eye

pytestmark = pytest.mark.browser

PEOPLE = (
    "E-mail;Name;Department;Cost centre;Left on\n"
    "person1@acme.example;Person 1;Engineering;4100;\n"
    "person2@acme.example;Person 2;Sales;4200;{}\n"
)


def open_department(page: Page) -> None:
    page.get_by_role("link", name="Engineering").first.click()
    expect(page.locator(".chargeback-part").first).to_be_visible()


def await_chart(page: Page) -> None:
    expect(page.locator("canvas").first).to_be_attached()


def open_why(page: Page) -> None:
    for summary in page.locator("details:not(.export) > summary").all():
        if summary.is_visible():
            summary.click()


PLACES: dict[str, tuple[str, Callable[[Page], object] | None]] = {
    "money-spend": ("/", None),
    "money-spend-unpriced": ("/?need=no-price", None),
    "money-renewals": ("/renewals/", None),
    "money-chargeback": ("/chargeback/", None),
    "money-chargeback-opened": ("/chargeback/", open_department),
    "money-people": ("/people/", None),
    "money-people-nobody": ("/people/?q=nobody", None),
    "money-service": ("/services/pagerduty/spend/", await_chart),
    "money-service-why": ("/services/pagerduty/spend/", open_why),
    "money-service-no-contract": ("/services/webex/spend/", None),
    "money-contract": ("/services/pagerduty/spend/contract/", None),
    "money-contract-plan": ("/services/pagerduty/spend/contract/?plan=business&term=year", None),
    "money-invoice-file": ("/services/pagerduty/spend/invoices/file/", None),
    "money-by-department": ("/services/pagerduty/spend/by/", None),
    "money-by-team": ("/services/pagerduty/spend/by/?by=team", None),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_pages_of_money_are_for_every_eye(keeper: Visitor, name: str) -> None:
    path, step = PLACES[name]
    page = at(keeper, path)
    if step:
        step(page)
    is_for_every_eye(keeper, name)


def test_a_calendars_address_is_made_and_answers_a_program(keeper: Visitor) -> None:
    page = at(keeper, "/renewals/")
    keeper.press("Make an address")
    address = page.locator("#calendar-link").inner_text()
    is_for_every_eye(keeper, "money-calendar")
    path = address[address.index("/renewals/") :]
    # Another browser, which is not signed in.
    answer = page.context.browser.new_context().request.get(f"{keeper.demo.url}{path}")  # type: ignore[union-attr]
    assert answer.text().startswith("BEGIN:VCALENDAR")
    at(keeper, "/renewals/")
    keeper.press("Remove the address")
    expect(page.get_by_role("button", name="Make an address")).to_be_visible()
    answer = page.context.browser.new_context().request.get(f"{keeper.demo.url}{path}")  # type: ignore[union-attr]
    assert answer.status == 404
    secret = re.sub(r".*/|\.ics$", "", path)
    assert secret not in "".join(keeper.demo.program.said)


def test_a_people_file_is_taken_in_by_clicking(keeper: Visitor, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "people.csv"
    bad.write_text(PEOPLE.format("soon") + "nobody;Eve;;;\n", encoding="utf-8")
    good.write_text(PEOPLE.format("2026-01-31"), encoding="utf-8")
    page = at(keeper, "/people/")
    page.get_by_label("File with all people").set_input_files(bad)
    keeper.press("Upload and review")
    expect(page.get_by_role("alert")).to_contain_text("to mend first")
    is_for_every_eye(keeper, "money-people-mend")
    page = at(keeper, "/people/")
    page.get_by_label("File with all people").set_input_files(good)
    keeper.press("Upload and review")
    expect(page.get_by_role("heading", name="What this file changes")).to_be_visible()
    is_for_every_eye(keeper, "money-people-review")
    keeper.press("Apply to 2 people")
    expect(page.get_by_text("The people are now the 2 of the file.")).to_be_visible()
    page.get_by_role("searchbox").fill("sales")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_text("1 of 2 people")).to_be_visible()


def test_invoices_are_taken_in_by_clicking(keeper: Visitor, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.csv", tmp_path / "bills.csv"
    rows = "Invoice;From;To;Amount\nB-1;2026-08-01;2026-08-31;{}\nB-2;2026-09-01;2026-09-30;12,50\n"
    bad.write_text(rows.format("soon"), encoding="utf-8")
    good.write_text(rows.format("1.234,50"), encoding="utf-8")
    page = at(keeper, "/services/figma/spend/invoices/file/")
    page.get_by_label("File", exact=True).set_input_files(bad)
    keeper.press("Look at it")
    expect(page.get_by_role("alert")).to_contain_text("is no amount")
    is_for_every_eye(keeper, "money-invoices-mend")
    page = at(keeper, "/services/figma/spend/invoices/file/")
    page.get_by_label("File", exact=True).set_input_files(good)
    keeper.press("Look at it")
    expect(page.get_by_role("button", name="Write down 2 invoices")).to_be_visible()
    is_for_every_eye(keeper, "money-invoices-look")
    keeper.press("Write down 2 invoices")
    expect(page.get_by_text("2 invoices are written down.")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="B-1")).to_contain_text("€1,234.50")


def test_a_contract_is_written_down_by_clicking(keeper: Visitor) -> None:
    page = at(keeper, "/services/webex/spend/")
    page.get_by_role("link", name="Write down the contract").click()
    page.get_by_label("Called").first.fill("Everybody")
    page.get_by_label("For", exact=True).first.select_option("other")
    page.get_by_label("A seat and month").first.fill("abc")
    keeper.press("Save the contract")
    expect(page.get_by_role("alert")).to_contain_text("Write an amount as 41")
    expect(page.get_by_label("A seat and month").first).to_have_value("abc")
    page.get_by_label("A seat and month").first.fill("12,50")
    page.get_by_label("Committed seats").first.fill("10")
    keeper.press("Save the contract")
    expect(page.get_by_text("The contract holds from")).to_be_visible()
    expect(
        page.get_by_text("Everybody at US$12.50 a seat and month, 10 committed.")
    ).to_be_visible()
    page.get_by_label("A month").fill("100")
    keeper.press("Set the budget")
    expect(page.get_by_text("Over it this month.")).to_be_visible()
