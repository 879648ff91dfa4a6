"""Charts by keyboard and in a box that does not move; names of any length and direction."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journey.conftest import DESKTOP, PHONE, SERVICE, Visitor
from tests.journey.eyes import tab_to

pytestmark = pytest.mark.browser

USAGE = f"{SERVICE}/usage/"
# What moved without anybody having done anything, since the page began.
SHIFT = """() => new Promise(done => new PerformanceObserver(list => done(
  list.getEntries().reduce((sum, each) => sum + (each.hadRecentInput ? 0 : each.value), 0)
)).observe({ type: 'layout-shift', buffered: true }) || setTimeout(() => done(0), 300))"""


def at(visitor: Visitor, path: str) -> Page:
    visitor.page.goto(f"{visitor.demo.url}{path}")
    return visitor.page


def drawn(visitor: Visitor) -> Page:
    page = at(visitor, USAGE)
    expect(page.locator(".chart__canvas canvas")).to_be_visible()
    return page


def test_arrow_keys_go_from_month_to_month_and_enter_opens_one(admin: Visitor) -> None:
    page = drawn(admin)
    chart = page.get_by_role("group", name="Usage by month")
    tab_to(page, chart)
    page.keyboard.press("End")
    said = page.locator("#chart-usage-data-told")
    expect(said).to_contain_text("provisional: Alerts ")
    newest = said.inner_text()
    page.keyboard.press("ArrowLeft")
    expect(said).not_to_have_text(newest)
    last_month = page.locator("a[data-month]").nth(1)
    row = page.locator("tbody tr").nth(1).locator("td")
    for number in row.all_inner_texts()[:2]:
        expect(said).to_contain_text(number)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"month={last_month.get_attribute('data-month')}"))
    breakdown = page.locator("#breakdown")
    expect(breakdown.get_by_role("heading", name="Notifications by channel")).to_be_visible()


def test_the_legend_switches_a_series_with_the_keyboard_and_says_so(admin: Visitor) -> None:
    page = drawn(admin)
    button = page.locator(".legend__one", has_text="Incidents")
    tab_to(page, button)
    before = page.locator("canvas").screenshot()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.locator("canvas").screenshot() != before
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")


def test_the_chart_takes_the_colours_of_the_scheme_that_is_switched_to(admin: Visitor) -> None:
    page = drawn(admin)
    light = page.locator("canvas").screenshot()
    page.emulate_media(color_scheme="dark")
    dark = page.locator("canvas").screenshot()
    assert dark != light
    page.emulate_media(color_scheme="light")


@pytest.mark.parametrize("path", [USAGE, f"{SERVICE}/members/", "/design/"])
def test_nothing_moves_while_a_page_is_drawn(path: str, admin: Visitor) -> None:
    page = at(admin, path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFT) < 0.01


@pytest.mark.parametrize("width", [320, PHONE["width"], 720, DESKTOP["width"]])
def test_names_of_two_hundred_letters_and_from_right_to_left_stay_in_their_rows(
    width: int, admin: Visitor
) -> None:
    """720 is how wide a desk is at 200 %."""
    admin.page.set_viewport_size({"width": width, "height": 800})
    page = at(admin, "/design/")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    for scheme in ("light", "dark"):
        names = page.locator(f".design__scheme--{scheme} .member-name").all()
        assert len(names) == 6
        for name in names:
            cell = name.locator("xpath=ancestor::th")
            inner, outer = name.bounding_box(), cell.bounding_box()
            assert inner is not None
            assert outer is not None
            assert inner["width"] <= outer["width"]
            assert inner["height"] < 60, "a name is cut after two lines"
    for chip in page.locator(".members-table td[data-label=Role] .chip").all():
        inner, outer = chip.bounding_box(), chip.locator("xpath=ancestor::td").bounding_box()
        assert inner is not None
        assert outer is not None
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 1
