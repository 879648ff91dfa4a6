"""Seats on a day, what changed between two days, and months: the pages and their files."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection as database
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from seatwise.models import AuditEvent, Connection, Member
from tests.pages import rows

SEATS = "/services/pagerduty/seats/"
CHANGES = f"{SEATS}changes/"
MONTHS = f"{SEATS}months/"
FIRST = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def account(db: None) -> Connection:
    """First looked at on 10 March, last on 5 May."""
    return rows.connection(rows.service(), members_as_of=datetime(2026, 5, 5, 9, tzinfo=UTC))


def found(account: Connection, name: str, day: int = 0) -> Member:
    """Somebody who was found so many days after the first look."""
    at = FIRST + day * DAY
    member = rows.member(account, name, first_listed_at=at)
    rows.event(member, "joined" if day else "listed", at=at)
    return member


def left(member: Member, day: int) -> None:
    Member.objects.filter(pk=member.pk).update(left_at=FIRST + day * DAY)
    rows.event(member, "left", at=FIRST + day * DAY)


def promoted(member: Member, day: int) -> None:
    Member.objects.filter(pk=member.pk).update(role="admin")
    rows.event(member, "changed", at=FIRST + day * DAY, field="role", before="user", after="admin")


@pytest.fixture
def people(account: Connection) -> None:
    """Ada all the time, an admin since the 20th; Bo until the 25th; Cy from the 1st of April."""
    promoted(found(account, "Ada Quay"), 10)
    left(found(account, "Bo Reed"), 15)
    found(account, "Cy Sand", 22)


def html(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def names(shown: str) -> list[str]:
    return re.findall(r'<a class="strong"[^>]*><bdi[^>]*>([^<]+)', shown)


def file_of(client: Client, path: str) -> list[dict[str, str]]:
    response = client.get(path)
    assert isinstance(response, StreamingHttpResponse)
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_a_day_shows_who_held_a_seat_then_and_as_what(as_viewer: Client, people: None) -> None:
    shown = html(as_viewer, f"{SEATS}?on=2026-03-15")
    assert names(shown) == ["Ada Quay", "Bo Reed"]
    assert "2 of 2 seats" in shown
    assert shown.count('title="user"') == 3  # two rows and a bar
    shown = html(as_viewer, f"{SEATS}?on=2026-04-02")
    assert names(shown) == ["Ada Quay", "Cy Sand"]
    assert shown.count('title="admin"') == 2


def test_a_change_on_a_day_counts_at_its_end(as_viewer: Client, people: None) -> None:
    assert names(html(as_viewer, f"{SEATS}?on=2026-03-24")) == ["Ada Quay", "Bo Reed"]
    assert names(html(as_viewer, f"{SEATS}?on=2026-03-25")) == ["Ada Quay"]


def test_before_the_first_look_nothing_is_known_and_never_zero(
    as_viewer: Client, people: None
) -> None:
    shown = html(as_viewer, f"{SEATS}?on=2026-03-09")
    assert "Nothing is known before 10 March 2026" in shown
    assert "seats-table" not in shown
    assert file_of(as_viewer, f"{SEATS}?on=2026-03-09&format=csv") == []


def test_after_the_last_look_it_is_said(as_viewer: Client, people: None) -> None:
    assert "The last look was on 5 May 2026" in html(as_viewer, SEATS)
    assert "The last look" not in html(as_viewer, f"{SEATS}?on=2026-05-05")


def test_what_nobody_looked_at_is_never_told_as_no_change(as_viewer: Client, people: None) -> None:
    """The last look was long ago: by default its days are shown, and then nothing is known."""
    shown = html(as_viewer, CHANGES)
    assert "The last look was on 5 May 2026" in shown
    assert "to the end of 5 May 2026" in shown
    shown = html(as_viewer, f"{CHANGES}?from=2026-04-02&to=2026-08-01")
    assert "the comparison ends there" in shown
    for window in ("from=2026-06-01&to=2026-08-01", "from=2026-05-05&to=2026-05-06"):
        shown = html(as_viewer, f"{CHANGES}?{window}")
        assert "Nothing is known after 5 May 2026" in shown
        assert "2 seats were held then" in shown
        assert "Nobody" not in shown
    assert "Nobody came" in html(as_viewer, f"{CHANGES}?from=2026-05-01&to=2026-05-05")


def test_one_seat_was_and_two_seats_were(as_viewer: Client, account: Connection) -> None:
    found(account, "Ada Quay")
    shown = html(as_viewer, f"{CHANGES}?from=2026-03-11&to=2026-03-12")
    assert "<strong>1</strong> seat was held, then <strong>1</strong>" in shown
    assert "1 of 1 seat<" in html(as_viewer, f"{SEATS}?on=2026-03-11")


def test_the_current_month_says_that_the_last_look_is_behind(
    as_viewer: Client, account: Connection
) -> None:
    """And a look of today is not."""
    now = timezone.now()
    found(account, "Ada Quay")
    for looked_at, partial in (
        (now - timedelta(days=2), f"last look on {now - timedelta(days=2):%-d %B %Y}"),
        (now, "not over yet"),
    ):
        Connection.objects.update(members_as_of=looked_at)
        newest = file_of(as_viewer, f"{MONTHS}?format=csv")[0]
        assert newest["partial"].endswith(partial)


@pytest.fixture
def other(account: Connection) -> Connection:
    """A second account, first looked at on 1 April, last on 20 April."""
    last = datetime(2026, 4, 20, 9, tzinfo=UTC)
    told = {"account_id": "P2", "account_name": "acme-eu", "members_as_of": last}
    return rows.connection(account.service, **told)


def listed(account: Connection, name: str, day: int) -> Member:
    """Somebody who was there at the account's first look, so many days after the others'."""
    member = rows.member(account, name, first_listed_at=FIRST + day * DAY)
    rows.event(member, "listed", at=FIRST + day * DAY)
    return member


def test_who_was_there_at_the_first_look_at_a_second_account_did_not_join(
    as_viewer: Client, people: None, other: Connection
) -> None:
    listed(other, "Eva Teal", 22)
    query = "?from=2026-03-15&to=2026-04-02"
    shown = html(as_viewer, f"{CHANGES}{query}")
    assert "there at the first look" in shown
    assert "<strong>2</strong> seats were held, then <strong>3</strong>" in shown
    assert shown.count("in <bdi>acme-eu</bdi>") == 1
    assert shown.count("in <bdi>acme-prod</bdi>") == 3
    what = {
        line["name"]: line["what"] for line in file_of(as_viewer, f"{CHANGES}{query}&format=csv")
    }
    assert (what["Eva Teal"], what["Cy Sand"]) == ("there at the first look", "joined")


def test_each_account_is_counted_to_its_own_last_look_and_told_where_it_is_behind(
    as_viewer: Client, people: None, other: Connection
) -> None:
    listed(other, "Eva Teal", 22)
    shown = html(as_viewer, f"{SEATS}?on=2026-05-05")
    assert "It was last looked at on 20 April 2026; what came after is not known" in shown
    assert "As known at the last look" in shown
    everybody = [line for line in file_of(as_viewer, f"{MONTHS}?format=csv") if line["by"] == "all"]
    assert [line["seat_days"] for line in everybody] == ["10", "80", "37"]
    assert [line["at_end"] for line in everybody] == ["2", "3", "1"]
    assert everybody[0]["partial"].startswith("last look at acme-eu on 20 April 2026; ")
    shown = html(as_viewer, f"{CHANGES}?from=2026-05-01&to=2026-05-05")
    assert "No look found that anybody came or went" in shown


def test_an_account_that_was_replaced_keeps_its_past(
    as_viewer: Client, people: None, account: Connection, other: Connection
) -> None:
    """Its members are found on past days only, and their pages stay."""
    listed(other, "Eva Teal", 22)
    Connection.objects.filter(pk=account.pk).update(
        replaced_at=datetime(2026, 4, 10, 9, tzinfo=UTC), members_as_of=FIRST + 30 * DAY
    )
    shown = html(as_viewer, f"{SEATS}?on=2026-03-15")
    assert names(shown) == ["Ada Quay", "Bo Reed"]
    assert "Another account took its place on 10 April 2026" in shown
    assert names(html(as_viewer, f"{SEATS}?on=2026-04-10")) == ["Eva Teal"]
    shown = html(as_viewer, f"{CHANGES}?from=2026-04-05&to=2026-04-15")
    assert "<strong>3</strong> seats were held, then <strong>1</strong>" in shown
    assert "account replaced" in shown
    months = [line for line in file_of(as_viewer, f"{MONTHS}?format=csv") if line["by"] == "all"]
    assert [line["at_end"] for line in months] == ["1", "1"]
    assert months[0]["seat_days"] == str(20 + 2 * 9)
    path = f"/services/pagerduty/members/{Member.objects.get(name='Ada Quay').pk}/"
    assert "another account took its place" in html(as_viewer, path)


def test_a_chosen_account_is_asked_alone(
    as_viewer: Client, people: None, other: Connection
) -> None:
    listed(other, "Eva Teal", 22)
    shown = html(as_viewer, f"{SEATS}?on=2026-04-05&account={other.pk}")
    assert names(shown) == ["Eva Teal"]


def test_days_are_those_of_the_billing_zone(
    as_viewer: Client, people: None, other: Connection, settings: Settings
) -> None:
    settings.BILLING_ZONE = ZoneInfo("Pacific/Kiritimati")  # 14 hours ahead
    listed(other, "Eva Teal", 22)
    assert "was first looked at on 11 March 2026" in html(as_viewer, SEATS)


def test_a_page_step_and_a_file_do_not_compare_again(as_viewer: Client, people: None) -> None:
    """What was compared is kept: of the members that are shown alone anything is asked."""
    query = "?from=2026-03-15&to=2026-04-02"
    html(as_viewer, f"{CHANGES}{query}")
    with CaptureQueriesContext(database) as asked:
        assert len(names(html(as_viewer, f"{CHANGES}{query}&page=2"))) == 3
        assert len(file_of(as_viewer, f"{CHANGES}{query}&format=csv")) == 3
    events = [each["sql"] for each in asked if '"seatwise_memberevent"."before"' in each["sql"]]
    assert len(events) == 2
    assert not [sql for sql in events if '."at" >' in sql]


def test_many_bars_scroll_and_can_have_the_focus(as_viewer: Client, account: Connection) -> None:
    for number in range(7):
        member = found(account, f"P {number}")
        Member.objects.filter(pk=member.pk).update(role=f"role-{number}")
    shown = html(as_viewer, f"{SEATS}?on=2026-03-15")
    assert 'class="seats-bars seats-bars--long" tabindex="0" aria-labelledby="seats-role"' in shown
    assert shown.count("seats-bars--long") == 1  # the one bar of licences does not scroll


def test_a_search_counts_n_of_m(as_viewer: Client, people: None) -> None:
    shown = html(as_viewer, f"{SEATS}?on=2026-03-15&q=reed")
    assert names(shown) == ["Bo Reed"]
    assert "1 of 2 seats" in shown
    assert "Nobody who held a seat then matches" in html(as_viewer, f"{SEATS}?on=2026-03-15&q=zz")


def test_fifty_stand_on_a_page(as_viewer: Client, account: Connection) -> None:
    for number in range(51):
        found(account, f"P {number:02}")
    assert len(names(html(as_viewer, f"{SEATS}?on=2026-03-15"))) == 50
    assert names(html(as_viewer, f"{SEATS}?on=2026-03-15&place=last")) == ["P 50"]


@pytest.mark.parametrize("path", [SEATS, CHANGES, MONTHS])
def test_before_anything_was_read_the_next_step_is_shown(
    as_viewer: Client, account: Connection, path: str
) -> None:
    assert "Nothing is known yet" in html(as_viewer, path)


@pytest.mark.parametrize(
    "query", ["on=x", "on=9999-99-99", "place=0", "place=-1", "q=%00", "from=%00&to=2", "by=x",
              "place=after.99999999999999999999", "account=7"]
)  # fmt: skip
def test_a_bent_address_still_shows_the_page(as_viewer: Client, people: None, query: str) -> None:
    for path in (SEATS, CHANGES, MONTHS):
        html(as_viewer, f"{path}?{query}")


def test_the_file_holds_what_the_page_shows(as_viewer: Client, people: None) -> None:
    lines = file_of(as_viewer, f"{SEATS}?on=2026-03-15&format=csv")
    assert [line["name"] for line in lines] == names(html(as_viewer, f"{SEATS}?on=2026-03-15"))
    assert {line["role"] for line in lines} == {"user"}
    event = AuditEvent.objects.get(action="exported")
    assert event.about == "seats on a day"
    assert event.said == "2 rows as CSV."


def test_two_days_are_compared_by_their_net_result(as_viewer: Client, people: None) -> None:
    shown = html(as_viewer, f"{CHANGES}?from=2026-03-15&to=2026-04-02")
    assert "<strong>2</strong> seats were held, then <strong>2</strong>" in shown
    assert names(shown) == ["Ada Quay", "Bo Reed", "Cy Sand"]
    lines = file_of(as_viewer, f"{CHANGES}?from=2026-03-15&to=2026-04-02&format=csv")
    assert [(line["name"], line["what"]) for line in lines] == [
        ("Ada Quay", "changed role"),
        ("Bo Reed", "left"),
        ("Cy Sand", "joined"),
    ]
    assert AuditEvent.objects.get(action="exported").said == "3 rows as CSV."


def test_who_came_and_went_is_counted_as_that_and_a_member_on_neither_day(
    as_viewer: Client, account: Connection, people: None
) -> None:
    left(found(account, "Di Vole", 7), 9)
    shown = html(as_viewer, f"{CHANGES}?from=2026-03-16&to=2026-03-24")
    assert "came and went in between" in shown
    assert "<strong>2</strong> seats were held, then <strong>2</strong>" in shown


def test_a_comparison_begins_with_the_first_look(as_viewer: Client, people: None) -> None:
    shown = html(as_viewer, f"{CHANGES}?from=2020-01-01&to=2026-03-12")
    assert "Nothing is known before 10 March 2026" in shown
    assert "Nobody came or went" in shown


def test_two_days_are_asked_for_only_where_there_are_two(
    as_viewer: Client, account: Connection
) -> None:
    Connection.objects.update(members_as_of=FIRST)
    found(account, "Ada Quay")
    shown = html(as_viewer, CHANGES)
    assert "There are no two days to compare yet" in shown
    assert "looked at on one day, 10 March 2026" in shown
    assert 'type="date"' not in shown
    assert "changes-export" not in shown


def test_whom_it_concerns_is_counted_of_all_who_held_a_seat_then_or_in_between(
    as_viewer: Client, account: Connection, people: None
) -> None:
    left(found(account, "Di Vole", 7), 9)
    assert "4 of 4 members" in html(as_viewer, f"{CHANGES}?from=2026-03-15&to=2026-04-02")
    assert "2 of 3 members" in html(as_viewer, f"{CHANGES}?from=2026-03-16&to=2026-03-24")
    shown = html(as_viewer, f"{CHANGES}?from=2026-05-01&to=2026-05-05")
    assert "0 of 2 members" in shown
    assert "Seats after =" not in shown  # there is nothing to explain


def test_roles_stand_in_one_order_the_most_powerful_first(
    as_viewer: Client, account: Connection
) -> None:
    for name, role in (("A", "observer"), ("B", "observer"), ("C", "admin"), ("D", "owner")):
        member = found(account, name)
        Member.objects.filter(pk=member.pk).update(role=role)
    order = ["Account Owner", "Global Admin", "Observer"]
    for path in (f"{SEATS}?on=2026-03-15", f"{MONTHS}?by=role", "/services/pagerduty/members/"):
        shown = html(as_viewer, path)
        places = [shown.index(f">{name}<") for name in order]
        assert places == sorted(places), path


def test_days_the_wrong_way_round_are_turned(as_viewer: Client, people: None) -> None:
    shown = html(as_viewer, f"{CHANGES}?from=2026-04-02&to=2026-03-15")
    assert "From the end of 15 March 2026 to the end of 2 April 2026" in shown.replace("\n", "")


def test_months_show_seat_days_and_marks_and_which_are_incomplete(
    as_viewer: Client, people: None
) -> None:
    lines = file_of(as_viewer, f"{MONTHS}?format=csv")
    everybody = [line for line in lines if line["by"] == "all"]
    assert [line["month"] for line in everybody] == ["2026-05", "2026-04", "2026-03"]
    # March: Ada 22 days from the 10th, Bo 15; May: two seats on five days.
    assert [line["seat_days"] for line in everybody] == ["10", "60", "37"]
    assert [line["high_water_mark"] for line in everybody] == ["2", "2", "2"]
    assert everybody[1]["first_reached_at"].startswith("2026-04-01T12:00")
    assert [line["partial"] for line in everybody] == [
        "last look on 5 May 2026",
        "",
        "first look on 10 March 2026",
    ]
    shown = html(as_viewer, f"{MONTHS}?by=role")
    assert shown.count("<tbody") == 3
    assert shown.count("incomplete<") == 2
    assert 'popovertarget="definition-days"' in shown


def test_a_viewer_without_more_sees_all_of_it_and_head_exports_nothing(
    as_viewer: Client, people: None
) -> None:
    for path in (SEATS, CHANGES, MONTHS):
        assert as_viewer.head(f"{path}?format=csv").status_code == 200
    assert not AuditEvent.objects.filter(action="exported").exists()
