"""Charges as the FinOps Open Cost and Usage Specification (FOCUS) 1.2 wants them. Pure.

A month's charges, of seats and of usage, become rows that any FinOps tool reads. What the
specification asks for is restated in tests/focus, and where its own validator is at hand that
decides, too.
"""

from seatwise.focus.categories import category_of
from seatwise.focus.charges import Category, Charge, Period
from seatwise.focus.columns import COLUMNS, VERSION, Row, row_of
from seatwise.focus.files import FORMATS, Format, as_csv, as_parquet

__all__ = [
    "COLUMNS",
    "FORMATS",
    "VERSION",
    "Category",
    "Charge",
    "Format",
    "Period",
    "Row",
    "as_csv",
    "as_parquet",
    "category_of",
    "row_of",
]
