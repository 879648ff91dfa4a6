"""Seats that are sold in packs: the cheapest packs for so many, and which moves into them pay."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from math import gcd
from typing import NamedTuple

MOST_SEATS = 1_000_000  # beyond it nobody is asked to find the cheapest


class Pack(NamedTuple):
    """So many seats, for so much a month together."""

    seats: int
    price: Decimal


class Bought(NamedTuple):
    """The cheapest packs that hold so many seats."""

    price: Decimal
    seats: int  # that they hold: never fewer than asked for


def pack_price(seats: int, packs: Sequence[Pack]) -> Decimal:
    """Of the cheapest packs that hold so many, for a month. Raises ValueError."""
    return _bought(seats, tuple(packs)).price


def capacity(seats: int, packs: Sequence[Pack]) -> int:
    """How many seats the cheapest packs for so many hold."""
    return _bought(seats, tuple(packs)).seats


def best_move(
    movable: int, price: Decimal, held: int, packs: Sequence[Pack]
) -> tuple[int, Decimal]:
    """How many of `movable` people should move from a seat of that price into packs.

    `held`: how many hold a seat of the packs already. Returns the number and what it saves in a
    month; the most that can be saved, and of equals the fewest people. (0, 0) where none pays.
    """
    before = pack_price(held, packs)
    best, won = 0, Decimal(0)
    for count in _worth_a_look(movable, held, packs):
        saves = count * price - (pack_price(held + count, packs) - before)
        if saves > won:
            best, won = count, saves
    return best, won


def _worth_a_look(movable: int, held: int, packs: Sequence[Pack]) -> list[int]:
    """Between two steps of the packs' price one more always saves more: so each step's end."""
    step = gcd(*(pack.seats for pack in packs))
    ends = range(step - held % step, movable, step)
    return [*(end for end in ends if end > 0), movable]


@cache
def _bought(seats: int, packs: tuple[Pack, ...]) -> Bought:
    if not packs or any(pack.seats < 1 or pack.price < 0 for pack in packs):
        raise ValueError("packs hold a seat or more and cost nothing or more")
    if not 0 <= seats <= MOST_SEATS:
        raise ValueError(f"packs are chosen for 0 to {MOST_SEATS:,} seats")
    step = gcd(*(pack.seats for pack in packs))
    return _table(-(-seats // step), step, packs)


@cache
def _table(steps: int, step: int, packs: tuple[Pack, ...]) -> Bought:
    """Of `steps` times `step` seats: by what is cheapest for fewer of them."""
    best = [Bought(Decimal(0), 0)]
    for reached in range(1, steps + 1):
        ways = (
            Bought(pack.price + before.price, pack.seats + before.seats)
            for pack in packs
            for before in [best[max(0, reached - pack.seats // step)]]
        )
        best.append(min(ways, key=lambda way: (way.price, -way.seats)))
    return best[steps]
