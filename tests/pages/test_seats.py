"""Seats on a day, what changed between two days, and months: the pages and their files."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

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
    return re.findall(r'<a class="strong"[^>]*><bdi>([^<]+)', shown)


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


def test_a_search_counts_n_of_m(as_viewer: Client, people: None) -> None:
    shown = html(as_viewer, f"{SEATS}?on=2026-03-15&q=reed")
    assert names(shown) == ["Bo Reed"]
    assert "1 of 2 seats" in shown
    assert "Nobody who held a seat then matches" in html(as_viewer, f"{SEATS}?on=2026-03-15&q=zz")


def test_fifty_stand_on_a_page(as_viewer: Client, account: Connection) -> None:
    for number in range(51):
        found(account, f"P {number:02}")
    assert len(names(html(as_viewer, f"{SEATS}?on=2026-03-15"))) == 50
    assert names(html(as_viewer, f"{SEATS}?on=2026-03-15&page=2")) == ["P 50"]


@pytest.mark.parametrize("path", [SEATS, CHANGES, MONTHS])
def test_before_anything_was_read_the_next_step_is_shown(
    as_viewer: Client, account: Connection, path: str
) -> None:
    assert "Nothing is known yet" in html(as_viewer, path)


@pytest.mark.parametrize(
    "query", ["on=x", "on=9999-99-99", "page=0", "page=-1", "q=%00", "from=%00&to=2", "by=x",
              "page=99999999999999999999", "account=7"]
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
    assert event.said == "2 rows."


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
    assert AuditEvent.objects.get(action="exported").said == "3 rows."


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
