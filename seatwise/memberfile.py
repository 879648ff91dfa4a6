"""Members by file: what a CSV file says, or everything in it that must be mended first. Pure.

A service without a connector gets its members this way. The records are those that a
connector hands over, so that everything after the reading is the same.
"""

import codecs
import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seatwise.connectors.records import LicenseRecord, MemberRecord, SeatRecord

MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000
COLUMNS = ("name", "email", "role", "license")
SPELLINGS: Mapping[str, str] = {"licence": "license", "e-mail": "email"}
LONGEST: Mapping[str, int] = {"name": 500, "email": 100, "role": 100, "license": 100}
HEADER_HELP = "The first line names the columns, for example: name,email,role,license."


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing to mend."""

    line: int | None  # the first line is 1; None: the file as a whole
    what: str
    remedy: str


class MendFirst(Exception):
    """The file cannot be taken as it is: `mistakes`, in the order of the lines, say why."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} to mend, first: {mistakes[0].what}")
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A file that can be applied as it is."""

    members: tuple[MemberRecord, ...]  # `external_id` is the e-mail, stripped and case-folded
    licenses: tuple[LicenseRecord, ...]
    seats: tuple[SeatRecord, ...]
    ignored: tuple[str, ...]  # columns that mean nothing to Seatwise, as they are written


def read(data: bytes) -> MemberFile:
    """The records of a CSV file in UTF-8 with a header line.

    Raises MendFirst with every mistake; only quotes that do not match hide what is below them.
    """
    mistakes: list[Mistake] = []
    found: dict[str, _Row] = {}
    lines = _lines(_decoded(data))
    header = next(lines, None)
    if header is None:
        raise MendFirst([Mistake(None, "The file is empty.", HEADER_HELP)])
    places, ignored = _places(header)
    try:
        for count, line in enumerate(lines, start=1):
            if count > MOST_ROWS:
                mistakes.append(_too_many(line[0]))
                break
            row = _Row(line[0], {name: _cell(line[1], at) for name, at in places.items()})
            mistakes += _wrong(row, len(line[1]), len(header[1]), found)
            found.setdefault(row.key, row)
    except MendFirst as error:
        mistakes += error.mistakes
    if not found and not mistakes:
        mistakes.append(
            Mistake(None, "The file lists nobody.", "Add a line for each member below the header.")
        )
    if mistakes:
        raise MendFirst(mistakes)
    return _records(list(found.values()), ignored)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]

    @property
    def key(self) -> str:
        return self.cells["email"].casefold()


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        size = f"The file is larger than {MOST_BYTES // 1024 // 1024} MB."
        raise MendFirst([Mistake(None, size, "Leave out the columns that are not needed.")])
    save_as = "Save it as “CSV UTF-8” in your spreadsheet program."
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise MendFirst([Mistake(None, "The file is in UTF-16.", save_as)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise MendFirst([Mistake(line, "This line is not in UTF-8.", save_as)]) from None


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield start, cells
            start = reader.line_num + 1
    except csv.Error:
        what = "A quotation mark is not closed, stands alone, or encloses a far too long cell."
        remedy = 'Enclose the cell in " and write each " inside of it twice.'
        raise MendFirst([Mistake(start, what, f"{remedy} Below it nothing was checked.")]) from None


def _places(header: tuple[int, list[str]]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each known column stands, and the names of the others."""
    line, names = header
    places: dict[str, int] = {}
    ignored, mistakes = [], []
    for at, written in enumerate(names):
        name = written.strip().casefold()
        name = SPELLINGS.get(name, name)
        if name not in COLUMNS:
            ignored.append(written.strip() or f"number {at + 1}, which has no name")
        elif name in places:
            what = f"The column {name} is there twice."
            mistakes.append(Mistake(line, what, "Keep one of the two."))
        else:
            places[name] = at
    if "email" not in places:
        mistakes.append(Mistake(line, "No column is called email.", _header_help(names)))
    if mistakes:
        raise MendFirst(mistakes)
    return places, tuple(ignored)


def _header_help(names: list[str]) -> str:
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        return "The columns are separated by semicolons or tabs here: save it with commas."
    return HEADER_HELP


def _cell(cells: list[str], at: int) -> str:
    """Programs leave empty cells out at a line's end."""
    return cells[at].strip() if at < len(cells) else ""


def _too_many(line: int) -> Mistake:
    what = f"There are more than {MOST_ROWS:,} members."
    return Mistake(line, what, "A list of this size needs a connector.")


def _wrong(row: _Row, width: int, named: int, found: Mapping[str, _Row]) -> Iterator[Mistake]:
    if width > named:
        what = f"There are {width} cells, and the header names {named}."
        yield Mistake(row.line, what, 'Enclose a cell that holds a comma in ".')
    for name, text in row.cells.items():
        if not text.isprintable() and any(unicodedata.category(mark) == "Cc" for mark in text):
            what = f"The {name} holds a line break or another control character."
            yield Mistake(row.line, what, "Type it anew.")
        if max(len(text), len(text.casefold())) > LONGEST[name]:
            what = f"The {name} is longer than {LONGEST[name]} characters."
            yield Mistake(row.line, what, "Shorten it.")
    yield from _wrong_email(row, found)


def _wrong_email(row: _Row, found: Mapping[str, _Row]) -> Iterator[Mistake]:
    email = row.cells["email"]
    user, _at, host = email.rpartition("@")
    if not email:
        what = "The e-mail address is missing."
        yield Mistake(row.line, what, "Fill it in: members are found again by it.")
    elif not user or not host or any(mark.isspace() for mark in email):
        what = f"“{email[:100]}” is no e-mail address."
        yield Mistake(row.line, what, "Write it like ada@example.com.")
    elif row.key in found:
        what = f"{email[:100]} stands on line {found[row.key].line} already."
        yield Mistake(row.line, what, "Keep one of the two lines.")


def _records(rows: list[_Row], ignored: tuple[str, ...]) -> MemberFile:
    held = {row.key: row.cells.get("license", "") for row in rows}
    used = Counter(name.casefold() for name in held.values() if name)
    spelled: dict[str, str] = {}
    for name in held.values():
        spelled.setdefault(name.casefold(), name)
    return MemberFile(
        members=tuple(_member(row) for row in rows),
        licenses=tuple(
            LicenseRecord(key, spelled[key], kind="other", used=count, available=None)
            for key, count in used.items()
        ),
        seats=tuple(SeatRecord(key, name.casefold(), None) for key, name in held.items() if name),
        ignored=ignored,
    )


def _member(row: _Row) -> MemberRecord:
    """In lower case the address is the same one, and its spelling is no change."""
    return MemberRecord(
        external_id=row.key,
        email=row.cells["email"].lower(),
        name=row.cells.get("name", ""),
        role=row.cells.get("role", ""),
        invited=False,
    )
