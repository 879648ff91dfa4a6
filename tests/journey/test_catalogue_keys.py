"""The catalogue and the Spend page in a real browser, by keyboard and with Back."""

from playwright.sync_api import Page, expect

from tests.journey.conftest import Visitor


def home(admin: Visitor, query: str = "") -> Page:
    admin.page.goto(f"{admin.demo.url}/{query}")
    return admin.page


def test_a_service_of_ones_own_is_added_by_keyboard(admin: Visitor) -> None:
    page = home(admin)
    page.get_by_role("link", name="Add a service").first.press("Enter")
    search = page.get_by_role("searchbox", name="Search the catalogue")
    expect(search).to_be_focused()
    page.keyboard.type("Harbor Ledger")
    own = page.get_by_role("button", name="Add “Harbor Ledger” yourself")
    expect(own).to_be_visible()
    page.keyboard.press("Enter")
    expect(own).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Harbor Ledger", level=1)).to_be_visible()


def test_arrows_walk_through_what_is_found_and_a_slash_goes_back_to_the_search(
    admin: Visitor,
) -> None:
    page = home(admin)
    page.get_by_role("link", name="Add a service").first.press("Enter")
    search = page.get_by_role("searchbox", name="Search the catalogue")
    expect(search).to_be_focused()
    page.keyboard.type("password")
    expect(page.get_by_text("Adobe Acrobat")).to_have_count(0)
    expect(page.get_by_role("button", name="Add 1Password")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Add 1Password")).to_be_focused()
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    if page.get_by_role("dialog", name="Add a service").is_visible():  # it emptied the search
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Add a service")).to_be_hidden()


def test_a_category_stays_while_one_types(admin: Visitor) -> None:
    page = home(admin)
    page.get_by_role("link", name="Add a service").first.click()
    page.get_by_role("link", name="Monitoring and logs").click()
    expect(page.get_by_role("button", name="Add Datadog")).to_be_visible()
    page.get_by_role("searchbox", name="Search the catalogue").fill("cisco")
    expect(page.get_by_text("1 found")).to_be_visible()
    expect(page.get_by_role("button", name="Add Splunk")).to_be_visible()


def test_filters_of_spend_stand_in_the_address_and_back_undoes_them(admin: Visitor) -> None:
    page = home(admin)
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search service or owner")
    expect(search).to_be_focused()
    page.keyboard.type("pager")
    expect(page).to_have_url(f"{admin.demo.url}/?q=pager")
    page.locator("#filter-state > summary").click()
    page.get_by_role("checkbox", name="Connected", exact=False).first.check()
    expect(page.get_by_role("link", name="Connection: Connected")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{admin.demo.url}/?q=pager")
    expect(page.get_by_role("link", name="Connection: Connected")).to_have_count(0)
    page.get_by_role("link", name="Clear filters").click()
    expect(page).to_have_url(f"{admin.demo.url}/")
