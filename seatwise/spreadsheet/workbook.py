"""Tables as XLSX: typed cells, a header that stays in sight, and a sheet that says what it is.

Rows go through files and not through memory, so the largest table costs as much of it as a small
one. Text stays text: nothing becomes a formula or a link.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from html import escape
from itertools import chain, islice
from tempfile import TemporaryDirectory
from typing import IO, Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from seatwise.spreadsheet.cells import Cell, is_risky, safe_text
from seatwise.spreadsheet.table import Column, Kind, Table

MOST_ROWS = 1_048_575  # that a sheet can hold below its header
LONGEST = 32_767  # of a cell, in UTF-16 units: a character beyond the first plane counts twice
MOST_DIGITS = 10**15  # whole numbers from here on would lose their last digits
LONGEST_NAME = 31  # of a sheet
CUT = "… [cut: a cell holds no more]"
AMOUNT = "#,##0.00"
TIME, DATE = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
FIRST_DAY = date(1900, 3, 1)  # before it spreadsheets disagree: 1900 was no leap year
NARROWEST, WIDEST = 8, 60  # of a column, in characters
MEASURED = 1000  # rows whose texts decide about a column's width
ABOUT = "About this file"
TAKEN_NAMES = {ABOUT.casefold(), "history"}  # by us, and by Excel
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")

Writer = Callable[[int, int, Cell], object]


def write(table: Table, file: IO[bytes], *, most_rows: int = MOST_ROWS) -> int:
    """Writes the table as a workbook to the file, which must be open; how many rows there were.

    Further sheets hold what is more than `most_rows`. Needs room for temporary files, several
    times the workbook's size, and raises OSError where there is none.
    """
    with TemporaryDirectory(prefix="seatwise-export-") as folder:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        book.use_zip64()  # for sheets of more than 4 GB
        try:
            rows = _write(book, table, most_rows)
        except BaseException:
            with suppress(Exception):
                book.close()  # lets go of its temporary files
            raise
        try:
            book.close()
        except FileCreateError as error:
            cause = error.args[0]
            raise cause if isinstance(cause, OSError) else OSError(str(error)) from error
    return rows


def sheet_text(text: str) -> str:
    """The text as a cell can hold it: without what XML cannot say, cut with a mark if too long."""
    if not text.isprintable():  # most texts are, and a hundred thousand rows have a million
        text = NOT_IN_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) <= LONGEST // 2 or _units(text) <= LONGEST:
        return text
    kept = text.encode("utf-16-le")[: 2 * (LONGEST - len(CUT))]
    return kept.decode("utf-16-le", errors="ignore") + CUT


def _write(book: Any, table: Table, most_rows: int) -> int:
    styles = _Styles.of(book)
    rows, written, number = iter(table.rows), 0, 1
    first: tuple[Sequence[Cell], ...] = tuple(islice(rows, 1))
    while first or number == 1:
        name = _sheet_name(table.name, number)
        part = islice(chain(first, rows), most_rows)
        written += _sheet(book, styles, name, table.columns, part)
        first, number = tuple(islice(rows, 1)), number + 1
    _about(book, styles, table, written)
    return written


@dataclass(frozen=True, slots=True)
class _Styles:
    header: Any
    wrapped: Any
    quoted: Any  # text stays text also where somebody edits the cell
    amount: Any
    date: Any
    time: Any

    @classmethod
    def of(cls, book: Any) -> "_Styles":
        add = book.add_format
        return cls(
            header=add({"bold": True, "bottom": 1, "valign": "top"}),
            wrapped=add({"text_wrap": True, "valign": "top", "quote_prefix": True}),
            quoted=add({"quote_prefix": True}),
            amount=add({"num_format": AMOUNT}),
            date=add({"num_format": DATE, "align": "left"}),
            time=add({"num_format": TIME, "align": "left"}),
        )


def _sheet(
    book: Any,
    styles: _Styles,
    name: str,
    columns: Sequence[Column],
    rows: Iterator[Sequence[Cell]],
) -> int:
    """One sheet; how many rows it holds."""
    sheet = book.add_worksheet(name)
    widths = [len(_title(column)) + 3 for column in columns]  # and the filter's button
    for at, column in enumerate(columns):
        sheet.write_string(0, at, _title(column), styles.header)
    cells = _Cells(sheet, styles)
    writers = [cells.writer(column.kind) for column in columns]
    number = 0
    for number, row in enumerate(rows, start=1):
        for at, (cell, writer) in enumerate(zip(row, writers, strict=True)):
            if cell is not None:
                writer(number, at, cell)
        if number <= MEASURED:
            widths = [max(width, _width(cell)) for width, cell in zip(widths, row, strict=True)]
    for at, width in enumerate(widths):
        sheet.set_column(at, at, min(max(width, NARROWEST), WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, number, len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # ids are no numbers
    return number


def _title(column: Column) -> str:
    return f"{column.title} (UTC)" if column.kind == "time" else column.title


@dataclass(frozen=True, slots=True)
class _Cells:
    """Writes a sheet's cells by kind; what is not of its kind after all is written as text."""

    sheet: Any
    styles: _Styles

    def writer(self, kind: Kind) -> Writer:
        typed: dict[Kind, Writer] = {
            "number": self.number,
            "date": self.day,
            "time": self.time,
            "yes/no": self.truth,
        }
        return typed.get(kind, self.text)

    def text(self, row: int, at: int, cell: Cell) -> None:
        said = sheet_text(cell if isinstance(cell, str) else safe_text(cell))
        style = self.styles.quoted if is_risky(said) else None
        if said.startswith("<r>") and said.endswith("</r>"):
            # XlsxWriter takes such a text for markup of its own; as markup it says just this text.
            said = f'<r><t xml:space="preserve">{escape(said, quote=False)}</t></r>'
        self.sheet.write_string(row, at, said, style)

    def number(self, row: int, at: int, cell: Cell) -> None:
        if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) < MOST_DIGITS:
            self.sheet.write_number(row, at, cell)
        elif isinstance(cell, Decimal) and abs(cell) < MOST_DIGITS // 100:
            self.sheet.write_number(row, at, cell, self.styles.amount)
        else:
            self.text(row, at, cell)

    def day(self, row: int, at: int, cell: Cell) -> None:
        if isinstance(cell, date) and not isinstance(cell, datetime) and cell >= FIRST_DAY:
            self.sheet.write_datetime(row, at, cell, self.styles.date)
        else:
            self.text(row, at, cell)

    def time(self, row: int, at: int, cell: Cell) -> None:
        if isinstance(cell, datetime) and cell.date() > FIRST_DAY:
            plain = cell.astimezone(UTC).replace(microsecond=0, tzinfo=None)
            self.sheet.write_datetime(row, at, plain, self.styles.time)
        else:
            self.text(row, at, cell)

    def truth(self, row: int, at: int, cell: Cell) -> None:
        if isinstance(cell, bool):
            self.sheet.write_boolean(row, at, cell)
        else:
            self.text(row, at, cell)


