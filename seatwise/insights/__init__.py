"""Loads facts, runs the rules, keeps the findings and books what was truly saved."""

from seatwise.insights.facts import facts_on
from seatwise.insights.keeping import Kept, run
from seatwise.insights.letter import Letter, letter
from seatwise.insights.life import decide
from seatwise.insights.looks import Verdict, why_not
from seatwise.insights.thresholds import limit_of, limits_of, set_threshold
from seatwise.insights.whatif import LineChange, WhatIf, whatif
from seatwise.insights.worth import Asked, Worth, worth_of

__all__ = [
    "Asked",
    "Kept",
    "Letter",
    "LineChange",
    "Verdict",
    "WhatIf",
    "Worth",
    "decide",
    "facts_on",
    "letter",
    "limit_of",
    "limits_of",
    "run",
    "set_threshold",
    "whatif",
    "why_not",
    "worth_of",
]
