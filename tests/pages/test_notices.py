"""What needs an admin: told on every page until that admin has put it aside, and never a flood."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from seatwise.models import Connection, Notice, User
from seatwise.models.notice import Kind
from tests.pages import rows

PLACES = ("/", "/users/", "/services/add/", "/services/pagerduty/", "/services/pagerduty/members/")
WHAT = "PagerDuty does not accept the authorization any more."
DOT = "needs attention</span></a>"


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def tell(
    of: Connection,
    what: str = WHAT,
    remedy: str = "Integrate it again.",
    kind: Kind = Kind.RECONNECT,
) -> Notice:
    of.attention, of.remedy = what, remedy
    Notice.objects.tell(of, kind, timezone.now())
    return Notice.objects.open().get(connection=of)


def page(client: Client, address: str = "/users/") -> str:
    return client.get(address).content.decode()


def test_an_admin_reads_it_on_every_page_with_what_to_do(
    as_admin: Client, account: Connection
) -> None:
    tell(account)
    for place in PLACES:
        html = page(as_admin, place)
        assert f"{WHAT} Integrate it again." in html
        assert f'href="/services/pagerduty/settings/?account={account.pk}"' in html


def test_a_viewer_sees_the_dot_in_the_menu_and_no_bar(
    as_viewer: Client, account: Connection
) -> None:
    assert DOT not in page(as_viewer)
    tell(account)
    assert WHAT not in page(as_viewer)
    assert DOT in page(as_viewer)


def test_put_aside_it_stays_away_from_this_person_alone(
    as_admin: Client, account: Connection, admin: User
) -> None:
    other = Client()
    other.force_login(User.objects.create_user("bea@example.com", None, name="Bea", role="admin"))
    notice = tell(account)
    here = {"Referer": "http://testserver/services/pagerduty/members/?q=x"}
    there = as_admin.post(f"/notices/{notice.pk}/seen/", headers=here)
    assert there["Location"] == "/services/pagerduty/members/?q=x"
    assert WHAT not in page(as_admin)
    assert DOT in page(as_admin)
    assert WHAT in page(other)


def test_the_same_trouble_does_not_come_back_and_another_one_does(
    as_admin: Client, account: Connection
) -> None:
    as_admin.post(f"/notices/{tell(account).pk}/seen/")
    tell(account, "It is still so, in other words.")
    assert 'class="told"' not in page(as_admin)
    tell(account, "The account was closed.", kind=Kind.GIVEN_UP)
    assert "The account was closed." in page(as_admin)


def test_what_comes_again_is_counted(
    as_viewer: Client, as_admin: Client, account: Connection
) -> None:
    notice = tell(account)
    assert "so far" not in page(as_admin)
    Notice.objects.filter(pk=notice.pk).update(
        times=7, last_at=timezone.now() - timedelta(minutes=42, seconds=1)
    )
    html = " ".join(re.sub(r"<[^>]+>", " ", page(as_admin)).split())
    assert "acme-prod just now , so far 7 times, last 42 minutes ago" in html
    Notice.objects.filter(pk=notice.pk).update(
        began_at=timezone.now() - timedelta(minutes=50, seconds=1)
    )
    html = " ".join(re.sub(r"<[^>]+>", " ", page(as_admin)).split())
    assert "acme-prod since 50 minutes ago , so far 7 times" in html


def test_what_is_over_is_told_no_more(as_admin: Client, account: Connection) -> None:
    tell(account)
    Notice.objects.close(account, timezone.now())
    html = page(as_admin)
    assert WHAT not in html
    assert DOT not in html


def test_of_many_two_are_told_and_the_others_counted(as_admin: Client, db: None) -> None:
    for number in range(5):
        tell(rows.connection(rows.service(f"s{number}", f"S{number}")), f"Trouble {number}.")
    html = page(as_admin)
    assert "Trouble 4." in html
    assert "Trouble 3." in html
    assert "Trouble 2." not in html
    assert "and 3 more" in html
    for number in range(3):
        assert f'<a href="/services/s{number}/settings/"><bdi>S{number}</bdi></a>' in html
    assert html.count(DOT) == 5


def test_in_one_line_each_service_stands_once_with_how_many_of_its_accounts(
    as_admin: Client, account: Connection
) -> None:
    tell(account)
    tell(rows.connection(account.service, account_id="P2"), "The second one.")
    tell(rows.connection(rows.service("zoom", "Zoom")), "The third one.")
    line = re.search(r'<summary class="told__line">(.*?)</summary>', page(as_admin), re.DOTALL)
    assert line is not None
    words = " ".join(re.sub(r"<[^>]+>", "", line[1]).split())
    assert words == "3 need attention: Zoom, PagerDuty (2)"


def test_of_very_many_services_the_first_are_named_and_the_others_counted(
    as_admin: Client, db: None
) -> None:
    for number in range(10):
        tell(rows.connection(rows.service(f"s{number}", f"S{number}")), f"Trouble {number}.")
    html = page(as_admin)
    assert "<bdi>S2</bdi></a>, and at 2 more services with a dot in the menu" in html
    assert "<bdi>S1</bdi></a>, and" not in html


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/x",
        "",
        "//evil.example",
        "http://testserver//evil.example/x",
        "http://testserver/\\evil.example/x",
        "http://testserver",
        "http://[",
        "javascript:alert(1)",
        "about:blank",
        "users",
    ],
)
def test_putting_aside_leads_nowhere_else(
    as_admin: Client, account: Connection, elsewhere: str
) -> None:
    headers = {"Referer": elsewhere}
    assert as_admin.post(f"/notices/{tell(account).pk}/seen/", headers=headers)["Location"] == "/"


def test_a_page_asks_for_notices_once_however_many_there_are(
    as_admin: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows.service()
    page(as_admin)
    with django_assert_num_queries(6) as quiet:
        page(as_admin)
    for number in range(12):
        tell(rows.connection(rows.service(f"s{number}", f"S{number}")), f"Trouble {number}.")
    with django_assert_num_queries(6):
        html = page(as_admin)
    assert "and 10 more" in html
    asked = [each["sql"] for each in quiet.captured_queries]
    assert sum("seatwise_notice" in sql for sql in asked) == 1
    assert "access_token" not in "".join(asked)
