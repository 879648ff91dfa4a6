"""What changed between the members we knew and those a vendor lists now. Pure.

Both sides come as pairs, one for each of the vendor's ids. They may be passed over where they are
surely the same; what is a change is decided here alone.
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


Pair = tuple[Known | None, MemberRecord | None]  # as we knew somebody, and as listed now


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

    @property
    def facts(self) -> dict[str, object]:
        """What is so from here on, of somebody who came or came back; {} of others."""
        if self.record is None or self.kind == "changed":
            return {}
        return {name: getattr(self.record, name) for name in REMEMBERED}


def changes(pairs: Iterable[Pair]) -> Iterator[Change]:
    """Every difference, once, in the order of the pairs. No id comes twice."""
    for known, listed in pairs:
        if listed is None:
            if known is not None and not known.left:
                yield Change("left", known.record.external_id, None, {})
        elif known is None:
            yield Change("joined", listed.external_id, listed, {})
        else:
            fields = _different(known.record, listed)
            if known.left:
                yield Change("returned", listed.external_id, listed, fields)
            elif fields:
                yield Change("changed", listed.external_id, listed, fields)


def _different(before: MemberRecord, after: MemberRecord) -> dict[str, tuple[object, object]]:
    pairs = ((name, getattr(before, name), getattr(after, name)) for name in KEPT)
    return {name: (old, new) for name, old, new in pairs if old != new}
