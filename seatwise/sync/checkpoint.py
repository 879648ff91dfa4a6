"""From where another attempt at the same run goes on: how far the lists were read.

    {"version": 1, "stages": {"members": {"at": …, "ended": true, "place": {…}, "gaps": […]}}}

It is written with the records it speaks of, in one transaction. Only lists need one: usage and
activity go on from the connection's reading state. What was read longer than an hour ago is read
anew, and so is every list after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from seatwise.connectors.records import Batch, Gap, MemberRecord, Record, SeatRecord, Stage
from seatwise.models import StagedRecord, SyncRun

VERSION = 1
FRESH = timedelta(hours=1)
KINDS: Mapping[Stage, tuple[str, ...]] = {"members": ("member",), "licences": ("license", "seat")}


@dataclass(frozen=True, slots=True)
class Kept:
    """What earlier attempts have read of a list, and keep."""

    stage: Stage
    ended: bool  # all of it was read, and applied
    place: Mapping[str, Any]  # the connector's; from there the list is gone on with
    gaps: tuple[Gap, ...]

    def records(self, run: SyncRun) -> Iterator[Record]:
        """Its people or their seats, streamed."""
        if self.stage == "members":
            for _key, data in StagedRecord.objects.of(run, "member").in_key_order():
                yield MemberRecord(**{**data, "teams": tuple(data["teams"])})
        else:
            for key, data in StagedRecord.objects.of(run, "seat").in_key_order():
                at = data["allocated_at"]
                since = datetime.fromisoformat(at) if at else None
                yield SeatRecord(key, data["license_id"], since)


def kept(run: SyncRun) -> list[Kept]:
    """The lists of which something is kept, in their order."""
    parts = _parts(run)
    return [
        Kept(
            stage,
            parts[stage]["ended"],
            parts[stage]["place"] or {},
            tuple(Gap(**gap) for gap in parts[stage]["gaps"]),
        )
        for stage in KINDS
        if stage in parts
    ]


def note(run: SyncRun, batch: Batch, gaps: Sequence[Gap], now: datetime) -> None:
    """Notes how far a list has come; unsaved. A connector that names no place begins it anew."""
    if batch.stage not in KINDS:
        return
    parts = _parts(run)
    ended = batch.ended or batch.complete
    began = parts.get(batch.stage, {}).get("at", now.isoformat())
    parts[batch.stage] = {
        "at": began,
        "ended": ended,
        "place": batch.place,
        "gaps": [asdict(gap) for gap in gaps],
    }
    run.checkpoint = {"version": VERSION, "stages": parts}


def begin(run: SyncRun, now: datetime) -> None:
    """Drops what does not count for another attempt; unsaved but for the staged records."""
    StagedRecord.objects.of_kinds(run, ["never"]).delete()  # each attempt asks for it anew
    parts = _parts(run)
    stages: list[Stage] = list(KINDS)
    for number, stage in enumerate(stages):
        part = parts.get(stage)
        if part is None or not _counts(part, now):
            forget(run, *stages[number:])
            return
        if not part["ended"]:
            forget(run, *stages[number + 1 :])
            return


def forget(run: SyncRun, *stages: Stage) -> None:
    """Lets these lists be read anew; unsaved but for the staged records."""
    parts = {stage: part for stage, part in _parts(run).items() if stage not in stages}
    run.checkpoint = {"version": VERSION, "stages": parts} if parts else {}
    gone = [kind for stage in stages for kind in KINDS.get(stage, ())]
    StagedRecord.objects.of_kinds(run, gone).delete()


def _parts(run: SyncRun) -> dict[Stage, dict[str, Any]]:
    """{} where another version wrote it: its records may mean something else."""
    found = run.checkpoint
    return dict(found["stages"]) if found.get("version") == VERSION else {}


def _counts(part: Mapping[str, Any], now: datetime) -> bool:
    fresh = now - datetime.fromisoformat(part["at"]) <= FRESH
    return fresh and (part["ended"] or part["place"] is not None)
