"""The Service info page, asked for as a browser asks."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import Connection, Member
from seatwise.models.member_order import Tally
from seatwise.views.info import count_seats
from tests.pages import rows

ADDRESS = "/services/pagerduty/"


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def page(client: Client, address: str = ADDRESS) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


TILE_ENDS = ('<div class="tile">', "</section>")


def tile(html: str, name: str) -> str:
    """A tile's words, without its markup."""
    start = html.index(f'<h2 class="tile__name">{name}')
    end = min(at for at in (html.find(mark, start) for mark in TILE_ENDS) if at > 0)
    # Its explanation is one click away.
    shown = re.sub(r'<div class="popover.*?</div>', "", html[start:end], flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", shown)
    return " ".join(unescape(words).split())


def test_the_tiles_count_members_seats_activity_and_power(
    as_viewer: Client, account: Connection
) -> None:
    rows.license_pool(account, "Business", used=3, available=2)
    rows.member(account, "Ola Owner", "owner", seen=1)
    rows.member(account, "Ada Admin", "admin", seen=40)
    rows.member(account, "Ivo Invited", "user", invited=True)
    rows.member(account, "Sam Stakeholder", "read_only_user")
    rows.member(account, "Leo Left", "admin", left_at=timezone.now())
    html = page(as_viewer)
    assert tile(html, "Members").startswith("Members 4")
    assert tile(html, "Paid full seats") == (
        "Paid full seats 3 of 5 2 unassigned · 1 stakeholder besides"
    )
    assert tile(html, "Active in 30 days") == (
        "Active in 30 days 1 50 % 2 in 60 days, 2 in 90,"
        " of the 2 whose last use is known · 1 unknown · 1 invited"
    )
    assert tile(html, "Admins and owners").endswith("2 1 Account Owner, 1 Global Admin")
    assert tile(html, "Pending invitations").startswith("Pending invitations 1")


def test_nobody_is_called_idle_while_nobody_was_ever_seen(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Uma Unknown")
    html = page(as_viewer)
    assert tile(html, "Active in 30 days").startswith("Active in 30 days –")
    assert "Member whose last use is unknown" in html
    assert "not seen for" not in html


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (["user"], "Holds a full seat."),
        (["read_only_user"], "Holds no full seat."),
        (["user", "user"], "All hold a full seat."),
        (["user", "user", "read_only_user"], "2 of them hold a full seat."),
        (["user", "read_only_user"], "1 of them holds a full seat."),
        (["read_only_user"] * 2, "None of them holds a full seat."),
    ],
)
def test_how_many_of_the_idle_hold_a_full_seat_is_said_as_one_says_it(
    as_viewer: Client, account: Connection, roles: list[str], words: str
) -> None:
    for role in roles:
        rows.member(account, "Ida Idle", role, seen=40)
    assert f">{words}<" in page(as_viewer)


def test_several_of_a_role_are_many_and_nobody_is_no_link(
    as_viewer: Client, account: Connection
) -> None:
    before = timezone.now() - timedelta(days=100)
    rows.member(account, "Ola", "owner", seen=1, first_listed_at=before)
    for name in ("Ada", "Bea"):
        rows.member(account, name, "admin", seen=1, first_listed_at=before)
    html = page(as_viewer)
    assert "1\u00a0Account Owner, 2\u00a0Global Admins" in html
    assert "0 joined, 0 left" in tile(html, "Members").replace(" ,", ",")
    assert "joined=" not in html.split('class="info-columns"')[0]


def test_pools_that_may_be_shared_are_not_added_up(as_viewer: Client, account: Connection) -> None:
    rows.license_pool(account, "Business", used=3, available=2)
    rows.license_pool(account, "Professional", used=1, available=2)
    rows.member(account, "Ada", seen=1)
    assert "unknown or unlimited" in tile(page(as_viewer), "Paid full seats")


def test_an_unlimited_licence_says_so(as_viewer: Client, account: Connection) -> None:
    rows.license_pool(account, "Stakeholder", "stakeholder", used=1, available=None)
    assert "unlimited or unknown" in page(as_viewer)


@pytest.mark.parametrize(
    ("days", "words", "query"),
    [
        (95, "not seen for 90 days or more", "status=idle_90"),
        (70, "not seen for 60 to 90 days", "status=idle_60"),
        (40, "not seen for 30 to 60 days", "status=idle_30"),
    ],
)
def test_idle_seats_link_to_exactly_those_members(
    as_viewer: Client, account: Connection, days: int, words: str, query: str
) -> None:
    rows.member(account, "Ida Idle", seen=days)
    rows.member(account, "Ada Active", seen=1)
    html = page(as_viewer)
    assert words in html
    found = re.search(r'href="([^"]+)">See the member<', html)
    assert found
    assert query in found.group(1)
    members = page(as_viewer, found.group(1).replace("&amp;", "&"))
    assert "1 of 2 members" in members
    assert "Ida Idle" in members


def test_what_cannot_be_read_is_said_with_its_remedy(
    as_viewer: Client, account: Connection
) -> None:
    account.sync_gaps = [
        {
            "capability": "licences",
            "what": "Licences cannot be read.",
            "why": "The role of Dana is too low.",
            "remedy": "An Account Owner authorizes again.",
        }
    ]
    account.save()
    html = page(as_viewer)
    for sentence in account.sync_gaps[0].values():
        if sentence != "licences":
            assert sentence in html


