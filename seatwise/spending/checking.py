"""What may be written down about money: bounds, and a sentence for whoever is beyond them."""

import re
from datetime import date
from decimal import Decimal

from seatwise.pricing import CURRENCIES, Line, Terms
from seatwise.spending.refreshing import ALERTS

MOST = Decimal(1_000_000_000)  # of any amount
MOST_SEATS = 1_000_000
MOST_LINES = 20
MOST_NOTICE = 730  # days
LONGEST_PERIOD = 366 * 5  # days of an invoice
LONGEST_NUMBER = 100  # characters of an invoice's
LONGEST_NOTE = 1_000
LONGEST_NAME = 100  # of a line
PRICE_DECIMALS = 4
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)
KINDS = ("full", "stakeholder", "other")  # connectors.records.SeatKind
KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")


class MendField(ValueError):
    """One thing that was typed cannot be taken: the sentence says how to write it.

    `field`: what a form calls it, "" where it is about all of them.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def check_terms(terms: Terms) -> None:
    """Raises MendField, whose field of a line ends in its place: `price-0`."""
    check_currency(terms.currency)
    if terms.term not in ("month", "year"):
        raise MendField("term", "Choose a term.")
    for name, day in (("starts", terms.starts), ("ends", terms.ends)):
        if day is not None:
            check_day(day, name)
    if terms.starts and terms.ends and terms.ends < terms.starts:
        raise MendField("ends", "The contract ends before it begins.")
    if terms.notice_days is not None and not 0 <= terms.notice_days <= MOST_NOTICE:
        raise MendField("notice_days", f"Write 0 to {MOST_NOTICE} days before the end.")
    _check_lines(terms)
    if terms.alerts.allowance is not None and not 0 <= terms.alerts.allowance <= MOST:
        raise MendField("allowance", "Write a whole number that is not below 0.")
    if terms.alerts.price is not None:
        check_amount(terms.alerts.price, "alert_price", PRICE_DECIMALS)


def check_amount(
    amount: Decimal, field: str, decimals: int = PRICE_DECIMALS, least: Decimal = Decimal(0)
) -> None:
    """Raises MendField."""
    if not amount.is_finite() or not least <= amount <= MOST:
        raise MendField(field, f"Write an amount from {least:,} to {MOST:,}.")
    if amount.quantize(Decimal(1).scaleb(-decimals)) != amount:
        raise MendField(field, f"Write an amount with {decimals} decimals or fewer.")


def check_currency(code: str) -> None:
    """Raises MendField."""
    if code not in CURRENCIES:
        raise MendField("currency", "Choose a currency.")


def check_month(day: date) -> None:
    """Raises MendField."""
    if day.day != 1 or not FIRST <= day <= LAST:
        raise MendField("since", f"Choose a month of {FIRST.year} to {LAST.year}.")


def check_day(day: date, field: str) -> None:
    """Raises MendField."""
    if not FIRST <= day <= LAST:
        raise MendField(field, f"Write a day of {FIRST.year} to {LAST.year}.")


def check_words(text: str, field: str, longest: int) -> None:
    """Raises MendField."""
    if len(text) > longest:
        raise MendField(field, f"Write {longest:,} characters or fewer.")


def _check_lines(terms: Terms) -> None:
    if not terms.lines:
        raise MendField("name-0", "A contract needs a line of seats.")
    if len(terms.lines) > MOST_LINES:
        raise MendField("name-0", f"Write {MOST_LINES} lines or fewer.")
    for place, line in enumerate(terms.lines):
        _check_line(line, place)
        _check_beside(line, terms.lines[:place], place)


def _check_line(line: Line, place: int) -> None:
    if not line.name.strip():
        raise MendField(f"name-{place}", "Say what the seats are called.")
    check_words(line.name, f"name-{place}", LONGEST_NAME)
    if line.kind not in KINDS:
        raise MendField(f"kind-{place}", "Choose which seats the line is for.")
    if not KEY.fullmatch(line.key) or line.key == ALERTS:
        raise MendField(f"name-{place}", "This line cannot be kept as it is; write it anew.")
    if line.price is not None and line.packs:
        raise MendField(f"packs-{place}", "A line has a price for each seat or packs, not both.")
    if line.price is not None:
        check_amount(line.price, f"price-{place}")
    for pack in line.packs:
        if not 1 <= pack.seats <= MOST_SEATS:
            raise MendField(f"packs-{place}", f"A pack holds 1 to {MOST_SEATS:,} seats.")
        check_amount(pack.price, f"packs-{place}")
    if line.committed is not None and not 0 <= line.committed <= MOST_SEATS:
        raise MendField(f"committed-{place}", f"Commit to 0 to {MOST_SEATS:,} seats.")


def _check_beside(line: Line, others: tuple[Line, ...], place: int) -> None:
    """No seat is billed in two lines, and no line is one that no seat can ever come to."""
    if any(other.key == line.key for other in others):
        raise MendField(f"name-{place}", "Two lines are one and the same; write one of them anew.")
    for other in others:
        both = sorted(set(line.licenses) & set(other.licenses))
        if both:
            said = f"Seats of {both[0]} are billed by {other.name} already."
            raise MendField(f"licenses-{place}", said)
        if not line.licenses and not other.licenses and line.kind == other.kind:
            said = f"{other.name} is for these seats already: choose other seats or licences."
            raise MendField(f"kind-{place}", said)
