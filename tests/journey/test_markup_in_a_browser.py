"""Whatever a vendor writes into its fields, no browser takes it for a program."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.conftest import SERVICE, Shown, Visitor, visiting
from tests.pages.test_markup import PAYLOADS

pytestmark = pytest.mark.browser

# Runs before everything else in each page. Payloads call `alert`; the policy stops what is written
# into a page, and stopping it means that it was there.
WATCH = """
window.executed = 0;
window.stopped = [];
window.alert = window.confirm = window.prompt = () => { window.executed += 1; };
document.addEventListener("securitypolicyviolation", (event) =>
  window.stopped.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""
FOUND = """() => ({
  executed: window.executed,
  stopped: window.stopped,
  programs: [...document.querySelectorAll("[href], [src], [action], [formaction]")]
    .flatMap((each) => ["href", "src", "action", "formaction"].map((name) => each[name]))
    .map((each) => each?.baseVal ?? each)
    .filter((each) => /^\\s*(javascript|data|vbscript):/i.test(each ?? "")),
})"""


@dataclass
class Watched:
    """Pages one after the other, and what was wrong with any of them."""

    visitor: Visitor
    wrong: list[str] = field(default_factory=list)
    seen: int = 0

    def open(self, path: str) -> Page:
        page = self.visitor.page
        page.goto(f"{self.visitor.demo.url}{path}", wait_until="load")
        self.look(path)
        return page

    def look(self, what: str) -> None:
        found = self.visitor.page.evaluate(FOUND)
        self.wrong += [f"{what}: {name}: {told}" for name, told in found.items() if told]
        self.seen += 1


@pytest.fixture
def watched(chromium: Browser, shown: Shown) -> Iterator[Watched]:
    with visiting(chromium, shown.demo, storage_state=shown.session) as somebody:
        somebody.context.add_init_script(WATCH)
        told: list[str] = []
        somebody.context.on("console", lambda message: told.append(message.text))
        yield Watched(somebody)
        refused = [each for each in told if "Content Security Policy" in each or "alert" in each]
        assert refused == []


def addresses(shown: Shown) -> Iterator[str]:
    """Every page that shows a word of a vendor's, each payload on its own where pages are its."""
    numbers = shown.exhibits
    yield from ("/", "/services/add/", "/services/add/?q=service", "/users/", "/audit/")
    yield from (f"{SERVICE}/", f"{SERVICE}/members/", f"{SERVICE}/usage/", f"{SERVICE}/history/")
    yield from (f"{SERVICE}/seats/", f"{SERVICE}/seats/changes/?from=2020-01-01")
    yield from (f"{SERVICE}/seats/months/?by=role", f"{SERVICE}/seats/months/?by=license")
    yield f"{SERVICE}/settings/"
    yield from (f"{SERVICE}/members/{number}/" for number in numbers.members)
    yield from (f"{SERVICE}/history/{number}/" for number in numbers.runs)
    yield from (f"{SERVICE}/authorizations/{number}/" for number in numbers.attempts)
    yield from (f"{SERVICE}/settings/?account={number}" for number in numbers.accounts)
    yield f"{SERVICE}/settings/?revoke&account={numbers.accounts[0]}"
    for at in range(len(PAYLOADS)):
        yield f"/services/own-{at}/file/columns/"
        yield f"/services/own-{at}/{'settings/' if at % 2 else ''}"
    yield "/services/own-1/file/review/"


@pytest.mark.fault(61)
def test_no_page_executes_what_a_vendor_wrote_and_the_policy_has_nothing_to_stop(
    watched: Watched, shown: Shown
) -> None:
    for path in addresses(shown):
        watched.open(path)
    assert watched.wrong == []
    assert watched.seen > 55


@pytest.mark.fault(61)
def test_nothing_runs_where_pages_are_used_and_parts_of_them_come_later(watched: Watched) -> None:
    page = watched.open(f"{SERVICE}/members/")
    for opener in page.locator(".seen__when").all():
        opener.click()
        page.keyboard.press("Escape")
    for name in page.locator("details.filter > summary").all():
        name.click()
        watched.look("an open filter")
        page.keyboard.press("Escape")
    page.get_by_role("searchbox").first.fill(PAYLOADS[0])
    expect(page).to_have_url(re.compile(r"[?&]q="))
    watched.look("a search")
    page = watched.open(f"{SERVICE}/usage/")
    page.locator("a[data-month]").first.click()
    expect(page.locator("#breakdown")).to_be_visible()
    page.locator("canvas").first.hover(position={"x": 200, "y": 100})
    watched.look("a month")
    page = watched.open("/")
    page.get_by_text("Add a service", exact=True).first.click()
    page.get_by_role("searchbox", name="Search the catalogue").fill(PAYLOADS[1])
    expect(page.get_by_text("Nothing in the catalogue")).to_be_visible()
    watched.look("the catalogue")
    for query in ("q=", "by=", "sort=", "place=", "month=", "role=", "on=", "account="):
        watched.open(f"{SERVICE}/members/?{query}%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E")
    assert watched.wrong == []


def test_the_watch_sees_markup_that_a_page_would_let_through(
    chromium: Browser, shown: Shown
) -> None:
    """Otherwise the tests above prove nothing."""
    for bypassed in (False, True):
        context = chromium.new_context(storage_state=shown.session, bypass_csp=bypassed)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.goto(f"{shown.demo.url}/")
        page.evaluate(
            "html => { document.querySelector('main').innerHTML = html; }", " ".join(PAYLOADS)
        )
        page.wait_for_function("() => window.executed || window.stopped.length")
        found = page.evaluate(FOUND)
        assert bool(found["executed"]) is bypassed
        assert bool(found["stopped"]) is not bypassed
        context.close()
