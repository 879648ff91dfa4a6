"""The home page: the four figures count what is known, and nothing is invented."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from seatwise.models import AuditEvent, Connection, Service, SyncRun, User
from seatwise.models.connection import LATE_AFTER, Every, State
from tests.pages import rows

ISOLATES = dict.fromkeys(map(ord, "\u2068\u2069"))


def figures(client: Client) -> dict[str, str]:
    """The tiles' names with their figures and notes, as words."""
    page = client.get("/").content.decode()
    page = re.sub(r'<div class="popover.*?</div>', "", page, flags=re.DOTALL)
    tiles = re.findall(
        r'tile__name">([^<]+)</h2>(.*?)(?=<div class="tile">|</section>)', page, re.DOTALL
    )
    return {name: " ".join(unescape(re.sub(r"<[^>]+>", " ", rest)).split()) for name, rest in tiles}


def test_before_anything_is_there_the_next_step_is_shown(as_admin: Client) -> None:
    assert "Add the first service" in as_admin.get("/").content.decode()
    assert figures(as_admin) == {}
    assert "is provisional" not in as_admin.get("/").content.decode()
    assert as_admin.get("/").content.decode().count(">Add a service</a>") == 1


def test_the_figures_count_invited_as_paid_and_unknown_never_as_idle(as_admin: Client) -> None:
    connection = rows.connection(rows.service())
    for name, days in (("Active", 3), ("Busy", 29), ("Idle", 31)):
        rows.member(connection, name, seen=days)
    rows.member(connection, "Unknown")
    rows.member(connection, "Invited", invited=True)
    rows.member(connection, "Gone", left_at=connection.connected_at, seen=50)
    shown = figures(as_admin)
    assert shown["Seats"].startswith("5 ")
    assert shown["Active in 30 days"].startswith("2 67 % of the 3 whose last use is known")
    assert shown["Active in 30 days"].endswith("· 1 unknown · 1 invited")
    assert shown["What could be saved"].startswith("1 seat Idle 30 days or more. No price known.")
    assert shown["Monthly spend"].startswith("No price known ")


def test_a_service_that_was_never_read_has_no_number_rather_than_none(as_admin: Client) -> None:
    rows.connection(rows.service(), members_as_of=None)
    assert figures(as_admin)["Seats"].startswith("–")
    assert figures(as_admin)["What could be saved"].startswith("–")


def test_each_state_of_a_connection_has_its_words(as_admin: Client) -> None:
    rows.service("figma", "Figma")
    for state in State:
        rows.connection(rows.service(state, state), state=state)
    page = as_admin.get("/").content.decode()
    for words in ("Not connected", *State.labels):
        assert f">{words}</span>" in page


def test_a_viewer_is_told_who_can_add_services(as_viewer: Client, admin: object) -> None:
    assert "ask Ada Admin" in as_viewer.get("/").content.decode()


def test_the_catalogue_finds_by_name_vendor_and_category(as_admin: Client) -> None:
    for words, name in (
        ("pager d", "PagerDuty"),
        ("atlassian", "Jira"),
        ("whiteb", "Miro"),
        ("cisco meet", "Webex"),
    ):
        found = as_admin.get("/services/add/", {"q": words}).content.decode()
        assert f"Add {name}" in found, words
        assert "Add Zoom" not in found, words


def test_typing_brings_only_the_rows(as_admin: Client) -> None:
    htmx = {"HX-Request": "true", "HX-Target": "div#choices"}
    found = as_admin.get("/services/add/", {"q": "zoom"}, headers=htmx).content.decode()
    assert "Add Zoom" in found
    assert "<form role=" not in found
    assert "<html" not in found


def test_a_service_is_added_once(as_admin: Client) -> None:
    for _ in range(2):
        assert as_admin.post("/services/add/zoom/")["Location"] == "/services/zoom/settings/"
    assert Service.objects.count() == 1
    assert "Already added" in as_admin.get("/services/add/?q=zoom").content.decode()


def test_what_the_catalogue_does_not_know_cannot_be_added(as_admin: Client) -> None:
    assert as_admin.post("/services/add/nonsense/").status_code == 404


# ---- what needs attention -----------------------------------------------------------------


def names(client: Client, address: str) -> list[str]:
    """The services in the table, in their order."""
    page = client.get(address).content.decode()
    return re.findall(r'service-name" href="[^"]+"><bdi>([^<]+)<', page)


def needs(client: Client) -> dict[str, str]:
    """The sentences of what needs attention, each with the address that it leads to."""
    page = client.get("/").content.decode()
    found = re.findall(r'<p><strong>([^<]+)</strong> <a href="([^"]+)"', page)
    return {unescape(what).translate(ISOLATES): unescape(url) for what, url in found}


def test_one_service_that_needs_somebody_is_named_and_led_to(as_admin: Client) -> None:
    rows.connection(rows.service(), state=State.NEEDS_RECONNECT)
    assert needs(as_admin)["PagerDuty needs somebody to authorize again."] == (
        "/services/pagerduty/settings/"
    )


