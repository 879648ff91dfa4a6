"""Renewals: every end and notice once, the overdue first, and a calendar that names nobody."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from seatwise import accounts, spending
from seatwise.models import AuditEvent, Contract, Service, User
from seatwise.pricing import Line, Terms
from tests.pages import rows
from tests.pages.test_spend_money import agree, csv_rows, found, in_days, priced
from tests.pages.test_spend_needs import words

PAGE = "/renewals/"


def days(client: Client) -> list[tuple[str, str]]:
    """Each line as (the day, the service), in the order of the page."""
    page = client.get(PAGE).content.decode()
    return re.findall(
        r'renewals-day">([^<]+)<.*?<bdi>([^<]+)</bdi>', page.replace("\n", " "), re.DOTALL
    )


def said(days_ahead: int) -> str:
    day = in_days(days_ahead)
    return f"{day.day} {day:%b %Y}"


def committed(key: str, seats: int, commits: int, **terms: object) -> Service:
    service = priced(key, "10", seats)
    line = Line("full", "Full", "full", licenses=("Full",), price=Decimal(10), committed=commits)
    data = Terms("USD", "year", (line,), **terms).as_json()  # type: ignore[arg-type]
    now = timezone.now()
    Contract.objects.create(service=service, since=rows.this_month(), data=data, made_at=now)
    spending.refresh(service, now)
    return service


def subscribe(client: Client) -> str:
    """The path of a new calendar's address."""
    page = client.post(f"{PAGE}link/").content.decode()
    address = re.search(r'id="calendar-link">https?://[^/]+(/[^<]+)<', page)
    assert address
    return address[1]


def events(client: Client, path: str) -> list[Any]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


def test_without_a_contract_the_next_step_is_shown(as_admin: Client) -> None:
    page = words(as_admin, PAGE)
    assert "No contract yet" in page
    assert "Choose a service" in page


def test_overdue_notices_come_first_then_each_day_in_its_month(as_admin: Client) -> None:
    priced("later", "1", 1, ends=in_days(200), notice_days=30)
    priced("missed", "1", 1, ends=in_days(20), notice_days=30, renews=True)
    assert days(as_admin) == [
        (said(-10), "Missed"),
        (said(20), "Missed"),
        (said(170), "Later"),
        (said(200), "Later"),
    ]
    page = words(as_admin, PAGE)
    assert page.index("Notice was due") < page.index("Last day of notice")
    assert "10 days ago" in page
    assert "in 170 days" in page


def test_on_the_last_day_notice_can_still_be_given(as_admin: Client) -> None:
    priced("alpha", "1", 1, ends=in_days(30), notice_days=30)
    page = words(as_admin, PAGE)
    assert "Notice was due" not in page
    assert "today" in page
    assert "ends on" in words(as_admin)
    assert ", today." in words(as_admin)


def test_what_lies_beyond_eighteen_months_is_not_listed(as_admin: Client) -> None:
    priced("near", "1", 1, ends=in_days(500))
    priced("far", "1", 1, ends=in_days(700))
    assert [name for _day, name in days(as_admin)] == ["Near"]


def test_month_to_month_and_open_ends_are_told_without_a_day(as_admin: Client) -> None:
    priced("rolling", "1", 1, term="month", ends=in_days(10), renews=True)
    priced("open", "1", 1)
    page = words(as_admin, PAGE)
    assert days(as_admin) == []
    assert "From month to month: Rolling" in page
    assert "No end is known: Open" in page


def test_what_is_at_stake_stands_beside_the_day(as_admin: Client) -> None:
    service = committed("alpha", 3, 5, ends=in_days(40), notice_days=10)
    found(service, "20")
    page = words(as_admin, PAGE)
    assert "US$600 at stake" in page
    assert "5 committed, 3 held 2 held by nobody" in page
    assert "US$20" in page


def test_amounts_of_two_currencies_at_stake_are_not_added(as_admin: Client) -> None:
    committed("alpha", 1, 1, ends=in_days(40))
    service = priced("beta", "1", 1)
    line = Line("full", "Full", "full", licenses=("Full",), price=Decimal(7), committed=1)
    agree_on = Terms("EUR", "year", (line,), ends=in_days(50)).as_json()
    Contract.objects.create(
        service=service, since=rows.this_month(), data=agree_on, made_at=timezone.now()
    )
    assert "US$120 and €84 at stake" in words(as_admin, PAGE)


def test_the_file_has_every_day_with_the_same_figures(as_admin: Client) -> None:
    committed("alpha", 3, 5, ends=in_days(40), notice_days=10)
    lines = csv_rows(as_admin.get(f"{PAGE}?format=csv"))
    assert [(line["date"], line["what"]) for line in lines] == [
        (in_days(30).isoformat(), "notice"),
        (in_days(40).isoformat(), "end"),
    ]
    assert {(line["value"], line["gap"], line["currency"]) for line in lines} == {
        ("600", "2", "USD")
    }
    assert b"".join(as_admin.get(f"{PAGE}?format=xlsx")).startswith(b"PK")


