"""Times stand in the zone of whoever looks, and in UTC behind them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.journey.conftest import SERVICE, Shown, visiting
from tests.journey.exhibition import SEEN

pytestmark = pytest.mark.browser
READ = """() => [...document.querySelectorAll("main time")].map((each) => ({
  at: each.dateTime,
  text: each.textContent,
  title: each.title,
  is_local: each.hasAttribute("data-local"),
}))"""


def pages(shown: Shown) -> list[str]:
    numbers = shown.exhibits
    home = f"{SERVICE}/members/?account={numbers.long}"
    run = f"{SERVICE}/history/{numbers.runs[0]}/"
    member = f"{SERVICE}/members/{numbers.members[-2]}/"
    settings = f"{SERVICE}/settings/?account={numbers.accounts[0]}"
    rest = (f"{SERVICE}/history/", f"{SERVICE}/usage/", f"{SERVICE}/", "/", "/audit/", "/users/")
    return [home, run, member, settings, *rest]


def as_said(moment: datetime) -> str:
    """As the pages write days themselves."""
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_every_time_is_told_in_the_viewers_zone_with_utc_behind_it(
    zone: str, chromium: Browser, shown: Shown
) -> None:
    wrong, kinds = [], set()
    with visiting(
        chromium, shown.demo, storage_state=shown.session, zone=zone, locale="en-US"
    ) as somebody:
        for path in pages(shown):
            somebody.page.goto(f"{shown.demo.url}{path}")
            for told in somebody.page.evaluate(READ):
                moment = datetime.fromisoformat(told["at"])
                here = as_said(moment.astimezone(ZoneInfo(zone)))
                where = "text" if told["is_local"] else "title"
                kinds.add(where)
                utc = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
                if here not in plain(told[where]) or not (
                    utc in told["title"] and "UTC" in told["title"]
                ):
                    wrong.append((path, told))
    assert wrong == []
    assert kinds == {"text", "title"}


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("Asia/Tokyo", "8 March 2026, 15:30"),
        ("America/New_York", "8 March 2026, 01:30"),  # half an hour before its clocks went on
        ("America/Los_Angeles", "7 March 2026, 22:30"),
    ],
)
def test_the_evidence_of_a_member_says_when_it_was_here_and_in_utc(
    zone: str, told: str, chromium: Browser, shown: Shown
) -> None:
    number = shown.exhibits.members[-2]
    with visiting(
        chromium, shown.demo, storage_state=shown.session, zone=zone, locale="en-US"
    ) as somebody:
        page = somebody.page
        page.goto(f"{shown.demo.url}{SERVICE}/members/{number}/")
        here = page.locator("main time").filter(has_text=told).first
        expect(here).to_be_visible()
        expect(here).to_have_attribute("title", re.compile(f"{SEEN:%Y-%m-%d %H:%M}.* UTC"))
        page.goto(f"{shown.demo.url}{SERVICE}/members/?account={shown.exhibits.long}")
        row = page.locator(f"#member-{number}")
        row.locator(".seen__when").click()
        evidence = page.get_by_role("dialog", name=re.compile("Last seen"))
        expect(evidence).to_contain_text(f"{told} your time, {SEEN:%Y-%m-%d %H:%M:%S} UTC")


def test_without_scripts_times_are_in_utc_and_say_so(chromium: Browser, shown: Shown) -> None:
    context = chromium.new_context(
        java_script_enabled=False, storage_state=shown.session, timezone_id="Asia/Tokyo"
    )
    page = context.new_page()
    page.goto(f"{shown.demo.url}{SERVICE}/members/{shown.exhibits.members[-2]}/")
    expect(
        page.locator("main time").filter(has_text=f"{SEEN:%Y-%m-%d %H:%M} UTC").first
    ).to_be_visible()
    context.close()