def test_sentences_lead_to_exactly_their_services(as_admin: Client) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    accounts: dict[str, dict[str, object]] = {
        "ann": {"state": State.NEEDS_RECONNECT},
        "bea": {"state": State.NEEDS_RECONNECT},
        "cid": {"members_as_of": long_ago},
        "dan": {"members_as_of": long_ago, "sync_every": "week"},
        "eve": {"state": State.LIMITED},
        "fay": {},
        "gus": {"state": State.BY_FILE, "members_as_of": long_ago},
    }
    for key, fields in accounts.items():
        rows.connection(rows.service(key, key.title()), **fields)
    rows.service("hal", "Hal")
    rows.service("ira", "Ira")
    told = needs(as_admin)
    assert names(as_admin, told["Services that need somebody to authorize again."]) == [
        "Ann",
        "Bea",
    ]
    assert names(as_admin, told["Services that have not been read for a long time."]) == [
        "Cid",
        "Dan",
    ]
    assert names(as_admin, told["Services about which nothing is known yet."]) == ["Hal", "Ira"]
    assert told["Something at Eve cannot be read."] == "/services/eve/settings/"


def test_a_held_drop_is_told(as_admin: Client) -> None:
    SyncRun.objects.create(
        connection=rows.connection(rows.service()),
        state="retry_at",
        created_at=timezone.now(),
        retry_at=timezone.now() + timedelta(hours=1),
        doubt={"stage": "members", "what": "members", "before": 9, "gone": 8, "at": "2026-11-01"},
    )
    assert "An unusual drop at PagerDuty is held back." in needs(as_admin)


def test_idle_and_unknown_seats_lead_to_exactly_those_members(as_admin: Client) -> None:
    account = rows.connection(rows.service())
    rows.member(account, "Ida Idle", seen=40)
    rows.member(account, "Old Olga", seen=100)
    rows.member(account, "Uma Unknown")
    rows.member(account, "Ada Active", seen=1)
    told = needs(as_admin)
    idle = as_admin.get(told["Seats idle or never seen at PagerDuty."]).content.decode()
    assert "2 of 4 members" in idle
    assert "Of these, 1 for 90 days or more." in as_admin.get("/").content.decode()
    unknown = as_admin.get(told["Seat at PagerDuty whose last use is unknown."])
    assert "1 of 4 members" in unknown.content.decode()


def test_nothing_to_do_is_said(as_admin: Client) -> None:
    rows.member(rows.connection(rows.service()), "Ada", seen=1)
    assert "Nothing needs somebody now" in as_admin.get("/").content.decode()


DAYS = {"6h": 2, "day": 3, "week": 15, "never": 31}  # that a list may be old, by its schedule


@pytest.mark.parametrize(
    ("state", "every", "most"),
    [
        *(
            (state, every, most)
            for every, most in DAYS.items()
            for state in (State.ACTIVE, State.LIMITED)
        ),
        *((State.BY_FILE, every, 92) for every in DAYS),
    ],
)
def test_a_list_is_late_once_it_is_older_than_its_schedule_allows(
    state: State, every: str, most: int
) -> None:
    now = timezone.now()
    late = {
        days: Connection(
            state=state, sync_every=every, members_as_of=now - timedelta(days=days)
        ).is_late(now)
        for days in (0, most - 1, most, most + 1, 1000)
    }
    assert late == {0: False, most - 1: False, most: False, most + 1: True, 1000: True}


@pytest.mark.parametrize("every", DAYS)
@pytest.mark.parametrize("state", State)
def test_what_was_never_read_or_is_not_read_any_more_is_not_late(state: State, every: str) -> None:
    now = timezone.now()
    assert not Connection(state=state, sync_every=every, members_as_of=None).is_late(now)
    if state in (State.DISCONNECTED, State.NEEDS_RECONNECT):
        old = Connection(state=state, sync_every=every, members_as_of=now - timedelta(days=1000))
        assert not old.is_late(now)


def test_every_schedule_has_its_limit() -> None:
    assert set(DAYS) == set(Every.values) == set(LATE_AFTER)


# ---- three hundred services ---------------------------------------------------------------


@pytest.fixture
def many(db: None) -> None:
    """300 services: every third is connected, with as many members as its number modulo 7."""
    for number in range(300):
        category = "Sales" if number % 2 else "Finance"
        service = Service.objects.create(
            key=f"s{number}", name=f"Service {number:03}", category=category
        )
        if number % 3 == 0:
            account = rows.connection(service, account_name=f"acme-{number}")
            for _ in range(number % 7):
                rows.member(account, "Somebody", seen=50)


def test_pages_of_fifty_hold_every_service_once(as_admin: Client, many: None) -> None:
    address, seen = "/?sort=name", []
    while address:
        page = as_admin.get(address).content.decode()
        seen += names(as_admin, address)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        address = "/" + unescape(more[1]) if more else ""
    assert seen == [f"Service {number:03}" for number in range(300)]


