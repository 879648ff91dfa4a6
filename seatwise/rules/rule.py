"""What a rule is: a name, its limits, and one function from facts to findings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from seatwise.rules.facts import Confidence, Facts, Found, Spared

Category = Literal["saving", "safety", "planning"]
Thresholds = Mapping[str, int]
Outcome = Found | Spared
Find = Callable[[Facts, Thresholds], Iterable[Outcome]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold: whoever sets another one stays within `least` and `most`."""

    name: str
    what: str  # "Days without a sign"
    default: int
    least: int
    most: int
    unit: str = "days"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Its place in RULES is its turn: whoever an earlier one claims counts there."""

    key: str
    name: str
    what: str  # it finds, in a sentence
    does: str  # what to do about it, and who
    category: Category
    confidence: Confidence
    reversible: str  # whether what is done about it can be undone, in a sentence
    find: Find
    limits: tuple[Limit, ...] = ()

    def thresholds(self, given: Thresholds | None = None) -> dict[str, int]:
        """Each limit as it was set, or as it is where nobody set it."""
        return {limit.name: (given or {}).get(limit.name, limit.default) for limit in self.limits}
