"""The worked examples of docs/savings.md that need no service, by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from seatwise.pricing import Claim, Line, Pack, Position, Terms, bank, bill

PRICE = Decimal(41)
PACKS = Line("stakeholder", "Stakeholders", "stakeholder", packs=(Pack(50, Decimal(150)),))


def at(terms: Terms, day: date, **held: int) -> Position:
    month = day.replace(day=1)
    return Position(
        {line.key: bill(line, month, {month: held[line.key]}) for line in terms.lines}, held
    )


def seats(count: int) -> tuple[str, ...]:
    return tuple(f"member:{n}" for n in range(count))


@pytest.mark.parametrize(
    ("day", "since"),
    [(date(2027, 1, 1), date(2027, 2, 1)), (date(2027, 1, 2), date(2028, 2, 1))],
)
def test_a_commitment_is_paid_to_the_end_of_the_term_and_notice_has_a_last_day(
    day: date, since: date
) -> None:
    line = Line("full", "Full", "full", price=PRICE, committed=150)
    ends: dict[str, Any] = {"ends": date(2027, 1, 31), "notice_days": 30, "renews": True}
    terms = Terms("USD", "year", (line,), **ends)
    claims = [Claim("idle", "full", seats(15)), Claim("unused", "full", empty=30)]
    told = bank(terms, at(terms, day, full=120), claims, day)
    assert (told.waste, told.realisable, told.since) == (Decimal(1845), Decimal(1845), since)


@pytest.mark.parametrize(("movable", "there", "saves"), [(3, 0, 0), (5, 0, 55), (3, 45, 123)])
def test_a_move_counts_where_it_pays(movable: int, there: int, saves: int) -> None:
    terms = Terms("USD", "month", (Line("full", "Full", "full", price=PRICE), PACKS))
    claim = Claim("readers", "full", seats(movable), to_line="stakeholder")
    day = date(2026, 11, 24)
    told = bank(terms, at(terms, day, full=60, stakeholder=there), [claim], day)
    assert told.realisable == saves
