"""Examples that were worked out by hand, with the arithmetic beside them."""

from datetime import date
from decimal import Decimal

import pytest

from seatwise.pricing import (
    Claim,
    Line,
    Pack,
    Position,
    Reset,
    Terms,
    bank,
    best_move,
    bill,
    pack_price,
    share,
    split_by_month,
)

MAY, JUNE, JULY = (date(2026, month, 1) for month in (5, 6, 7))
TODAY = date(2026, 6, 15)
PACKS = (Pack(50, Decimal(150)),)


def full(price: str | None = "49", **fields: object) -> Line:
    amount = None if price is None else Decimal(price)
    return Line("full", "Business", "full", price=amount, **fields)  # type: ignore[arg-type]


STAKEHOLDERS = Line("stakeholder", "Stakeholder", "stakeholder", packs=PACKS)


def terms(*lines: Line, term: str = "month", **fields: object) -> Terms:
    return Terms("USD", term, lines, **fields)  # type: ignore[arg-type]


def position(lines: dict[Line, dict[date, int]], resets: dict[str, list[Reset]] | None = None,
             month: date = JUNE) -> Position:  # fmt: skip
    """Where the newest number of each line is held now."""
    billed = {
        line.key: bill(line, month, most, (resets or {}).get(line.key, ()))
        for line, most in lines.items()
    }
    return Position(billed, {line.key: most.get(month, 0) for line, most in lines.items()})


def people(count: int, name: str = "member") -> tuple[str, ...]:
    return tuple(f"{name}:{number}" for number in range(count))


def test_a_month_bills_the_most_of_any_month_before_it() -> None:
    billed = bill(full(ratchet=True), JUNE, {MAY: 120, JUNE: 100})
    assert (billed.seats, billed.cost, billed.empty) == (120, Decimal(120 * 49), 20)


def test_deleting_ten_changes_no_bill_until_the_reduction_is_confirmed() -> None:
    line, most = full(ratchet=True), {MAY: 120, JUNE: 100, JULY: 90}
    assert bill(line, JULY, most).cost == Decimal(120 * 49)
    confirmed = [Reset(JULY, 90)]
    assert bill(line, JUNE, most, confirmed).cost == Decimal(120 * 49)  # it holds from July on
    saved = Decimal(120 * 49) - (bill(line, JULY, most, confirmed).cost or 0)
    assert saved == 30 * 49


def test_ten_idle_seats_and_twenty_empty_ones_can_be_banked_from_the_next_months_first_day() -> (
    None
):
    line = full(ratchet=True)
    banked = bank(
        terms(line),
        position({line: {MAY: 120, JUNE: 100}}),
        [Claim("idle", "full", people(10)), Claim("empty", "full", empty=20)],
        TODAY,
    )
    assert [part.realisable for part in banked.parts] == [Decimal(490), Decimal(980)]
    assert banked.realisable == banked.waste == 30 * 49
    assert banked.since == JULY
    assert "until the vendor confirms a lower number" in banked.why


@pytest.mark.parametrize(
    ("moved", "saved"),
    [
        (3, 3 * 41 - 150),  # -27: a pack costs more than three seats
        (4, 4 * 41 - 150),  # 14
    ],
)
def test_what_a_move_of_a_few_into_a_pack_saves(moved: int, saved: int) -> None:
    assert moved * Decimal(41) - pack_price(moved, PACKS) == saved
    best = (moved, Decimal(saved)) if saved > 0 else (0, Decimal(0))
    assert best_move(moved, Decimal(41), 0, PACKS) == best


@pytest.mark.parametrize(
    ("price", "moved", "saved"),
    [
        ("14", 50, 50 * 14 - 150),  # ten more would save 140 and cost 150
        ("15", 50, 50 * 15 - 150),  # ten more would save nothing: the fewest people count
        ("41", 60, 60 * 41 - 300),  # ten more save 410 and cost 150
    ],
)
def test_sixty_candidates_stop_at_fifty_unless_the_next_pack_pays(
    price: str, moved: int, saved: int
) -> None:
    assert best_move(60, Decimal(price), 0, PACKS) == (moved, Decimal(saved))


