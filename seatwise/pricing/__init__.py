"""What seats cost, what a contract bills, and what of it can be given back and when. Pure.

Amounts are `Decimal`s of the contract's currency, and prices are of a month, whatever the term. A
price that nobody knows is None, and so is everything that would need it: no number is invented.
"""

from seatwise.pricing.bankable import Banked, Claim, Part, Position, bank
from seatwise.pricing.billing import Billed, Reset, bill
from seatwise.pricing.money import CURRENCIES, cents, share, total_of, words
from seatwise.pricing.packs import Pack, best_move, capacity, pack_price
from seatwise.pricing.periods import Renewal, renewal_after, split_by_month
from seatwise.pricing.terms import Alerts, Line, Terms

__all__ = [
    "CURRENCIES",
    "Alerts",
    "Banked",
    "Billed",
    "Claim",
    "Line",
    "Pack",
    "Part",
    "Position",
    "Renewal",
    "Reset",
    "Terms",
    "bank",
    "best_move",
    "bill",
    "capacity",
    "cents",
    "pack_price",
    "renewal_after",
    "share",
    "split_by_month",
    "total_of",
    "words",
]
