"""What departments pay: parts that add up to the cent, what is nobody's by itself, and no names."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from seatwise import history, spending
from seatwise.models import Contract, Cost, Member, Person, Service, User
from seatwise.pricing import Line, Terms
from tests.pages import rows
from tests.pages.test_spend_money import csv_rows, priced
from tests.pages.test_spend_needs import words

PAGE = "/chargeback/"


def works_in(member: Member, department: str) -> None:
    Person.objects.create(email=member.email, department=department, as_of=timezone.now())


def members(service: Service) -> list[Member]:
    return list(Member.objects.of(service).order_by("pk"))


def lines(client: Client, address: str = PAGE) -> dict[str, str]:
    """{department: amount}, the sum included."""
    page = client.get(address).content.decode()
    found = re.findall(r'<tr[^>]*><th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    found += re.findall(r'<tr>\s*<th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    return {
        " ".join(re.sub(r"<[^>]+>", " ", name).split()): re.sub(
            r"<[^>]+>|\s+", " ", re.findall(r'data-label="Amount">(.*?)</td>', rest, re.DOTALL)[0]
        ).strip()
        for name, rest in found
    }


def committed(key: str, price: str, seats: int, commits: int, currency: str = "USD") -> Service:
    service = priced(key, price, seats, currency)
    line = Line("full", "Full", "full", licenses=("Full",), price=Decimal(price), committed=commits)
    data = Terms(currency, "year", (line,)).as_json()
    now = timezone.now()
    Contract.objects.create(service=service, since=rows.this_month(), data=data, made_at=now)
    spending.refresh(service, now)
    return service


def test_without_a_cost_the_next_step_is_shown(as_admin: Client) -> None:
    assert "No month has a cost yet" in words(as_admin, PAGE)
    rows.connection(rows.service())
    assert "No month has a cost yet" in words(as_admin, "/services/pagerduty/spend/by/")


def test_departments_of_all_services_add_up_to_the_month(as_admin: Client) -> None:
    alpha, beta = priced("alpha", "10", 3), committed("beta", "33.33", 2, 4)
    for member, name in zip(members(alpha), ("Engineering", "Engineering", "Sales"), strict=True):
        works_in(member, name)
    works_in(members(beta)[0], "Engineering")
    shown = lines(as_admin)
    assert shown == {
        "Engineering": "US$53.33",
        "Sales": "US$10",
        "Held by nobody": "US$66.66",
        "No department": "US$33.33",
        "Together": "US$163.32",
    }
    assert sum(cost.amount or 0 for cost in Cost.objects.all()) == Decimal("163.32")


@pytest.mark.parametrize("by", ["license", "team", "department"])
def test_a_services_parts_add_up_to_its_month(as_admin: Client, by: str) -> None:
    service = committed("alpha", "9.99", 3, 7)
    first = members(service)[0]
    first.teams = ["Red", "Blue", "Green"]
    first.save()
    lines_of = csv_rows(as_admin.get(f"/services/alpha/spend/by/?by={by}&format=csv"))
    assert sum(Decimal(line["amount"]) for line in lines_of) == Decimal("69.93")
    assert {line["rest"] for line in lines_of if line["name"] == "Held by nobody"} == {"true"}
    page = words(as_admin, f"/services/alpha/spend/by/?by={by}")
    assert "US$69.93" in page
    assert "Held by nobody" in page


def test_currencies_have_a_sheet_each(as_admin: Client) -> None:
    priced("alpha", "10", 1)
    priced("beta", "5", 1, "EUR")
    page = words(as_admin, PAGE)
    assert "US$10 for 1 service in USD" in page
    assert "€5 for 1 service in EUR" in page
    assert "15" not in re.findall(r"[€$](\d+)", page)


def test_a_service_without_a_whole_price_is_named_and_left_out(as_admin: Client) -> None:
    priced("alpha", "10", 1)
    service = priced("beta", "5", 1)
    line = Line("full", "Full", "full", licenses=("Full",))
    data = Terms("USD", "year", (line,)).as_json()
    now = timezone.now()
    Contract.objects.create(service=service, since=rows.this_month(), data=data, made_at=now)
    spending.refresh(service, now)
    assert lines(as_admin)["Together"] == "US$10"
    assert "price of some of their seats is not known: Beta" in words(as_admin, PAGE)


def test_nobody_is_named_on_the_pages_and_in_the_files(as_admin: Client) -> None:
    service = priced("alpha", "10", 2)
    works_in(members(service)[0], "Engineering")
    for address in (
        PAGE, f"{PAGE}?format=csv", f"{PAGE}?department=Engineering",
        "/services/alpha/spend/by/", "/services/alpha/spend/by/?by=team&format=csv",
    ):  # fmt: skip
        answer = as_admin.get(address)
        text = b"".join(answer).decode()
        assert "alpha 0" not in text, address
        assert "acme.example" not in text, address


def test_a_department_opens_to_its_services(as_admin: Client) -> None:
    service = priced("alpha", "10", 1)
    works_in(members(service)[0], "Research & Development")
    page = as_admin.get(PAGE).content.decode()
    address = re.search(r'href="(\?month=[^"]*department=[^"#]*)#opened"', page)
    assert address
    shown = lines(as_admin, PAGE + address[1].replace("&amp;", "&"))
    assert shown["Alpha"] == "US$10"


def test_the_file_has_every_department_and_service(as_admin: Client) -> None:
    service = priced("alpha", "10", 2)
    works_in(members(service)[0], "Engineering")
    found = csv_rows(as_admin.get(f"{PAGE}?format=csv"))
    assert [(line["department"], line["key"], line["seats"], line["amount"]) for line in found] == [
        ("Engineering", "alpha", "1.00", "10.00"),
        ("No department", "alpha", "1.00", "10.00"),
    ]
    assert {line["provisional"] for line in found} == {"true"}
    assert b"".join(as_admin.get(f"{PAGE}?format=xlsx")).startswith(b"PK")
    assert csv_rows(as_admin.get(f"{PAGE}?months=12&format=csv")) == found


def test_a_new_people_file_and_new_costs_are_seen_at_once(as_admin: Client) -> None:
    service = priced("alpha", "10", 1)
    assert "No department" in lines(as_admin)
    works_in(members(service)[0], "Engineering")
    assert lines(as_admin) == {"Engineering": "US$10", "Together": "US$10"}
    rows.event(
        rows.member(service.connections.get(), "New", license=members(service)[0].license), "listed"
    )
    spending.refresh(service, timezone.now())
    assert lines(as_admin)["Together"] == "US$20"


def test_who_is_erased_is_of_no_department_any_more(as_admin: Client, admin: User) -> None:
    service = priced("alpha", "10", 1)
    someone = members(service)[0]
    works_in(someone, "Engineering")
    assert "Engineering" in lines(as_admin)
    someone.left_at = timezone.now()
    someone.save()
    history.erase(someone, by=admin)
    assert not Person.objects.exists()


def test_a_second_visit_asks_no_more_however_many_services_there_are(
    as_admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(8):
        priced(f"service-{number}", "1", 1)
    as_admin.get(PAGE)
    with django_assert_max_num_queries(13):
        as_admin.get(PAGE)


def test_an_address_that_makes_no_sense_shows_the_newest_month(as_admin: Client) -> None:
    priced("alpha", "10", 1)
    for query in ("?month=1999-01", "?month=x&department=%00", "?by=salary", "?months=9999999"):
        assert as_admin.get(PAGE + query).status_code == 200
        assert as_admin.get(f"/services/alpha/spend/by/{query}").status_code == 200
