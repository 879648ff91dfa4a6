"""What to ask of a page that everybody must be able to use."""

from contextlib import suppress
from pathlib import Path
from typing import Literal

from playwright.sync_api import Locator, Page
from playwright.sync_api import TimeoutError as TooLate

from tests.journey.conftest import DESKTOP, PHONE, Visitor

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What still moves belongs to neither before nor after; what follows the scrolling never ends.
ASK = """async only => {
  const moves = document.getAnimations().filter(each => each.timeline === document.timeline);
  await Promise.all(moves.map(each => each.finished));
  return axe.run({ runOnly: only, resultTypes: ['violations'] });
}"""

SCHEMES: dict[Literal["light", "dark"], str] = {"light": "", "dark": "-dark"}
SOON = 2000  # milliseconds
ENLARGED = 720  # what a screen of 1440 has left at 200 %
NARROW = ((768, 1024), (ENLARGED, 450), (PHONE["width"], PHONE["height"]))
# Beyond the window, or beyond the element around it, and seen. What is cut off or scrolls inside of
# an element that is meant to is none of ours, and neither is what was taken out of the flow.
STICKS_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  const cuts = (each) => getComputedStyle(each).overflowX !== "visible";
  const flows = (each) => {
    const style = getComputedStyle(each);
    return ["static", "relative"].includes(style.position) && style.display !== "inline"
      && style.visibility === "visible" && !style.clipPath.startsWith("inset");
  };
  const isCut = (each) => {
    for (let at = each.parentElement; at && at !== document.body; at = at.parentElement) {
      if (cuts(at)) return true;
    }
    return false;
  };
  const told = (each, by) => `${each.tagName.toLowerCase()}.${each.getAttribute("class")} by `
    + `${Math.round(by)} px: ${each.textContent.trim().slice(0, 50)}`;
  const found = [];
  const scrolls = document.documentElement.scrollWidth - wide;
  if (scrolls > 0) found.push(`the page scrolls by ${scrolls} px`);
  for (const each of document.body.querySelectorAll("*:not(svg *):not(option)")) {
    const box = each.getBoundingClientRect();
    if (!box.width || !box.height || isCut(each)) continue;
    if (!flows(each)) {
      if (scrolls > 0 && box.right > wide + 1) found.push(told(each, box.right - wide));
      continue;
    }
    const around = each.parentElement.getBoundingClientRect();
    const out = Math.max(box.right - wide, -box.left);
    const pulled = Math.max(0, -parseFloat(getComputedStyle(each).marginRight));  // on purpose
    const held = flows(each.parentElement) && around.width;
    const beyond = held ? box.right - around.right - pulled : 0;
    if (out > 1) found.push(`${told(each, out)} (beyond the window)`);
    else if (beyond > 2) found.push(`${told(each, beyond)} (beyond what holds it)`);
  }
  return found.slice(0, 8);
}"""


def at(visitor: Visitor, path: str) -> Page:
    visitor.page.goto(f"{visitor.demo.url}{path}")
    return visitor.page


def is_for_every_eye(visitor: Visitor, name: str) -> None:
    """In light and dark without a barrier, and on every screen without scrolling sideways."""
    page = visitor.page
    for scheme, suffix in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        has_no_barrier(page)
        visitor.picture(f"{name}{suffix}")
    page.emulate_media(color_scheme="light")
    for width, height in NARROW:
        page.set_viewport_size({"width": width, "height": height})
        if width != ENLARGED:
            # A dialog lies over what one sees of the page; a longer picture would show it wrong.
            is_plain = not page.locator("dialog[open]").count()
            visitor.picture(f"{name}-{width}", full_page=is_plain)
        fits(page, name)
    page.set_viewport_size(DESKTOP)


def has_no_barrier(page: Page) -> None:
    """Asks axe."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    found = page.evaluate(ASK, {"type": "tag", "values": LEVELS})
    told = [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert told == [], "\n".join(told)


def fits(page: Page, name: str) -> None:
    """Nothing scrolls sideways but what says so, and nothing stands out of what holds it."""
    with suppress(TooLate):  # a chart follows its window a moment later
        page.wait_for_function(f"() => ({STICKS_OUT})().length === 0", timeout=SOON)
    found = page.evaluate(STICKS_OUT)
    assert found == [], f"{name} at {page.viewport_size}: {found}"


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {wanted}")
