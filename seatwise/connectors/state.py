"""What a reading leaves for the next one, so that nothing that is settled is asked again.

    {"version": 1, "stages": {"usage": {…}, "activity": {…}}}

The envelope is ours, the stages' parts are the connector's. It is plain JSON, and whoever keeps
it keeps it together with the records it speaks of: a state that is ahead of them would lose some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from seatwise.connectors.records import Stage

VERSION = 1  # of the envelope and of all parts together; a part that changes its meaning raises it


class StateRefused(Exception):
    """A state that this version cannot go on from; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class State:
    """The parts by stage. `{}` anywhere means: nothing is known, read everything."""

    parts: Mapping[Stage, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def opened(cls, raw: Mapping[str, object]) -> Self:
        """The state in what was kept. Raises StateRefused for another version's or no state."""
        if not raw:
            return cls()
        version, parts = raw.get("version"), raw.get("stages")
        if isinstance(version, int) and version > VERSION:
            raise StateRefused(
                f"What an earlier reading left was written by a newer Seatwise (version {version},"
                f" this one knows {VERSION}). Update Seatwise, or read everything anew."
            )
        if version != VERSION:
            raise StateRefused(
                f"What an earlier reading left is of version {version!r:.20}, which this Seatwise"
                " does not go on from. Read everything anew."
            )
        if not isinstance(parts, Mapping) or not all(
            isinstance(part, Mapping) for part in parts.values()
        ):
            raise StateRefused("What an earlier reading left is damaged. Read everything anew.")
        return cls(dict(parts))

    def of(self, stage: Stage) -> Mapping[str, Any]:
        """A stage's part."""
        return self.parts.get(stage, {})

    def with_part(self, stage: Stage, part: Mapping[str, Any]) -> "State":
        """This state, where that stage has come further."""
        return State({**self.parts, stage: part})

    def as_json(self) -> dict[str, object]:
        """What to keep."""
        return {"version": VERSION, "stages": {stage: dict(p) for stage, p in self.parts.items()}}