def test_what_changed_tells_role_names_and_leaves_the_first_look_out(
    as_viewer: Client, account: Connection
) -> None:
    month = rows.this_month()
    before = timezone.now() - timedelta(days=100)
    ada = rows.member(account, "Ada Admin", "admin", seen=1, first_listed_at=before)
    rows.event(ada, "listed", at=before)
    rows.event(ada, "changed", field="role", before="user", after="admin")
    rows.event(ada, "changed", field="email", before="a@b.example", after="c@d.example")
    rows.event(rows.member(account, "Leo", left_at=timezone.now()), "left")
    html = page(as_viewer)
    words = " ".join(re.sub(r"<[^>]+>", " ", html).split()).replace(" ,", ",").replace(" .", ".")
    assert "Ada Admin went from Manager to Global Admin" in words
    assert f"{month:%B} so far: 0 joined, 1 left, 1 role change." in words
    assert "a@b.example" not in html
    assert "was there at the first look" not in html


def test_the_numbers_of_a_month_are_the_rows_that_they_lead_to(
    as_viewer: Client, account: Connection
) -> None:
    now, before = timezone.now(), timezone.now() - timedelta(days=100)

    def there(name: str, **fields: object) -> Member:
        return rows.member(account, name, "user", first_listed_at=before, **fields)

    brief = there("Brief", joined_at=now, left_at=now)
    rows.event(brief, "joined")
    rows.event(brief, "left")
    back = there("Back")
    rows.event(back, "listed", at=before)
    rows.event(back, "left", at=now - timedelta(seconds=2))
    rows.event(back, "returned", at=now - timedelta(seconds=1))
    round_trip = there("Round")
    rows.event(round_trip, "listed", at=before)
    for seconds, (was, then) in enumerate((("user", "admin"), ("admin", "user"))):
        at = now - timedelta(seconds=9 - seconds)
        rows.event(round_trip, "changed", at=at, field="role", before=was, after=then)
    new = there("New", joined_at=now)
    rows.event(new, "joined")
    html = page(as_viewer)
    sums = html[html.index('class="changes-sum') :].split("</p>")[0]
    words = " ".join(re.sub(r"<[^>]+>", " ", sums).split()).replace(" ,", ",")
    assert f"{rows.this_month():%B} so far: 1 joined, 1 left, 1 came back, 0 role" in words
    links = re.findall(r'href="([^"]+)"><strong>\d+</strong> (joined|left|came back)', sums)
    joined, left, back_url = (page(as_viewer, url.replace("&amp;", "&")) for url, _word in links)
    assert "1 of 3 members" in joined
    assert ">New<" in joined
    assert ">Brief<" in left
    assert ">Back<" not in left
    assert ">Back<" in back_url
    assert ">Round<" not in back_url


def test_a_line_of_what_changed_leads_to_that_very_member(
    as_viewer: Client, account: Connection
) -> None:
    gone = rows.member(account, "Erased person", email="", left_at=timezone.now())
    rows.event(gone, "left")
    link = f'href="/services/pagerduty/members/{gone.pk}/"><bdi>Erased person'
    assert link in page(as_viewer)
    other = rows.connection(account.service, account_id="P2", account_name="acme-test")
    rows.member(other, "Ada")
    assert link.replace('/">', f'/?account={account.pk}">') in page(as_viewer)


def test_of_a_file_nothing_is_said_of_a_vendor(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ada", seen=1)
    assert "Everybody whom the vendor lists, the invited" in page(as_viewer)
    assert "No invitation is pending" in tile(page(as_viewer), "Pending invitations")
    account.state = "by_file"
    account.save()
    assert "Everybody whom the newest file lists." in page(as_viewer)


def test_changes_before_the_first_look_are_said_to_be_unknown(
    as_viewer: Client, account: Connection
) -> None:
    long_ago = timezone.now() - timedelta(days=200)
    rows.member(account, "New", seen=1)
    assert "what changed before is not known" in page(as_viewer)
    rows.member(account, "Old", seen=1, first_listed_at=long_ago)
    assert "what changed before is not known" not in page(as_viewer)


def test_usage_this_month_stands_against_last_month(as_viewer: Client, account: Connection) -> None:
    rows.usage(account, rows.this_month(), final=False, incidents=318)
    rows.usage(account, rows.last_month(), incidents=503)
    html = page(as_viewer)
    assert "318" in html
    assert f"{rows.last_month():%B}, whole month: 503" in html


def test_a_service_never_connected_says_the_next_step_and_who_can_take_it(
    as_admin: Client, as_viewer: Client
) -> None:
    rows.service()
    assert "Open Settings and press" in page(as_admin)
    assert "Only an admin can do that: ask Ada Admin" in page(as_viewer)


def test_a_service_without_a_connector_says_so(as_viewer: Client) -> None:
    rows.service("acme", "Acme")
    assert "There is no connector for it" in page(as_viewer, "/services/acme/")


def test_data_kept_after_a_revocation_is_still_shown(
    as_viewer: Client, account: Connection
) -> None:
    account.state = "disconnected"
    account.save()
    rows.member(account, "Ada", seen=1)
    assert tile(page(as_viewer), "Members").startswith("Members 1")


def test_an_unknown_role_is_not_counted_as_paid() -> None:
    seats = count_seats(None, [Tally("space_admin", None, "active", "7", 5)], [])
    assert (seats.members, seats.full, seats.other) == (5, 0, 5)
