"""What can truly be saved: by contract, ratchet, notice and pack, and from which day.

Giving back a seat lowers no bill by itself. What is computed here is the difference between what
the contract bills now and what it would bill for the seats that are left, from the first day on
which the vendor has to accept fewer.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from seatwise.pricing.billing import Billed, cost_of
from seatwise.pricing.money import cents, share
from seatwise.pricing.packs import best_move
from seatwise.pricing.periods import first_of_next, renewal_after, term_after
from seatwise.pricing.terms import Line, Terms

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Position:
    """What is billed in this month and held at this moment, line by line."""

    billed: Mapping[str, Billed]  # by the line's key
    held: Mapping[str, int]

    @property
    def spend(self) -> Decimal | None:
        """A month's; None where a line with seats has no price."""
        costs = [each.cost for each in self.billed.values() if each.seats or each.cost]
        return None if any(cost is None for cost in costs) else sum(filter(None, costs), ZERO)


@dataclass(frozen=True, slots=True)
class Claim:
    """Seats of one line that need not be paid: given back, or moved to a cheaper line.

    `seats` tell people apart, so that nobody counts twice: whoever is in an earlier claim is left
    out of the later ones. A claim on seats that nobody holds says `empty`.
    """

    key: str
    line: str
    seats: tuple[str, ...] = ()
    to_line: str = ""  # "": given back
    empty: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What became of a claim. Money is a month's; None: the price is not known."""

    key: str
    seats: int  # that count; of a move those that pay
    left_out: int  # counted in an earlier claim, or a move of them does not pay
    waste: Decimal | None
    realisable: Decimal | None


@dataclass(frozen=True, slots=True)
class Banked:
    """All claims together. `waste` and `realisable` are the sums of the parts that have a price."""

    parts: tuple[Part, ...]
    waste: Decimal
    realisable: Decimal
    since: date | None  # the first day from which less is billed; None: not known
    why: str  # what has to happen until then, in a sentence or two
    unpriced: int  # seats that are claimed and have no price


