"""From the bytes of a people file to its table, in words that fit it."""

from dataclasses import replace

from seatwise.memberfile import MOST_ROWS, MendFirst, Mistake, Opened
from seatwise.memberfile import opened as opened_as_members

TOO_MANY = f"There are more than {MOST_ROWS:,} members."  # as a file of members says it


def opened(data: bytes) -> Opened:
    """Opens a CSV file or an Excel workbook. Raises MendFirst."""
    try:
        found = opened_as_members(data)
    except MendFirst as error:
        raise MendFirst([_of_people(each) for each in error.mistakes]) from None
    broken = found.table.broken
    if broken is None:
        return found
    return replace(found, table=replace(found.table, broken=_of_people(broken)))


def _of_people(mistake: Mistake) -> Mistake:
    if mistake.what == TOO_MANY:
        what = f"There are more than {MOST_ROWS:,} people."
        return replace(mistake, what=what, remedy="Leave out who left long ago.")
    return replace(mistake, remedy=mistake.remedy.replace("a member", "a person"))
