"""Invoices by file: opened, its columns guessed, looked at whole, and only then written down.

Nothing of the file is kept in between: the page carries its cells, and all of it is read anew.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from seatwise import invoicefile, memberfile, spending
from seatwise.invoicefile import CURRENCY, ENDS, ISSUED, LEFT_OUT, MEANINGS, STARTS, Row
from seatwise.memberfile import ORDERS, MendFirst, Mistake, Order
from seatwise.models import Contract, Service
from seatwise.pricing import CURRENCIES, split_by_month
from seatwise.spending import plain
from seatwise.views import cost_writing
from seatwise.views.shell import person, require_admin, service_or_404

MOST_CARRIED = 1_000_000  # characters: a form may not be larger than 2.5 MB
TOO_LARGE = "There is more in the file than a page can carry: take out columns, or split it."
TORN = "The file cannot be read any more; upload it again."


@dataclass(frozen=True, slots=True)
class Carried:
    """A file's table, as the page carries it from one step to the next."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    @classmethod
    def of(cls, name: str, table: memberfile.Table) -> "Carried":
        """Days that the file itself says are days are written as such. Raises ValueError."""
        rows = tuple((row.number, tuple(_cell(each) for each in row.cells)) for row in table.rows)
        found = cls(plain(name)[:100], tuple(_cell(each) for each in table.names), rows)
        if len(found.text) > MOST_CARRIED:
            raise ValueError(TOO_LARGE)
        return found

    @classmethod
    def posted(cls, text: str) -> "Carried":
        """Raises ValueError for what no page of ours carried."""
        if len(text) > MOST_CARRIED:
            raise ValueError(TOO_LARGE)
        try:
            name, columns, rows = json.loads(text)
            return cls(
                plain(str(name))[:100],
                tuple(_cell(each) for each in columns)[: memberfile.MOST_COLUMNS],
                tuple((int(at), tuple(_cell(each) for each in cells)) for at, cells in rows),
            )
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise ValueError(TORN) from None

    @property
    def text(self) -> str:
        return json.dumps([self.name, self.columns, self.rows], ensure_ascii=False)


def _cell(value: object) -> str:
    return plain(str(value))[: invoicefile.LONGEST]


@require_http_methods(["GET", "HEAD", "POST"])
@require_admin("add invoices")
def page(request: HttpRequest, key: str) -> HttpResponse:
    """A form for the file; with one, what would be written; with `apply`, writes it."""
    service = service_or_404(key)
    if request.method != "POST":
        return _asked(request, service)
    try:
        carried = _carried(request)
    except MendFirst as error:
        return _asked(request, service, list(error.mistakes))
    except ValueError as error:
        return _asked(request, service, [Mistake(None, str(error), "")])
    meanings = _meanings(request, carried)
    order = _order(request, carried, meanings)
    usual = request.POST.get("currency", "") or _usual(service)
    wrong = invoicefile.hindrance(meanings) or ("" if order else _ASK)
    rows, mistakes = ([], []) if wrong else _read(carried, meanings, order, usual)
    mistakes = sorted([*mistakes, *_doubles(service, rows)], key=lambda each: each.row or 0)
    if request.POST.get("apply") and not wrong and not mistakes and rows:
        return _applied(request, service, carried, rows)
    context = {
        "service": service,
        "tab": "spend",
        "carried": carried,
        "columns": [
            (at, name or f"column {memberfile.letters(at)}", meanings[at], _examples(carried, at))
            for at, name in enumerate(carried.columns)
        ],
        "meanings": MEANINGS.items(),
        "asks_order": order == "" or request.POST.get("order", "") in ORDERS,
        "orders": ORDERS.items(),
        "order": order,
        "needs_currency": CURRENCY not in meanings,
        "currencies": CURRENCIES,
        "currency": usual,
        "wrong": wrong,
        "mistakes": mistakes,
        "rows": _preview(rows, mistakes),
        "is_ready": bool(rows) and not wrong and not mistakes,
    }
    return render(request, "cost_file.html", context, status=400 if mistakes else 200)


def _preview(
    rows: Sequence[Row], mistakes: Sequence[Mistake]
) -> list[tuple[Row, list[tuple[date, Decimal]]]]:
    """What can be written down as it is, with its parts by month."""
    wrong = {each.row for each in mistakes}
    return [
        (row, list(split_by_month(row.amount, row.starts, row.ends).items()))
        for row in rows
        if row.at not in wrong
    ]


