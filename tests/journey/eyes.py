"""What to ask of a page that everybody must be able to use."""

from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.journey.conftest import DESKTOP, PHONE, Visitor

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What still moves belongs to neither before nor after.
ASK = """async only => {
  await Promise.all(document.getAnimations().map(each => each.finished));
  return axe.run({ runOnly: only, resultTypes: ['violations'] });
}"""


def has_no_barrier(page: Page, rules: list[str] | None = None) -> None:
    """Asks axe. Colours are the only thing that the dark can break, so there `rules` name them."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": LEVELS}
    found = page.evaluate(ASK, only)
    told = [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert told == []


def is_seen_in_the_dark_and_on_a_phone(visitor: Visitor, name: str) -> None:
    page = visitor.page
    page.emulate_media(color_scheme="dark")
    has_no_barrier(page, ["color-contrast"])
    visitor.picture(f"{name}-dark")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    visitor.picture(f"{name}-phone")
    width = page.evaluate("() => document.documentElement.scrollWidth")
    assert width <= PHONE["width"], f"{name} scrolls sideways: {width}"
    page.set_viewport_size(DESKTOP)


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")
