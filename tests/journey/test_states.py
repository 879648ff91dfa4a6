"""Where there is nothing, or no way in, a page says why and what to do next."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journey.conftest import SERVICE, Shown, Visitor, visiting
from tests.journey.eyes import at, is_for_every_eye

pytestmark = pytest.mark.browser

# {name: (address, its heading or sentence, the link or button that leads on)}
STATES = {
    "state-not-connected": ("/services/github/", "GitHub", "Settings"),
    "state-not-connected-members": ("/services/github/members/", "GitHub", "Settings"),
    "state-nothing-read": ("/services/slack/members/", "Slack", "Settings"),
    "state-nothing-read-usage": ("/services/slack/usage/", "Slack", "Settings"),
    "state-no-member": ("/services/zoom/members/", "lists nobody", "Settings"),
    "state-no-match": (
        f"{SERVICE}/members/?q=nobody+is+called+so",
        "No member matches these filters",
        "Clear filters",
    ),
    "state-no-service-matches": ("/?q=zzzz", "No service matches these filters", "Clear filters"),
    "state-not-in-the-catalogue": ("/services/add/?q=zzzz", "Nothing in the catalogue", "Back"),
    "state-404": ("/services/nowhere/", "not", ""),
    "state-404-address": ("/nowhere/at/all/", "not", ""),
    "state-columns": ("/services/own-0/file/columns/", "column", ""),
    "state-review": ("/services/own-1/file/review/", "file", "Settings"),
}


@pytest.fixture(scope="module")
def room(chromium: Browser, shown: Shown) -> Iterator[Visitor]:
    with visiting(chromium, shown.demo, storage_state=shown.session, bypass_csp=True) as somebody:
        yield somebody


@pytest.mark.parametrize("state", STATES)
def test_a_state_says_what_is_and_leads_on(state: str, room: Visitor) -> None:
    path, words, onward = STATES[state]
    page = at(room, path)
    expect(page.locator("main, body").last).to_contain_text(words)
    assert leads_on(page, onward), f"{state} is a dead end"
    is_for_every_eye(room, state)


def leads_on(page: Page, words: str) -> bool:
    doors = page.locator("main a:visible, main button:visible")
    if not doors.count():  # a page of its own, without the frame
        doors = page.locator("a:visible")
    named = doors.filter(has_text=words) if words else doors
    return named.count() > 0
