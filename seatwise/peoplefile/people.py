"""What a table says about people, or everything in it that must be mended first."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from seatwise.memberfile import MendFirst, Mistake, Order, Table, moment
from seatwise.memberfile.dates import NoDay
from seatwise.memberfile.table import Cell, Row
from seatwise.peoplefile.words import CENTRE, DEPARTMENT, EMAIL, LEFT, MEANINGS, NAME

LONGEST: Mapping[str, int] = {EMAIL: 100, NAME: 500, DEPARTMENT: 200, CENTRE: 100}  # characters
QUOTED = 100  # characters of a cell in a sentence
FIRST_YEAR = 1970
NO_END = 9000  # a year from which on programs mean that there is no end: 9999-12-31


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table's cells are to be understood."""

    columns: Sequence[str]  # the meaning of each column, "" for one that is left out
    order: Order = "day"  # of days like 03/04/2026

    def places(self, meaning: str) -> list[int]:
        return [at for at, told in enumerate(self.columns) if told == meaning]


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One line. "" is not told."""

    email: str  # in lower case
    name: str
    department: str
    cost_centre: str
    left_on: date | None  # from that day on they count as having left; None: still there


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """A file that can be applied as it is."""

    people: tuple[PersonRecord, ...]
    without_email: tuple[int, ...]  # rows that are left out: no seat can be matched with them
    ignored: tuple[str, ...]  # columns that are not used, as they are called


def read(table: Table, reading: Reading) -> PeopleFile:
    """The people that the rows are. Raises MendFirst with every mistake of every row.

    `reading` must name one column with e-mails. A row without an e-mail is no mistake: many
    companies have people without one, and they hold no seats.
    """
    mistakes: list[Mistake] = []
    found: dict[str, tuple[int, PersonRecord]] = {}
    without = []
    labels = {each: table.label(at[0]) for each in MEANINGS if (at := reading.places(each))}
    for row in table.rows:
        if not _text(row, reading, EMAIL):
            without.append(row.number)
            continue
        record, wrong = _person(row, reading, labels)
        mistakes += wrong
        if record.email in found:
            earlier, _ = found[record.email]
            what = f"{record.email[:QUOTED]} stands in row {earlier} already."
            mistakes.append(Mistake(row.number, what, "Keep one of the two rows.", labels[EMAIL]))
        found.setdefault(record.email, (row.number, record))
    if table.broken:
        mistakes.append(table.broken)
    if not mistakes and not found:
        what = "No row has an e-mail address."
        mistakes.append(Mistake(None, what, "Check which column is the e-mail."))
    if mistakes:
        raise MendFirst(mistakes)
    ignored = tuple(table.label(at) for at in reading.places(""))
    return PeopleFile(tuple(each for _, each in found.values()), tuple(without), ignored)


def _person(
    row: Row, reading: Reading, labels: Mapping[str, str]
) -> tuple[PersonRecord, list[Mistake]]:
    texts = {meaning: _text(row, reading, meaning) for meaning in LONGEST}
    mistakes = [
        Mistake(row.number, what, remedy, labels[meaning])
        for meaning, text in texts.items()
        for what, remedy in _wrong(meaning, text)
    ]
    left_on = None
    for at in reading.places(LEFT):
        try:
            left_on = _day(row.cell(at), reading.order)
        except NoDay:
            what = f"“{row.text(at)[:QUOTED]}” is no day that Seatwise can read."
            remedy = "Write it like 2026-03-31, or leave the cell empty for who is still there."
            mistakes.append(Mistake(row.number, what, remedy, labels[LEFT]))
    email = texts[EMAIL].lower()
    return PersonRecord(email, texts[NAME], texts[DEPARTMENT], texts[CENTRE], left_on), mistakes


def _text(row: Row, reading: Reading, meaning: str) -> str:
    return " ".join(text for at in reading.places(meaning) if (text := row.text(at)))


def _wrong(meaning: str, text: str) -> Iterator[tuple[str, str]]:
    told = MEANINGS[meaning].lower()
    if any(unicodedata.category(mark) == "Cc" for mark in text):
        yield f"The {told} holds a line break or another control character.", "Type it anew."
    if max(len(text), len(text.lower())) > LONGEST[meaning]:
        yield f"The {told} is longer than {LONGEST[meaning]} characters.", "Shorten it."
    user, _at, host = text.rpartition("@")
    if meaning == EMAIL and (not user or not host or any(mark.isspace() for mark in text)):
        yield f"“{text[:QUOTED]}” is no e-mail address.", "Write it like ada@example.com."


def _day(cell: Cell, order: Order) -> date | None:
    """The day as it is written; None where nothing, or no end, is told. Raises NoDay."""
    at = moment(cell, order, UTC) if cell != "" else None
    if at is None or at.year >= NO_END:
        return None
    if at.year < FIRST_YEAR:
        raise NoDay(str(cell))
    return at.date()
