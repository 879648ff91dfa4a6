"""A file as a table: the row that names the columns, and the rows below it."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.words import LONGEST_NAME, column_words, looks_like_address

MOST_ROWS = 20_000
MOST_COLUMNS = 100
LOOKED_THROUGH = 10  # rows, for the one that names the columns: reports begin with titles
EXAMPLES = 5
ROWS_FOR_EXAMPLES = 500  # looked through for those

Cell = str | date | datetime  # a date only where the file itself says that it is one


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the header that is not blank."""

    number: int  # as a spreadsheet program numbers it, from 1
    cells: tuple[Cell, ...]  # programs leave empty ones out at the end

    def cell(self, at: int) -> Cell:
        if at >= len(self.cells):
            return ""
        cell = self.cells[at]
        return cell.strip() if isinstance(cell, str) else cell

    def text(self, at: int) -> str:
        return str(self.cell(at))


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds, before anybody said which column is what."""

    names: tuple[str, ...]  # of the columns; "" for one without
    header: int | None  # the row that names them; None where the first row is a member already
    rows: tuple[Row, ...]
    broken: Mistake | None = None  # why nothing below these rows was read

    def examples(self, at: int) -> list[str]:
        """The first values of a column that are not empty."""
        texts = (row.text(at) for row in self.rows[:ROWS_FOR_EXAMPLES])
        return list(islice((text for text in texts if text), EXAMPLES))

    def column(self, at: int) -> list[Cell]:
        """Every value of a column, in the order of the rows."""
        return [row.cell(at) for row in self.rows]

    def label(self, at: int) -> str:
        """What a person calls the column: its name, or its letter."""
        return self.names[at] or f"column {letters(at)}"


def tabled(lines: Iterable[Row], broken: Mistake | None = None) -> Table:
    """Finds the row that names the columns. Raises MendFirst for a table without rows."""
    found = list(lines)
    if not found:
        raise MendFirst([broken or Mistake(None, "The file is empty.", "List a member in a row.")])
    header = _header(found)
    rows = found if header is None else found[header + 1 :]
    width = max(map(len, (row.cells for row in rows)), default=0)
    if header is not None:
        width = _used(found[header].cells)
    if width > MOST_COLUMNS:
        what = f"There are more than {MOST_COLUMNS} columns."
        remedy = "Leave out the columns that are not needed."
        raise MendFirst([Mistake(found[header or 0].number, what, remedy)])
    if len(rows) > MOST_ROWS:
        broken = too_many(rows[MOST_ROWS].number)
        rows = rows[:MOST_ROWS]
    if not rows and broken is None:
        remedy = "Add a row for each member below the header."
        broken = Mistake(None, "The file lists nobody.", remedy)
    names = [""] * width if header is None else list(map(_name, found[header].cells[:width]))
    number = None if header is None else found[header].number
    return Table(tuple(names), number, tuple(rows), broken)


def too_many(row: int) -> Mistake:
    what = f"There are more than {MOST_ROWS:,} members."
    return Mistake(row, what, "A list of this size needs a connector.")


def letters(at: int) -> str:
    """The column's letters, as a spreadsheet program shows them; the first is 0."""
    before, last = divmod(at, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)


def _header(rows: Sequence[Row]) -> int | None:
    """The row with the most known words above the first address; else the very first row."""
    best, most = 0, 0
    for at, row in enumerate(rows[:LOOKED_THROUGH]):
        if any(looks_like_address(str(cell)) for cell in row.cells):
            return best if at else None
        known = sum(bool(column_words(str(cell))) for cell in row.cells)
        if known > most:
            best, most = at, known
    return best


def _used(cells: Sequence[Cell]) -> int:
    """How wide a row is without the empty cells at its end."""
    return max((at + 1 for at, cell in enumerate(cells) if str(cell).strip()), default=0)


def _name(cell: Cell) -> str:
    """Without what no database and no page takes."""
    text = "".join(
        " " if unicodedata.category(mark) in {"Cc", "Cs"} else mark for mark in str(cell)
    )
    return " ".join(text.split())[:LONGEST_NAME]
