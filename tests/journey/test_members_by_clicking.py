"""Members as somebody works through them: each filter, each order, page by page, taken along."""

import csv
import re
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from python_calamine import CalamineWorkbook

from seatwise.spreadsheet import safe_text
from tests.journey.conftest import DESKTOP, PHONE, SERVICE, Shown, Visitor, visiting
from tests.journey.eyes import at

pytestmark = pytest.mark.browser
MEMBERS = f"{SERVICE}/members/"


def count(page: Page) -> int:
    """How many members fit, as the page says."""
    said = page.get_by_role("status").filter(has_text="members").inner_text()
    return int(said.split()[0].replace(",", ""))


def column(page: Page, name: str) -> list[str]:
    return page.locator(f"td[data-label='{name}']").all_inner_texts()


@pytest.mark.parametrize(
    ("name", "choice", "label", "shown"),
    [
        ("role", "Observer", "Role", "Observer"),
        ("license", "Stakeholder", "Licence", "Stakeholder"),
        ("status", "Active", "Status", "Active"),
        ("status", "Unknown", "Status", "Unknown"),
    ],
)
def test_a_filter_shows_those_that_fit_and_as_many_as_it_said(
    name: str, choice: str, label: str, shown: str, admin: Visitor
) -> None:
    page = at(admin, MEMBERS)
    page.locator(f"#filter-{name} > summary").click()
    option = page.locator(f"#filter-{name} .choice").filter(
        has=page.locator("bdi").get_by_text(choice, exact=True)
    )
    promised = int(option.locator(".numbers").inner_text().replace(",", ""))
    option.locator("input").check()
    chip = page.get_by_role("link", name=re.compile(f"^{label}: "))
    expect(chip).to_be_visible()
    expect(page).to_have_url(re.compile(f"[?&]{name}="))
    assert count(page) == promised
    assert {each.strip() for each in column(page, label)} == {shown}
    page.go_back()
    expect(chip).to_have_count(0)
    page.go_forward()
    expect(chip).to_be_visible()
    chip.click()
    expect(page).not_to_have_url(re.compile(f"[?&]{name}="))
    expect(chip).to_have_count(0)


def test_search_and_period_narrow_down_and_are_cleared_at_once(admin: Visitor) -> None:
    page = at(admin, MEMBERS)
    everybody = count(page)
    page.get_by_role("searchbox").fill("amara")
    expect(page).to_have_url(re.compile(r"q=amara"))
    names = page.locator("tbody .member-name")
    expect(names.first).to_contain_text(re.compile("amara", re.IGNORECASE))
    assert count(page) < everybody
    page.locator("#filter-period > summary").click()
    period = page.locator("#filter-period select").first
    name = str(period.get_attribute("name"))
    period.select_option(index=1)
    expect(page).to_have_url(re.compile(f"{name}="))
    page.get_by_role("link", name="Clear filters").first.click()
    expect(page.locator(".filter-chips")).to_have_count(0)
    assert count(page) == everybody


@pytest.mark.parametrize("title", ["Member", "Role", "Licence", "Last seen"])
def test_a_column_orders_both_ways_and_back_leads_back(title: str, admin: Visitor) -> None:
    page = at(admin, f"{MEMBERS}?sort=-joined")
    head = page.get_by_role("columnheader", name=re.compile(f"^{title}"))
    head.get_by_role("link").click()
    expect(head).to_have_attribute("aria-sort", re.compile("ascending|descending"))
    first = head.get_attribute("aria-sort")
    head.get_by_role("link").click()
    other = {"ascending": "descending", "descending": "ascending"}[first or ""]
    expect(head).to_have_attribute("aria-sort", other)
    page.go_back()
    expect(head).to_have_attribute("aria-sort", first or "")


def test_pages_lead_to_everybody_once_and_back_and_forward_agree(admin: Visitor) -> None:
    page = at(admin, MEMBERS)
    names = page.locator("tbody .member-email")
    pages = [names.all_inner_texts()]
    while page.locator("a[rel=next]").count():
        page.locator("a[rel=next]").click()
        expect(names.first).not_to_have_text(pages[-1][0])
        pages.append(names.all_inner_texts())
    everybody = [each for some in pages for each in some]
    assert len(pages) > 2
    assert len(set(everybody)) == len(everybody) == 250
    # Slowly enough that the next step often comes while the page before still loads.
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    for some in reversed(pages[:-1]):
        page.go_back()
        expect(names).to_have_text(some)
    for some in pages[1:]:
        page.go_forward()
        expect(names).to_have_text(some)
    page.locator("a[rel=prev]").click()
    expect(names).to_have_text(pages[-2])


def test_going_back_again_before_the_scripts_listen_shows_the_page_of_the_address(
    admin: Visitor,
) -> None:
    page = at(admin, MEMBERS)
    names = page.locator("tbody .member-email")
    first = names.all_inner_texts()
    for _ in range(2):
        shown = names.first.inner_text()
        page.locator("a[rel=next]").click()
        expect(names.first).not_to_have_text(shown)
    held: list[Route] = []
    page.route(re.compile(r"/js/app\."), lambda route: held.append(route), times=1)
    with page.expect_request(re.compile(r"/js/app\.")):
        page.evaluate("history.back()")
    page.evaluate("history.back()")
    expect(page).to_have_url(f"{admin.demo.url}{MEMBERS}")
    held[0].continue_()
    expect(names).to_have_text(first)


