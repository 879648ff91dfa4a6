"""PagerDuty's public plans, with the day on which the prices were looked at."""

from datetime import date
from decimal import Decimal

from seatwise.connectors.base import ListPrice

_ON = date(2026, 9, 1)
_SOURCE = "PagerDuty’s public price list"
# Larger packs (250, 500, 1,000, 5,000) are sold, too; their prices are not published.
_PACKS = ((50, Decimal(150)),)

LIST_PRICES = (
    ListPrice("business", "Business", "USD", Decimal(49), Decimal(41), _PACKS, _ON, _SOURCE),
    ListPrice(
        "professional", "Professional", "USD", Decimal(25), Decimal(21), _PACKS, _ON, _SOURCE
    ),
    ListPrice("enterprise", "Enterprise", "USD", None, None, _PACKS, _ON, _SOURCE),
    ListPrice(
        *("free", "Free", "USD", Decimal(0), Decimal(0), (), _ON, _SOURCE),
        ratchet=False,
        free_seats=5,
    ),
)
