"""One charge, as we know it: what for, how many, what it costs, and where that stands."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

Category = Literal["Usage", "Tax", "Credit"]
Source = Literal["invoice", "contract", "usage"]


class Period(NamedTuple):
    """Days, of which `ends` does not belong to it any more."""

    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of one month. Amounts are in `currency`, without tax but for a tax."""

    service: str  # its key
    name: str
    vendor: str
    category: str  # the catalogue's
    account: str  # the vendor's id of the account, or the service's key where there is none
    account_name: str
    month: Period  # the billing period
    period: Period  # the part of it that is charged for
    kind: Category
    line: str  # the contract's, or a metric's key
    what: str  # "120 seats of Business"
    billed: Decimal
    currency: str
    source: Source  # where `billed` stands
    invoice: str = ""  # its number
    quantity: Decimal | None = None  # that is paid for; None: of a tax or a credit
    consumed: Decimal | None = None  # that was used of it; None: not known
    unit: str = ""
    unit_price: Decimal | None = None  # as agreed; None: not known, then the charge is one unit
    list_price: Decimal | None = None  # as published for everybody; None: not known
    meter: str = ""
    is_recurring: bool = False  # comes every month, be it used or not
    provisional: bool = False  # can still change
