"""What holds for any contract, any seats and any claims."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations_with_replacement

from hypothesis import given
from hypothesis import strategies as st

from seatwise.pricing import (
    Alerts,
    Claim,
    Line,
    Pack,
    Position,
    Reset,
    Terms,
    bank,
    best_move,
    bill,
    capacity,
    pack_price,
    renewal_after,
    share,
    split_by_month,
)

MONTHS = [date(2026, month, 1) for month in range(1, 7)]
TODAY = date(2026, 6, 15)
AMOUNTS = st.decimals(0, 500, places=2)
PACKS = st.lists(
    st.builds(Pack, st.sampled_from([1, 5, 10, 25, 50, 250]), AMOUNTS),
    min_size=1, max_size=3, unique_by=lambda pack: pack.seats,
).map(tuple)  # fmt: skip
PRICES = st.fixed_dictionaries(
    {}, optional={"price": AMOUNTS, "committed": st.integers(0, 150), "ratchet": st.booleans()}
)
PACKED = st.fixed_dictionaries({"packs": PACKS}, optional={"committed": st.integers(0, 150)})
DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


@st.composite
def contracts(draw: st.DrawFn) -> tuple[Terms, Position]:
    lines = tuple(
        Line(key, key.title(), key, **draw(st.one_of(PRICES, PACKED)))
        for key in ("full", "stakeholder", "other")
    )
    terms = Terms(
        "USD",
        draw(st.sampled_from(["month", "year"])),
        lines,
        ends=draw(st.none() | DAYS),
        notice_days=draw(st.none() | st.integers(0, 120)),
        renews=draw(st.none() | st.booleans()),
        alerts=Alerts(draw(st.none() | st.integers(0, 100)), draw(st.none() | AMOUNTS)),
    )
    billed, held = {}, {}
    for line in lines:
        most = {month: draw(st.integers(0, 120)) for month in MONTHS}
        resets = [Reset(draw(st.sampled_from(MONTHS)), draw(st.integers(0, 120)))]
        billed[line.key] = bill(line, MONTHS[-1], most, draw(st.sampled_from([[], resets])))
        held[line.key] = draw(st.integers(0, most[MONTHS[-1]]))
    return terms, Position(billed, held)


@st.composite
def claims(draw: st.DrawFn, position: Position) -> list[Claim]:
    """Of people who are there, some of them claimed twice, and of seats that nobody holds."""
    there = {key: [f"{key}:{n}" for n in range(held)] for key, held in position.held.items()}
    found = []
    for number in range(draw(st.integers(0, 5))):
        key = draw(st.sampled_from(sorted(there)))
        count = draw(st.integers(0, len(there[key])))
        start = draw(st.integers(0, len(there[key]) - count))
        to_line = draw(st.sampled_from(["", "", "stakeholder"])) if key == "full" else ""
        found.append(Claim(f"c{number}", key, tuple(there[key][start : start + count]), to_line))
    for key, billed in position.billed.items():
        empty = max(0, billed.seats - position.held[key])
        if draw(st.booleans()):
            found.append(Claim(f"empty {key}", key, empty=draw(st.integers(0, empty))))
    return found


@given(st.data())
def test_what_can_be_realised_is_part_of_the_waste_and_waste_is_part_of_the_spend(
    data: st.DataObject,
) -> None:
    terms, position = data.draw(contracts())
    asked = data.draw(claims(position))
    found = bank(terms, position, asked, TODAY)
    spend = sum((each.cost or Decimal(0) for each in position.billed.values()), Decimal(0))
    assert 0 <= found.realisable <= found.waste <= spend
    for part in found.parts:
        assert part.realisable is None or 0 <= part.realisable <= (part.waste or 0)
    assert found.waste == sum(part.waste or 0 for part in found.parts)
    assert found.realisable == sum(part.realisable or 0 for part in found.parts)


@given(st.data())
def test_nobody_is_counted_twice_and_nobody_is_counted_who_is_not_paid_for(
    data: st.DataObject,
) -> None:
    terms, position = data.draw(contracts())
    asked = data.draw(claims(position))
    found = bank(terms, position, asked, TODAY)
    people = {seat for claim in asked for seat in claim.seats}
    empty = sum(claim.empty for claim in asked)
    assert sum(part.seats for part in found.parts) <= len(people) + empty
    paid = sum(each.seats for each in position.billed.values())
    assert sum(part.seats for part in found.parts) <= paid
    for claim, part in zip(asked, found.parts, strict=True):
        assert part.key == claim.key
        assert part.seats + part.left_out == len(claim.seats) + claim.empty


@given(st.data())
def test_the_same_claims_once_more_are_worth_nothing_more(data: st.DataObject) -> None:
    terms, position = data.draw(contracts())
    asked = [claim for claim in data.draw(claims(position)) if claim.seats and not claim.to_line]
    again = [Claim(f"{claim.key} again", claim.line, claim.seats) for claim in asked]
    once, twice = (bank(terms, position, each, TODAY) for each in (asked, [*asked, *again]))
    assert (once.waste, once.realisable) == (twice.waste, twice.realisable)


@given(st.decimals(-10_000, 10_000, places=2), st.lists(st.integers(0, 50), min_size=1))
def test_parts_add_up_to_the_cent_and_follow_their_weights(
    amount: Decimal, weights: list[int]
) -> None:
    parts = share(amount, weights)
    assert sum(parts) == amount
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        if whole:
            assert abs(part - amount * weight / whole) < Decimal("0.01")


@given(st.decimals(-10_000, 10_000, places=2), DAYS, st.integers(0, 900))
def test_an_invoice_falls_to_its_months_to_the_cent(
    amount: Decimal, starts: date, days: int
) -> None:
    ends = starts + timedelta(days=days)
    parts = split_by_month(amount, starts, ends)
    assert sum(parts.values()) == amount
    assert min(parts) == starts.replace(day=1)
    assert max(parts) == ends.replace(day=1)
    assert len(parts) == (ends.year - starts.year) * 12 + ends.month - starts.month + 1


@given(st.integers(0, 120), PACKS)
def test_the_cheapest_packs_are_found_as_by_trying_all(seats: int, packs: tuple[Pack, ...]) -> None:
    some = [pack for pack in packs if pack.seats >= 10] or [Pack(10, Decimal(7))]
    tried = [
        sum((pack.price for pack in chosen), Decimal(0))
        for count in range(13)
        for chosen in combinations_with_replacement(some, count)
        if sum(pack.seats for pack in chosen) >= seats
    ]
    assert pack_price(seats, some) == min(tried)
    assert capacity(seats, some) >= seats


@given(st.integers(0, 150), AMOUNTS, st.integers(0, 120), PACKS)
def test_the_best_move_is_found_as_by_trying_all(
    movable: int, price: Decimal, held: int, packs: tuple[Pack, ...]
) -> None:
    before = pack_price(held, packs)
    tried = {n: n * price - (pack_price(held + n, packs) - before) for n in range(movable + 1)}
    count, saves = best_move(movable, price, held, packs)
    assert saves == max(tried.values()) == tried[count]


@given(contracts(), DAYS)
def test_a_renewal_lies_ahead_and_is_a_whole_number_of_terms_away(
    made: tuple[Terms, Position], today: date
) -> None:
    terms, _position = made
    found = renewal_after(terms, today)
    if terms.ends is None or (terms.ends < today and not terms.renews):
        assert found is None
        return
    assert found is not None
    assert found.ends >= today
    assert terms.ends >= today or found.ends > terms.ends
    apart = (found.ends.year - terms.ends.year) * 12 + found.ends.month - terms.ends.month
    assert apart % (1 if terms.term == "month" else 12) == 0


@given(contracts())
def test_terms_come_back_from_their_column_as_they_were(made: tuple[Terms, Position]) -> None:
    terms, _position = made
    assert Terms.from_json(terms.as_json()) == terms


@given(st.dictionaries(st.sampled_from(MONTHS), st.integers(0, 99)), st.integers(0, 99))
def test_a_ratchet_never_falls_without_a_confirmed_reduction(
    most: dict[date, int], down_to: int
) -> None:
    line = Line("full", "Full", "full", price=Decimal(10), ratchet=True)
    seats = [bill(line, month, most).seats for month in MONTHS]
    assert seats == sorted(seats)
    after = bill(line, MONTHS[-1], most, [Reset(MONTHS[-1], down_to)])
    assert after.seats == max(down_to, most.get(MONTHS[-1], 0))
