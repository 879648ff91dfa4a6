"""Invoices by file: looked at whole before anything is written, and all of it or nothing."""

import io
import json
import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from html import unescape
from string import ascii_letters

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from seatwise.invoicefile import NoAmount, amount_of, guessed, hindrance
from seatwise.models import Invoice, Service
from seatwise.pricing import split_by_month, words
from tests.pages import rows
from tests.spending.costs import contract, first_of, invoice

PAGE = "/services/pagerduty/spend/invoices/file/"
FILE = (
    "Invoice number,Period start,Period end,Net amount,VAT,Currency,Invoice date\n"
    'A-1,2026-08-01,2026-08-31,"1,234.50",234.56,USD,2026-09-01\n'
    "A-2,2026-09-01,2026-09-30,-12.00,,USD,2026-10-01\n"
)


@pytest.fixture
def of(db: None) -> Service:
    service = rows.service()
    contract(service, first_of(4))
    return service


def look(client: Client, data: str | bytes, name: str = "bills.csv") -> tuple[int, str]:
    content = data.encode() if isinstance(data, str) else data
    answer = client.post(PAGE, {"file": SimpleUploadedFile(name, content)})
    return answer.status_code, answer.content.decode()


def again(html: str, **given: str) -> dict[str, str]:
    """What the form of that page would send."""
    form = {"table": unescape(re.findall(r'name="table" value="([^"]*)"', html)[0])}
    for name, options in re.findall(
        r'<select id="[^"]*" name="([^"]*)">(.*?)</select>', html, re.DOTALL
    ):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        form[name] = (
            (chosen[1] if chosen and chosen[1] is not None else chosen[2]) if chosen else ""
        )
    return form | given


def test_a_file_is_looked_at_before_anything_is_written(as_admin: Client, of: Service) -> None:
    status, html = look(as_admin, FILE)
    assert status == 200
    assert "US$1,234.50" in html
    assert "Write down 2 invoices" in html
    assert not Invoice.objects.exists()
    assert as_admin.post(PAGE, again(html, apply="yes")).status_code == 302
    first, second = Invoice.objects.order_by("number")
    assert (first.amount, first.tax, first.source) == (
        Decimal("1234.50"), Decimal("234.56"), "bills.csv",
    )  # fmt: skip
    assert (second.amount, second.tax, str(second.issued)) == (Decimal(-12), None, "2026-10-01")


def test_a_workbook_says_the_same(as_admin: Client, of: Service) -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(0, 0, ["Invoice", "Month", "Amount"])
    sheet.write(1, 0, "B-1")
    sheet.write_datetime(1, 1, date(2026, 8, 1), day)
    sheet.write(1, 2, 99.9)
    book.close()
    status, html = look(as_admin, file.getvalue(), "bills.xlsx")
    assert status == 200, html
    assert as_admin.post(PAGE, again(html, apply="yes")).status_code == 302
    made = Invoice.objects.get()
    assert (str(made.starts), str(made.ends), made.amount, made.currency) == (
        "2026-08-01", "2026-08-31", Decimal("99.90"), "USD",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",2026-08-01,2026-08-31,1,,USD,", "There is no number."),
        ("A,,2026-08-31,1,,USD,", "There is no first day."),
        ("A,2026-08-32,2026-08-31,1,,USD,", "is no day"),
        ("A,2026-08-02,,1,,USD,", "There is no last day."),
        ("A,2026-08-01,2026-08-31,,,USD,", "There is no amount."),
        ("A,2026-08-01,2026-08-31,about 3,,USD,", "is no amount"),
        ("A,2026-08-01,2026-08-31,1.234,,USD,", "is no amount that is sure"),
        ("A,2026-08-31,2026-08-01,1,,USD,", "ends before it begins"),
        ("A,2026-08-01,2026-08-31,1,,ZZZ,", "is no currency."),
        ("there,2026-08-01,2026-08-31,1,,USD,", "is there already"),
    ],
)
def test_every_mistake_is_told_by_row_and_nothing_is_written(
    as_admin: Client, of: Service, row: str, said: str
) -> None:
    invoice(of, "there", first_of(3), first_of(2), "1.00")
    status, html = look(as_admin, f"{FILE}{row}\n")
    assert status == 400
    assert "Row 4" in html
    assert said in unescape(html)
    as_admin.post(PAGE, again(html, apply="yes"))
    assert Invoice.objects.count() == 1


