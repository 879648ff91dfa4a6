"""The road of the main job in a real Chromium, with the words on the buttons."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients import own_client
from tests.journey.conftest import PHONE, Demo, Visitor

pytestmark = pytest.mark.browser
MINUTE = 60_000  # milliseconds


def through_consent(visitor: Visitor, popup: Page, decision: str, *, known: bool = False) -> None:
    """At the vendor, which remembers who is signed in there."""
    if not known:
        popup.get_by_role("button", name=re.compile("Account Owner")).first.click()
    popup.get_by_role("button", name=re.compile("US service region")).click()
    expect(popup.get_by_text("users.read")).to_be_visible()
    visitor.picture(f"road-consent-{decision.lower()}", popup)
    popup.get_by_role("button", name=decision).click()


def test_the_whole_road_from_sign_in_to_revoke(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(visitor.demo.url)
    visitor.picture("road-sign-in")
    visitor.sign_in()
    visitor.picture("road-spend-empty")

    visitor.press("Add a service")
    page.get_by_role("searchbox").fill("pager")
    expect(page.get_by_text("1 found")).to_be_attached()
    visitor.picture("road-add-a-service")
    page.get_by_role("button", name="Add PagerDuty").click()

    expect(page.get_by_role("heading", name="PagerDuty", level=1)).to_be_visible()
    page.goto(visitor.demo.url)
    page.get_by_role("link", name="Settings of PagerDuty").click()
    expect(page.get_by_text("users:notifications.read").first).to_be_visible()
    expect(page.get_by_text("Account Owner or Global Admin").first).to_be_visible()
    visitor.picture("road-settings")

    visitor.press("Integrate")
    visitor.picture("road-integrate")
    with visitor.context.expect_page() as opened:
        visitor.press("Authorize")
    through_consent(visitor, opened.value, "Deny")
    expect(page.get_by_text("You did not allow access. Nothing was connected.")).to_be_visible()
    visitor.picture("road-denied")

    with visitor.context.expect_page() as opened:
        visitor.press("Try again")
    through_consent(visitor, opened.value, "Authorize", known=True)
    expect(page.get_by_role("heading", name="PagerDuty is connected")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("harbor-prod", exact=True)).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("US region")).to_be_visible()
    visitor.picture("road-connected")
    visitor.press("Close")

    visitor.press("Members")
    expect(page.get_by_role("row").nth(10)).to_be_visible(timeout=MINUTE)
    expect(page.locator("body")).to_contain_text("of 250 members", timeout=MINUTE)
    expect(page.locator("#progress .spinner")).to_have_count(0, timeout=MINUTE)
    expect(page.get_by_text("activity was not read yet")).to_have_count(0)
    visitor.picture("road-members")
    members_equal_what_the_vendors_own_client_reads(page, visitor.demo)

    visitor.press("Usage")
    expect(page.locator("canvas, svg").first).to_be_visible()
    visitor.picture("road-usage")
    usage_equals_what_the_vendors_own_client_reads(page, visitor.demo)

    visitor.press("Service info")
    expect(page.get_by_text("What needs attention")).to_be_visible()
    visitor.picture("road-info")

    page.locator("nav").get_by_role("link", name="Settings", exact=True).first.click()
    visitor.press("Revoke auth")
    expect(page.get_by_text("tokens are erased")).to_be_visible()
    visitor.picture("road-revoke")
    visitor.press("Revoke authorization")
    expect(page.get_by_text("Confirmed by the vendor")).to_be_visible()
    expect(page.get_by_text("Disconnected").first).to_be_visible()
    visitor.picture("road-revoked")
    visitor.press("Members")
    expect(page.locator("body")).to_contain_text("of 250 members")


def members_equal_what_the_vendors_own_client_reads(page: Page, demo: Demo) -> None:
    with own_client(demo.vendor, demo.api_key) as client:
        told = {(user["name"], user["email"]) for user in client.list_all("users")}
    shown: set[tuple[str, str]] = set()
    while True:
        names = page.locator("tbody .member-name bdi, tbody bdi.member-name").all_inner_texts()
        emails = page.locator("tbody .member-email").all_inner_texts()
        shown.update(zip(names, emails, strict=True))
        following = page.locator("a[rel=next]")
        if not following.count():
            break
        first = names[0]
        following.click()
        expect(page.locator("tbody .member-name").first).not_to_contain_text(first)
    assert shown == told


def usage_equals_what_the_vendors_own_client_reads(page: Page, demo: Demo) -> None:
    rows = page.locator("#usage-months table tbody tr").all()
    assert len(rows) == 12
    for row in rows:
        month, incidents, alerts = row.locator("th, td").all_inner_texts()[:3]
        since = datetime.strptime(" ".join(month.split()[:2]), "%b %Y").replace(tzinfo=UTC)
        until = (since + timedelta(days=32)).replace(day=1)
        window = {"since": since.isoformat(), "until": until.isoformat()}
        with own_client(demo.vendor, demo.api_key) as client:
            found = {each["id"]: each for each in client.list_all("incidents", params=window)}
        assert number(incidents) == len(found), month
        assert number(alerts) == sum(each["alert_counts"]["all"] for each in found.values()), month


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_without_scripts_and_popups_the_road_is_the_same(chromium: Browser, demo: Demo) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport=PHONE)
    visitor = Visitor(context.new_page(), demo)
    page = visitor.page
    visitor.sign_in()
    page.goto(f"{demo.url}/services/add/?q=pagerduty")
    add = page.get_by_role("button", name="Add PagerDuty")
    if add.count():
        add.click()
    page.goto(f"{demo.url}/services/pagerduty/settings/?integrate")
    visitor.press("Authorize")
    through_consent(visitor, page, "Authorize")
    expect(page.get_by_role("heading", name="PagerDuty is connected")).to_be_visible()
    visitor.press("Close and go to PagerDuty")
    expect(page.get_by_role("heading", name="PagerDuty", level=1)).to_be_visible()
    context.close()


def test_a_made_up_answer_of_the_vendor_is_refused_on_a_page(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.page.goto(f"{visitor.demo.url}/services/add/?q=pagerduty")
    add = visitor.page.get_by_role("button", name="Add PagerDuty")
    if add.count():
        add.click()
    answer = visitor.page.goto(
        f"{visitor.demo.url}/oauth/pagerduty/callback/?state=made-up&code=made-up"
    )
    assert answer is not None
    assert answer.status == 403
    expect(visitor.page.get_by_text("Nothing was connected").first).to_be_visible()
    visitor.picture("road-rejected")
