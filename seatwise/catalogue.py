"""Products that can be added as a service: plain data, so that a new one is one line.

What can be connected is not written here: it follows from the connectors that are installed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seatwise.connectors.base import Connector, find

DATA = Path(__file__).with_suffix(".json")


@dataclass(frozen=True, slots=True)
class Product:
    """One product that companies pay for by the seat."""

    key: str  # in addresses; equal to the key of its connector, where there is one
    name: str
    vendor: str
    category: str
    website: str
    icon: str  # a slug of simple-icons; "" where that set has none

    @property
    def connector(self) -> Connector | None:
        return find(self.key)

    def matches(self, text: str) -> bool:
        """Whether its name, vendor or category holds every word of `text`."""
        own = f"{self.name} {self.vendor} {self.category}".casefold()
        return all(word in own for word in text.casefold().split())


@cache
def products() -> Mapping[str, Product]:
    """The whole catalogue by key, in the order of the names."""
    rows = json.loads(DATA.read_text(encoding="utf-8"))
    return {row["key"]: Product(**row) for row in rows}


def search(text: str) -> Sequence[Product]:
    """What matches, with those that can be connected first; "" finds everything."""
    found = [product for product in products().values() if product.matches(text)]
    return sorted(found, key=lambda product: product.connector is None)