def test_three_hundred_services_ask_no_more_questions_than_one(
    as_admin: Client, many: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    as_admin.get("/")  # what is counted is kept
    with django_assert_max_num_queries(16):
        page = as_admin.get("/").content.decode()
    assert "300 of 300 services" in page


def test_filters_narrow_down_and_say_so_and_clear(as_admin: Client, many: None) -> None:
    page = as_admin.get("/?category=Sales&state=none&q=service+01").content.decode()
    assert "6 of 300 services" in page  # 001 011 013 017 019 101
    for words in ("“service 01”", "Category: Sales", "Connection: Not connected"):
        assert words in page
    assert "No service matches these filters" in as_admin.get("/?q=nothing").content.decode()
    assert names(as_admin, "/?q=acme-21&sort=name") == [
        "Service 021",
        "Service 210",
        "Service 213",
        "Service 216",
        "Service 219",
    ]


def test_a_sort_puts_the_unknown_last_either_way(as_admin: Client, many: None) -> None:
    for sort, first in (("-seats", 6), ("seats", 0)):
        page = as_admin.get(f"/?sort={sort}").content.decode()
        seats = re.findall(r'data-label="Seats">(?:<a[^>]+>)?([\d–]+)', page)
        assert seats[0] == str(first)
        assert "–" not in seats


def test_typing_brings_only_the_table_and_replaces_the_address(as_admin: Client) -> None:
    rows.service()
    htmx = {"HX-Request": "true", "HX-Source": "input#spend-search"}
    answer = as_admin.get("/", {"q": "pager"}, headers=htmx)
    assert "<html" not in answer.content.decode()
    assert "1 of 1 service" in answer.content.decode()
    assert answer["HX-Replace-Url"] == "/?q=pager"
    clicked = as_admin.get("/", {"need": "idle"}, headers={"HX-Request": "true"})
    assert clicked["HX-Push-Url"] == "/?need=idle"


@pytest.mark.parametrize(
    "query", ["sort=nonsense", "place=99999", "state=x&need=y&owner=z", "place=-1", "q=%20"]
)
def test_an_address_that_makes_no_sense_shows_everything(as_admin: Client, query: str) -> None:
    rows.service()
    assert "1 of 1 service" in as_admin.get(f"/?{query}").content.decode()


# ---- the menu and the owner ---------------------------------------------------------------


def menu(client: Client, address: str) -> list[str]:
    """The services in the menu."""
    page = client.get(address).content.decode()
    nav = page[page.index('id="nav"') : page.index("</nav>")]
    return re.findall(r"<bdi>([^<]+)</bdi></a>", nav.replace('<span class="dot', "</a>"))


def test_the_menu_lists_eight_and_leads_to_all(as_admin: Client, many: None) -> None:
    page = as_admin.get("/").content.decode()
    assert len(menu(as_admin, "/")) == 8
    assert "All 300 services" in page
    assert "Service 299" in menu(as_admin, "/services/s299/")
    assert len(menu(as_admin, "/services/s299/")) == 8


def test_few_services_are_all_in_the_menu(as_admin: Client) -> None:
    rows.service()
    assert menu(as_admin, "/") == ["PagerDuty"]
    assert "All 1 services" not in as_admin.get("/").content.decode()


def test_an_owner_is_chosen_shown_found_and_written_down(
    as_admin: Client, admin: User, viewer: User
) -> None:
    rows.connection(rows.service())
    rows.service("zoom", "Zoom")
    settings = as_admin.get("/services/pagerduty/settings/").content.decode()
    assert "Nobody answers for PagerDuty yet" in settings
    answer = as_admin.post("/services/pagerduty/owner/", {"owner": viewer.pk}, follow=True)
    assert "Vic Viewer owns PagerDuty now." in answer.content.decode()
    head = as_admin.get("/services/pagerduty/").content.decode()
    assert "owner <bdi>Vic Viewer</bdi>" in head
    assert names(as_admin, f"/?owner={viewer.pk}") == ["PagerDuty"]
    assert names(as_admin, "/?owner=nobody") == ["Zoom"]
    assert names(as_admin, "/?q=vic") == ["PagerDuty"]
    event = AuditEvent.objects.get(action="owner_changed")
    assert (event.service, event.said) == (
        "pagerduty",
        "nobody owned it before, Vic Viewer does now.",
    )
    as_admin.post("/services/pagerduty/owner/", {"owner": ""})
    assert Service.objects.get(key="pagerduty").owner is None


def test_who_is_not_there_cannot_own(as_admin: Client, viewer: User) -> None:
    rows.service()
    viewer.is_active = False
    viewer.save()
    for owner in (str(viewer.pk), "999999", "x", "9" * 30):
        answer = as_admin.post("/services/pagerduty/owner/", {"owner": owner}, follow=True)
        assert "Nothing was changed" in answer.content.decode()
    assert Service.objects.get().owner is None


def test_only_an_admin_chooses_the_owner(as_viewer: Client, viewer: User, admin: User) -> None:
    rows.service()
    assert as_viewer.post("/services/pagerduty/owner/", {"owner": viewer.pk}).status_code == 403
    page = as_viewer.get("/services/pagerduty/settings/").content.decode()
    assert "owner-choice" not in page
    assert Service.objects.get().owner is None
