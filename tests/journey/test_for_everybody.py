"""The pages serve everybody: by keyboard, with filters that can be sent, whoever they are."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from seatwise.vault import new_key
from tests.journey import programs
from tests.journey.conftest import MINUTE, READY, SERVICE, Connected, Demo, Visitor, visiting
from tests.journey.eyes import at, is_for_every_eye, tab_to

pytestmark = pytest.mark.browser


# ---- by keyboard --------------------------------------------------------------------------


def test_a_service_is_added_with_the_keyboard_alone(admin: Visitor) -> None:
    page = at(admin, "/")
    tab_to(page, page.get_by_text("Add a service", exact=True).first)
    page.keyboard.press("Enter")
    search = page.get_by_role("searchbox", name="Search the catalogue")
    expect(search).to_be_focused()
    page.keyboard.type("figma")
    expect(page.get_by_text("1 found")).to_be_attached()
    tab_to(page, page.get_by_role("button", name="Add Figma"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Figma", level=1)).to_be_visible()


def test_escape_closes_the_integrate_dialog_and_focus_returns(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/settings/")
    button = page.get_by_text("Integrate again", exact=True)
    tab_to(page, button)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Integrate PagerDuty")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_filter_is_opened_chosen_and_closed_with_the_keyboard(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/members/")
    summary = page.locator("#filter-role > summary")
    tab_to(page, summary)
    page.keyboard.press("Enter")
    box = page.get_by_role("checkbox", name="Manager")
    tab_to(page, box)
    page.keyboard.press("Space")
    expect(page.get_by_role("link", name="Role: Manager")).to_be_visible()
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(summary).to_be_focused()


def test_the_first_tab_stop_skips_to_the_content(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/members/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


# ---- what the pages let one do ------------------------------------------------------------


def test_filters_live_in_the_address_so_a_view_can_be_sent(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/members/")
    everybody = page.get_by_role("status").filter(has_text="members").inner_text()
    page.locator("#filter-role > summary").click()
    page.get_by_role("checkbox", name="Manager").check()
    expect(page.get_by_role("link", name="Role: Manager")).to_be_visible()
    page.locator("#filter-status > summary").click()
    page.get_by_role("checkbox", name="Active").check()
    expect(page.get_by_role("link", name="Status: Active")).to_be_visible()
    count = page.get_by_role("status").filter(has_text="members").inner_text()
    assert count != everybody
    assert count.endswith("of 250 members")

    colleague = admin.context.new_page()
    colleague.goto(page.url)
    assert colleague.locator(".member-email").all_inner_texts() == (
        page.locator(".member-email").all_inner_texts()
    )
    expect(colleague.get_by_role("status").filter(has_text="members")).to_have_text(count)
    shown = colleague.locator("td[data-label=Role]").all_inner_texts()
    assert set(shown) == {"Manager"}
    page.go_back()
    expect(page.get_by_role("link", name="Status: Active")).to_have_count(0)
    expect(page.get_by_role("link", name="Role: Manager")).to_be_visible()


@pytest.mark.parametrize(
    ("bar", "chip"), [(".role-bar >> nth=1", "Role: "), (".age-bar >> nth=0", "Last seen: ")]
)
def test_a_bar_of_a_chart_filters_and_a_second_click_takes_it_back(
    bar: str, chip: str, admin: Visitor
) -> None:
    page = at(admin, f"{SERVICE}/members/")
    members = page.locator(bar).locator(".numbers").inner_text()
    page.locator(bar).click()
    expect(page.get_by_role("link", name=re.compile(chip))).to_be_visible()
    expect(page.locator("body")).to_contain_text(f"{members} of 250 members")
    page.locator(bar).click()
    expect(page.locator("body")).to_contain_text("250 of 250 members")


def test_a_month_opens_its_breakdown_and_the_legend_switches_series(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/usage/")
    month = page.locator("a[data-month]").nth(2)
    words = month.inner_text()
    month.click()
    opened = page.get_by_role("region", name=re.compile(rf"^{words[:3]}"))
    expect(opened).to_be_visible()
    numbers = page.locator("tr[aria-current] td.num").all_inner_texts()
    assert opened.locator(".breakdown__figure").all_inner_texts() == numbers

    canvas = page.locator("canvas").first
    full = canvas.screenshot()
    page.get_by_role("button", name="Alerts", exact=True).and_(page.locator(".legend__one")).click()
    assert canvas.screenshot() != full


def test_a_click_into_the_chart_opens_that_month(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/usage/")
    canvas = page.locator("canvas").first
    box = canvas.bounding_box()
    assert box is not None
    canvas.click(position={"x": box["width"] - 40, "y": box["height"] / 2})
    newest = page.locator("a[data-month]").first.get_attribute("data-month")
    expect(page.locator("#breakdown")).to_be_visible()
    expect(page.locator("tr[aria-current]")).to_have_id(f"month-{newest}")


def test_last_seen_shows_its_exact_time_source_and_proof(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/members/?status=active&sort=-seen")
    row = page.locator("tbody tr").first
    proof = row.locator(".seen__proof").inner_text()
    row.locator(".seen__when").click()
    evidence = page.get_by_role("dialog", name=re.compile("Last seen"))
    expect(evidence).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"))
    expect(evidence).to_contain_text("your time")
    expect(evidence).to_contain_text(proof)
    expect(evidence).to_contain_text("Evidence: ")
    expect(evidence).to_contain_text("Being paged is not counted as presence")
    page.keyboard.press("Escape")
    expect(evidence).to_be_hidden()


def test_sync_now_keeps_the_filters_and_says_how_far_it_is(admin: Visitor) -> None:
    page = at(admin, f"{SERVICE}/members/?status=active")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("heading", name=re.compile("Reading|Waiting"))).to_be_visible()
    assert page.url.endswith("/members/?status=active")
    expect(page.locator("#progress .spinner")).to_have_count(0, timeout=MINUTE)
    expect(page.get_by_role("link", name="Status: Active")).to_be_visible()


def test_a_dialog_that_was_closed_stays_closed_when_the_page_is_loaded_again(
    admin: Visitor,
) -> None:
    page = at(admin, f"{SERVICE}/settings/?authorization=1")
    dialog = page.get_by_role("dialog", name="PagerDuty is connected")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page).to_have_url(re.compile("/settings/$"))
    page.reload()
    expect(dialog).to_have_count(0)


def test_whose_session_has_ended_signs_in_and_is_back_at_the_same_view(
    chromium: Browser, connected: Connected
) -> None:
    with visiting(chromium, connected.demo, storage_state=connected.session) as somebody:
        page = at(somebody, f"{SERVICE}/members/?status=active")
        somebody.context.clear_cookies()
        page.get_by_role("searchbox").press_sequentially("a")
        page.get_by_label("Password", exact=True).fill(connected.demo.password)
        page.get_by_label("E-mail").fill(connected.demo.email)
        somebody.press("Sign in")
        expect(page.get_by_role("link", name="Status: Active")).to_be_visible()


def test_where_popups_are_blocked_authorize_goes_on_in_the_same_tab(
    chromium: Browser, connected: Connected
) -> None:
    with visiting(chromium, connected.demo, storage_state=connected.session) as somebody:
        somebody.context.add_init_script("window.open = () => null")
        page = at(somebody, f"{SERVICE}/settings/")
        somebody.press("Integrate again")
        somebody.press("Authorize")
        page.get_by_role("button", name=re.compile("Account Owner")).first.click()
        page.get_by_role("button", name=re.compile("US service region")).click()
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_text("You did not allow access.")).to_be_visible()
        assert len(somebody.context.pages) == 1
        somebody.press("Back to the settings")
        expect(page.get_by_role("heading", name="PagerDuty", level=1)).to_be_visible()
        expect(page.get_by_text("Connected", exact=True).first).to_be_visible()


# ---- who may do what ----------------------------------------------------------------------


def test_a_viewer_comes_by_a_one_time_link_and_is_told_who_can_do_the_rest(
    chromium: Browser, connected: Connected
) -> None:
    with visiting(chromium, connected.demo, storage_state=connected.session) as admin:
        page = at(admin, "/users/")
        page.get_by_label("Name").fill("Vera Viewer")
        page.get_by_label("E-mail", exact=False).first.fill("vera@demo.example")
        page.get_by_label("Role", exact=True).select_option(label="Viewer")
        admin.press("Add and make a link")
        link = page.locator("#handover-link").inner_text()
        admin.picture("users-link")
        page.reload()
        expect(page.locator("#handover-link")).to_have_count(0)
        only_asks_before_somebody_is_locked_out(page)
    with visiting(chromium, connected.demo) as viewer:
        viewer.page.goto(link)
        for field in viewer.page.locator("input[type=password]").all():
            field.fill("a quite long passphrase")
        viewer.press("Set the password")
        expect(viewer.page.get_by_text("Your password is set")).to_be_visible()
        viewer.sign_in("vera@demo.example", "a quite long passphrase")
        sees_who_can(viewer, "/", "Only an admin can add services: ask Demo Admin")
        sees_who_can(viewer, "/services/add/", "Only an admin can add services: ask Demo Admin")
        sees_who_can(viewer, f"{SERVICE}/settings/", "Only an admin can integrate")
        sees_who_can(viewer, "/users/", "Only an admin can add people")
        expect(at(viewer, f"{SERVICE}/members/").locator("tbody tr").first).to_be_visible()


def only_asks_before_somebody_is_locked_out(page: Page) -> None:
    """And a role is only changed to another one."""
    row = page.get_by_role("row").filter(has_text="vera@demo.example")
    change = row.get_by_role("button", name="Change the role of Vera Viewer")
    expect(change).to_be_disabled()
    row.get_by_label("Role of Vera Viewer", exact=True).select_option(label="Admin")
    expect(change).to_be_enabled()
    row.get_by_label("Role of Vera Viewer", exact=True).select_option(label="Viewer")
    expect(change).to_be_disabled()
    row.get_by_role("link", name="Deactivate Vera Viewer").click()
    dialog = page.get_by_role("dialog", name="Deactivate Vera Viewer?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    expect(row.get_by_text("Invited")).to_be_visible()


def sees_who_can(viewer: Visitor, path: str, sentence: str) -> None:
    page = at(viewer, path)
    expect(page.get_by_text(sentence)).to_be_visible()
    main = page.locator("main")
    doors = main.get_by_role("button").or_(main.get_by_role("link"))
    for words in ("Add", "Integrate", "Revoke", "Sync now", "Deactivate", "New link"):
        expect(doors.filter(has_text=re.compile(f"^{words}"))).to_have_count(0)


def test_a_new_installation_asks_for_its_first_admin_once(chromium: Browser) -> None:
    port = str(programs.free_port())
    with (
        programs.home() as where,
        programs.running(
            "serve",
            "--port",
            port,
            where=where,
            until=READY,
            SEATWISE_SECRET_KEY="x" * 50,
            SEATWISE_ENCRYPTION_KEYS=new_key(),
        ) as serve,
    ):
        here = Demo(serve.find(r"served at (\S+)\. "), "ada@example.com", "", serve)
        with visiting(chromium, here, bypass_csp=True) as first:
            page = at(first, "/")
            expect(page.get_by_role("heading", name="Create the first admin")).to_be_visible()
            is_for_every_eye(first, "first-run")
            page.get_by_label("Name").fill("Ada")
            page.get_by_label("E-mail").fill(here.email)
            page.get_by_label("Password").fill("a quite long passphrase")
            first.press("Create the first admin")
            expect(page.get_by_role("heading", name="No service yet")).to_be_visible()
        with visiting(chromium, here) as second:
            expect(at(second, "/setup/").get_by_role("heading", name="Sign in")).to_be_visible()