def test_queries_do_not_grow_with_the_contracts(
    as_admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        priced(f"service-{number}", "1", 1, ends=in_days(30 + number), notice_days=5)
    with django_assert_max_num_queries(14):
        as_admin.get(PAGE)


# ---- the calendar ------------------------------------------------------------------------------


def test_a_calendar_is_read_by_its_address_alone_with_alarms(
    as_viewer: Client, admin: User
) -> None:
    priced("alpha", "1", 1, ends=in_days(90), notice_days=30, renews=True)
    path = subscribe(as_viewer)
    notice, end = sorted(events(Client(), path), key=lambda each: each["dtstart"].dt)
    assert notice["summary"] == "Alpha: last day to give notice"
    assert notice["dtstart"].dt == in_days(60)
    assert notice["dtend"].dt == in_days(61)
    triggers = [alarm["trigger"].dt for alarm in notice.walk("VALARM")]
    assert triggers == [timedelta(days=-30), timedelta(days=-7), timedelta(days=-1)]
    assert end["summary"] == "Alpha: the term ends"
    assert "It renews by itself." in end["description"]


def test_the_same_term_keeps_its_uid_also_where_the_name_changes(as_admin: Client) -> None:
    service = priced("alpha", "1", 1, ends=in_days(90), notice_days=30)
    path = subscribe(as_admin)
    before = {str(each["uid"]) for each in events(Client(), path)}
    assert len(before) == 2
    service.name = "Quite another, with, commas; and a line that is far longer than a line may be "
    service.save()
    after = events(Client(), path)
    assert {str(each["uid"]) for each in after} == before
    assert any(str(each["summary"]).startswith(service.name) for each in after)
    assert max(map(len, Client().get(path).content.split(b"\r\n"))) <= 75


def test_a_calendar_names_nobody(as_admin: Client, admin: User) -> None:
    service = priced("alpha", "1", 2, ends=in_days(90), notice_days=30)
    service.owner = admin
    service.save()
    text = Client().get(subscribe(as_admin)).content.decode().replace("\r\n ", "")
    assert "@" not in text.replace("@seatwise", "")
    for someone in (admin.name, admin.email, "alpha 0"):
        assert someone not in text


def test_only_the_hash_is_kept_and_the_address_is_shown_once(as_admin: Client, admin: User) -> None:
    path = subscribe(as_admin)
    secret = path.removeprefix(PAGE).removesuffix(".ics")
    admin.refresh_from_db()
    assert admin.calendar_hash == accounts.calendar_hash(secret)
    assert secret not in as_admin.get(PAGE).content.decode()
    assert not AuditEvent.objects.filter(said__contains=secret).exists()
    assert AuditEvent.objects.filter(action="calendar_link_made", actor_id=admin.pk).count() == 1


def test_a_new_address_takes_the_place_of_the_one_before(as_admin: Client) -> None:
    old, new = subscribe(as_admin), subscribe(as_admin)
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200


def test_a_removed_address_answers_no_more(as_admin: Client, admin: User) -> None:
    path = subscribe(as_admin)
    assert "Remove the address" in words(as_admin, PAGE)
    as_admin.post(f"{PAGE}link/remove/")
    assert Client().get(path).status_code == 404
    assert "Remove the address" not in words(as_admin, PAGE)
    assert AuditEvent.objects.filter(action="calendar_link_removed").count() == 1


def test_nobody_who_was_deactivated_has_a_calendar(as_viewer: Client, viewer: User) -> None:
    path = subscribe(as_viewer)
    viewer.is_active = False
    viewer.save(update_fields=["is_active"])
    assert Client().get(path).status_code == 404


def test_an_address_is_not_logged_where_it_is_refused(
    as_admin: Client, caplog: pytest.LogCaptureFixture
) -> None:
    path = subscribe(as_admin)
    as_admin.post(f"{PAGE}link/remove/")
    Client().get(path)
    Client().post(path)
    secret = path.removeprefix(PAGE).removesuffix(".ics")
    assert any("/renewals/…" in record.getMessage() for record in caplog.records)
    assert secret not in caplog.text


def test_another_calendar_is_only_agreed_on_by_a_whole_address(as_admin: Client) -> None:
    path = subscribe(as_admin)
    assert Client().get(path[:-5] + ".ics").status_code == 404
    assert Client().get(f"{PAGE}{'A' * 54}.ics").status_code == 404


def test_a_contract_that_changes_moves_what_is_in_the_calendar(as_admin: Client) -> None:
    service = priced("alpha", "1", 1, ends=in_days(90))
    path = subscribe(as_admin)
    agree(service, "1", ends=in_days(120))
    assert [each["dtstart"].dt for each in events(Client(), path)] == [in_days(120)]
