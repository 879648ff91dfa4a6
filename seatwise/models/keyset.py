"""Pages of a long list by the last row that was seen, not by a number of rows to skip.

The thousandth page costs as much as the first, and nobody is shown twice or passed over because
somebody joined meanwhile.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from django.db.models import Case, F, Func, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower

M = TypeVar("M", bound=Model)
Kind = Literal["text", "number", "time"]
LONGEST = 4_000  # characters of a place in an address
MOST = 2**62  # no number in a place may be larger
FEW = 1_000  # rows, of which a page is taken from all of them


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that a list is ordered by."""

    of: F | Func | Case
    kind: Kind = "text"
    descending: bool = False
    nullable: bool = False  # then what is unknown stands last, either way

    def order(self, *, backward: bool = False) -> OrderBy:
        nulls = {"nulls_first" if backward else "nulls_last": True} if self.nullable else {}
        return OrderBy(self.of, descending=self.descending != backward, **nulls)

    def reversed(self) -> "Key":
        return replace(self, descending=not self.descending)


BY_NAME = Key(Lower("name"))
BY_NUMBER = Key(F("pk"), "number")


@dataclass(frozen=True, slots=True)
class Stretch:
    """One page: the rows' numbers, and the places of the pages around it ("" where none is)."""

    pks: list[int]
    start: int  # of the first row, counted from 1; 0 where there is none
    newer: str
    older: str

    @property
    def end(self) -> int:
        return self.start + len(self.pks) - 1 if self.pks else 0


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that stand together in an order: in each part an index has them as they are wanted,
    which of the whole none may have."""

    which: Q
    most: int  # there are no more of them than that
    values: tuple[Any, ...] = ()  # of the first keys, which all of them share; (): they differ

    def holds(self, values: Sequence[Any]) -> bool:
        """Whether a row with these keys is one of them."""
        if not self.values:
            return values[0] is not None
        return tuple(values[: len(self.values)]) == self.values


def stretch(
    rows: "QuerySet[M]",
    keys: Sequence[Key],
    *,
    place: str,
    size: int,
    total: int,
    parts: Sequence[Part] = (),
) -> Stretch:
    """The page at `place`: "" is the first, "last" the last, any other was given by a page before.

    A place that cannot be read is the first page. `keys` end with one that no two rows share.
    `parts`: all of the rows, in their order, where it falls into parts.
    """
    backward = place == LAST or place.startswith(BEFORE)
    known = _read(place, keys)
    if known is None and place != LAST:
        backward = False
    wanted = (total % size or size) if place == LAST else size
    taken: list[tuple[Any, ...]] = []
    for section in _sections(keys, parts, known, backward=backward, total=total):
        found = _ordered(rows.filter(section.which), section, backward=backward)
        # With a limit the database walks along an index until it has enough, which of few is never.
        some = found if section.most <= FEW else found[: wanted + 1 - len(taken)]
        taken += [(*section.shared, *row) for row in some]
        if len(taken) > wanted:
            break
    more, taken = len(taken) > wanted, taken[:wanted]
    if backward:
        taken.reverse()
    start = _start(place, known, backward=backward, taken=len(taken), total=total)
    before, after = (more, known is not None) if backward else (known is not None, more)
    return Stretch(
        pks=[row[-1] for row in taken],
        start=start,
        newer=_written(BEFORE, taken[0], start) if taken and before else "",
        older=_written(AFTER, taken[-1], start + len(taken)) if taken and after else "",
    )


LAST, BEFORE, AFTER = "last", "before.", "after."


@dataclass(frozen=True, slots=True)
class _Known:
    """A row that was seen: its keys, and where the page beyond it begins or ends."""

    at: int
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    """What is asked of the database in one go."""

    keys: Sequence[Key]
    beyond: Sequence[Any] | None  # the values of these keys that it begins behind
    most: int  # it holds no more rows than that
    which: Q = field(default_factory=Q)
    shared: tuple[Any, ...] = ()  # the values of the keys before


def _sections(
    keys: Sequence[Key],
    parts: Sequence[Part],
    known: _Known | None,
    *,
    backward: bool,
    total: int,
) -> Iterator[_Section]:
    """What to ask for, one after the other, until there is enough."""
    turned = list(reversed(parts) if backward else parts)
    beyond = known.values if known else None
    first = 0
    if beyond is not None:
        holding = (at for at, part in enumerate(turned) if part.holds(beyond))
        first = next(holding, len(turned))
    if first == len(turned):  # no parts, or a row that is in none of them any more
        yield _Section(keys, beyond, total)
        return
    for part in turned[first:]:
        shared = len(part.values)
        left = keys[shared:] if shared else [replace(keys[0], nullable=False), *keys[1:]]
        most = min(part.most, total)
        yield _Section(left, beyond and beyond[shared:], most, part.which, part.values)
        beyond = None


def _ordered(
    rows: "QuerySet[M]", section: _Section, *, backward: bool
) -> "QuerySet[M, tuple[Any, ...]]":
    keys, beyond = section.keys, section.beyond
    names = [f"key_{number}" for number in range(len(keys))]
    named = rows.alias(**{name: key.of for name, key in zip(names, keys, strict=True)})
    if beyond is not None:
        named = named.filter(
            _from_first(keys[0], beyond[0], backward=backward),
            _beyond(names, keys, beyond, backward=backward),
        )
    order = [key.order(backward=backward) for key in keys]
    ordered: QuerySet[M, tuple[Any, ...]] = named.order_by(*order).values_list(
        *(key.of for key in keys), "pk"
    )
    return ordered


def _from_first(key: Key, value: Any, *, backward: bool) -> Q:
    """What follows from all that is beyond, and is alone what an index can be entered by."""
    if key.nullable:
        return Q()
    return Q(**{f"key_0__{'lte' if key.descending != backward else 'gte'}": value})


def _beyond(
    names: Sequence[str], keys: Sequence[Key], values: Sequence[Any], *, backward: bool
) -> Q:
    """Rows behind (or, backward, before) the one with these values, in the order of the keys."""
    beyond, same = Q(pk__in=[]), Q()
    for name, key, value in zip(names, keys, values, strict=True):
        further = _further(name, key, value, backward=backward)
        if further is not None:
            beyond |= same & further
        same &= Q(**{f"{name}__isnull": True} if value is None else {name: value})
    return beyond


def _further(name: str, key: Key, value: Any, *, backward: bool) -> Q | None:
    """None where nothing is further: behind what is unknown."""
    if value is None:
        return Q(**{f"{name}__isnull": False}) if backward else None
    compared = Q(**{f"{name}__{'lt' if key.descending != backward else 'gt'}": value})
    unknown_follows = key.nullable and not backward
    return compared | Q(**{f"{name}__isnull": True}) if unknown_follows else compared


def _start(place: str, known: _Known | None, *, backward: bool, taken: int, total: int) -> int:
    if not taken:
        return 0
    if place == LAST:
        return total - taken + 1
    if known is None:
        return 1
    return max(known.at - taken, 1) if backward else known.at


def _written(direction: str, row: Sequence[Any], at: int) -> str:
    values = [value.isoformat() if isinstance(value, datetime) else value for value in row[:-1]]
    text = json.dumps([at, *values], separators=(",", ":"))
    return direction + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(place: str, keys: Sequence[Key]) -> _Known | None:
    """What a place says; None where it says nothing that fits these keys."""
    _direction, _dot, text = place.partition(".")
    if not text or len(place) > LONGEST:
        return None
    try:
        at, *values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if len(values) != len(keys):
            return None
        read = [_value(key, value) for key, value in zip(keys, values, strict=True)]
        return _Known(_value(BY_NUMBER, at), tuple(read))
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        return None


def _value(key: Key, value: Any) -> Any:
    kind = key.kind
    if value is None and key.nullable:
        return None
    if kind == "number" and type(value) is int and abs(value) < MOST:
        return value
    if kind == "time" and isinstance(value, str):
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError("a time without a zone")
        return at.astimezone(UTC)  # which the first and the last day of all do not have everywhere
    if kind == "text" and isinstance(value, str) and "\x00" not in value:
        value.encode()  # a half of a pair cannot be asked for
        return value
    raise ValueError("not of this kind")
