"""The Spend tab by clicking: a contract, a reduction, invoices by file, a budget; for every eye."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journey.conftest import Visitor
from tests.journey.eyes import at, is_for_every_eye, tab_to

pytestmark = pytest.mark.browser
PAST = "/services/datadog/spend/"
FRESH = "/services/webex/spend/"
LISTED = "/services/pagerduty/spend/contract/"


def open_all(page: Page) -> None:
    """Every part that is folded in."""
    folded = page.locator("main details:not(.filter, [open]) > summary")
    while folded.count():
        folded.first.click()


def type_nonsense(page: Page) -> None:
    page.get_by_label("A seat and month").first.fill("a lot")
    page.get_by_label("Days of notice").fill("9999")
    page.get_by_role("button", name="Save the contract").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed: 2 things to mend.")


def ask_to_remove(page: Page) -> None:
    page.get_by_role("link", name="Remove invoice").first.click()
    expect(page.get_by_role("dialog").locator("h2")).to_contain_text("Remove invoice")


PLACES: dict[str, tuple[str, Callable[[Page], object] | None]] = {
    "cost": (PAST, None),
    "cost-all": (f"{PAST}?months=all&invoices=all", None),
    "cost-opened": (PAST, open_all),
    "cost-removing": (PAST, ask_to_remove),
    "cost-contract-mend": (f"{LISTED}?plan=business&term=year", type_nonsense),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_spend_tab_is_for_every_eye(keeper: Visitor, name: str) -> None:
    path, step = PLACES[name]
    page = at(keeper, path)
    if step:
        step(page)
    is_for_every_eye(keeper, name)


def test_a_contract_is_written_down_and_everything_follows(keeper: Visitor) -> None:
    page = at(keeper, FRESH)
    page.get_by_role("link", name="Write down the contract").click()
    line = page.get_by_role("group", name="Line 1")
    line.get_by_label("Called").fill("Hosts")
    line.get_by_label("For", exact=True).select_option("Other seats")
    line.get_by_label("A seat and month").fill("14,50")
    line.get_by_label("Committed seats").fill("40")
    keeper.press("Save the contract")
    expect(page.get_by_text("Hosts at US$14.50 a seat and month, 40 committed")).to_be_visible()
    expect(page.locator(".tile__figure").first).to_have_text("US$580")
    page.get_by_label("A month").fill("500")
    keeper.press("Set the budget")
    expect(page.get_by_text("Over it this month.")).to_be_visible()
    page.get_by_text("Write down a confirmed reduction").click()
    page.get_by_label("Seats billed from then on").fill("30")
    keeper.press("Write it down")
    expect(page.get_by_text("30 seats of Hosts from")).to_be_visible()
    is_for_every_eye(keeper, "cost-written")


def test_invoices_by_file_are_mended_looked_at_and_written_down(
    keeper: Visitor, tmp_path: Path
) -> None:
    month = date.today().replace(day=1)  # noqa: DTZ011
    bad, good = tmp_path / "bad.csv", tmp_path / "good.csv"
    head = "Bill;Period start;Period end;Net amount;VAT\n"
    good.write_text(f"{head}W-1;{month};;580,00;110,20\n", encoding="utf-8")
    bad.write_text(f"{good.read_text()}W-2;soon;;about 3;\nW-1;{month};;1;\n", encoding="utf-8")
    page = at(keeper, f"{FRESH}invoices/file/")
    page.get_by_label("File", exact=True).set_input_files(bad)
    keeper.press("Look at it")
    expect(page.get_by_role("alert")).to_contain_text("Say which column is: Number.")
    page.get_by_label("Bill").select_option("Number")
    keeper.press("Show again")
    expect(page.get_by_role("alert")).to_contain_text("Row 3, From: “soon” is no day.")
    expect(page.get_by_role("alert")).to_contain_text("The number W-1 stands there twice.")
    is_for_every_eye(keeper, "cost-file-mend")
    page.get_by_label("File", exact=True).set_input_files(good)
    keeper.press("Look at it")
    page.get_by_label("Bill").select_option("Number")
    keeper.press("Show again")
    is_for_every_eye(keeper, "cost-file-review")
    keeper.press("Write down 1 invoice")
    expect(page.get_by_text("One invoice is written down.")).to_be_visible()
    expect(page.locator("tbody th", has_text="W-1")).to_be_visible()
    page.get_by_role("link", name="Remove invoice W-1").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the invoice").click()
    expect(page.get_by_text("Invoice W-1 was removed.")).to_be_visible()


def test_a_click_on_a_month_of_the_chart_opens_what_it_is_made_of(keeper: Visitor) -> None:
    page = at(keeper, PAST)
    canvas = page.get_by_role("group", name="Spend by month")
    tab_to(page, canvas)
    page.keyboard.press("End")
    told = page.locator("#chart-cost-data-told")
    expect(told).to_have_text(re.compile(r"so far: Pro US\$[\d,.]+, Readers US\$[\d,.]+"))
    page.keyboard.press("Enter")
    expect(page.locator(".cost-months details[open]")).to_have_count(1)


def test_what_a_column_says_is_one_click_away(keeper: Visitor) -> None:
    page = at(keeper, PAST)
    page.get_by_role("button", name="Difference").click()
    expect(page.get_by_text("above 0 more was charged")).to_have_count(2)
    expect(page.locator("#definition-difference-column")).to_be_visible()
