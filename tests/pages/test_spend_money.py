"""The home page's money: what is known, by currency, and exactly the rows that it is about."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client
from django.utils import timezone

from seatwise import spending
from seatwise.models import Budget, Contract, Finding, Invoice, Service
from seatwise.pricing import Line, Terms
from tests.pages import rows
from tests.pages.test_exports import sheet
from tests.pages.test_spend import figures, names, needs
from tests.pages.test_spend_needs import words


def priced(key: str, price: str, seats: int, currency: str = "USD", **terms: object) -> Service:
    """A service with so many seats at that price a month, and its costs worked out."""
    service = rows.service(key, key.capitalize())
    account = rows.connection(service, account_id=key)
    full = rows.license_pool(account, "Full")
    for number in range(seats):
        rows.event(rows.member(account, f"{key} {number}", license=full), "listed")
    agree(service, price, currency, **terms)
    return service


def agree(service: Service, price: str, currency: str = "USD", **terms: object) -> None:
    line = Line("full", "Full seat", "full", licenses=("Full",), price=Decimal(price))
    given = {"term": "year", **terms}
    data = Terms(currency, lines=(line,), **given).as_json()  # type: ignore[arg-type]
    now = timezone.now()
    Contract.objects.create(service=service, since=rows.this_month(), data=data, made_at=now)
    spending.refresh(service, now)


def found(service: Service, realisable: str | None, **fields: object) -> Finding:
    now = timezone.now()
    given: dict[str, object] = {
        "rule": "idle",
        "subject": f"member:{Finding.objects.count()}",
        "text": "Idle.",
        "confidence": "high",
        "reversible": True,
        "counts": True,
        "seats": 1,
        "realisable": None if realisable is None else Decimal(realisable),
        "currency": "USD",
        "first_at": now,
        "last_at": now,
        **fields,
    }
    return Finding.objects.create(service=service, **given)


def csv_rows(answer: Any) -> list[dict[str, str]]:
    """The lines of a CSV file that was downloaded."""
    text = b"".join(answer).decode()
    return list(csv.DictReader(text.splitlines()))


def in_days(days: int) -> date:
    return timezone.now().date() + timedelta(days=days)


def test_monthly_spend_is_told_by_currency_and_never_added_across(as_admin: Client) -> None:
    priced("alpha", "20.50", 2)
    priced("beta", "10", 3)
    priced("gamma", "7", 1, "EUR")
    shown = figures(as_admin)["Monthly spend"]
    assert shown == "US$71 €7 Of all 3 services. Currencies are not added up."


def test_services_without_a_price_are_counted_and_the_link_shows_exactly_them(
    as_admin: Client,
) -> None:
    priced("alpha", "20", 2)
    rows.connection(rows.service("beta", "Beta"), account_id="b")
    rows.service("gamma", "Gamma")
    assert figures(as_admin)["Monthly spend"] == "US$40 Of 1 service. 2 have no price yet ."
    assert sorted(names(as_admin, "/?need=no-price")) == ["Beta", "Gamma"]
    told = needs(as_admin)
    assert told["Services that have no price yet."] == "/?need=no-price"


def test_an_invoice_is_a_known_price_too(as_admin: Client) -> None:
    service = rows.service("alpha", "Alpha")
    start = rows.this_month()
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    Invoice.objects.create(
        service=service, number="1", starts=start, ends=end, amount=Decimal("99.90"),
        currency="GBP", made_at=timezone.now(),
    )  # fmt: skip
    assert figures(as_admin)["Monthly spend"].startswith("£99.90 ")


def test_what_can_be_realised_stands_beside_the_seats(as_admin: Client) -> None:
    service = priced("alpha", "20", 2)
    found(service, "20")
    found(service, "12.50")
    found(service, "500", counts=False)
    found(service, "500", over_at=timezone.now())
    found(service, None, currency="")
    shown = figures(as_admin)["What could be saved"]
    assert shown.startswith("US$32.50 a month")
    assert ">US$32.50</td>" in as_admin.get("/").content.decode()


def test_a_contract_without_findings_saves_no_money_and_says_so(as_admin: Client) -> None:
    service = priced("alpha", "20", 1)
    rows.member(service.connections.get(), "Ida", seen=50)
    shown = figures(as_admin)["What could be saved"]
    assert shown.startswith("1 seat Idle 30 days or more.")
    assert "realised in money" in shown


def test_the_table_sorts_by_cost_savings_and_renewal_with_the_unknown_last(
    as_admin: Client,
) -> None:
    small = priced("small", "1", 1, ends=in_days(300))
    priced("large", "100", 1, ends=in_days(100))
    rows.service("none", "None")
    found(small, "1")
    assert names(as_admin, "/?sort=-cost") == ["Large", "Small", "None"]
    assert names(as_admin, "/?sort=cost") == ["Small", "Large", "None"]
    assert names(as_admin, "/?sort=-savable") == ["Small", "Large", "None"]
    assert names(as_admin, "/?sort=renewal") == ["Large", "Small", "None"]


def test_notice_within_sixty_days_is_told_in_words_and_filtered(as_admin: Client) -> None:
    priced("soon", "1", 1, ends=in_days(90), notice_days=30)
    priced("later", "1", 1, ends=in_days(91), notice_days=30)
    priced("missed", "1", 1, ends=in_days(20), notice_days=30, renews=True)
    assert names(as_admin, "/?need=notice") == ["Soon"]
    page = words(as_admin)
    day = in_days(60)
    assert f"Notice for \u2068Soon\u2069 ends on {day.day} {day:%B %Y}, in 60 days." in page
    assert "notice in 60 days" in page
    assert "notice is over" in page


def test_several_notices_are_one_sentence_that_names_the_first(as_admin: Client) -> None:
    priced("soon", "1", 1, ends=in_days(50), notice_days=30)
    priced("sooner", "1", 1, ends=in_days(31), notice_days=30)
    assert needs(as_admin)["Services whose notice ends within 60 days."] == (
        "/?sort=renewal&need=notice"
    )
    assert "The first one, \u2068Sooner\u2069, ends on" in words(as_admin)
    assert ", tomorrow." in words(as_admin)


def test_more_than_was_planned_is_told_with_both_amounts(as_admin: Client) -> None:
    service = priced("alpha", "20", 2)
    Budget.objects.create(
        service=service, since=rows.this_month(), amount=Decimal(30), currency="USD",
        made_at=timezone.now(),
    )  # fmt: skip
    page = words(as_admin)
    assert "\u2068Alpha\u2069 costs more this month than was planned." in page
    assert "US$40 and not the planned US$30." in page
    assert names(as_admin, "/?need=over-budget") == ["Alpha"]


def test_the_file_has_the_money_too(as_admin: Client) -> None:
    priced("alpha", "20.25", 2, ends=in_days(90), notice_days=30)
    rows.service("beta", "Beta")
    lines = {line["key"]: line for line in csv_rows(as_admin.get("/?format=csv"))}
    alpha = lines["alpha"]
    assert (alpha["cost"], alpha["currency"], alpha["realisable"]) == ("40.50", "USD", "0")
    assert alpha["notice_by"] == in_days(60).isoformat()
    assert lines["beta"]["cost"] == ""
    workbook = {line["Key"]: line for line in sheet(as_admin, "/?format=xlsx")}
    assert workbook["alpha"]["Cost a month"] == 40.5
    assert workbook["beta"]["Cost a month"] in (None, "")
