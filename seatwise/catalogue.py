"""Products that can be added as a service: plain data, so that a new one is one line.

What can be connected is not written here: it follows from the connectors that are installed.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seatwise.connectors.base import Connector, find

DATA = Path(__file__).with_suffix(".json")
# How a product is sold, as far as seats matter for what it costs.
PRICED = ("per user", "per user and usage", "usage", "flat", "quote")
NOWHERE = 9  # the rank of what does not match


@dataclass(frozen=True, slots=True)
class Product:
    """One product that companies pay for."""

    key: str  # in addresses; equal to the key of its connector, where there is one
    name: str
    vendor: str
    category: str
    website: str
    icon: str  # a slug of simple-icons; "" where that set has none
    priced: str  # one of PRICED
    aliases: Sequence[str]  # what people also type: former names, what it is for

    @property
    def connector(self) -> Connector | None:
        return find(self.key)

    def rank(self, text: str) -> int:
        """How well `text` fits, 0 best: the name's start, a word's, an alias's, then any part.

        NOWHERE where some word of it stands nowhere.
        """
        wanted, name = " ".join(text.casefold().split()), self.name.casefold()
        aliases = [alias.casefold() for alias in self.aliases]
        everything = " ".join([name, self.vendor.casefold(), self.category.casefold(), *aliases])
        if not all(word in everything for word in wanted.split()):
            return NOWHERE
        starts = (
            name.startswith(wanted),
            any(word.startswith(wanted) for word in name.split()),
            any(alias.startswith(wanted) for alias in aliases),
            wanted in name,
            self.vendor.casefold().startswith(wanted),
            True,
        )
        return starts.index(True)


@cache
def products() -> Mapping[str, Product]:
    """The whole catalogue by key, in the order of the names."""
    rows = json.loads(DATA.read_text(encoding="utf-8"))
    return {row["key"]: Product(**row) for row in rows}


@cache
def categories() -> Sequence[str]:
    """Every category, by name."""
    return sorted({product.category for product in products().values()})


def search(text: str, category: str = "") -> Sequence[Product]:
    """What matches, the best fits first, of equal ones those that can be connected.

    "" finds everything; `category` narrows it down to one.
    """
    ranked = [(product.rank(text), product) for product in products().values()]
    found = [
        (rank, product.connector is None, product)
        for rank, product in ranked
        if rank < NOWHERE and category in ("", product.category)
    ]
    return [product for *_, product in sorted(found, key=lambda each: each[:2])]


def by_category(text: str) -> Counter[str]:
    """{category: how many of it match}."""
    return Counter(product.category for product in search(text))


def named(name: str) -> Product | None:
    """The product of exactly this name, however its letters are written."""
    wanted = " ".join(name.casefold().split())
    return next((each for each in products().values() if each.name.casefold() == wanted), None)
