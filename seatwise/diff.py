"""What changed between the members we knew and those a vendor lists now. Pure.

Both sides come sorted by the vendor's id and are merged as they stream, so memory stays
flat however large the account is.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from seatwise.connectors.records import MemberRecord

# A change of these is history and becomes an event; of the others, merely the newest is kept.
REMEMBERED = ("email", "name", "role", "invited")
KEPT = (*REMEMBERED, "url", "job_title", "teams")


@dataclass(frozen=True, slots=True)
class Known:
    """A member as our table has it."""

    record: MemberRecord
    left: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One member that is not as before; `fields` maps a name to (before, after)."""

    kind: Literal["joined", "left", "returned", "changed"]
    external_id: str
    record: MemberRecord | None  # None: left
    fields: Mapping[str, tuple[object, object]]

    @property
    def remembered(self) -> Iterator[tuple[str, object, object]]:
        for name in REMEMBERED:
            if name in self.fields:
                yield (name, *self.fields[name])


def changes(known: Iterable[Known], listed: Iterable[MemberRecord]) -> Iterator[Change]:
    """Every difference, once. Both sides sorted by external id (by code point), no id twice."""
    ours, theirs = iter(known), iter(listed)
    mine, seen = next(ours, None), next(theirs, None)
    while mine is not None or seen is not None:
        if mine is None or (seen is not None and seen.external_id < mine.record.external_id):
            assert seen is not None
            yield Change("joined", seen.external_id, seen, {})
            seen = next(theirs, None)
        elif seen is None or mine.record.external_id < seen.external_id:
            if not mine.left:
                yield Change("left", mine.record.external_id, None, {})
            mine = next(ours, None)
        else:
            fields = _different(mine.record, seen)
            if mine.left:
                yield Change("returned", seen.external_id, seen, fields)
            elif fields:
                yield Change("changed", seen.external_id, seen, fields)
            mine, seen = next(ours, None), next(theirs, None)


def _different(before: MemberRecord, after: MemberRecord) -> dict[str, tuple[object, object]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in KEPT)
    return {name: (old, new) for name, old, new in pairs if old != new}
