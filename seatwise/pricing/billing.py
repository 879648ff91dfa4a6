"""How many seats of a line a month is billed for, and what that costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from seatwise.pricing.packs import capacity, pack_price
from seatwise.pricing.terms import Line


class Reset(NamedTuple):
    """The vendor confirmed that from this month's first day on so many seats are billed."""

    since: date
    seats: int


@dataclass(frozen=True, slots=True)
class Billed:
    """One line in one month."""

    line: Line
    month: date
    held: int  # the most seats held at one moment of the month
    mark: int  # what the ratchet or the month itself says
    seats: int  # that are paid for: the mark, what is committed, or the packs that hold them
    cost: Decimal | None  # None: the price is not known

    @property
    def paid(self) -> int:
        """What the ratchet or the commitment asks for, before packs make it more."""
        return max(self.mark, self.line.committed or 0)

    @property
    def empty(self) -> int:
        """Paid for and held by nobody at the month's fullest moment."""
        return self.seats - self.held

    @property
    def each(self) -> Decimal | None:
        """What one paid seat costs, unrounded."""
        if self.line.price is not None:
            return self.line.price
        return None if self.cost is None or not self.seats else self.cost / self.seats


def bill(line: Line, month: date, most: Mapping[date, int], resets: Sequence[Reset] = ()) -> Billed:
    """What a month costs. `most`: {first day of a month: the most seats held in it}.

    With a ratchet the highest number of this month or any before it is billed, from the last
    confirmed reduction on; docs/savings.md says who bills so. A month that is not in `most` is not
    known and adds nothing: a mark is then at least so high.
    """
    held = most.get(month, 0)
    mark = _ratcheted(month, most, resets) if line.ratchet else held
    wanted = max(mark, line.committed or 0)  # `Billed.paid`
    seats = capacity(wanted, line.packs) if line.packs else wanted
    return Billed(line, month, held, mark, seats, cost_of(line, wanted))


def cost_of(line: Line, seats: int) -> Decimal | None:
    """So many seats of a line for a month; None where the price is not known."""
    if line.packs:
        return pack_price(seats, line.packs)
    return None if line.price is None else seats * line.price


def _ratcheted(month: date, most: Mapping[date, int], resets: Sequence[Reset]) -> int:
    past = [reset for reset in resets if reset.since <= month]
    base = max(past, key=lambda reset: reset.since, default=None)
    marks = [
        seats for at, seats in most.items() if at <= month and (base is None or at >= base.since)
    ]
    return max([*marks, base.seats if base else 0], default=0)
