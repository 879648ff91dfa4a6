"""What a browser gets over the wire, and when somebody sees the page."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Page, sync_playwright

LOOK: Final = """async () => {
  const last = kind => new Promise(found => {
    let seen = [];
    new PerformanceObserver(list => { seen = seen.concat(list.getEntries()); })
      .observe({ type: kind, buffered: true });
    setTimeout(() => found(seen), 300);
  });
  const paints = await last('largest-contentful-paint');
  const shifts = await last('layout-shift');
  return {
    painted: paints.length ? paints[paints.length - 1].startTime : -1,
    shifted: shifts.reduce((sum, each) => sum + each.value, 0),
  };
}"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit to a page."""

    kilobytes: float  # over the wire, with headers
    painted: float  # milliseconds to the largest contentful paint
    shifted: float  # the sum of all layout shifts


def visits(url: str, cookie: str, path: str, times: int) -> Iterator[tuple[Visit, Visit]]:
    """The first visit of a browser that was never here, and its second; so many such browsers."""
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=os.environ["SEATWISE_CHROMIUM"], args=["--no-sandbox"]
        )
        for _time in range(times):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
            page = context.new_page()
            yield _visit(page, url + path), _visit(page, url + path)
            context.close()
        browser.close()


def _visit(page: Page, address: str) -> Visit:
    with _counted(page) as sizes:
        page.goto(address, wait_until="networkidle")
        seen = page.evaluate(LOOK)
    return Visit(sum(sizes) / 1000, seen["painted"], seen["shifted"])


@contextmanager
def _counted(page: Page) -> Iterator[list[float]]:
    """Bytes of everything that is loaded meanwhile; what the browser kept counts nothing."""
    sizes: list[float] = []

    def loaded(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", loaded)
    yield sizes
    session.detach()
