"""The columns of a FOCUS 1.2 data set, and a charge as a row of them.

Columns of our own begin with "x_", as the specification wants. A column that it lets a provider
leave out is there where we know what to write, else it is not.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal

from seatwise.focus.categories import category_of
from seatwise.focus.charges import Charge
from seatwise.pricing import cents

VERSION = "1.2"
Kind = Literal["text", "amount", "moment", "flag"]
Value = str | Decimal | datetime | bool | None
Row = Mapping[str, Value]

COLUMNS: Mapping[str, Kind] = {
    "BilledCost": "amount",
    "BillingAccountId": "text",
    "BillingAccountName": "text",
    "BillingCurrency": "text",
    "BillingPeriodEnd": "moment",
    "BillingPeriodStart": "moment",
    "ChargeCategory": "text",
    "ChargeClass": "text",
    "ChargeDescription": "text",
    "ChargeFrequency": "text",
    "ChargePeriodEnd": "moment",
    "ChargePeriodStart": "moment",
    "ConsumedQuantity": "amount",
    "ConsumedUnit": "text",
    "ContractedCost": "amount",
    "ContractedUnitPrice": "amount",
    "EffectiveCost": "amount",
    "InvoiceId": "text",
    "InvoiceIssuerName": "text",
    "ListCost": "amount",
    "ListUnitPrice": "amount",
    "PricingCategory": "text",
    "PricingQuantity": "amount",
    "PricingUnit": "text",
    "ProviderName": "text",
    "PublisherName": "text",
    "ServiceCategory": "text",
    "ServiceName": "text",
    "ServiceSubcategory": "text",
    "SkuId": "text",
    "SkuMeter": "text",
    "SkuPriceDetails": "text",
    "SkuPriceId": "text",
    "x_Provisional": "flag",
    "x_Source": "text",
}


def row_of(charge: Charge) -> Row:
    """The charge in the specification's columns; None is its null."""
    category, subcategory = category_of(charge.category)
    shared: dict[str, Value] = {
        "BilledCost": charge.billed,
        "BillingAccountId": charge.account,
        "BillingAccountName": charge.account_name,
        "BillingCurrency": charge.currency,
        "BillingPeriodStart": _start(charge.month.starts),
        "BillingPeriodEnd": _start(charge.month.ends),
        "ChargeCategory": charge.kind,
        "ChargeClass": None,  # corrections come as invoices of their own
        "ChargeDescription": charge.what,
        "ChargeFrequency": _frequency(charge),
        "ChargePeriodStart": _start(charge.period.starts),
        "ChargePeriodEnd": _start(charge.period.ends),
        # An invoice of a year is told month by month already, so nothing is left to spread.
        "EffectiveCost": charge.billed,
        "InvoiceId": charge.invoice or None,
        "InvoiceIssuerName": charge.vendor,
        "ProviderName": charge.vendor,
        "PublisherName": charge.vendor,
        "ServiceCategory": category,
        "ServiceName": charge.name,
        "ServiceSubcategory": subcategory,
        "x_Provisional": charge.provisional,
        "x_Source": charge.source,
    }
    found = {**dict.fromkeys(COLUMNS), **shared, **_priced(charge)}
    return {name: found[name] for name in COLUMNS}


def _frequency(charge: Charge) -> str:
    if charge.kind == "Credit":
        return "One-Time"
    return "Recurring" if charge.is_recurring or charge.kind == "Tax" else "Usage-Based"


def _priced(charge: Charge) -> Mapping[str, Value]:
    """What hangs on a price and a quantity: their product is the cost, always.

    A seat is a use of the service for a month, not a purchase, which would have to cost nothing in
    the month that it is paid for. Where nobody knows how many were held, those paid for are told.
    """
    if charge.kind in ("Tax", "Credit") or charge.quantity is None:
        return {"ContractedCost": charge.billed, "ListCost": charge.billed}
    quantity, unit, price = charge.quantity, charge.unit, charge.unit_price
    if price is None:  # what it costs is known, and what one costs is not
        quantity, unit, price = Decimal(1), "Months", max(charge.billed, Decimal(0))
    listed = price if charge.list_price is None else charge.list_price
    sku = f"{charge.service}-{charge.line}"
    return {
        "ConsumedQuantity": charge.quantity if charge.consumed is None else charge.consumed,
        "ConsumedUnit": charge.unit,
        "ContractedCost": _exact(price * quantity),
        "ContractedUnitPrice": _exact(price),
        "ListCost": _exact(listed * quantity),
        "ListUnitPrice": _exact(listed),
        "PricingCategory": "Standard",
        "PricingQuantity": quantity,
        "PricingUnit": unit,
        "SkuId": sku,
        "SkuMeter": charge.meter or charge.unit,
        "SkuPriceId": sku,
    }


def _exact(amount: Decimal) -> Decimal:
    """Whole cents where it is some, so that no row has more digits than it needs."""
    return cents(amount) if cents(amount) == amount else amount.normalize()


def _start(day: date) -> datetime:
    """Invoices know days and no zone, and the specification wants a moment of UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
