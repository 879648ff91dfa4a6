"""Who holds a seat, as far as its cost is concerned."""

from typing import NamedTuple


class Holder(NamedTuple):
    """Who holds a seat, as far as its cost is concerned."""

    role: str  # the vendor's word
    license: str | None  # a name; None or "": none, or not known
    email: str
    teams: list[str]
