"""From the bytes of a file to its table, and the ways in which it can be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from seatwise.memberfile import text, workbook
from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.table import Table

MOST_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file is read; what is "" or 0 is found out."""

    encoding: str = ""  # of text.ENCODINGS
    delimiter: str = ""  # of text.DELIMITERS
    sheet: int = 0  # of a workbook's visible ones, from 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A file's table, how it was read, and how else it could be."""

    table: Table
    manner: Manner  # nothing left open
    encodings: Mapping[str, str] = field(default_factory=dict)  # each with how it looks in it
    sheets: tuple[str, ...] = ()  # of a workbook

    @property
    def is_text(self) -> bool:
        return not self.sheets


def opened(data: bytes, manner: Manner = Manner()) -> Opened:
    """Opens a CSV file or an Excel workbook. Raises MendFirst.

    A manner that does not fit the file is not insisted on.
    """
    if len(data) > MOST_BYTES:
        size = f"The file is larger than {MOST_BYTES // 1024 // 1024} MB."
        raise MendFirst([Mistake(None, size, "Leave out the columns that are not needed.")])
    if workbook.is_one(data):
        names, table = workbook.read(data, manner.sheet)
        sheet = manner.sheet if manner.sheet < len(names) else 0
        return Opened(table, Manner(sheet=sheet), sheets=tuple(names))
    encodings = text.readable_in(data)
    encoding = manner.encoding if manner.encoding in encodings else next(iter(encodings))
    written = text.decoded(data, encoding)
    if not written.strip():
        raise MendFirst([Mistake(None, "The file is empty.", "List a member in a row.")])
    known = manner.delimiter in text.DELIMITERS
    delimiter = manner.delimiter if known else text.delimiter_of(written)
    found = replace(manner, encoding=encoding, delimiter=delimiter, sheet=0)
    return Opened(text.read(written, delimiter), found, encodings=encodings)
