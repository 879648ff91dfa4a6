"""What findings are worth: by contract, each seat once, and nobody's whom nobody could read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from seatwise.pricing import Banked, Claim, Part, Position, Terms, bank, share
from seatwise.rules import RULES

NO_CONTRACT = "No contract is written down, so nobody can say what it is worth."
NO_PRICE = "The price of the seat is not known."
ELSEWHERE = "The seat is counted in another finding already."
DOES_NOT_PAY = "A move of so few into the next pack would cost more than it saves."
BOOKED = "The vendor has confirmed already that it is billed no more; the saving is booked."
EXEMPT = "Exempted, so it is in no figure."
_TURN = {key: place for place, key in enumerate(RULES)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A finding, as far as its money is concerned."""

    key: int  # tells findings apart
    rule: str
    line: str
    to_line: str
    seats: tuple[str, ...]
    empty: int
    counts: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Worth:
    """Of one finding. Money is a month's; None is unknown, 0 is known to be nothing."""

    waste: Decimal | None
    realisable: Decimal | None
    since: date | None
    why: str


def worth_of(
    terms: Terms | None,
    position: Position | None,
    asked: Sequence[Asked],
    today: date,
    ahead: Mapping[str, int] | None = None,
) -> tuple[dict[int, Worth], Banked | None]:
    """{key: what it is worth} of each, and all of them together; None without a contract.

    What is counted adds up to the whole to the cent. `ahead`: {line: seats} that are confirmed to
    go and are billed until their day, so that nothing is in a saving and in a finding.
    """
    asked = unbooked(asked, ahead or {})
    found = {each.key: _uncounted(each) for each in asked if not each.counts}
    counting = [each for each in asked if each.counts]
    if terms is None or position is None:
        return found | {each.key: Worth(None, None, None, NO_CONTRACT) for each in counting}, None
    groups = grouped(counting)
    claims = [_claim(number, group) for number, group in enumerate(groups)]
    banked = bank(terms, position, claims, today)
    taken: set[str] = set()
    for group, part in zip(groups, banked.parts, strict=True):
        found |= dict(_shared_out(group, part, banked, taken))
    return found, banked


def _uncounted(each: Asked) -> Worth:
    known = Decimal(0) if each.why_not == BOOKED else None
    return Worth(known, known, None, each.why_not)


def unbooked(asked: Iterable[Asked], ahead: Mapping[str, int]) -> list[Asked]:
    """The same without the empty seats of which a saving is booked."""
    left, found = dict(ahead), []
    for each in asked:
        less = min(each.empty, left.get(each.line, 0)) if each.counts else 0
        if less:
            left[each.line] -= less
            still = bool(each.seats) or each.empty > less
            each = replace(each, empty=each.empty - less, counts=still, why_not=BOOKED)  # noqa: PLW2901
        found.append(each)
    return found


def grouped(asked: Iterable[Asked]) -> list[list[Asked]]:
    """Those of one rule and one way of billing together, in the order of the rules' turn."""
    found: dict[tuple[int, str, str], list[Asked]] = {}
    for each in asked:
        turn = _TURN.get(each.rule, len(_TURN))
        found.setdefault((turn, each.line, each.to_line), []).append(each)
    return [found[key] for key in sorted(found)]


def _claim(number: int, group: Sequence[Asked]) -> Claim:
    return Claim(
        key=str(number),
        line=group[0].line,
        seats=tuple(seat for each in group for seat in each.seats),
        to_line=group[0].to_line,
        empty=sum(each.empty for each in group),
    )


def _shared_out(
    group: Sequence[Asked], part: Part, banked: Banked, taken: set[str]
) -> Iterator[tuple[int, Worth]]:
    """The claim's part to its findings, by the seats of each that count."""
    left = part.seats
    counted: list[tuple[Asked, int, bool]] = []
    passed: list[tuple[Asked, int, bool]] = []
    for each in group:
        fresh = [seat for seat in each.seats if seat not in taken]
        taken.update(fresh)
        count = min(left, len(fresh) + each.empty)
        left -= count
        (counted if count else passed).append((each, count, bool(fresh)))
    for each, _count, was_fresh in passed:
        why = DOES_NOT_PAY if each.to_line and was_fresh else ELSEWHERE
        yield each.key, Worth(Decimal(0), Decimal(0), None, why)
    weights = [count for _each, count, _fresh in counted]
    waste, saved = (
        share(amount, weights) if weights and amount is not None else [amount] * len(weights)
        for amount in (part.waste, part.realisable)
    )
    why = banked.why if part.waste is not None else NO_PRICE
    for place, (each, _count, _fresh) in enumerate(counted):
        since = banked.since if saved[place] is not None else None
        yield each.key, Worth(waste[place], saved[place], since, why)
