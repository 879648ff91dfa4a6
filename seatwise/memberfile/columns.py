"""Which column of a file is what: a guess by its name and by its values, for a person to check."""

from collections.abc import Callable, Sequence

from seatwise.memberfile.dates import is_day
from seatwise.memberfile.table import Table
from seatwise.memberfile.words import (
    COLUMN_WORDS,
    EMAIL,
    FIRST_NAMES,
    INVITED,
    LAST_NAMES,
    MEANINGS,
    NAME,
    NO,
    NO_DAY,
    SEEN,
    STATES,
    YES,
    column_words,
    looks_like_address,
    name_of,
    plain,
)

MANY_TIMES = (NAME,)  # several columns of it are joined: a first and a last name
LOOKED_AT = 200  # values of a column
MOST = 0.8  # of the values must be so
HALF = 0.5  # of days: where the name says it, the others are mistakes to be told
LEFT_OUT = ""


def guessed(table: Table) -> tuple[str, ...]:
    """A meaning for each column, or LEFT_OUT; each once, but for the parts of a name."""
    found = [LEFT_OUT] * len(table.names)
    for meaning, fits in _FITS.items():
        free = [
            at for at, taken in enumerate(found) if not taken and _may_be(table, at, meaning, fits)
        ]
        named = [at for at in free if meaning in column_words(table.names[at])]
        told = min(named, key=lambda at: _rank(table.names[at], meaning), default=None)
        if told is None and meaning == EMAIL:  # by its values alone, else by its name alone
            called = [at for at, name in enumerate(table.names) if EMAIL in column_words(name)]
            told = next(iter(free + called), None)
        if told is not None:
            found[told] = meaning
    if NAME not in found or _is_part(table, found.index(NAME)):
        for at, taken in enumerate(found):
            if not taken and _is_part(table, at):
                found[at] = NAME
    return tuple(found)


def remembered(table: Table, names: Sequence[str], meanings: Sequence[str]) -> tuple[str, ...]:
    """What was chosen for a file with just these columns; () for another one."""
    same = table.header is not None and list(names) == list(table.names)
    fits = len(meanings) == len(table.names) and {*meanings} <= {*MEANINGS, LEFT_OUT}
    return tuple(meanings) if same and fits else ()


def hindrance(meanings: Sequence[str]) -> str:
    """Why members cannot be read by this choice, in a sentence; "" where they can."""
    if EMAIL not in meanings:
        return "Say which column is the e-mail: members are found again by it."
    twice = [
        told
        for meaning, told in MEANINGS.items()
        if meanings.count(meaning) > 1 and meaning not in MANY_TIMES
    ]
    if twice:
        return f"{' and '.join(twice)} can be one column only: leave the others out."
    return ""


def _may_be(table: Table, at: int, meaning: str, fits: Callable[[str], bool]) -> bool:
    """Whether enough of the values are so."""
    values = [row.text(at) for row in table.rows[:LOOKED_AT]]
    filled = [value for value in values if value]
    if not filled:
        return bool(table.names[at]) and meaning != EMAIL
    least = HALF if meaning in (SEEN, INVITED) else MOST
    if meaning == INVITED and name_of(table.names[at]) in STATES:
        least = 1
    return sum(map(fits, filled)) >= least * len(filled)


def _rank(name: str, meaning: str) -> int:
    """The surest word first."""
    words = (*COLUMN_WORDS[meaning], *(_PARTS if meaning == NAME else ()))
    return words.index(name_of(name))


def _is_part(table: Table, at: int) -> bool:
    return name_of(table.names[at]) in _PARTS


def _is_person(text: str) -> bool:
    return "@" not in text


def _is_day(text: str) -> bool:
    return plain(text) in NO_DAY or not any(mark.isalnum() for mark in text) or is_day(text)


def _is_answer(text: str) -> bool:
    return plain(text) in YES | NO


def _is_word(text: str) -> bool:
    return not looks_like_address(text)


_PARTS = (*FIRST_NAMES, *LAST_NAMES)
# In the order in which columns are given away: what values prove comes first.
_FITS: dict[str, Callable[[str], bool]] = {
    EMAIL: looks_like_address,
    SEEN: _is_day,
    INVITED: _is_answer,
    NAME: _is_person,
    **{meaning: _is_word for meaning in MEANINGS if meaning not in (EMAIL, SEEN, INVITED, NAME)},
}
