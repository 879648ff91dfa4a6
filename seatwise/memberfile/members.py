"""What a table says about members, or everything in it that must be mended first."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from seatwise.connectors.records import LicenseRecord, MemberRecord, SeatRecord
from seatwise.memberfile.dates import NoDay, Order, moment
from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.table import Cell, Row, Table
from seatwise.memberfile.words import (
    EMAIL,
    INVITED,
    LICENSE,
    MEANINGS,
    NAME,
    NO,
    ROLE,
    SEEN,
    YES,
    plain,
    says_utc,
)

LONGEST: Mapping[str, int] = {NAME: 500, EMAIL: 100, ROLE: 100, LICENSE: 100}  # characters
QUOTED = 100  # characters of a cell in a sentence
FIRST_YEAR = 2000  # what lies before is a computer's zero, and nobody's last visit
AHEAD = timedelta(hours=14)  # so far another zone's day may be ahead of ours


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table's cells are to be understood."""

    columns: Sequence[str]  # the meaning of each column, "" for one that is left out
    zone: tzinfo  # of times that name none, in a column that names none
    now: datetime  # nobody was seen after that
    order: Order = "day"  # of days like 03/04/2026

    def places(self, meaning: str) -> list[int]:
        return [at for at, told in enumerate(self.columns) if told == meaning]


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A file that can be applied as it is."""

    members: tuple[MemberRecord, ...]  # `external_id` is the e-mail, stripped and case-folded
    licenses: tuple[LicenseRecord, ...]
    seats: tuple[SeatRecord, ...]
    # {external_id: when last seen, in UTC; None where the cell is empty}; None: no such column.
    seen: Mapping[str, datetime | None] | None
    ignored: tuple[str, ...]  # columns that are not used, as they are called


@dataclass(slots=True)
class _Person:
    """A row, with what can be said of it."""

    row: int
    texts: Mapping[str, str]
    invited: bool = False
    seen: datetime | None = None
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.texts[EMAIL].casefold()


def read(table: Table, reading: Reading) -> MemberFile:
    """The members that the rows are. Raises MendFirst with every mistake of every row.

    Only what hides the rest of the file hides what is below it, too. `reading` must name one
    column with e-mails.
    """
    mistakes: list[Mistake] = []
    found: dict[str, _Person] = {}
    for row in table.rows:
        person = _person(table, row, reading)
        mistakes += person.mistakes
        if person.key and (earlier := found.get(person.key)):
            name = table.label(reading.places(EMAIL)[0])
            what = f"{person.texts[EMAIL][:QUOTED]} stands in row {earlier.row} already."
            mistakes.append(Mistake(row.number, what, "Keep one of the two rows.", name))
        found.setdefault(person.key, person)
    if table.broken:
        mistakes.append(table.broken)
    if mistakes:
        raise MendFirst(mistakes)
    ignored = tuple(table.label(at) for at in reading.places(""))
    return _records(list(found.values()), ignored, tells_seen=SEEN in reading.columns)


def _person(table: Table, row: Row, reading: Reading) -> _Person:
    texts = {
        meaning: " ".join(text for at in reading.places(meaning) if (text := row.text(at)))
        for meaning in (EMAIL, NAME, ROLE, LICENSE)
    }
    person = _Person(row.number, texts)
    labels = {
        meaning: table.label(places[0])
        for meaning in MEANINGS
        if (places := reading.places(meaning))
    }
    person.mistakes += _wrong_row(table, row)
    for meaning, text in texts.items():
        for what, remedy in _wrong_text(meaning, text):
            person.mistakes.append(Mistake(row.number, what, remedy, labels.get(meaning, "")))
    for at in reading.places(SEEN):
        try:
            zone = UTC if says_utc(table.names[at]) else reading.zone
            person.seen = _seen(row.cell(at), replace(reading, zone=zone))
        except _Wrong as wrong:
            person.mistakes.append(Mistake(row.number, *wrong.words, labels[SEEN]))
    for at in reading.places(INVITED):
        try:
            person.invited = _answer(row.text(at))
        except _Wrong as wrong:
            person.mistakes.append(Mistake(row.number, *wrong.words, labels[INVITED]))
    return person


class _Wrong(Exception):
    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.words = (what, remedy)


def _wrong_row(table: Table, row: Row) -> Iterator[Mistake]:
    width = max((at + 1 for at in range(len(row.cells)) if row.text(at)), default=0)
    if table.header is not None and width > len(table.names):
        what = f"There are {width} cells, and the header names {len(table.names)}."
        yield Mistake(row.number, what, 'Enclose a cell that holds a comma in ".')


def _wrong_text(meaning: str, text: str) -> Iterator[tuple[str, str]]:
    told = MEANINGS[meaning].lower()
    if not text.isprintable() and any(unicodedata.category(mark) == "Cc" for mark in text):
        yield f"The {told} holds a line break or another control character.", "Type it anew."
    if max(len(text), len(text.casefold())) > LONGEST[meaning]:
        yield f"The {told} is longer than {LONGEST[meaning]} characters.", "Shorten it."
    if meaning != EMAIL:
        return
    user, _at, host = text.rpartition("@")
    if not text:
        yield "The e-mail address is missing.", "Fill it in: members are found again by it."
    elif not user or not host or any(mark.isspace() for mark in text):
        yield f"“{text[:QUOTED]}” is no e-mail address.", "Write it like ada@example.com."


def _seen(cell: Cell, reading: Reading) -> datetime | None:
    """Raises _Wrong. A day that has just begun elsewhere is now."""
    try:
        at = moment(cell, reading.order, reading.zone) if cell != "" else None
    except NoDay:
        what = f"“{str(cell)[:QUOTED]}” is no day that Seatwise can read."
        raise _Wrong(what, "Write it like 2026-03-31, or leave the cell empty.") from None
    if at is None:
        return None
    if at.year < FIRST_YEAR:
        what = f"“{str(cell)[:QUOTED]}” lies before {FIRST_YEAR}."
        raise _Wrong(what, "Leave the cell empty where nobody knows.")
    is_day = at.astimezone(reading.zone).time() == datetime.min.time()
    if at > reading.now + (AHEAD if is_day else timedelta()):
        what = f"“{str(cell)[:QUOTED]}” lies in the future."
        raise _Wrong(what, "Correct it; check also whether the day or the month comes first.")
    return min(at, reading.now.replace(microsecond=0))


def _answer(text: str) -> bool:
    """Raises _Wrong."""
    word = plain(text)
    if word in YES:
        return True
    if not word or word in NO:
        return False
    what = f"“{text[:QUOTED]}” does not say whether the invitation is still open."
    raise _Wrong(what, "Write yes or no.")


def _records(people: list[_Person], ignored: tuple[str, ...], *, tells_seen: bool) -> MemberFile:
    held = {person.key: person.texts[LICENSE] for person in people}
    used = Counter(name.casefold() for name in held.values() if name)
    spelled: dict[str, str] = {}
    for name in held.values():
        spelled.setdefault(name.casefold(), name)
    return MemberFile(
        members=tuple(map(_member, people)),
        licenses=tuple(
            LicenseRecord(key, spelled[key], kind="other", used=count, available=None)
            for key, count in used.items()
        ),
        seats=tuple(SeatRecord(key, name.casefold(), None) for key, name in held.items() if name),
        seen={person.key: person.seen for person in people} if tells_seen else None,
        ignored=ignored,
    )


def _member(person: _Person) -> MemberRecord:
    """In lower case the address is the same one, and its spelling is no change."""
    return MemberRecord(
        external_id=person.key,
        email=person.texts[EMAIL].lower(),
        name=person.texts[NAME],
        role=person.texts[ROLE],
        invited=person.invited,
    )
