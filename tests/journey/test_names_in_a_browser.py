"""Names of 200 characters and names from right to left leave the pages as they are."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journey.conftest import SERVICE, Shown, Visitor, visiting
from tests.journey.exhibition import LONG, LONGEST, RTL
from tests.journey.eyes import at, fits

pytestmark = pytest.mark.browser
WIDTHS = ((1440, 900), (768, 1024), (720, 450), (375, 812))


@pytest.fixture
def looker(chromium: Browser, shown: Shown) -> Iterator[Visitor]:
    with visiting(chromium, shown.demo, storage_state=shown.session) as somebody:
        yield somebody


def addresses(shown: Shown) -> dict[str, str]:
    long, arab = shown.exhibits.members[-3:-1]
    account = f"account={shown.exhibits.long}"
    return {
        "spend": "/",
        "info": f"{SERVICE}/?{account}",
        "members": f"{SERVICE}/members/?{account}",
        "a member with a long name": f"{SERVICE}/members/{long}/",
        "a member from right to left": f"{SERVICE}/members/{arab}/",
        "usage": f"{SERVICE}/usage/?{account}",
        "history": f"{SERVICE}/history/?{account}",
        "seats": f"{SERVICE}/seats/?{account}",
        "changes": f"{SERVICE}/seats/changes/?{account}&from=2020-01-01",
        "settings": f"{SERVICE}/settings/?{account}",
        "a service with a long name": "/services/long/",
        "its settings": "/services/long/settings/",
        "a file's columns": "/services/own-0/file/columns/",
        "a file's review": "/services/own-1/file/review/",
        "users": "/users/",
        "audit": "/audit/",
    }


def test_long_names_stay_inside_of_what_holds_them_on_every_screen(
    looker: Visitor, shown: Shown
) -> None:
    wrong = []
    for name, path in addresses(shown).items():
        page = at(looker, path)
        for width, height in WIDTHS:
            page.set_viewport_size({"width": width, "height": height})
            if width in (1440, 375):
                looker.picture(f"long-{name.replace(' ', '-')}-{width}")
            try:
                fits(page, name)
            except AssertionError as error:
                wrong.append(str(error))
    assert wrong == [], "\n".join(wrong)


def test_a_name_from_right_to_left_turns_nothing_else_around(looker: Visitor, shown: Shown) -> None:
    page = at(looker, f"{SERVICE}/members/?account={shown.exhibits.long}")
    row = page.locator(f"#member-{shown.exhibits.members[-2]}")
    name = row.locator(".member-name bdi")
    expect(name).to_have_text(RTL)
    assert name.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"
    others = page.locator("tbody tr").first.locator("td").nth(0)
    mine, theirs = row.locator("td").nth(0).bounding_box(), others.bounding_box()
    assert mine is not None
    assert theirs is not None
    assert (mine["x"], mine["width"]) == (theirs["x"], theirs["width"])
    long = page.locator(".member-name").filter(has_text=LONG[:LONGEST])
    expect(long).to_have_count(1)  # whole, also where it is cut for the eye
