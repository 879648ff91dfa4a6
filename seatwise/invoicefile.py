"""A file of invoices: which column is what, and what each row says, or what must be mended. Pure.

It is opened like a file of members (`memberfile.opened`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal

from seatwise.memberfile import Mistake, Order, moment
from seatwise.memberfile.dates import NoDay
from seatwise.pricing import CURRENCIES

NUMBER, ISSUED, STARTS, ENDS = "number", "issued", "starts", "ends"
AMOUNT, TAX, CURRENCY, NOTE = "amount", "tax", "currency", "note"
LEFT_OUT = ""
MEANINGS: Mapping[str, str] = {
    NUMBER: "Number",
    STARTS: "From",
    ENDS: "To, included",
    AMOUNT: "Amount without tax",
    TAX: "Tax",
    CURRENCY: "Currency",
    ISSUED: "Issued",
    NOTE: "Note",
}
NEEDED = (NUMBER, STARTS, AMOUNT)
MOST_ROWS = 500
LONGEST = 200  # characters of a cell that are looked at
_WORDS: Mapping[str, tuple[str, ...]] = {
    NUMBER: ("invoice number", "invoice no", "invoice id", "invoice", "number", "no", "reference"),
    STARTS: ("period start", "service start", "start date", "starts", "start", "from", "month"),
    ENDS: ("period end", "service end", "end date", "ends", "end", "to", "until"),
    AMOUNT: ("amount without tax", "net amount", "net", "subtotal", "amount", "total", "sum"),
    TAX: ("tax amount", "tax", "vat"),
    CURRENCY: ("currency code", "currency"),
    ISSUED: ("invoice date", "issue date", "issued", "date"),
    NOTE: ("note", "notes", "description", "memo"),
}
_GROUPED = re.compile(r"\d{1,3}(?:([,.' ])\d{3})(?:\1\d{3})*")
_COIN = re.compile(r"^[A-Z]{3}(?=[\s\d-])|(?<=[\s\d])[A-Z]{3}$|[$€£¥₹]")
_SIGNED = re.compile(
    r"(?P<before>[-\u2212] ?)?(?P<around>\()?(?P<digits>[\d.,' ]+)(?(around)\))"
    r"(?P<after>[-\u2212])?"
)
_NOISY = re.compile(r"\d{1,12}\.\d{9,30}", re.ASCII)
_DIGITS = re.compile(r"\d{1,12}(?:\.\d{1,4})?", re.ASCII)

Cell = str | date


@dataclass(frozen=True, slots=True)
class Row:
    """One invoice, as the file has it. Both days belong to the period."""

    at: int  # as a spreadsheet program numbers it
    number: str
    starts: date
    ends: date
    amount: Decimal
    tax: Decimal | None
    currency: str
    issued: date | None
    note: str


class NoAmount(ValueError):
    """The text is no amount that anybody can be sure of."""


def guessed(names: Sequence[str]) -> tuple[str, ...]:
    """A meaning for each column by its name, each once, the surest first; LEFT_OUT for the rest."""
    found = [LEFT_OUT] * len(names)
    plain = [" ".join(re.findall(r"[a-z]+", name.casefold())) for name in names]
    for meaning, told in _WORDS.items():
        for word in told:
            at = next((at for at, each in enumerate(plain) if each == word and not found[at]), None)
            if at is not None:
                found[at] = meaning
                break
    return tuple(found)


def hindrance(meanings: Sequence[str]) -> str:
    """Why invoices cannot be read by this choice, in a sentence; "" where they can."""
    missing = [MEANINGS[each] for each in NEEDED if each not in meanings]
    if missing:
        return f"Say which column is: {', '.join(missing)}."
    twice = [told for each, told in MEANINGS.items() if meanings.count(each) > 1]
    return f"{' and '.join(twice)} can be one column only." if twice else ""


def read(
    rows: Iterable[tuple[int, Sequence[Cell]]],
    meanings: Sequence[str],
    *,
    order: Order,
    currency: str,
) -> tuple[list[Row], list[Mistake]]:
    """Every row as an invoice, and what must be mended. `currency`: where a row names none.

    A row without an end is for the month that its first day begins.
    """
    found, mistakes = [], []
    for at, cells in rows:
        told = {
            meaning: cells[place] if place < len(cells) else ""
            for place, meaning in enumerate(meanings)
            if meaning
        }
        try:
            found.append(_row(at, told, order, currency))
        except _Wrong as wrong:
            mistakes.append(Mistake(at, wrong.what, wrong.remedy, MEANINGS[wrong.meaning]))
    return found, mistakes


def amount_of(text: str) -> Decimal:
    """1234.5, 1,234.50, 1.234,50, 1'234.50, -12, (12.00) or $12. Raises NoAmount.

    A single mark before three digits ("1.234") says neither: whoever wrote it is asked.
    """
    written = _COIN.sub("", text.strip()[:LONGEST]).strip().replace("\u00a0", " ")
    signed = _SIGNED.fullmatch(written)
    if signed is None:
        raise NoAmount(text)
    below = any(signed[name] for name in ("before", "around", "after"))
    written = signed["digits"].strip()
    marks = [mark for mark in written if mark in ".,"]
    if len(set(marks)) == 2:  # the last one stands before the cents
        written = written.replace(marks[0] if marks[-1] != marks[0] else "", "")
        written = written.replace(marks[-1], ".")
    elif len(marks) == 1 and re.fullmatch(r"\d{1,3}[.,]\d{3}", written):
        raise NoAmount(text)
    elif _GROUPED.fullmatch(written):
        written = re.sub(r"[,.' ]", "", written)
    written = written.replace(",", ".").replace("'", "").replace(" ", "")
    if _NOISY.fullmatch(written):
        written = _without_noise(written)
    if not _DIGITS.fullmatch(written):
        raise NoAmount(text)
    return -Decimal(written) if below else Decimal(written)


def _without_noise(written: str) -> str:
    """A workbook writes what it has added up as 0.30000000000000004; to the cent that is 0.3."""
    amount = Decimal(written)
    cents = amount.quantize(Decimal("0.01"))
    return str(cents) if abs(amount - cents) < Decimal("1e-7") else written


class _Wrong(Exception):
    def __init__(self, meaning: str, what: str, remedy: str) -> None:
        super().__init__(what)
        self.meaning, self.what, self.remedy = meaning, what, remedy


def _row(at: int, told: Mapping[str, Cell], order: Order, currency: str) -> Row:
    number = _text(told, NUMBER)
    if not number:
        raise _Wrong(NUMBER, "There is no number.", "Write the invoice’s number.")
    starts = _day(told, STARTS, order)
    if starts is None:
        raise _Wrong(STARTS, "There is no first day.", "Write when the period begins.")
    ends = _day(told, ENDS, order)
    if ends is None:
        if starts.day != 1:
            raise _Wrong(ENDS, "There is no last day.", "Write when the period ends.")
        ends = (starts + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    amount = _amount(told, AMOUNT)
    if amount is None:
        raise _Wrong(AMOUNT, "There is no amount.", "Write the amount without tax.")
    code = _text(told, CURRENCY).upper() or currency
    if code not in CURRENCIES:
        raise _Wrong(CURRENCY, f"“{code[:10]}” is no currency.", "Write it as USD.")
    return Row(
        at, number, starts, ends, amount, _amount(told, TAX),
        code, _day(told, ISSUED, order), _text(told, NOTE),
    )  # fmt: skip


def _text(told: Mapping[str, Cell], meaning: str) -> str:
    return str(told.get(meaning, "")).strip()[:LONGEST]


def _day(told: Mapping[str, Cell], meaning: str, order: Order) -> date | None:
    cell = told.get(meaning, "")
    if isinstance(cell, date):
        return cell.date() if hasattr(cell, "date") else cell
    if not cell.strip():
        return None
    if re.fullmatch(r"\d{4}-\d\d", cell.strip()):
        cell = f"{cell.strip()}-01"
    try:
        found = moment(cell, order, UTC)
    except NoDay:
        found = None
    if found is None:
        raise _Wrong(meaning, f"“{cell[:40]}” is no day.", "Write a day as 2026-11-24.")
    return found.date()


def _amount(told: Mapping[str, Cell], meaning: str) -> Decimal | None:
    text = _text(told, meaning)
    if not text:
        return None
    try:
        return amount_of(text)
    except NoAmount:
        what = f"“{text[:40]}” is no amount that is sure."
        raise _Wrong(meaning, what, "Write it as 1234.50.") from None