_ASK = "Say whether the day or the month comes first: the days do not tell."


def _carried(request: HttpRequest) -> Carried:
    """Raises MendFirst, ValueError."""
    file = request.FILES.get("file")
    if file is None:
        if "table" not in request.POST:
            raise ValueError("Choose a file first.")
        return Carried.posted(request.POST["table"])
    if file.size is not None and file.size > memberfile.MOST_BYTES:
        raise ValueError(f"The file is larger than {memberfile.MOST_BYTES // 1024 // 1024} MB.")
    if not file.size:
        raise ValueError("The file is empty.")
    table = memberfile.opened(file.read()).table
    if len(table.rows) > invoicefile.MOST_ROWS:
        raise ValueError(f"There are more than {invoicefile.MOST_ROWS} invoices in it.")
    if not table.rows:
        raise ValueError("There is no invoice in it.")
    if table.broken:
        raise MendFirst([table.broken])
    return Carried.of(file.name or "file", table)


def _meanings(request: HttpRequest, carried: Carried) -> tuple[str, ...]:
    told = [request.POST.get(f"column-{at}") for at in range(len(carried.columns))]
    if all(each is None for each in told):
        return invoicefile.guessed(carried.columns)
    return tuple(each if each and each in MEANINGS else LEFT_OUT for each in told)


def _order(request: HttpRequest, carried: Carried, meanings: Sequence[str]) -> Order | str:
    """As the days tell it, else as somebody says; "" where neither does."""
    days = [
        cells[at]
        for _row, cells in carried.rows
        for at, meaning in enumerate(meanings)
        if meaning in (STARTS, ENDS, ISSUED) and at < len(cells)
    ]
    told = memberfile.order_of(days)
    asked = request.POST.get("order", "")
    if told == "ask":
        return asked if asked in ORDERS else ""
    return "day" if told == "any" else told


def _read(
    carried: Carried, meanings: Sequence[str], order: str, currency: str
) -> tuple[list[Row], list[Mistake]]:
    by: Order = "month" if order == "month" else "day"
    return invoicefile.read(carried.rows, meanings, order=by, currency=currency)


def _doubles(service: Service, rows: Sequence[Row]) -> list[Mistake]:
    """What cannot be written down though it can be read: nothing is doubled."""
    there = spending.known_numbers(service, [row.number for row in rows])
    seen: set[str] = set()
    found = []
    for row in rows:
        if row.number in there:
            what = f"An invoice with the number {row.number} is there already."
            found.append(Mistake(row.at, what, "Take the row out of the file.", "Number"))
        elif row.number in seen:
            found.append(Mistake(row.at, f"The number {row.number} stands there twice.",
                                 "Take one of the rows out.", "Number"))  # fmt: skip
        else:
            try:
                _draft(row).check()
            except ValueError as error:
                found.append(Mistake(row.at, str(error), "Mend it in the file."))
        seen.add(row.number)
    return found


def _applied(
    request: HttpRequest, service: Service, carried: Carried, rows: Sequence[Row]
) -> HttpResponse:
    drafts = [_draft(row) for row in rows]
    try:
        spending.add_invoices(service, drafts, source=carried.name, by=person(request))
    except ValueError as error:
        return _asked(request, service, [Mistake(None, str(error), "")])
    cost_writing.look_again(service)
    many = f"{len(rows)} invoices are" if len(rows) > 1 else "One invoice is"
    messages.success(request, f"{many} written down.")
    return redirect("service_spend", service.key)


def _draft(row: Row) -> spending.InvoiceDraft:
    return spending.InvoiceDraft(
        row.number, row.starts, row.ends, row.amount, row.currency, row.tax, row.issued, row.note
    )


def _usual(service: Service) -> str:
    contract = Contract.objects.of(service).first()
    return contract.terms.currency if contract else "USD"


def _examples(carried: Carried, at: int) -> list[str]:
    return [cells[at] for _row, cells in carried.rows if at < len(cells) and cells[at]][:3]


def _asked(
    request: HttpRequest, service: Service, mistakes: Sequence[Mistake] = ()
) -> HttpResponse:
    context = {"service": service, "tab": "spend", "mistakes": mistakes}
    return render(request, "cost_file.html", context, status=400 if mistakes else 200)
