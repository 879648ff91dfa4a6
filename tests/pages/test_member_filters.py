"""The Members page's filters keep what was chosen, and say how many rows choosing more gives."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import Connection
from tests.pages import rows
from tests.pages.test_members import names, page

OF_ALL = "Counted of all, whatever is searched or the period."


@pytest.fixture
def account(db: None) -> Connection:
    account = rows.connection(rows.service())
    business = rows.license_pool(account, "Business")
    gone = {"left_at": timezone.now() - timedelta(days=1)}
    rows.member(account, "Ada Admin", "admin", seen=1, license=business)
    rows.member(account, "Ben User", "user", seen=1, license=business)
    rows.member(account, "Uma Unknown", "user")
    rows.member(account, "Una Unknown", "admin")
    rows.member(account, "Leo Left", "observer", license=business, **gone)
    rows.member(account, "Lea Left", "owner", license=rows.license_pool(account, "Old"), **gone)
    return account


def options(html: str, name: str) -> dict[str, tuple[bool, int]]:
    """{value: (chosen, how many)} of one menu."""
    found = re.findall(
        rf'name="{name}" value="([^"]*)"( checked)?>.*?numbers">(\d+)</span>', html, re.DOTALL
    )
    return {value: (bool(checked), int(count)) for value, checked, count in found}


def bars(html: str) -> dict[str, int]:
    """{role: members} of the chart."""
    bar = r'role-bar__name">([^<]*)<.*?role-bar__count numbers">(\d+)'
    found = re.findall(bar, html, re.DOTALL)
    return {name: int(count) for name, count in found}


@pytest.mark.parametrize(
    ("name", "value"), [("role", "zzz"), ("role", "owner"), ("license", "Nothing")]
)
def test_a_chosen_value_that_nobody_has_stays_in_the_form(
    as_viewer: Client, account: Connection, name: str, value: str
) -> None:
    assert options(page(as_viewer, None, **{name: value}), name)[value] == (True, 0)


def test_a_role_that_only_those_have_who_left_stays_with_its_count(
    as_viewer: Client, account: Connection
) -> None:
    html = page(as_viewer, status="left", role=["observer", "zzz"])
    found = options(html, "role")
    assert (found["observer"], found["owner"], found["zzz"]) == ((True, 1), (False, 1), (True, 0))


@pytest.mark.parametrize("name", ["joined", "left"])
def test_a_month_long_ago_stays_in_the_form(
    as_viewer: Client, account: Connection, name: str
) -> None:
    html = page(as_viewer, None, **{name: "2003-01"})
    assert '<option value="2003-01" selected>January 2003</option>' in html


def test_licences_are_counted_without_those_who_left(
    as_viewer: Client, account: Connection
) -> None:
    assert options(page(as_viewer), "license") == {"Business": (False, 2), "": (False, 2)}
    assert len(names(as_viewer, license="Business")) == 2
    left = options(page(as_viewer, status="left"), "license")
    assert (left["Business"], left["Old"]) == ((False, 1), (False, 1))


def test_a_bar_says_how_many_rows_its_link_gives(as_viewer: Client, account: Connection) -> None:
    html = page(as_viewer, status="unknown")
    assert sorted(bars(html).values()) == [1, 1]
    assert options(html, "role") == {"admin": (False, 1), "user": (False, 1)}
    assert names(as_viewer, status="unknown", role="user") == ["Uma Unknown"]
    assert options(html, "status")["active"] == (False, 2)  # its own filter takes nothing away
    assert '1 member holds the role Global Admin (admin)"' in html
    assert "2 members: unknown" in html
    assert OF_ALL not in html


@pytest.mark.parametrize("name", ["q", "joined", "left"])
def test_where_numbers_leave_a_filter_out_the_page_says_so(
    as_viewer: Client, account: Connection, name: str
) -> None:
    html = page(as_viewer, None, **{name: f"{rows.this_month():%Y-%m}"})
    assert html.count(OF_ALL) == 5  # two charts and three menus


def test_those_who_left_in_a_month_are_counted_of_those_who_left(
    as_viewer: Client, account: Connection
) -> None:
    found = options(page(as_viewer, left=f"{rows.this_month():%Y-%m}"), "role")
    assert {role: count for role, (_chosen, count) in found.items() if count} == {
        "observer": 1,
        "owner": 1,
    }
