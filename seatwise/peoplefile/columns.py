"""Which column of a people file is what: a guess by its name and values, for a person to check."""

from collections.abc import Callable, Mapping, Sequence

from seatwise.memberfile import Table
from seatwise.memberfile.dates import is_day
from seatwise.memberfile.words import NO_DAY, looks_like_address, name_of, plain
from seatwise.peoplefile.words import (
    CENTRE,
    COLUMN_WORDS,
    DEPARTMENT,
    EMAIL,
    LEFT,
    MEANINGS,
    NAME,
    PARTS,
    column_words,
)

LEFT_OUT = ""
LOOKED_AT = 200  # values of a column
HALF = 0.5  # of the values must be so: the others are mistakes to be told


def guessed(table: Table) -> tuple[str, ...]:
    """A meaning for each column, or LEFT_OUT; each once, but for the parts of a name."""
    found = [LEFT_OUT] * len(table.names)
    for meaning, fits in _FITS.items():
        free = [at for at, taken in enumerate(found) if not taken and _may_be(table, at, fits)]
        named = [at for at in free if meaning in column_words(table.names[at])]
        told = min(named, key=lambda at: _rank(table.names[at], meaning), default=None)
        if told is None and meaning == EMAIL:  # by its values alone
            told = next((at for at in free if table.examples(at)), None)
        if told is not None:
            found[told] = meaning
    if NAME not in found:
        for at, taken in enumerate(found):
            if not taken and name_of(table.names[at]) in PARTS:
                found[at] = NAME
    return tuple(found)


def hindrance(meanings: Sequence[str]) -> str:
    """Why people cannot be read by this choice, in a sentence; "" where they can."""
    if EMAIL not in meanings:
        return "Say which column is the e-mail: seats are matched with people by it."
    twice = [
        told for key, told in MEANINGS.items() if meanings.count(key) > 1 and key != NAME
    ]  # a first and a last name are joined
    if twice:
        return f"{' and '.join(twice)} can be one column only: leave the others out."
    return ""


def _may_be(table: Table, at: int, fits: Callable[[str], bool]) -> bool:
    values = [text for row in table.rows[:LOOKED_AT] if (text := row.text(at))]
    return sum(map(fits, values)) >= HALF * len(values)


def _rank(name: str, meaning: str) -> int:
    return COLUMN_WORDS[meaning].index(name_of(name))


def _is_day(text: str) -> bool:
    return plain(text) in NO_DAY or is_day(text)


def _is_word(text: str) -> bool:
    return not looks_like_address(text)


# In the order in which columns are given away: what values prove comes first.
_FITS: Mapping[str, Callable[[str], bool]] = {
    EMAIL: looks_like_address,
    LEFT: _is_day,
    CENTRE: _is_word,
    DEPARTMENT: _is_word,
    NAME: _is_word,
}
