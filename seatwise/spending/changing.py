"""What people write down: contracts, confirmed reductions, invoices and budgets. Each is told on
the audit trail in the transaction that writes it, and costs are worked out anew where they change.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import Budget, Contract, Invoice, Reduction, Service, User
from seatwise.models.audit_event import Action
from seatwise.pricing import Terms, words
from seatwise.spending import checking
from seatwise.spending.checking import MOST_SEATS, MendField, check_amount, check_month, check_words
from seatwise.spending.refreshing import refresh

DECIMALS = 2  # of what is charged and planned; the price of a seat may have four
TOLD = 20  # invoices that a line of the trail names
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # by PostgreSQL


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
        """Raises MendField."""
        check_words(self.number, "number", checking.LONGEST_NUMBER)
        if not self.number.strip():
            raise MendField("number", "Write the number that stands on the invoice.")
        if self.ends < self.starts:
            raise MendField("ends", "The period ends before it begins.")
        checking.check_day(self.starts, "starts")
        checking.check_day(self.ends, "ends")
        if (self.ends - self.starts).days > checking.LONGEST_PERIOD:
            raise MendField("ends", "The period is longer than five years.")
        check_amount(self.amount, "amount", DECIMALS, least=-checking.MOST)
        if self.tax is not None:
            check_amount(self.tax, "tax", DECIMALS, least=-checking.MOST)
        checking.check_currency(self.currency)
        if self.issued is not None:
            checking.check_day(self.issued, "issued")
        check_words(self.note, "note", checking.LONGEST_NOTE)

    @property
    def clean(self) -> "InvoiceDraft":
        """Without blanks around its words, and without what no database stores."""
        return replace(
            self, number=plain(self.number), currency=plain(self.currency), note=plain(self.note)
        )


def set_contract(
    service: Service, terms: Terms, *, since: date, note: str, by: User | None
) -> Contract:
    """Writes down what holds from that month on; the states before it stay as they were.

    `since`: the first day of a month; one of the past changes what the months since then cost.
    Raises MendField, whose field of a line ends in its place in `terms`: `price-0`.
    """
    check_month(since)
    check_words(note, "note", checking.LONGEST_NOTE)
    checking.check_terms(terms)
    state = Contract(
        service=service, since=since, data=terms.as_json(), note=plain(note),
        made_at=timezone.now(), made_by=by,
    )  # fmt: skip
    said = f"From {since:%B %Y} on: {in_words(terms)}"
    with _kept(service, Action.CONTRACT_CHANGED, "contract", said, costs=True):
        state.save()
    return state


def confirm_reduction(
    service: Service, line: str, seats: int, *, since: date, note: str, by: User | None
) -> Reduction:
    """Writes down that the vendor bills so many seats of a line from that month on, and not more.

    Raises MendField.
    """
    check_month(since)
    check_words(note, "note", checking.LONGEST_NOTE)
    contract = Contract.objects.in_force(service, since)
    found = contract.terms.line(line) if contract else None
    if found is None:
        raise MendField("line", f"The contract of {since:%B %Y} has no such line.")
    if not 0 <= seats <= MOST_SEATS:
        raise MendField("seats", f"Write a whole number of seats from 0 to {MOST_SEATS:,}.")
    row = Reduction(
        service=service, line=line, seats=seats, since=since, note=plain(note),
        made_at=timezone.now(), made_by=by,
    )  # fmt: skip
    said = f"{seats:,} seats of {found.name} are billed from {since:%B %Y} on."
    with _kept(service, Action.REDUCTION_CONFIRMED, found.name, said, costs=True):
        row.save()
    return row


def set_budget(
    service: Service, amount: Decimal | None, currency: str, *, since: date, by: User | None
) -> Budget:
    """What may be spent in a month, from that month on; None: there is no budget any more.

    Raises MendField.
    """
    check_month(since)
    checking.check_currency(currency)
    if amount is not None:
        check_amount(amount, "amount", DECIMALS)
    row = Budget(
        service=service, since=since, amount=amount, currency=currency,
        made_at=timezone.now(), made_by=by,
    )  # fmt: skip
    told = "no budget" if amount is None else f"{words(amount, currency)} a month"
    with _kept(service, Action.BUDGET_CHANGED, "budget", f"From {since:%B %Y} on: {told}."):
        row.save()
    return row


def add_invoices(
    service: Service, drafts: Sequence[InvoiceDraft], *, source: str = "", by: User | None
) -> list[Invoice]:
    """Writes them all down, or none. `source`: a file's name; "" for what was typed in.

    Raises MendField for the first that cannot be taken, also where its number is there already.
    """
    clean = [draft.clean for draft in drafts]
    for draft in clean:
        draft.check()
    now, file = timezone.now(), plain(source)[:100]
    rows = [
        Invoice(
            service=service, source=file, made_at=now, made_by=by,
            **{each.name: getattr(draft, each.name) for each in fields(draft)},
        )
        for draft in clean
    ]  # fmt: skip
    about = rows[0].number if len(rows) == 1 else f"{len(rows)} invoices"
    said = "; ".join(_told(row) for row in rows[:TOLD])
    if len(rows) > TOLD:
        said += f"; and {len(rows) - TOLD} more"
    with _kept(service, Action.INVOICE_ADDED, about, said):
        _check_numbers(service, [row.number for row in rows])
        return Invoice.objects.bulk_create(rows)


def known_numbers(service: Service, numbers: Sequence[str]) -> set[str]:
    """Those of the numbers that an invoice of the service has already."""
    return Invoice.objects.numbers(service, numbers)


def remove_invoice(service: Service, invoice: Invoice) -> None:
    """The audit trail keeps what it said."""
    with _kept(service, Action.INVOICE_REMOVED, invoice.number, _told(invoice)):
        invoice.delete()


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
        stays = ", the highest number stays billed" if line.ratchet else ""
        lines.append(f"{line.name} {price}{least}{stays}")
    return f"{'Monthly' if terms.term == 'month' else 'Yearly'}; {'; '.join(lines)}."


def plain(text: str) -> str:
    """What somebody typed, without blanks around it and without what no database stores."""
    return UNSTORABLE.sub("", text).strip()


@contextmanager
def _kept(
    service: Service, action: Action, about: str, said: str, *, costs: bool = False
) -> Iterator[None]:
    """What is written inside is told and, where `costs` hang on it, counted: all of it or nothing.

    One after the other: what two people write down at once is not lost and not doubled.
    """
    with transaction.atomic():
        Service.objects.locked(service.pk)
        yield
        audit.record(action, service=service.key, about=about, said=said)
        if costs:
            refresh(service, timezone.now())


def _check_numbers(service: Service, numbers: Sequence[str]) -> None:
    twice = next((each for at, each in enumerate(numbers) if each in numbers[:at]), None)
    if twice is not None:
        raise MendField("number", f"The number {twice} stands there twice.")
    if there := known_numbers(service, numbers):
        raise MendField("number", f"An invoice with the number {min(there)} is there already.")


def _told(invoice: Invoice) -> str:
    amount = words(Decimal(invoice.amount), invoice.currency)
    return f"{invoice.number}: {amount} for {invoice.starts} to {invoice.ends}"
