"""A running demo and a real Chromium."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    Request,
    StorageState,
    ViewportSize,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

from seatwise import sandbox
from seatwise.cli.visitor import Visitor as PlainVisitor
from seatwise.vault import new_key
from tests import canary
from tests.installation.vaulted import database_url
from tests.journey import exhibition, ledger, programs
from tests.journey.exhibition import Exhibits

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
READY = "Ctrl-C stops it"
MINUTE = 60_000  # milliseconds
SERVICE = "/services/pagerduty"
FIXED = {"font", "image", "script", "stylesheet"}
expect.set_options(timeout=MINUTE / 2)  # other tests may run beside
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 375, "height": 812}


@dataclass(frozen=True)
class Demo:
    url: str
    email: str
    password: str
    program: programs.Program

    @property
    def vendor(self) -> str:
        """The simulated vendor's address."""
        return self.program.find(r"to connect to is at (\S+)")

    @property
    def api_key(self) -> str:
        log = (self.program.home / "demo" / "pagerduty.log").read_text(encoding="utf-8")
        found = re.search(r"API key of harbor-prod \(us\): (\S+)", log)
        assert found is not None, log
        return found[1]


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with (
        programs.home() as where,
        programs.running("demo", where=where, until=READY) as program,
    ):
        yield Demo(
            program.find(r"ready: (\S+)"),
            program.find(r"Sign in as\s+(\S+)"),
            program.find(r"Password\s+(\S+)"),
            program,
        )


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Its event loop counts as running in this thread for as long as it lives, which must not be
    # longer than this folder's tests: no other could start a loop of its own.
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    path = os.environ.get("SEATWISE_CHROMIUM") or shutil.which("chromium")
    browser = playwright.chromium.launch(
        executable_path=path or None,
        args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
    )
    yield browser
    browser.close()


@dataclass(frozen=True)
class Visitor:
    """Somebody at a browser."""

    page: Page
    demo: Demo

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def sign_in(self, email: str = "", password: str = "") -> None:
        self.page.goto(self.demo.url)
        self.page.get_by_label("E-mail").fill(email or self.demo.email)
        self.page.get_by_label("Password", exact=True).fill(password or self.demo.password)
        self.press("Sign in")
        expect(self.page.get_by_role("heading", name="Spend", level=1)).to_be_visible()

    def press(self, words: str, page: Page | None = None) -> None:
        """Presses the one visible button or link that says exactly this."""
        where = page or self.page
        named = where.get_by_role("button", name=words, exact=True).or_(
            where.get_by_role("link", name=words, exact=True)
        )
        named.locator("visible=true").first.click()

    def picture(self, name: str, page: Page | None = None, *, full_page: bool = False) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        shown = page or self.page
        # what is being refreshed is pale meanwhile, and would be so in the README for ever
        expect(shown.locator(".htmx-request")).to_have_count(0)
        shown.screenshot(path=PICTURES / f"{name}.png", full_page=full_page)


@pytest.fixture
def visitor(chromium: Browser, demo: Demo) -> Iterator[Visitor]:
    with visiting(chromium, demo) as somebody:
        yield somebody


@contextmanager
def visiting(
    chromium: Browser, demo: Demo, *, zone: str = "Europe/Berlin", **wishes: Any
) -> Iterator[Visitor]:
    """At a desk. Whatever goes wrong in the page's scripts fails the test."""
    given = {"viewport": DESKTOP, "timezone_id": zone, "reduced_motion": "reduce", **wishes}
    context = chromium.new_context(**given)
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on(
        "console",
        lambda message: wrong.append(message.text) if message.type == "error" else None,
    )
    context.on("requestfinished", lambda request: _write_down(demo, request))
    yield Visitor(context.new_page(), demo)
    context.close()
    unexpected = [text for text in wrong if "status of 40" not in text]
    assert unexpected == []


def _write_down(demo: Demo, request: Request) -> None:
    """Our pages as a real browser was shown them, for the search for secrets."""
    if not request.url.startswith(demo.url) or request.resource_type in FIXED:
        return
    with suppress(PlaywrightError):  # a browser forgets what it has left
        answer = request.response()
        if answer and answer.ok:
            canary.write(f"page {urlsplit(request.url).path} in a browser", answer.body())