def test_a_number_that_stands_there_twice_is_told(as_admin: Client, of: Service) -> None:
    status, html = look(as_admin, FILE + FILE.splitlines()[1] + "\n")
    assert status == 400
    assert "The number A-1 stands there twice." in html


def test_columns_that_nobody_can_guess_are_asked_for(as_admin: Client, of: Service) -> None:
    _status, html = look(as_admin, "a,b,c\nX-1,2026-08-01,12.00\n")
    assert "Say which column is: Number, From, Amount without tax." in html
    chosen = {"column-0": "number", "column-1": "starts", "column-2": "amount"}
    assert as_admin.post(PAGE, again(html, **chosen, apply="yes")).status_code == 302
    assert Invoice.objects.get().number == "X-1"


def test_days_that_do_not_tell_their_order_are_asked_about(as_admin: Client, of: Service) -> None:
    _status, html = look(as_admin, "Invoice,From,To,Amount\nX-1,03/04/2026,05/04/2026,12\n")
    assert "the days do not tell" in html
    answer = as_admin.post(PAGE, again(html, order="month", apply="yes"))
    assert answer.status_code == 302
    assert str(Invoice.objects.get().starts) == "2026-03-04"


def test_what_no_page_of_ours_carried_is_refused(as_admin: Client, of: Service) -> None:
    for table in ("", "{}", "[1]", '["a", [], [["x", []]]]', "[" * 3000):
        assert as_admin.post(PAGE, {"table": table}).status_code == 400, table[:20]


def test_without_a_file_the_page_says_so(as_admin: Client, of: Service) -> None:
    answer = as_admin.post(PAGE)
    assert answer.status_code == 400
    assert "Choose a file first." in answer.content.decode()


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1234.5", "1234.5"), ("1,234.50", "1234.50"), ("1.234,50", "1234.50"),
        ("1'234.50", "1234.50"), ("12,5", "12.5"), ("-12", "-12"), ("(12.00)", "-12.00"),
        ("12-", "-12"), ("$ 12", "12"), ("12 €", "12"), ("USD 12.5", "12.5"),
        ("1,234,567", "1234567"), ("1 234", "1234"), ("0.30000000000000004", "0.30"),
        ("1234.559999999999945", "1234.56"), ("\u22125.00", "-5.00"),
    ],
)  # fmt: skip
def test_amounts_are_read_as_people_write_them(written: str, amount: str) -> None:
    assert amount_of(written) == Decimal(amount)


@pytest.mark.parametrize(
    "written",
    [
        "1.234",
        "1,234",
        "",
        "abc",
        "1.2.3",
        "1e5",
        "--1",
        "1,23,4",
        "0.3333333333333",
        "１２",
        "1" * 13,
    ],
)
def test_an_amount_that_is_not_sure_is_none(written: str) -> None:
    with pytest.raises(NoAmount):
        amount_of(written)


@given(st.decimals(-(10**9), 10**9, places=2), st.sampled_from(["{:.2f}", "{:,.2f}"]))
def test_an_amount_comes_back_as_it_was_written(amount: Decimal, how: str) -> None:
    assert amount_of(how.format(amount)) == amount


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    with suppress(NoAmount):
        assert amount_of(text).is_finite()


