"""From what is wasted to what is booked, by clicking; and every page of it for every eye."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from seatwise.vault import new_key
from tests.installation.vaulted import database_url
from tests.journey import programs, waste
from tests.journey.conftest import SERVICE, Demo, Visitor, visiting
from tests.journey.eyes import at, is_for_every_eye

pytestmark = pytest.mark.browser
SAVINGS = f"{SERVICE}/savings/"
LEAVE = """
WITH gone AS (
    UPDATE seatwise_member SET left_at = now() WHERE left_at IS NULL AND id IN (
        SELECT member_id FROM seatwise_finding
        WHERE rule = 'idle_full_seat' AND state = 'done' AND over_at IS NULL
    ) RETURNING id
)
INSERT INTO seatwise_memberevent (member_id, kind, at, field, before, after, facts)
SELECT id, 'left', now(), '', '', '', '{}' FROM gone
"""


@dataclass(frozen=True)
class Wasting:
    demo: Demo
    session: str
    database: str


@pytest.fixture(scope="module")
def wasting() -> Iterator[Wasting]:
    """See `waste`."""
    name, port = f"waste_{os.getpid()}", programs.free_port()
    with psycopg.connect(os.environ["SEATWISE_DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with (
            programs.home() as where,
            programs.running(
                str(port),
                where=where,
                until=waste.OPEN,
                module="tests.journey.waste",
                SEATWISE_DATABASE_URL=database_url(name),
                SEATWISE_SECRET_KEY="x" * 50,
                SEATWISE_ENCRYPTION_KEYS=new_key(),
            ) as program,
        ):
            session = program.find(rf"{waste.OPEN}(\w+)")
            demo = Demo(f"http://localhost:{port}", "ada@example.com", "", program)
            yield Wasting(demo, session, database_url(name))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def saver(chromium: Browser, wasting: Wasting) -> Iterator[Visitor]:
    known = {"name": "sessionid", "value": wasting.session, "domain": "localhost"}
    rest = {"path": "/", "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}
    state: Any = {"cookies": [cast("Any", known | rest)], "origins": []}
    with visiting(chromium, wasting.demo, storage_state=state, bypass_csp=True) as somebody:
        yield somebody


def tick_two(page: Page) -> None:
    page.locator(".pick").nth(0).check()
    page.locator(".pick").nth(1).check()
    expect(page.locator("#savings-sum")).to_contain_text("2 findings")


def open_finding(page: Page) -> None:
    page.locator(".savings-table a.strong").first.click()
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()


PLACES: dict[str, tuple[str, Callable[[Page], object] | None]] = {
    "savings": (SAVINGS, None),
    "savings-ticked": (f"{SAVINGS}?rule=idle_full_seat", tick_two),
    "savings-none-fits": (f"{SAVINGS}?state=snoozed", None),
    "savings-no-contract": ("/services/figma/savings/", None),
    "savings-nothing": ("/services/zoom/savings/", None),
    "savings-finding": (f"{SAVINGS}?rule=idle_full_seat", open_finding),
    "savings-rules": (f"{SAVINGS}rules/", None),
    "savings-why": (f"{SAVINGS}why-not/?q=Hana+Okafor", None),
    "savings-letter": (f"{SAVINGS}letter/", None),
    "savings-letter-empty": ("/services/figma/savings/letter/", None),
}


@pytest.mark.parametrize("name", PLACES)
def test_the_pages_of_savings_are_for_every_eye(saver: Visitor, name: str) -> None:
    path, step = PLACES[name]
    page = at(saver, path)
    if step:
        step(page)
    is_for_every_eye(saver, name)


def test_a_filter_by_a_tick_is_in_the_address_and_what_is_ticked_then_has_a_sum(
    saver: Visitor,
) -> None:
    page = at(saver, SAVINGS)
    page.locator("#filter-confidence > summary").click()
    page.locator("#filter-confidence").get_by_text("A hint").click()
    expect(page).to_have_url(re.compile(r"[?&]confidence=hint"))
    expect(page.locator(".savings-table td .chip").first).to_have_text("A hint")
    tick_two(page)
    expect(page.locator("#sum-waste")).to_have_text("US$82")
    page.get_by_role("link", name=re.compile("^A hint")).click()
    expect(page).not_to_have_url(re.compile(r"confidence="))


def amount(page: Page, name: str) -> int:
    """In whole dollars."""
    return int(re.sub(r"\D", "", page.locator(f"#{name}").inner_text()))


def test_the_whole_road_from_waste_to_a_booked_saving(saver: Visitor, wasting: Wasting) -> None:
    page = at(saver, SERVICE)
    saver.press("Savings")
    waste_before = amount(page, "waste")
    # One finding alone, which is exempted with a reason: it leaves the figures.
    saver.press("Invitation pending")
    page.locator(".savings-table a.strong").first.click()
    page.get_by_label("What is to become of it").select_option(label="Exempt with a reason")
    page.get_by_label("Last day").fill(str(waste._in(40)))
    page.get_by_label("Reason").fill("Begins in January")
    saver.press("Decide")
    expect(page.get_by_text("1 finding is exempted now.")).to_be_visible()
    at(saver, SAVINGS)
    assert amount(page, "waste") == waste_before - 41
    # What is ticked has a sum, without a new page.
    at(saver, f"{SAVINGS}?rule=idle_full_seat")
    tick_two(page)
    expect(page.locator("#sum-waste")).to_have_text("US$82")
    # All that the filter leaves: done at the vendor.
    for box in page.locator("input[name=pick]").all():
        box.check()
    idle = page.locator("input[name=pick]").count()
    expect(page.locator("#savings-sum")).to_contain_text(f"{idle} findings")
    page.get_by_label("What is to become of them").select_option(label="Done at the vendor")
    saver.press("Decide")
    expect(page.get_by_text("Seatwise removes nothing at")).to_be_visible()
    # They are gone there, as the next reading finds; the bill stays until the vendor confirms.
    with psycopg.connect(wasting.database, autocommit=True) as rows:
        rows.execute(LEAVE)
    at(saver, SAVINGS)
    assert amount(page, "booked") == 0
    page.get_by_role("link", name="Spend", exact=True).last.click()
    confirm(page, seats=62 - idle)
    at(saver, SAVINGS)
    assert amount(page, "booked") == 0  # until its day
    expect(page.get_by_text(re.compile(r"US\$[\d,]+ more from 1 "))).to_be_visible()
    told = page.get_by_text(re.compile(r"US\$[\d,]+ more from 1 ")).inner_text()
    # 63 were held this month, so the ratchet bills 63 until then.
    assert int(re.sub(r"\D", "", told.split(" more")[0])) == (63 - (62 - idle)) * 41
    is_for_every_eye(saver, "savings-booked")
    at(saver, f"{SAVINGS}?state=realised&rule=idle_full_seat")
    expect(page.locator("input[name=pick]")).to_have_count(idle)


def confirm(page: Page, seats: int) -> None:
    """On the Spend tab: from the next month on the vendor bills so many."""
    page.get_by_text("Write down a confirmed reduction").click()
    page.get_by_label("Seats billed").fill(str(seats))
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("strong").get_by_text(f"{seats} seats", exact=True)).to_be_visible()


def test_without_javascript_the_sum_is_a_page(chromium: Browser, wasting: Wasting) -> None:
    with visiting(chromium, wasting.demo, java_script_enabled=False) as somebody:
        host = {"domain": "localhost", "path": "/"}
        somebody.context.add_cookies(
            [cast("Any", {"name": "sessionid", "value": wasting.session, **host})]
        )
        page = at(somebody, f"{SAVINGS}?rule=to_stakeholder")
        page.locator(".pick").nth(0).check()
        somebody.press("Work out the sum")
        expect(page.locator("#savings-sum")).to_contain_text("1 finding")