@dataclass(frozen=True)
class Connected:
    """A demo whose service was connected and read once."""

    demo: Demo
    outcome: str  # the page that said how the authorization went
    session: StorageState  # of the admin, so that not every test signs in


@pytest.fixture(scope="module")
def connected(chromium: Browser, demo: Demo) -> Connected:
    plain = PlainVisitor()
    plain.visit(demo.url)
    plain.press("Sign in", login=demo.email, password=demo.password)
    plain.visit(f"{demo.url}/services/add/?q=pagerduty")
    plain.press("Add")
    plain.press("Authorize")
    for words in sandbox.VENDORS["pagerduty"].consent:
        plain.press(words)
    with visiting(chromium, demo) as somebody:
        somebody.sign_in()
        somebody.page.goto(f"{demo.url}{SERVICE}/members/")
        expect(somebody.page.locator("#progress .spinner")).to_have_count(0, timeout=MINUTE)
        return Connected(demo, plain.url, somebody.context.storage_state())


@pytest.fixture(scope="module")
def desk(chromium: Browser, connected: Connected) -> Iterator[Visitor]:
    with visiting(
        chromium, connected.demo, storage_state=connected.session, bypass_csp=True
    ) as somebody:
        yield somebody


@pytest.fixture
def admin(desk: Visitor) -> Iterator[Visitor]:
    """A new tab of one browser, so that fonts and scripts are loaded once."""
    with closing(desk.context.new_page()) as page:
        yield Visitor(page, desk.demo)


@dataclass(frozen=True)
class Shown:
    """An exhibition (see there) that everybody may look at and nobody changes."""

    demo: Demo
    exhibits: Exhibits

    @property
    def session(self) -> StorageState:
        """The admin's."""
        known = {"name": "sessionid", "value": self.exhibits.session, "domain": "localhost"}
        rest = {"path": "/", "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
        return {"cookies": [cast("Any", known | rest)], "origins": []}


@pytest.fixture(scope="package")
def shown() -> Iterator[Shown]:
    name, port = f"exhibition_{os.getpid()}", programs.free_port()
    with psycopg.connect(os.environ["SEATWISE_DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with (
            programs.home() as where,
            programs.running(
                str(port),
                where=where,
                until=exhibition.OPEN,
                module="tests.journey.exhibition",
                SEATWISE_DATABASE_URL=database_url(name),
                SEATWISE_SECRET_KEY="x" * 50,
                SEATWISE_ENCRYPTION_KEYS=new_key(),
            ) as program,
        ):
            here = Demo(f"http://localhost:{port}", "ada@example.com", "", program)
            yield Shown(here, Exhibits(**json.loads(program.find(rf"{exhibition.OPEN}(.+)"))))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def books() -> Iterator[tuple[Demo, str]]:
    """A ledger (see there), and the admin's session at it."""
    name, port = f"ledger_{os.getpid()}", programs.free_port()
    with psycopg.connect(os.environ["SEATWISE_DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with (
            programs.home() as where,
            programs.running(
                str(port),
                where=where,
                until=ledger.OPEN,
                module="tests.journey.ledger",
                SEATWISE_DATABASE_URL=database_url(name),
                SEATWISE_SECRET_KEY="x" * 50,
                SEATWISE_ENCRYPTION_KEYS=new_key(),
            ) as program,
        ):
            session = program.find(rf"{ledger.OPEN}(\w+)")
            yield Demo(f"http://localhost:{port}", "ada@example.com", "", program), session
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keeper(chromium: Browser, books: tuple[Demo, str]) -> Iterator[Visitor]:
    demo, session = books
    known = {"name": "sessionid", "value": session, "domain": "localhost"}
    rest = {"path": "/", "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
    state: Any = {"cookies": [cast("Any", known | rest)], "origins": []}
    with visiting(chromium, demo, storage_state=state, bypass_csp=True) as somebody:
        yield somebody
