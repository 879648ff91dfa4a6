"""What people write down: contracts, confirmed reductions, invoices and budgets. Each is told on
the audit trail, and the costs are worked out anew."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import Budget, Contract, Invoice, Reduction, Service, User
from seatwise.models.audit_event import Action
from seatwise.pricing import CURRENCIES, Line, Terms, words
from seatwise.spending.refreshing import refresh

MOST = Decimal(1_000_000_000)  # of any amount
MOST_SEATS = 1_000_000
MOST_WORDS = 1_000  # characters of a note
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """An invoice as somebody wrote it down. Both days belong to the period."""

    number: str
    starts: date
    ends: date
    amount: Decimal  # without tax; less than 0 is money back
    currency: str
    tax: Decimal | None = None
    issued: date | None = None
    note: str = ""

    def check(self) -> None:
        """Raises ValueError, with a sentence for the form."""
        if not self.number.strip():
            raise ValueError("Write the number that stands on the invoice.")
        if len(self.number) > 100:
            raise ValueError("The number is longer than 100 characters.")
        if self.ends < self.starts:
            raise ValueError("The period ends before it begins.")
        if not FIRST <= self.starts <= self.ends <= LAST:
            raise ValueError("The period lies too far away.")
        if (self.ends - self.starts).days > 366 * 5:
            raise ValueError("The period is longer than five years.")
        for amount in (self.amount, self.tax or Decimal(0)):
            _check_amount(amount, least=-MOST)
        _check_currency(self.currency)
        _check_note(self.note)


def set_contract(
    service: Service, terms: Terms, *, since: date, note: str, by: User | None
) -> Contract:
    """Writes down what holds from that month on; the states before it stay as they were.

    `since`: the first day of a month. Raises ValueError, with a sentence for the form.
    """
    _check_month(since)
    _check_note(note)
    _check_terms(terms)
    state = Contract(
        service=service, since=since, data=terms.as_json(), note=note.strip(),
        made_at=timezone.now(), made_by=by,
    )  # fmt: skip
    said = f"From {since:%B %Y} on: {in_words(terms)}"
    _kept(service, state.save, Action.CONTRACT_CHANGED, "contract", said)
    return state


def confirm_reduction(
    service: Service, line: str, seats: int, *, since: date, note: str, by: User | None
) -> Reduction:
    """Writes down that the vendor bills so many seats of a line from that month on, and not more.

    Raises ValueError, with a sentence for the form.
    """
    _check_month(since)
    _check_note(note)
    contract = Contract.objects.in_force(service, since)
    found = contract.terms.line(line) if contract else None
    if found is None:
        raise ValueError("The contract of that month has no such line.")
    if not 0 <= seats <= MOST_SEATS:
        raise ValueError(f"Write a whole number of seats from 0 to {MOST_SEATS:,}.")
    row = Reduction(
        service=service, line=line, seats=seats, since=since, note=note.strip(),
        made_at=timezone.now(), made_by=by,
    )  # fmt: skip
    said = f"{seats:,} seats of {found.name} are billed from {since:%B %Y} on."
    _kept(service, row.save, Action.REDUCTION_CONFIRMED, found.name, said)
    return row


def set_budget(
    service: Service, amount: Decimal | None, currency: str, *, since: date, by: User | None
) -> Budget:
    """What may be spent in a month, from that month on; None: there is no budget any more.

    Raises ValueError, with a sentence for the form.
    """
    _check_month(since)
    _check_currency(currency)
    if amount is not None:
        _check_amount(amount)
    row = Budget(
        service=service, since=since, amount=amount, currency=currency,
        made_at=timezone.now(), made_by=by,
    )  # fmt: skip
    told = "no budget" if amount is None else f"{words(amount, currency)} a month"
    said = f"From {since:%B %Y} on: {told}."
    _kept(service, row.save, Action.BUDGET_CHANGED, "budget", said)
    return row


def add_invoices(
    service: Service, drafts: list[InvoiceDraft], *, source: str = "", by: User | None
) -> list[Invoice]:
    """Writes them all down, or none. `source`: a file's name; "" for what was typed in.

    Raises ValueError for the first that cannot be taken, also where its number is there already.
    """
    for draft in drafts:
        draft.check()
    numbers = [draft.number.strip() for draft in drafts]
    twice = next((number for number in numbers if numbers.count(number) > 1), None)
    if twice is not None:
        raise ValueError(f"The number {twice} stands there twice.")
    if there := known_numbers(service, numbers):
        raise ValueError(f"An invoice with the number {min(there)} is there already.")
    rows = [
        Invoice(
            service=service, number=draft.number.strip(), issued=draft.issued,
            starts=draft.starts, ends=draft.ends, amount=draft.amount, tax=draft.tax,
            currency=draft.currency, note=draft.note.strip(), source=source[:100],
            made_at=timezone.now(), made_by=by,
        )
        for draft in drafts
    ]  # fmt: skip
    about = numbers[0] if len(numbers) == 1 else f"{len(numbers)} invoices"
    said = "; ".join(_told(row) for row in rows[:20])

    def save() -> list[Invoice]:
        return Invoice.objects.bulk_create(rows)

    return _kept(service, save, Action.INVOICE_ADDED, about, said)


def known_numbers(service: Service, numbers: list[str]) -> set[str]:
    """Those of the numbers that an invoice of the service has already."""
    return Invoice.objects.numbers(service, numbers)


def remove_invoice(service: Service, invoice: Invoice) -> None:
    """The audit trail keeps what it said."""
    said = _told(invoice)
    _kept(service, invoice.delete, Action.INVOICE_REMOVED, invoice.number, said)


def in_words(terms: Terms) -> str:
    """A contract in a sentence or two, for the trail and for the page."""
    lines = []
    for line in terms.lines:
        if line.packs:
            told = (
                f"{pack.seats:,} for {words(pack.price, terms.currency)}" for pack in line.packs
            )
            price = f"in packs of {' or '.join(told)} a month"
        elif line.price is None:
            price = "at a price that is not known"
        else:
            price = f"at {words(line.price, terms.currency)} a seat and month"
        least = f", {line.committed:,} committed" if line.committed is not None else ""
        lines.append(f"{line.name} {price}{least}")
    return f"{'Monthly' if terms.term == 'month' else 'Yearly'}; {'; '.join(lines)}."


def _kept(service: Service, save: Callable[[], T], action: Action, about: str, said: str) -> T:
    """Saves, tells the trail and works the costs out anew, all of it or nothing."""
    with transaction.atomic():
        found = save()
        audit.record(action, service=service.key, about=about, said=said)
        refresh(service, timezone.now())
    return found


def _told(invoice: Invoice) -> str:
    amount = words(Decimal(invoice.amount), invoice.currency)
    return f"{invoice.number}: {amount} for {invoice.starts} to {invoice.ends}"


def _check_terms(terms: Terms) -> None:
    _check_currency(terms.currency)
    if not terms.lines:
        raise ValueError("A contract needs a line of seats.")
    if len({line.key for line in terms.lines}) < len(terms.lines):
        raise ValueError("Two lines are called alike.")
    for line in terms.lines:
        _check_line(line)
    _check_term(terms)
    if terms.alerts.price is not None:
        _check_amount(terms.alerts.price)


def _check_line(line: Line) -> None:
    for amount in [line.price, *(pack.price for pack in line.packs)]:
        if amount is not None:
            _check_amount(amount)
    if line.committed is not None and not 0 <= line.committed <= MOST_SEATS:
        raise ValueError(f"Commit to 0 to {MOST_SEATS:,} seats.")
    if any(not 1 <= pack.seats <= MOST_SEATS for pack in line.packs):
        raise ValueError(f"A pack holds 1 to {MOST_SEATS:,} seats.")
    if line.price is not None and line.packs:
        raise ValueError(f"{line.name} has a price for each seat or packs, not both.")


def _check_term(terms: Terms) -> None:
    if terms.starts and terms.ends and terms.ends < terms.starts:
        raise ValueError("The contract ends before it begins.")
    if terms.notice_days is not None and not 0 <= terms.notice_days <= 730:
        raise ValueError("Give notice 0 to 730 days before the end.")
    if terms.ends is not None and not FIRST <= terms.ends <= LAST:
        raise ValueError("The contract’s end lies too far away.")


def _check_amount(amount: Decimal, least: Decimal = Decimal(0)) -> None:
    if not amount.is_finite() or not least <= amount <= MOST:
        raise ValueError(f"Write an amount from {least:,} to {MOST:,}.")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:
        raise ValueError("Write an amount with four decimals or fewer.")


def _check_currency(code: str) -> None:
    if code not in CURRENCIES:
        raise ValueError("Choose a currency.")


def _check_month(day: date) -> None:
    if day.day != 1 or not FIRST <= day <= LAST:
        raise ValueError("Choose a month.")


def _check_note(note: str) -> None:
    if len(note) > MOST_WORDS:
        raise ValueError(f"Write a note of {MOST_WORDS:,} characters or fewer.")
