"""Members by file: what a CSV file or an Excel workbook says, or what must be mended first. Pure.

`opened` makes a table of the bytes, `guessed` proposes which column is what, a person decides, and
`read` makes of both the records that a connector would hand over, so that everything after the
reading is the same.
"""

from seatwise.memberfile.columns import LEFT_OUT, guessed, hindrance, remembered
from seatwise.memberfile.dates import ORDERS, Order, either, moment, order_of
from seatwise.memberfile.members import MemberFile, Reading, read
from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.opening import MOST_BYTES, Manner, Opened, opened
from seatwise.memberfile.table import MOST_COLUMNS, MOST_ROWS, Table, letters
from seatwise.memberfile.text import DELIMITERS, ENCODINGS
from seatwise.memberfile.words import EMAIL, MEANINGS, SEEN

__all__ = [
    "DELIMITERS",
    "EMAIL",
    "ENCODINGS",
    "LEFT_OUT",
    "MEANINGS",
    "MOST_BYTES",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "ORDERS",
    "SEEN",
    "Manner",
    "MemberFile",
    "MendFirst",
    "Mistake",
    "Opened",
    "Order",
    "Reading",
    "Table",
    "either",
    "guessed",
    "hindrance",
    "letters",
    "moment",
    "opened",
    "order_of",
    "read",
    "remembered",
]