def test_on_a_phone_members_come_first_and_the_charts_unfold_and_stay_while_they_filter(
    admin: Visitor,
) -> None:
    page = at(admin, MEMBERS)
    bar = page.locator(".role-bar").nth(2)
    expect(bar).to_be_visible()  # at a desk they are there at once
    page.set_viewport_size(PHONE)
    expect(bar).to_be_hidden()
    box = page.locator("tbody tr").first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < PHONE["height"]
    page.locator(".members-fold > summary").click()
    expect(bar).to_be_visible()
    bar.click()
    expect(page.get_by_role("link", name=re.compile("^Role: "))).to_be_visible()
    expect(bar).to_be_visible()
    page.set_viewport_size(DESKTOP)


# ---- taken along --------------------------------------------------------------------------

# {name: (address, what names a row on the page, the CSV's column that holds the same)}
# A row of which a time is all that names it is known by that: `<time datetime>`.
EXPORTS = {
    "members": (f"{MEMBERS}?role=observer&sort=-seen", ".member-email", "email"),
    "spend": ("/", ".services tbody th a", "service"),
    "usage": (f"{SERVICE}/usage/?months=24", "#usage-months tr[id]", "month"),
    "history": (f"{SERVICE}/history/", ".history-when time", "asked_at"),
    "seats": (f"{SERVICE}/seats/", ".seats-email", "email"),
    "months": (f"{SERVICE}/seats/months/", "tbody th", ""),
    "audit": ("/audit/", ".audit-when time", "at"),
}


def said(page: Page, rows: str) -> list[str]:
    """What names each row: its words, or the moment behind them."""
    found = page.locator(rows)
    if rows.endswith(" time"):
        return [str(each.get_attribute("datetime")) for each in found.all()]
    return [each.strip() for each in found.all_inner_texts()]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(microsecond=0)


def downloaded(page: Page, label: str, to: Path) -> tuple[Path, str]:
    """What the export menu's entry gives, and the name that the browser keeps it under."""
    page.locator("details.export > summary").click()
    with page.expect_download() as waiting:
        page.locator(".export__offer").filter(has_text=label).click()
    # Whoever has chosen sees the page again, without closing what they opened.
    expect(page.locator("details.export")).not_to_have_attribute("open", "")
    path = to / waiting.value.suggested_filename
    assert waiting.value.failure() is None, waiting.value.url
    waiting.value.save_as(path)
    return path, path.name


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_holds_what_the_page_shows_in_both_formats(
    name: str, admin: Visitor, tmp_path: Path
) -> None:
    address, rows, key = EXPORTS[name]
    page = at(admin, address)
    shown = said(page, rows)
    text, text_name = downloaded(page, "CSV", tmp_path)
    book, book_name = downloaded(page, "Excel", tmp_path)
    assert text_name.removesuffix(".csv") == book_name.removesuffix(".xlsx")
    raw = text.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n")
    keys, *lines = csv.reader(raw.decode().splitlines())
    workbook = CalamineWorkbook.from_path(str(book))
    titles, *cells = workbook.get_sheet_by_index(0).to_python()
    assert len(titles) == len(keys)
    # The audit trail tells of the download before, so the second file has one row more.
    assert len(cells) - len(lines) == (name == "audit")
    assert len(workbook.sheet_names) == 2
    assert "Seatwise" in str(workbook.get_sheet_by_index(1).to_python())
    if not key:
        assert len(lines) >= len(shown)
        return
    at_ = keys.index(key)
    texts, typed = [line[at_] for line in lines], [str(row[at_]) for row in cells]
    if rows.endswith(" time"):
        assert shown
        assert [moment(each) for each in texts[: len(shown)]] == [moment(each) for each in shown]
    elif name == "usage":  # each metric of a month is a row of its own
        assert len({*texts}) == len({*typed}) == len(shown)
    else:
        assert shown
        assert texts == typed
        assert texts[: len(shown)] == shown


def test_the_file_of_what_changed_holds_whom_the_page_shows(
    chromium: Browser, shown: Shown, tmp_path: Path
) -> None:
    """Of an account with two days to compare, with names as no well-meaning vendor tells them."""
    with visiting(chromium, shown.demo, storage_state=shown.session) as somebody:
        page = at(somebody, f"{SERVICE}/seats/changes/")
        emails = said(page, "tbody .seats-email")
        whats = said(page, "td[data-label='What'] .chip:first-child")
        path, _name = downloaded(page, "CSV", tmp_path)
    lines = list(csv.DictReader(StringIO(path.read_bytes().decode(), newline="")))
    assert emails
    assert [line["email"] for line in lines] == [safe_text(each) for each in emails]
    assert [line["what"].split(", ")[0] for line in lines] == whats