def test_places_left_in_a_pack_that_is_paid_anyway_are_free_to_move_into() -> None:
    line = full("41")
    banked = bank(
        terms(line, STAKEHOLDERS),
        position({line: {JUNE: 100}, STAKEHOLDERS: {JUNE: 48}}),
        [Claim("move", "full", people(3), to_line="stakeholder")],
        TODAY,
    )
    [part] = banked.parts
    # Two fill the pack. The third alone would need another one, for 150 instead of 41.
    assert (part.seats, part.left_out, part.realisable) == (2, 1, Decimal(82))


def test_packs_go_as_a_whole_or_not_at_all() -> None:
    def banked(held: int, given_back: int) -> list[int]:
        found = bank(
            terms(STAKEHOLDERS),
            position({STAKEHOLDERS: {JUNE: held}}),
            [
                Claim("idle", "stakeholder", people(given_back)),
                Claim("empty", "stakeholder", empty=-held % 50),
            ],
            TODAY,
        )
        return [int(found.waste), int(found.realisable)]

    assert banked(held=51, given_back=1) == [150, 150]  # 49 places were empty, and one more is now
    assert banked(held=60, given_back=5) == [135, 0]  # 45 places of 100 at 3 each; 55 stay


def test_nobody_counts_in_two_claims() -> None:
    line = full()
    banked = bank(
        terms(line),
        position({line: {JUNE: 10}}),
        [Claim("left", "full", people(3)), Claim("idle", "full", people(5))],
        TODAY,
    )
    assert [(part.seats, part.left_out) for part in banked.parts] == [(3, 0), (2, 3)]
    assert banked.realisable == 5 * 49


def test_a_yearly_contract_gives_nothing_back_before_its_renewal() -> None:
    line = full("41", committed=100)
    year = terms(
        line, term="year", ends=date(2026, 12, 31), notice_days=60, renews=True
    )  # notice by 1 November
    held = position({line: {JUNE: 80}})
    claims = [Claim("empty", "full", empty=20)]
    early = bank(year, held, claims, date(2026, 11, 1))
    late = bank(year, held, claims, date(2026, 11, 2))
    assert (early.since, early.realisable) == (date(2027, 1, 1), Decimal(820))
    assert (late.since, late.realisable) == (date(2028, 1, 1), Decimal(820))
    assert "notice by 1 November 2026" in early.why
    assert "had to be given by 1 November 2026" in late.why


def test_without_a_known_end_nothing_is_promised() -> None:
    line = full("41", committed=100)
    found = bank(
        terms(line, term="year"),
        position({line: {JUNE: 80}}),
        [Claim("empty", "full", empty=20)],
        TODAY,
    )
    assert [int(found.waste), int(found.realisable), found.since] == [820, 0, None]
    assert found.parts[0].realisable is None


def test_without_a_price_no_number_is_invented() -> None:
    line = full(None)
    found = bank(
        terms(line), position({line: {JUNE: 10}}), [Claim("idle", "full", people(4))], TODAY
    )
    assert [int(found.waste), int(found.realisable), found.unpriced] == [0, 0, 4]
    assert (found.parts[0].waste, found.parts[0].realisable) == (None, None)


def test_an_invoice_of_a_year_falls_to_its_months_by_their_days() -> None:
    parts = split_by_month(Decimal("1000.00"), date(2026, 1, 15), date(2026, 3, 14))
    # 17, 28 and 14 of 59 days; 288.14 + 474.58 + 237.29 would be a cent too much.
    assert parts == {
        date(2026, 1, 1): Decimal("288.13"),
        date(2026, 2, 1): Decimal("474.58"),
        date(2026, 3, 1): Decimal("237.29"),
    }


def test_three_share_ten_cents_without_losing_one() -> None:
    parts = share(Decimal("0.10"), [1, 1, 1])
    assert parts == [Decimal("0.04"), Decimal("0.03"), Decimal("0.03")]
    assert share(Decimal("-0.10"), [1, 1, 1]) == [-part for part in parts]
