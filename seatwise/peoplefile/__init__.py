"""The people file: what a CSV file or an Excel workbook says about who works here. Pure.

It is opened and mended like a file of members (`memberfile`), and says other things: department,
cost centre, and from which day on somebody has left.
"""

from seatwise.peoplefile.columns import LEFT_OUT, guessed, hindrance
from seatwise.peoplefile.opening import opened
from seatwise.peoplefile.people import PeopleFile, PersonRecord, Reading, read
from seatwise.peoplefile.words import CENTRE, DEPARTMENT, EMAIL, LEFT, MEANINGS, NAME

__all__ = [
    "CENTRE",
    "DEPARTMENT",
    "EMAIL",
    "LEFT",
    "LEFT_OUT",
    "MEANINGS",
    "NAME",
    "PeopleFile",
    "PersonRecord",
    "Reading",
    "guessed",
    "hindrance",
    "opened",
    "read",
]
