"""Steps between the pages of a long list."""

from collections.abc import Callable, Sequence

from seatwise.models.keyset import LAST, Stretch


def steps(shown: Stretch, address: Callable[[str], str]) -> dict[str, str]:
    """The addresses of the first page, the one before, the one behind and the last; "" where one
    is there already. `address` makes one of a place."""
    return {
        "first": address("") if shown.newer else "",
        "newer": address(shown.newer) if shown.newer else "",
        "older": address(shown.older) if shown.older else "",
        "last": address(LAST) if shown.older else "",
    }


def part_of(pks: Sequence[int], *, place: str, size: int) -> Stretch:
    """A page of a list that is whole in memory; a place is the number of rows before it."""
    last = max((len(pks) - 1) // size * size, 0)
    skipped = int(place) if place.isdecimal() and len(place) < 10 else 0
    start = last if place == LAST else min(skipped, last)
    return Stretch(
        pks=list(pks[start : start + size]),
        start=start + 1 if pks else 0,
        newer=str(max(start - size, 0)) if start else "",
        older=str(start + size) if start + size < len(pks) else "",
    )