def bank(terms: Terms, position: Position, claims: Sequence[Claim], today: date) -> Banked:
    """What the claims are worth, taken in their order, and from when on.

    realisable ≤ waste ≤ spend, for each line and in sum, and the parts add up to the cent.
    """
    counted = _counted(claims, position)
    parts = {claim.key: part for claim, part in _given_back(terms, position, counted)}
    parts |= {claim.key: part for claim, part in _moved(terms, position, counted)}
    since, why = _since(terms, today)
    ordered = tuple(parts[claim.key] for claim in claims)
    if since is None:  # the amount is known, and the day is not: nothing can be promised
        ordered = tuple(replace(part, realisable=None) for part in ordered)
    return Banked(
        ordered,
        sum((part.waste or ZERO for part in ordered), ZERO),
        sum((part.realisable or ZERO for part in ordered), ZERO),
        since,
        why,
        sum(part.seats for part in ordered if part.waste is None),
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    claim: Claim
    seats: int


def _counted(claims: Sequence[Claim], position: Position) -> list[_Counted]:
    """Each claim with the seats that no earlier one has, and never more than there are."""
    taken: set[str] = set()
    free = Counter({key: each.seats for key, each in position.billed.items()})
    found = []
    for claim in claims:
        fresh = [seat for seat in dict.fromkeys(claim.seats) if seat not in taken]
        count = min(len(fresh) + claim.empty, free[claim.line])
        free[claim.line] -= count
        taken.update(fresh)
        found.append(_Counted(claim, count))
    return found


def _given_back(
    terms: Terms, position: Position, counted: Sequence[_Counted]
) -> list[tuple[Claim, Part]]:
    """Of each line together, and shared out by seats: a pack goes as a whole or not at all."""
    found = []
    for line in terms.lines:
        mine = [each for each in counted if each.claim.line == line.key and not each.claim.to_line]
        if mine:
            found += _of_line(line, position, mine)
    known = {line.key for line in terms.lines}
    strays = [each for each in counted if each.claim.line not in known]
    found += [(each.claim, _unpriced(each)) for each in strays]
    return found


def _of_line(line: Line, position: Position, mine: Sequence[_Counted]) -> list[tuple[Claim, Part]]:
    billed = position.billed.get(line.key)
    if billed is None or billed.cost is None or billed.each is None:
        return [(each.claim, _unpriced(each)) for each in mine]
    count = sum(each.seats for each in mine)
    after = cost_of(line, max(0, billed.seats - count))
    assert after is not None
    weights = [each.seats for each in mine]
    # The cheapest packs for fewer seats are never dearer, so nothing is lost by giving back.
    waste = share(min(cents(billed.each * count), billed.cost), weights) if count else None
    saved = share(min(billed.cost - after, sum(waste or [], ZERO)), weights) if count else None
    return [
        (
            each.claim,
            Part(
                each.claim.key,
                each.seats,
                _left_out(each),
                waste[at] if waste else ZERO,
                saved[at] if saved else ZERO,
            ),
        )
        for at, each in enumerate(mine)
    ]


def _moved(
    terms: Terms, position: Position, counted: Sequence[_Counted]
) -> list[tuple[Claim, Part]]:
    """Moves to a cheaper line, after what is given back: as many of each claim as pay."""
    left = {key: each.seats for key, each in position.billed.items()}
    for each in counted:
        if not each.claim.to_line and each.claim.line in left:
            left[each.claim.line] -= each.seats
    held_there = dict(position.held)
    for each in counted:
        if not each.claim.to_line and not each.claim.empty and each.claim.line in held_there:
            held_there[each.claim.line] = max(0, held_there[each.claim.line] - each.seats)
    found = []
    for each in counted:
        if each.claim.to_line:
            part, moved = _one_move(terms, each, left, held_there)
            found.append((each.claim, part))
            left[each.claim.line] = left.get(each.claim.line, 0) - moved
            held_there[each.claim.to_line] = held_there.get(each.claim.to_line, 0) + moved
    return found


def _one_move(
    terms: Terms, each: _Counted, left: Mapping[str, int], held: Mapping[str, int]
) -> tuple[Part, int]:
    line, to_line = terms.line(each.claim.line), terms.line(each.claim.to_line)
    if line is None or to_line is None or line.price is None or not to_line.is_priced:
        return _unpriced(each), each.seats
    there = held.get(to_line.key, 0)
    # What is paid there already is free to move into, up to what stays paid.
    paid = max(left.get(to_line.key, 0), there)
    if to_line.packs:
        count, saves = _into_packs(each.seats, line.price, there, paid, to_line)
    else:
        assert to_line.price is not None
        free = min(each.seats, paid - there)
        pays = to_line.price < line.price
        count = each.seats if pays else free
        saves = count * line.price - (count - free) * to_line.price if count else ZERO
    out = Part(
        each.claim.key,
        count,
        len(each.claim.seats) + each.claim.empty - count,
        cents(count * line.price),
        cents(saves),
    )
    return out, count


def _into_packs(
    movable: int, price: Decimal, held: int, paid: int, to_line: Line
) -> tuple[int, Decimal]:
    """As many as pay, when `paid` seats of the packs stay paid anyway."""
    free = min(movable, max(0, paid - held))
    more, won = best_move(movable - free, price, max(held + free, paid), to_line.packs)
    return free + more, free * price + won


def _since(terms: Terms, today: date) -> tuple[date | None, str]:
    """The first day on which the vendor has to accept fewer seats, and what it takes."""
    renewal = renewal_after(terms, today)
    if terms.term == "month" and (renewal is None or terms.renews):
        since = first_of_next(today + timedelta(days=terms.notice_days or 0))
        return since, (
            "The seats are billed until the vendor confirms a lower number; asked for this month,"
            f" it holds from {since:%-d %B %Y} on."
        )
    if renewal is None:
        return None, "The contract’s end is not known, so nobody can say from when less is billed."
    if not renewal.missed:
        by = f", and notice by {renewal.notice_by:%-d %B %Y}" if renewal.notice_by else ""
        return renewal.next_starts, (
            f"The seats are committed until {renewal.ends:%-d %B %Y}; fewer can be agreed for the"
            f" term after it{by}."
        )
    if terms.renews is False:
        return renewal.next_starts, f"The contract ends on {renewal.ends:%-d %B %Y} by itself."
    after = term_after(terms, renewal)
    return after.next_starts, (
        f"Notice for {renewal.ends:%-d %B %Y} had to be given by"
        f" {renewal.notice_by:%-d %B %Y}, so the seats are committed for the term after it, too."
    )


def _unpriced(each: _Counted) -> Part:
    return Part(each.claim.key, each.seats, _left_out(each), None, None)


def _left_out(each: _Counted) -> int:
    return len(each.claim.seats) + each.claim.empty - each.seats
