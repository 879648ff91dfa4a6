"""Who held which seat when: asked of the events that every look at an account left.

Nothing is known before the first look and after the last one, and unknown is never zero. Days
and months are those of settings.BILLING_ZONE.
"""

from seatwise.history.comparing import Comparison, Difference, between, counted, differences
from seatwise.history.days import day_of, end_of, midnight, month_after
from seatwise.history.erasing import FileWaits, NotErased, StillThere, erase, will_be_listed
from seatwise.history.kept import held_on, kept
from seatwise.history.known import Span, held_at, known
from seatwise.history.months import Line, Mark, Month, marks, months
from seatwise.history.seats import WHAT, Seat

__all__ = [
    "WHAT",
    "Comparison",
    "Difference",
    "FileWaits",
    "Line",
    "Mark",
    "Month",
    "NotErased",
    "Seat",
    "Span",
    "StillThere",
    "between",
    "counted",
    "day_of",
    "differences",
    "end_of",
    "erase",
    "held_at",
    "held_on",
    "kept",
    "known",
    "marks",
    "midnight",
    "month_after",
    "months",
    "will_be_listed",
]
