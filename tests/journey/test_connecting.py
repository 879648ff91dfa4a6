"""Connecting in a real Chromium, where something gets in the way."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, StorageState, expect

from tests.journey.conftest import SERVICE, Demo, Visitor, visiting

pytestmark = pytest.mark.browser
INTEGRATE = f"{SERVICE}/settings/?integrate=new"
CONSENT = re.compile(r"/identity/consent$")


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, demo: Demo) -> StorageState:
    """The admin's session, once a service was added."""
    with visiting(chromium, demo) as somebody:
        somebody.sign_in()
        somebody.page.goto(f"{demo.url}/services/add/?q=pagerduty")
        somebody.page.get_by_role("button", name="Add PagerDuty").click()
        expect(somebody.page.get_by_role("heading", name="PagerDuty", level=1)).to_be_visible()
        return somebody.context.storage_state()


@pytest.fixture
def ada(chromium: Browser, demo: Demo, signed_in: StorageState) -> Iterator[Visitor]:
    """The admin, in a browser that nobody used before."""
    with visiting(chromium, demo, storage_state=signed_in) as somebody:
        yield somebody


def to_consent(visitor: Visitor, page: Page) -> None:
    """At the vendor, up to the page with Authorize and Deny."""
    page.get_by_role("button", name=re.compile("Account Owner")).first.click()
    page.get_by_role("button", name=re.compile("US service region")).click()
    expect(page.get_by_text("users.read")).to_be_visible()


def leave(visitor: Visitor) -> None:
    """In the same window, as where popups are not allowed."""
    visitor.page.add_init_script("window.open = () => null")
    visitor.page.goto(f"{visitor.demo.url}{INTEGRATE}")
    visitor.press("Authorize")
    to_consent(visitor, visitor.page)


@pytest.mark.fault(1)
@pytest.mark.fault(8)
def test_a_popup_that_is_closed_or_blocked_stops_nobody(ada: Visitor) -> None:
    page = ada.page
    page.goto(f"{ada.demo.url}{INTEGRATE}")
    with ada.context.expect_page() as opened:
        ada.press("Authorize")
    expect(opened.value.get_by_role("button", name=re.compile("Owner")).first).to_be_visible()
    opened.value.close()
    page.evaluate("window.open = () => null")
    ada.press("Authorize")
    to_consent(ada, page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("You did not allow access. Nothing was connected.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.goto(f"{ada.demo.url}{SERVICE}/settings/")
    expect(page.get_by_text("Not connected yet")).to_be_visible()


@pytest.mark.fault(2)
def test_an_answer_that_was_begun_in_another_browser_connects_nothing(
    ada: Visitor, chromium: Browser
) -> None:
    caught: list[str] = []

    def keep(route: Route) -> None:
        """The vendor's answer is read off its redirect, and never reaches this browser."""
        caught.append(route.fetch(max_redirects=0).headers["location"])
        route.fulfill(body="kept", content_type="text/plain")

    with visiting(chromium, ada.demo) as attacker:
        attacker.sign_in()
        leave(attacker)
        attacker.context.route(CONSENT, keep)
        attacker.page.get_by_role("button", name="Authorize").click()
        expect(attacker.page.get_by_text("kept")).to_be_visible()
        assert "/oauth/pagerduty/callback/" in caught[0]
        answer = ada.page.goto(caught[0])
        assert answer is not None
        assert answer.status == 403
        expect(ada.page.get_by_text("was not begun in this browser by you")).to_be_visible()
        ada.page.goto(f"{ada.demo.url}{SERVICE}/settings/")
        expect(ada.page.get_by_text("Not connected yet")).to_be_visible()


@pytest.mark.fault(9)
def test_a_session_that_ended_at_the_vendor_begins_again_after_sign_in(ada: Visitor) -> None:
    page = ada.page
    leave(ada)
    ada.context.clear_cookies(name="sessionid")
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert "code" not in page.url
    assert "state" not in page.url
    page.get_by_label("E-mail").fill(ada.demo.email)
    page.get_by_label("Password", exact=True).fill(ada.demo.password)
    ada.press("Sign in")
    expect(page.get_by_text("Your session ended while you were at PagerDuty")).to_be_visible()
    expect(page.get_by_text("Not connected yet")).to_be_visible()


@pytest.mark.fault(9)
def test_an_answer_never_binds_to_whoever_signed_in_meanwhile(
    ada: Visitor, chromium: Browser
) -> None:
    page = ada.page
    leave(ada)
    with visiting(chromium, ada.demo) as another:
        another.sign_in()
        (session,) = [
            cookie for cookie in another.context.cookies() if cookie["name"] == "sessionid"
        ]
        ada.context.add_cookies([session])  # type: ignore[list-item]
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_text("was not begun in this browser by you")).to_be_visible()
    page.goto(f"{ada.demo.url}{SERVICE}/settings/")
    expect(page.get_by_text("Not connected yet")).to_be_visible()
