"""What the Spend tab says in every state of a service, and its forms beside their fields."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from seatwise import spending
from seatwise.models import Alert, Budget, Contract, Invoice, Reduction, Service, User
from seatwise.pricing import Alerts, Line
from seatwise.views import cost_chart
from tests.alerts import watched
from tests.pages import rows
from tests.spending.costs import (
    FULL,
    STAKEHOLDERS,
    account,
    contract,
    first_of,
    invoice,
    month_end,
    people,
    refreshed,
)

PAGE = "/services/pagerduty/spend/"
LAST, NOW = first_of(1), first_of(0)
READERS = Line("other", "Readers", "other", price=Decimal(5))


@pytest.fixture
def of(db: None) -> Service:
    service = rows.service()
    people(account(service, LAST), 10, LAST)
    return service


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def told(client: Client, path: str = PAGE) -> str:
    return text(client.get(path).content.decode())


def drawn(html: str) -> dict[str, Any]:
    found = re.search(r'<script id="cost-data" type="application/json">(.*?)</script>', html)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def errors(html: str) -> dict[str, str]:
    """{field: the sentence that its input is described by}."""
    found = {}
    for tag in re.findall(r'<(?:input|select)[^>]*aria-invalid="true"[^>]*>', html):
        [name] = re.findall(r' name="([^"]*)"', tag)
        [ids] = re.findall(r'aria-describedby="([^"]*)"', tag)
        said = re.search(rf'class="field__error" id="{ids.split()[-1]}">([^<]*)<', html)
        assert said, name
        found[name] = unescape(said[1])
    return found


def test_the_chart_stacks_the_lines_and_draws_invoices_and_budget_over_them(
    as_viewer: Client, of: Service
) -> None:
    people(of.connections.get(), 4, LAST, role="read_only_user")
    contract(of, LAST, FULL, replace(READERS, kind="stakeholder", key="stakeholder"))
    invoice(of, "A", LAST, month_end(LAST), "431.50")
    Budget.objects.create(service=of, since=NOW, amount=500, currency="USD", made_at=timezone.now())
    refreshed(of)
    data = drawn(as_viewer.get(PAGE).content.decode())
    assert data["currency"] == "USD"
    assert [(each["name"], each["kind"], each["values"]) for each in data["series"]] == [
        ("Business", "bar", [410.0, 410.0]),
        ("Readers", "bar", [20.0, 20.0]),
        ("Invoiced", "line", [431.5, None]),
        ("Budget", "line", [None, 500.0]),
    ]
    assert {each.get("stack") for each in data["series"]} == {"expected", None}
    assert [month["provisional"] for month in data["months"]] == [False, True]


def test_many_lines_are_drawn_as_few_and_none_has_the_name_of_another(of: Service) -> None:
    pools = [rows.license_pool(of.connections.get(), f"L{n}") for n in range(6)]
    for number, pool in enumerate(pools):
        people(of.connections.get(), number + 1, LAST, license=pool)
    lines = [
        Line(f"l-{n}", "Invoiced" if n == 5 else f"L{n}", "full", (f"L{n}",), Decimal(1))
        for n in range(6)
    ]
    contract(of, LAST, *lines)
    data = cost_chart.drawn(spending.months(refreshed(of)))
    assert data
    series: Any = data["series"]
    assert [(each["name"], each["values"][-1]) for each in series] == [
        ("L3", 4.0), ("L4", 5.0), ("Invoiced, seats", 6.0), ("Other lines", 6.0),
    ]  # fmt: skip


def test_amounts_of_another_currency_are_not_drawn_beside_these(
    as_viewer: Client, of: Service
) -> None:
    old = contract(of, LAST)
    Contract.objects.filter(pk=old.pk).update(data={**old.data, "currency": "EUR"})
    contract(of, NOW)
    refreshed(of)
    html = as_viewer.get(PAGE).content.decode()
    data = drawn(html)
    assert [(each["name"], each["values"]) for each in data["series"]] == [
        ("Business", [None, 410.0])
    ]
    assert data["months"][0]["why"] == "Its amounts are in EUR, see the table."
    assert "€410" in html


def test_a_contract_that_is_over_says_so(as_viewer: Client, of: Service) -> None:
    contract(of, LAST, term="year", ends=NOW - timedelta(days=1), renews=False)
    refreshed(of)
    assert f"It ended on {NOW - timedelta(days=1):%-d %b %Y}." in told(as_viewer)


def test_a_contract_that_is_still_to_come_changes_nothing_yet(
    as_admin: Client, of: Service
) -> None:
    contract(of, first_of(-1))
    refreshed(of)
    page = told(as_admin)
    assert "to come" in page
    assert "Known once a contract holds." in page or "No contract holds this month." in page
    assert "Confirmed reductions" not in page


def test_what_is_known_of_a_month_is_told_beside_what_is_not(
    as_viewer: Client, of: Service
) -> None:
    contract(of, LAST, FULL, alerts=Alerts(100, Decimal("0.35")))
    refreshed(of)
    page = told(as_viewer)
    assert "Business : US$410." in page
    assert "Alerts beyond the allowance : How many there were is not known." in page
    rows.usage(of.connections.get(), NOW, billable_alerts=120)
    refreshed(of)
    assert "US$417" in told(as_viewer)


def test_the_states_of_a_contract_say_which_holds(as_viewer: Client, of: Service) -> None:
    contract(of, LAST, replace(FULL, price=Decimal(30)))
    contract(of, LAST, replace(FULL, price=Decimal(31)))
    contract(of, NOW, replace(FULL, price=Decimal(32), licenses=("Pro",), ratchet=True))
    contract(of, first_of(-2), replace(FULL, price=Decimal(33)))
    refreshed(of)
    html = as_viewer.get(PAGE).content.decode()
    states = [text(each) for each in re.findall(r"<li(?: aria-current[^>]*)?>\s*<p>.*?</li>", html,
                                                re.DOTALL)]  # fmt: skip
    holding = ["to come", "holds now", "", "replaced"]
    for state, price, chip in zip(states, (33, 32, 31, 30), holding, strict=True):
        assert f"Business at US${price} a seat and month" in state
        assert (chip in state) if chip else "replaced" not in state
    assert "the highest number stays billed. Business bills the seats of Pro alone." in states[1]
    assert "of Business the highest number of any month stays billed" in text(html)


def test_all_invoices_can_be_seen_and_removing_one_is_asked_about(
    as_admin: Client, of: Service
) -> None:
    for number in range(15):
        invoice(of, f"N-{number:02}", LAST, month_end(LAST), "1.00")
    page = as_admin.get(PAGE).content.decode()
    assert "The newest 6 of 15; all of them are in the months above." in text(page)
    assert "N-08" not in page
    assert all(f"N-{n:02}" in told(as_admin, f"{PAGE}?invoices=all") for n in range(15))
    newest = Invoice.objects.of(of)[0]
    asked = as_admin.get(f"{PAGE}?remove={newest.pk}").content.decode()
    [dialog] = re.findall(r"<dialog[^>]* open[^>]*>.*?</dialog>", asked, re.DOTALL)
    assert f"Remove invoice {newest.number} ?" in text(dialog)
    assert as_admin.get(f"{PAGE}?remove=x").status_code == 200


def test_a_year_of_months_is_shown_and_all_of_them_can_be_seen(
    as_viewer: Client, of: Service
) -> None:
    invoice(of, "A", first_of(20), month_end(LAST), "2000.00")
    contract(of, LAST)
    refreshed(of)
    assert "The newest 12 of 21 months." in told(as_viewer)
    assert as_viewer.get(PAGE).content.count(b'<tr id="month-') == 12
    assert as_viewer.get(f"{PAGE}?months=all").content.count(b'<tr id="month-') == 21


def test_the_page_asks_no_more_however_much_is_written_down(
    as_admin: Client,
    admin: User,
    of: Service,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    def write(count: int) -> None:
        for number in range(count):
            contract(of, LAST, replace(FULL, price=Decimal(number)))
            invoice(of, f"{count}-{number}", LAST, NOW, "1.00", made_by=admin)
            Reduction.objects.create(service=of, line="full", seats=99, since=first_of(-1),
                                     made_at=timezone.now(), made_by=admin)  # fmt: skip
            Budget.objects.create(service=of, since=NOW, amount=1, currency="USD",
                                  made_at=timezone.now(), made_by=admin)  # fmt: skip
        Contract.objects.update(made_by=admin)
        refreshed(of)

    write(1)
    as_admin.get(PAGE)
    with django_assert_max_num_queries(40) as captured:
        as_admin.get(PAGE)
    count = len(captured)
    write(12)
    as_admin.get(PAGE)
    with django_assert_max_num_queries(count):
        as_admin.get(PAGE)


FORM = {"since": f"{NOW:%Y-%m}", "currency": "USD", "term": "month"}


def test_every_wrong_field_of_a_contract_is_told_beside_it_at_once(
    as_admin: Client, of: Service
) -> None:
    form = FORM | {
        "starts": "soon", "notice_days": "9999", "name-2": "Business", "kind-2": "full",
        "price-2": "a lot", "packs-2": "many", "name-3": "", "committed-3": "7", "kind-3": "other",
    }  # fmt: skip
    answer = as_admin.post(f"{PAGE}contract/", form)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert errors(html) == {
        "starts": "Write a day as 2026-11-24.",
        "notice_days": "Write 0 to 730 days before the end.",
        "price-2": "Write an amount as 41 or 41.50, without signs of thousands.",
        "packs-2": "Write packs as “50: 150”: seats, and the price of a month.",
    }
    assert 'value="a lot"' in html
    assert 'value="many"' in html


def test_a_line_that_no_seat_can_come_to_is_told_at_its_row(as_admin: Client, of: Service) -> None:
    form = FORM | {
        "name-0": "Business", "kind-0": "full", "price-0": "41",
        "name-3": "Again", "kind-3": "full", "price-3": "12",
    }  # fmt: skip
    html = as_admin.post(f"{PAGE}contract/", form).content.decode()
    assert errors(html) == {
        "kind-3": "Business is for these seats already: choose other seats or licences."
    }


def test_a_line_for_some_licences_keeps_them(as_admin: Client, of: Service) -> None:
    for name in ("Pro", "Max\x00"):
        rows.license_pool(of.connections.get(), name.strip("\x00"))
    form = FORM | {
        "name-0": "Pro", "kind-0": "full", "price-0": "41", "licenses-0": ["Pro", "Max\x00"],
        "name-1": "Rest", "kind-1": "full", "price-1": "12",
    }  # fmt: skip
    assert as_admin.post(f"{PAGE}contract/", form).status_code == 302
    first, second = Contract.objects.get().terms.lines
    assert (first.key, first.licenses) == ("full", ("Pro", "Max"))
    assert (second.key, second.licenses) == ("full-2", ())
    html = as_admin.get(f"{PAGE}contract/").content.decode()
    assert re.search(r'name="licenses-0" value="Pro" checked', html)
    assert not re.search(r'name="licenses-1" value="Pro" checked', html)


def test_a_contract_of_many_lines_comes_back_whole(as_admin: Client, of: Service) -> None:
    lines = [Line(f"l-{n}", f"Line {n}", "full", (f"L{n}",), Decimal(n)) for n in range(1, 9)]
    contract(of, LAST, *lines)
    html = as_admin.get(f"{PAGE}contract/").content.decode()
    inputs = [each for each in re.findall(r"<input[^>]*>", html) if "checkbox" not in each]
    form = dict(re.findall(r' name="([^"]+)".* value="([^"]*)"', each)[0] for each in inputs)
    form |= {f"kind-{n}": "full" for n in range(8)} | FORM
    form |= {f"licenses-{n}": f"L{n + 1}" for n in range(8)}
    assert as_admin.post(f"{PAGE}contract/", form).status_code == 302
    assert Contract.objects.latest("pk").terms.lines == tuple(lines)


def test_a_plan_keeps_the_dates_that_were_agreed(as_admin: Client, of: Service) -> None:
    contract(of, LAST, term="year", ends=first_of(-5), notice_days=45, renews=True)
    html = as_admin.get(f"{PAGE}contract/?plan=professional&term=month").content.decode()
    assert re.search(r'name="price-0"[^>]*value="25"', html)
    assert re.search(rf'name="ends"[^>]*value="{first_of(-5)}"', html)
    assert re.search(r'name="notice_days"[^>]*value="45"', html)
    assert re.search(r'name="ratchet-0" value="yes" checked', html)
    assert as_admin.get(f"{PAGE}contract/?plan=nonsense&term=x").status_code == 200


def test_a_state_of_the_past_says_until_when_it_holds(as_admin: Client, of: Service) -> None:
    contract(of, NOW)
    form = FORM | {"since": f"{first_of(4):%Y-%m}", "name-0": "Old", "kind-0": "full"}
    answer = as_admin.post(f"{PAGE}contract/", form, follow=True)
    said = f"The contract holds from {first_of(4):%B %Y} until what was agreed from {NOW:%B %Y} on."
    assert said in text(answer.content.decode())


@pytest.mark.parametrize(
    ("form", "typed", "wrong"),
    [
        ("reduction", {"line": "full", "seats": "", "since": "soon"},
         {"seats": "This is needed.", "since": "Write a month as 2026-11."}),
        ("reduction", {"line": "full", "seats": "1,5", "since": f"{NOW:%Y-%m}"},
         {"seats": "Write a whole number."}),
        ("reduction", {"line": "gold", "seats": "1", "since": f"{NOW:%Y-%m}"},
         {"line": f"The contract of {NOW:%B %Y} has no such line."}),
        ("budget", {"amount": "1.005", "currency": "USD", "since": f"{NOW:%Y-%m}"},
         {"amount": "Write an amount with 2 decimals or fewer."}),
        ("budget", {"amount": "-5", "currency": "USD", "since": f"{NOW:%Y-%m}"},
         {"amount": "Write an amount from 0 to 1,000,000,000."}),
        ("invoices", {"number": "", "starts": "x", "ends": "", "amount": "1e3"},
         {"number": "This is needed.", "starts": "Write a day as 2026-11-24.",
          "ends": "This is needed.",
          "amount": "Write an amount as 41 or 41.50, without signs of thousands."}),
        ("invoices", {"number": "A", "starts": f"{NOW}", "ends": f"{LAST}", "amount": "1",
                      "currency": "USD"},
         {"ends": "The period ends before it begins."}),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_form_is_told_beside_its_field(
    as_admin: Client, of: Service, form: str, typed: dict[str, str], wrong: dict[str, str]
) -> None:
    contract(of, LAST)
    answer = as_admin.post(f"{PAGE}{form}/", typed)
    assert answer.status_code == 400
    html = answer.content.decode()
    assert errors(html) == wrong
    assert "Nothing was changed." in text(html)
    for value in typed.values():
        assert value in ("", "gold") or f'value="{value}"' in html


def test_a_budget_that_is_passed_shows_on_its_alert_at_once(as_admin: Client, of: Service) -> None:
    contract(of, LAST)
    refreshed(of)
    watched.alert(of, unit="spend_budget", limit=100)
    form = {"amount": "100", "currency": "USD", "since": f"{NOW:%Y-%m}"}
    as_admin.post(f"{PAGE}budget/", form)
    assert Alert.objects.get().value == 410
    assert ", one fires" in as_admin.get(PAGE).content.decode()


def test_members_by_file_and_nobody_at_all_have_a_spend_tab(as_admin: Client, db: None) -> None:
    by_file = rows.service("zoom", "Zoom")
    there = account(by_file, LAST, state="by_file")
    people(there, 3, LAST, role="")
    contract(by_file, LAST, replace(READERS, committed=5))
    refreshed(by_file)
    page = told(as_admin, "/services/zoom/spend/")
    assert "3 used, 2 held by nobody." in page
    assert "US$25" in page
    nobody = rows.service("miro", "Miro")
    assert "No contract yet" in told(as_admin, "/services/miro/spend/")
    invoice(nobody, "M-1", LAST, month_end(LAST), "9.90")
    page = told(as_admin, "/services/miro/spend/")
    assert "US$9.90" in page
    assert "No contract yet" in page
    form = FORM | {"name-0": "Seats", "kind-0": "other", "price-0": "7"}
    assert as_admin.post("/services/miro/spend/contract/", form).status_code == 302
    assert "Nobody looked in this month" in told(as_admin, "/services/miro/spend/")
    assert STAKEHOLDERS.name not in told(as_admin, "/services/miro/spend/")
