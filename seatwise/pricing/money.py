"""Amounts to the cent: rounded once, shared out without losing any, and written for people."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from moneyed import CURRENCIES as KNOWN
from moneyed import Money
from moneyed.l10n import format_money

CENT = Decimal("0.01")
LOCALE = "en_GB"  # as the pages' other words are
# By ISO 4217, of which funds, metals and test codes are no one's invoice.
CURRENCIES: tuple[str, ...] = tuple(
    sorted(code for code, each in KNOWN.items() if each.numeric and not code.startswith("X"))
)


def cents(amount: Decimal) -> Decimal:
    """To the cent, halves to the even one, so that many roundings do not drift."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def total_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """Their sum; None as soon as one of them is unknown."""
    found = list(amounts)
    return None if any(each is None for each in found) else sum(filter(None, found), Decimal(0))


def share(amount: Decimal, weights: Sequence[Decimal | int]) -> list[Decimal]:
    """The amount in parts by those weights, to the cent, that add up to exactly the amount.

    What is left over by rounding down goes to the largest remainders, the first of equals first.
    Weights of nothing but 0 count as equal. Raises ValueError without weights, or where one is
    less than 0.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("an amount is shared by one weight or more, none of them less than 0")
    whole = sum(map(Decimal, weights), Decimal(0))
    parts = [Decimal(weight) for weight in weights] if whole else [Decimal(1)] * len(weights)
    whole = whole or Decimal(len(weights))
    sign = -1 if amount < 0 else 1
    all_cents = int(abs(cents(amount)) / CENT)
    exact = [all_cents * part / whole for part in parts]
    found = [int(each) for each in exact]
    by_remainder = sorted(range(len(parts)), key=lambda at: (found[at] - exact[at], at))
    for at in by_remainder[: all_cents - sum(found)]:
        found[at] += 1
    return [sign * each * CENT for each in found]


@lru_cache(maxsize=4096)  # a page with hundreds of amounts says most of them again and again
def words(amount: Decimal | None, currency: str) -> str:
    """ "US$ 1,234.50" or the like; "unknown" without an amount. Whole amounts carry no cents."""
    if amount is None:
        return "unknown"
    money = Money(cents(amount), currency)
    if amount == amount.to_integral_value():
        return format_money(money, locale=LOCALE, format="¤#,##0", currency_digits=False)
    return format_money(money, locale=LOCALE)
