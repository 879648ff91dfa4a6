"""Tables as files that a spreadsheet opens: one definition, as CSV and as XLSX. Pure.

`workbook` is not imported here: who only needs a safe cell need not load the writer of XLSX.
"""

from seatwise.spreadsheet.cells import FORMULA_STARTS, Cell, is_risky, safe_text
from seatwise.spreadsheet.lines import csv_lines
from seatwise.spreadsheet.table import Column, Kind, Table

__all__ = [
    "FORMULA_STARTS",
    "Cell",
    "Column",
    "Kind",
    "Table",
    "csv_lines",
    "is_risky",
    "safe_text",
]
