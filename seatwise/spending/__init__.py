"""What services cost: contracts, history and invoices put together, month by month.

Months are those of settings.BILLING_ZONE. Amounts are Decimals of a contract's currency, and those
of different currencies are never added. None is unknown.
"""

from seatwise.spending.changing import (
    InvoiceDraft,
    add_invoices,
    confirm_reduction,
    in_words,
    known_numbers,
    plain,
    remove_invoice,
    set_budget,
    set_contract,
)
from seatwise.spending.charging import charges
from seatwise.spending.checking import MendField, check_terms
from seatwise.spending.forecasting import Forecast, forecast
from seatwise.spending.grouping import BY, By, Group, groups
from seatwise.spending.lines import Lines, position, terms_on
from seatwise.spending.monthly import MonthOfSpend, months
from seatwise.spending.refreshing import ALERTS, refresh
from seatwise.spending.standing import Standing, standings

__all__ = [
    "ALERTS",
    "BY",
    "By",
    "Forecast",
    "Group",
    "InvoiceDraft",
    "Lines",
    "MendField",
    "MonthOfSpend",
    "Standing",
    "add_invoices",
    "charges",
    "check_terms",
    "confirm_reduction",
    "forecast",
    "groups",
    "in_words",
    "known_numbers",
    "months",
    "plain",
    "position",
    "refresh",
    "remove_invoice",
    "set_budget",
    "set_contract",
    "standings",
    "terms_on",
]
