"""The Members page, asked for as a browser asks."""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from seatwise.models import Connection
from seatwise.spreadsheet import FORMULA_STARTS, safe_text
from tests.pages import rows

ADDRESS = "/services/pagerduty/members/"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def page(client: Client, headers: dict[str, str] | None = None, **params: object) -> str:
    response = client.get(f"{ADDRESS}?{urlencode(params, doseq=True)}", headers=headers or {})
    assert response.status_code == 200
    return response.content.decode()


def exported(client: Client, **params: object) -> list[dict[str, str]]:
    address = f"{ADDRESS}?{urlencode({**params, 'format': 'csv'}, doseq=True)}"
    response = client.get(address)
    assert isinstance(response, StreamingHttpResponse)
    return list(csv.DictReader(io.StringIO(response.getvalue().decode(), newline="")))


def names(client: Client, **params: object) -> list[str]:
    """Who is asked for, in order: the file holds the same rows as the page."""
    return [line["name"] for line in exported(client, **params)]


def test_a_member_without_evidence_is_unknown_and_not_idle(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Nora Unseen")
    html = page(as_viewer)
    assert "Unknown is not the same as idle." in html
    assert "no evidence since" in html
    assert [line["status"] for line in exported(as_viewer)] == ["unknown"]


def test_a_row_tells_role_last_seen_and_proof(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ben Lindqvist", "limited_user", seen=3)
    html = page(as_viewer)
    assert "Responder" in html
    assert 'title="limited_user"' in html
    assert "3 days ago" in html
    assert "acknowledged incident #0" in html
    assert "Being paged is not counted as presence." in html


def test_a_role_word_that_nobody_knows_stays_raw(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Odd Role", "space_admin")
    assert "other (space_admin)" in page(as_viewer)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"q": "ada"}, ["Ada Active"]),
        ({"q": "ada nobody"}, []),
        ({"role": ["admin"]}, ["Ada Active"]),
        ({"role": ["admin", "observer"]}, ["Ada Active", "Ida Idle"]),
        ({"status": "active"}, ["Ada Active"]),
        ({"status": "idle_90"}, ["Ida Idle"]),
        ({"status": ["unknown", "invited"]}, ["Ivo Invited", "Uma Unknown"]),
        ({"status": "left"}, ["Leo Left"]),
        ({"seen": "older"}, ["Ida Idle"]),
        ({"seen": "7"}, ["Ada Active"]),
        ({"license": "Business"}, ["Ada Active"]),
        ({"license": ""}, ["Ida Idle", "Ivo Invited", "Uma Unknown"]),
        ({"sort": "-name", "q": "i"}, ["Ivo Invited", "Ida Idle", "Ada Active"]),
        ({"sort": "role"}, ["Ada Active", "Ivo Invited", "Uma Unknown", "Ida Idle"]),
        ({"sort": "-seen"}, ["Ada Active", "Ida Idle", "Ivo Invited", "Uma Unknown"]),
    ],
)
def test_the_address_says_who_is_shown(
    as_viewer: Client, account: Connection, params: dict[str, Any], expected: list[str]
) -> None:
    business = rows.license_pool(account, "Business")
    mail = {"email": "x@y.example"}
    rows.member(account, "Ada Active", "admin", seen=1, license=business, **mail)
    rows.member(account, "Ida Idle", "observer", seen=100, **mail)
    rows.member(account, "Uma Unknown", **mail)
    rows.member(account, "Ivo Invited", invited=True, **mail)
    rows.member(account, "Leo Left", left_at=timezone.now(), **mail)
    assert names(as_viewer, **params) == expected
    assert f"{len(expected)} of " in page(as_viewer, **params)


def test_who_joined_or_left_in_a_month_can_be_asked(as_viewer: Client, account: Connection) -> None:
    now = timezone.now()
    rows.member(account, "Jo Joined", joined_at=now)
    rows.member(account, "Al Earlier", joined_at=now - timedelta(days=70))
    rows.member(account, "Lea Gone", left_at=now)
    month = f"{rows.this_month():%Y-%m}"
    assert names(as_viewer, joined=month) == ["Jo Joined"]
    assert names(as_viewer, left=month) == ["Lea Gone"]


