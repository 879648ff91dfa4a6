"""Every page and state of a service that was read: for every eye, on every screen."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.conftest import SERVICE, Connected, Demo, Visitor, visiting
from tests.journey.eyes import at, has_no_barrier, is_for_every_eye

pytestmark = pytest.mark.browser


def open_catalogue(page: Page) -> None:
    page.get_by_role("button", name="Add a service").or_(
        page.get_by_role("link", name="Add a service")
    ).first.click()
    expect(page.get_by_role("button", name="Add GitHub", exact=True)).to_be_visible()


def open_popover(page: Page) -> None:
    page.locator(".seen__when", has=page.locator("time")).first.click()
    expect(page.get_by_text("Being paged is not counted").first).to_be_visible()


def open_filter(page: Page) -> None:
    page.locator("#filter-role > summary").click()
    expect(page.get_by_role("checkbox", name="Manager")).to_be_visible()


def open_export(page: Page) -> None:
    page.locator("details.export > summary").click()
    expect(page.locator(".export__offer").first).to_be_visible()


def await_chart(page: Page) -> None:
    expect(page.locator("canvas").first).to_be_attached()


def open_month(page: Page) -> None:
    page.locator("a[data-month]").nth(1).click()
    expect(page.locator("#breakdown")).to_be_visible()
    await_chart(page)


def open_definition(page: Page) -> None:
    page.locator("main [popovertarget]:visible").first.click()
    expect(page.locator("main [popover]:popover-open")).to_be_visible()


def open_run(page: Page) -> None:
    page.locator(".history-when a").last.click()
    expect(page.get_by_role("heading", name="What was read")).to_be_visible()


def open_member(page: Page) -> None:
    page.locator("tbody th a").first.click()
    expect(page).to_have_url(re.compile(r"/members/\d+/"))


# The first ones are also shown in docs/tour.md.
PLACES: dict[str, tuple[str, Callable[[Page], object] | None]] = {
    "spend": ("/", None),
    "info": (f"{SERVICE}/", None),
    "members": (f"{SERVICE}/members/", None),
    "member": (f"{SERVICE}/members/?sort=-seen", open_member),
    "usage": (f"{SERVICE}/usage/", await_chart),
    "history": (f"{SERVICE}/history/", None),
    "settings": (f"{SERVICE}/settings/", None),
    "spend-filtered": ("/?q=pager&state=active", None),
    "spend-nothing": ("/?q=nothing+is+called+so", None),
    "spend-export": ("/", open_export),
    "add-a-service": ("/", open_catalogue),
    "add-a-service-page": ("/services/add/", None),
    "add-nothing-found": ("/services/add/?q=nothing+is+called+so", None),
    "integrate": (f"{SERVICE}/settings/?integrate", None),
    "revoke": (f"{SERVICE}/settings/?revoke", None),
    "connected": (f"{SERVICE}/settings/?authorization=1", None),
    "info-definition": (f"{SERVICE}/", open_definition),
    "members-filter": (f"{SERVICE}/members/?role=admin&status=active", open_filter),
    "members-popover": (f"{SERVICE}/members/?sort=-seen", open_popover),
    "members-nobody": (f"{SERVICE}/members/?q=nobody+is+called+so", None),
    "usage-month": (f"{SERVICE}/usage/", open_month),
    "run": (f"{SERVICE}/history/", open_run),
    "seats": (f"{SERVICE}/seats/", None),
    "changes": (f"{SERVICE}/seats/changes/", None),
    "months": (f"{SERVICE}/seats/months/", None),
    "users": ("/users/", None),
    "audit": ("/audit/", None),
    "audit-nothing": ("/audit/?q=nobody+is+called+so&security=1&since=2026-01-01", None),
    "change-password": ("/password/", None),
    "design": ("/design/", None),
    "not-here": ("/services/nothing/", None),
    "not-allowed": ("/oauth/pagerduty/callback/?state=made-up&code=made-up", None),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_page_has_no_barrier_in_light_or_dark_and_fits_every_screen(
    place: str, admin: Visitor
) -> None:
    path, prepare = PLACES[place]
    page = at(admin, path)
    if prepare:
        prepare(page)
    is_for_every_eye(admin, place)


def test_the_page_of_an_outcome_has_no_barrier_and_fits_every_screen(
    admin: Visitor, connected: Connected
) -> None:
    admin.page.goto(connected.outcome)
    expect(admin.page.get_by_role("heading", name="PagerDuty is connected")).to_be_visible()
    is_for_every_eye(admin, "outcome")


def test_sign_in_has_no_barrier_before_and_after_a_wrong_password(
    chromium: Browser, demo: Demo
) -> None:
    with visiting(chromium, demo, bypass_csp=True) as stranger:
        page = at(stranger, "/")
        is_for_every_eye(stranger, "sign-in")
        page.get_by_label("E-mail").fill("nobody@demo.example")
        page.get_by_label("Password", exact=True).fill("not the password")
        stranger.press("Sign in")
        expect(page.get_by_role("alert")).to_be_visible()
        has_no_barrier(page)
        stranger.picture("sign-in-refused")


def test_nothing_moves_for_whoever_asked_for_less_motion(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/members/")
    page.locator("#filter-role > summary").click()
    moving = page.evaluate(
        "() => document.getAnimations().filter(each => each.playState === 'running')"
        ".map(each => each.effect.getComputedTiming().duration).filter(each => each > 1)"
    )
    assert moving == []
    slow = page.evaluate(
        "() => [...document.querySelectorAll('*')].flatMap(each => {"
        " const style = getComputedStyle(each);"
        " return [style.transitionDuration, style.animationDuration].join(', ').split(', ')"
        "  .filter(long => parseFloat(long) > 0.01).map(long => `${each.className}: ${long}`);"
        "})"
    )
    assert slow == []