def test_a_column_has_one_meaning_and_each_meaning_one_column() -> None:
    meanings = guessed(["Invoice", "Invoice number", "Start", "Amount", "Total"])
    assert meanings == ("", "number", "starts", "amount", "")
    assert hindrance(meanings) == ""
    assert "one column only" in hindrance([*meanings, "number"])


def test_what_the_file_says_stays_text(as_admin: Client, of: Service) -> None:
    evil = '"><script>alert(1)</script>'
    cell = evil.replace('"', '""')
    file = f'Invoice,Month,Amount,"{cell}",Note\n"{cell}",2026-08-01,5,"{cell}","{cell}"\n'
    status, html = look(as_admin, file, f"{evil}.csv")
    assert status == 200
    assert "<script>alert" not in html
    assert as_admin.post(PAGE, again(html, apply="yes")).status_code == 302
    kept = Invoice.objects.get()
    assert (kept.number, kept.note) == (evil, evil)
    assert "<script>alert" not in as_admin.get("/services/pagerduty/spend/").content.decode()


def test_the_months_of_an_invoice_are_shown_before_it_is_written(
    as_admin: Client, of: Service
) -> None:
    head = "Invoice,From,To,Amount\n"
    _status, html = look(as_admin, f"{head}Q-3,2026-07-01,2026-09-30,1000\n")
    parts = split_by_month(Decimal(1000), date(2026, 7, 1), date(2026, 9, 30))
    assert len(parts) == 3
    for month, part in parts.items():
        assert f"{month:%b %Y}: {words(part, 'USD')}" in html


def test_what_no_database_stores_is_left_out(as_admin: Client, of: Service) -> None:
    table = json.dumps(["b\x00.csv", ["Invoice", "Month", "Amount"],
                        [[2, ["A\x00-\ud8001", "2026-08-01", "5"]]]])  # fmt: skip
    meanings = {"column-0": "number", "column-1": "starts", "column-2": "amount"}
    form = {"table": table, "currency": "USD", "apply": "yes", **meanings}
    assert as_admin.post(PAGE, form).status_code == 302
    kept = Invoice.objects.get()
    assert (kept.number, kept.source) == ("A-1", "b.csv")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "The file is empty."),
        ("Invoice,Month,Amount\n", "There is no invoice in it."),
        ("Invoice,Month,Amount\n" + "a,b,c\n" * 501, "There are more than 500 invoices in it."),
        ("Invoice,Month," + "x" * 99 + "\n" + ("y" * 199 + ",") * 99 + "\n", ""),
        ("a," * 101 + "b\n" + "1," * 101 + "2\n", "There are more than 100 columns."),
        (",".join(ascii_letters) + "\n" + (",".join(["x" * 200] * 52) + "\n") * 150,
         "There is more in the file than a page can carry"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_says_why(
    as_admin: Client, of: Service, file: str, said: str
) -> None:
    status, html = look(as_admin, file)
    assert status in {200, 400}
    assert said in unescape(html)
    assert not Invoice.objects.exists()


def test_five_hundred_invoices_are_taken_at_once(as_admin: Client, of: Service) -> None:
    lines = [f"N-{n:04},2026-08-01,2026-08-31,{n}.25,0.05,{'wörter ' * 20}" for n in range(500)]
    status, html = look(as_admin, "Invoice,From,To,Amount,Tax,Note\n" + "\n".join(lines))
    assert status == 200
    assert "Write down 500 invoices" in html
    assert as_admin.post(PAGE, again(html, apply="yes")).status_code == 302
    assert Invoice.objects.count() == 500


def test_a_number_that_came_in_the_meantime_is_told_and_nothing_is_written(
    as_admin: Client, of: Service
) -> None:
    _status, html = look(as_admin, FILE)
    invoice(of, "A-2", first_of(3), first_of(2), "1.00")
    answer = as_admin.post(PAGE, again(html, apply="yes"))
    assert answer.status_code == 400
    assert "An invoice with the number A-2 is there already." in answer.content.decode()
    assert Invoice.objects.count() == 1
