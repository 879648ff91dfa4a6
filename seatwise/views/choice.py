"""What the choices of pages with filters have in common: their address, and links that sort."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Choice:
    """The filters, sort and page; the field names are the address's parameters."""

    q: str = ""
    sort: str = "name"
    place: str = ""  # of a page; "" is the first

    def address(self, **changes: Any) -> str:
        """The query of this choice with `changes`, on its first page; "?" when it is bare."""
        wanted = replace(self, **{"place": "", **changes})
        bare = type(self)()
        pairs = [
            (field.name, value)
            for field in fields(wanted)
            for value in _values(getattr(wanted, field.name))
            if getattr(wanted, field.name) != getattr(bare, field.name)
        ]
        return f"?{urlencode(pairs)}"

    def links(self, keys: Iterable[str], falling: Collection[str]) -> dict[str, dict[str, str]]:
        """{column: address that sorts by it, and how it is sorted now}.

        A first click sorts upwards, and downwards what is in `falling`; a second turns it round.
        """
        return {key: self._link(key, falls=key in falling) for key in keys}

    def _link(self, key: str, *, falls: bool) -> dict[str, str]:
        now = {key: "ascending", f"-{key}": "descending"}.get(self.sort, "none")
        first, second = (f"-{key}", key) if falls else (key, f"-{key}")
        return {"url": self.address(sort=second if self.sort == first else first), "now": now}


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)