def _width(cell: Cell) -> int:
    """How many characters a cell shows, of its longest line."""
    if isinstance(cell, str):
        return max(map(len, cell[:LONGEST].split("\n"))) + 1
    return len(safe_text(cell)) + 1


def _about(book: Any, styles: _Styles, table: Table, written: int) -> None:
    """The sheet that says what the others hold, and what each column means."""
    sheet = book.add_worksheet(ABOUT)
    for at, width in enumerate((30, 26, 90)):
        sheet.set_column(at, at, width)
    cells = _Cells(sheet, styles)
    facts: list[tuple[str, Cell]] = [*table.about, ("Rows", written)]
    for row, (title, value) in enumerate(facts):
        sheet.write_string(row, 0, sheet_text(title), styles.header)
        cells.writer(_kind(value))(row, 1, value)
    start = len(facts) + 1
    for at, title in enumerate(("Column", "In a CSV file", "What it means")):
        sheet.write_string(start, at, title, styles.header)
    for row, column in enumerate(table.columns, start=start + 1):
        sheet.write_string(row, 0, _title(column))
        sheet.write_string(row, 1, column.key)
        sheet.write_string(row, 2, column.definition, styles.wrapped)


def _kind(value: Cell) -> Kind:
    if isinstance(value, bool):
        return "yes/no"
    if isinstance(value, datetime):
        return "time"
    if isinstance(value, date):
        return "date"
    return "number" if isinstance(value, int | Decimal) else "text"


def _sheet_name(name: str, number: int) -> str:
    """A name that spreadsheets take; "Members 2" for the second sheet."""
    clean = NOT_IN_NAMES.sub(" ", sheet_text(name)).strip("' ") or "Table"
    clean = f"{clean} rows" if clean.casefold() in TAKEN_NAMES else clean
    more = f" {number}" if number > 1 else ""
    return clean[: LONGEST_NAME - len(more)] + more


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