def test_the_count_says_how_many_of_how_many(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ada", seen=1)
    rows.member(account, "Ben")
    rows.member(account, "Leo Left", left_at=timezone.now())
    assert "1 of 2 members" in page(as_viewer, q="Ada")
    assert "1 of 3 members" in page(as_viewer, status="left")


def test_htmx_gets_the_block_alone_and_the_address_it_stands_for(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Ada")
    query = "?q=ada&status=bogus&page="
    response = as_viewer.get(ADDRESS + query, headers=HTMX)
    assert b"<html" not in response.content
    assert response["HX-Push-Url"] == f"{ADDRESS}?q=ada"
    assert "HX-Request" in response["Vary"]


def test_typing_does_not_fill_the_history(as_viewer: Client, account: Connection) -> None:
    typed = {**HTMX, "HX-Source": "input#members-search"}
    response = as_viewer.get(f"{ADDRESS}?q=a", headers=typed)
    assert response["HX-Replace-Url"] == f"{ADDRESS}?q=a"
    assert not response.has_header("HX-Push-Url")


def test_back_gets_a_whole_page(as_viewer: Client, account: Connection) -> None:
    restored = {**HTMX, "HX-History-Restore-Request": "true"}
    assert "<html" in page(as_viewer, restored)


def test_a_filter_without_a_hit_offers_to_clear_it(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ada")
    html = page(as_viewer, q="zzz")
    assert "No member matches these filters" in html
    assert "Clear filters" in html


def test_a_chip_leads_to_the_same_view_without_its_filter(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Ada", "admin")
    html = page(as_viewer, q="ada", role="admin")
    assert "Role: Global Admin" in html
    assert 'class="filter-chip" href="?q=ada"' in html
    assert 'class="filter-chip" href="?role=admin"' in html


def test_the_sorted_column_says_so(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ada")
    html = page(as_viewer, sort="-seen")
    assert html.count("aria-sort=") == 1
    assert 'aria-sort="descending"><a href="?sort=seen">Last seen' in html


@pytest.mark.parametrize(
    "query",
    ["q=%00", "page=99999999999999999999", "page=-1", "joined=9999-12", "sort=x;--", "q=%ff"],
)
def test_a_bent_address_still_shows_the_page(
    as_viewer: Client, account: Connection, query: str
) -> None:
    rows.member(account, "Ada")
    assert as_viewer.get(f"{ADDRESS}?{query}").status_code == 200


def test_pages_hold_fifty_and_the_last_one_the_rest(as_viewer: Client, account: Connection) -> None:
    for number in range(53):
        rows.member(account, f"Member {number:03}")
    assert page(as_viewer).count('id="member-') == 50
    assert page(as_viewer, place="last").count('id="member-') == 3


@pytest.mark.fault(61)
@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\"'><b>", "محمد الأحمد", "x" * 500])
def test_a_name_is_shown_as_text(as_viewer: Client, account: Connection, name: str) -> None:
    rows.member(account, name, seen=1)
    html = page(as_viewer)
    assert "<script>alert" not in html
    assert "><b>" not in html


def test_only_an_https_page_at_the_vendor_becomes_a_link(
    as_viewer: Client, account: Connection
) -> None:
    good = rows.member(account, "Good", url="https://acme.example.com/users/1")
    bad = rows.member(account, "Bad", url="javascript:alert(1)")
    addresses = [ADDRESS, *(f"{ADDRESS}{each.pk}/" for each in (good, bad))]
    listed, of_good, of_bad = (as_viewer.get(address).content.decode() for address in addresses)
    assert 'href="https://acme.example.com/users/1"' in of_good
    assert "javascript:" not in listed + of_bad


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_cell_of_the_file_is_a_formula(start: str) -> None:
    assert safe_text(f"{start}1+1").startswith("'")
    assert safe_text(f" {start}=1+1").startswith("'")


def test_the_file_is_rfc_4180_and_keeps_every_character(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, 'A "quoted", name\nof two lines', seen=1)
    rows.member(account, "=HYPERLINK()")
    response = as_viewer.get(f"{ADDRESS}?format=csv")
    assert isinstance(response, StreamingHttpResponse)
    text = response.getvalue().decode()
    assert response["Content-Type"].startswith("text/csv; charset=utf-8")
    assert "attachment" in response["Content-Disposition"]
    assert text.endswith("\r\n")
    assert names(as_viewer) == ["'=HYPERLINK()", 'A "quoted", name\nof two lines']


def test_a_service_never_connected_says_the_next_step_and_who_can_take_it(
    as_admin: Client, as_viewer: Client
) -> None:
    rows.service()
    assert "Open Settings and press" in page(as_admin)
    assert "Only an admin can do that: ask Ada Admin" in page(as_viewer)


def test_before_the_first_reading_there_is_no_empty_table(
    as_viewer: Client, account: Connection
) -> None:
    account.members_as_of = None
    account.save()
    html = page(as_viewer)
    assert "Nothing was read yet" in html
    assert "<table" not in html


def test_an_account_read_to_its_end_may_really_be_empty(
    as_viewer: Client, account: Connection
) -> None:
    assert "lists no member" in page(as_viewer)


def test_a_stranger_sees_no_member(client: Client, as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ada Secret")
    assert client.get(ADDRESS).status_code == 302
    assert client.get(f"{ADDRESS}?format=csv").status_code == 302


def test_a_period_is_chosen_by_month(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Jo Joined", joined_at=timezone.now())
    month = rows.this_month()
    html = page(as_viewer, joined=f"{month:%Y-%m}", left="")
    assert f'<option value="{month:%Y-%m}" selected>' in html
    assert f"Joined in {month:%B %Y}" in html
    assert "1 of 1 members" in html


def test_a_file_that_lists_nobody_is_told_and_leads_to_the_next_one(
    as_viewer: Client, as_admin: Client, account: Connection
) -> None:
    """Without charts of nothing and filters of nothing."""
    Connection.objects.update(state="by_file")
    html = page(as_admin)
    assert "The last file lists nobody" in html
    assert "Upload a file</a>" in html
    assert "first sync" not in html
    for gone in ("click to filter", "members-search", "members-export", "0 of 0"):
        assert gone not in html
    assert "Only an admin can upload one: ask " in page(as_viewer)
    assert "Upload a file</a>" not in page(as_viewer)


def test_where_everybody_left_they_are_still_to_be_found(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Leo Left", left_at=timezone.now())
    html = page(as_viewer)
    assert "members-search" not in html
    assert 'href="?status=left">Show the 1 who left' in html
    html = page(as_viewer, status="left")
    assert "members-search" in html
    assert "Leo Left" in html


def test_an_e_mail_breaks_behind_the_at_sign(as_viewer: Client, account: Connection) -> None:
    rows.member(account, "Ada", email="<b>a@x@y.example")
    assert "&lt;b&gt;a@x@<wbr>y.example" in page(as_viewer)
