"""A change that is more likely a mistake than the truth is held back, not acted upon.

What is doubted is remembered by person: a second look agrees where those are missing again, and
whoever is missing beyond them is judged by the same measure as at any other look.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.records import Stage
from seatwise.models import Member, StagedRecord, SyncRun
from seatwise.models.member import MemberQuerySet
from seatwise.models.staged import StagedRecordQuerySet, comparing

SHARE = 0.3  # of what was there
FEW = 10  # a drop of no more than so many may happen any day
WHAT: Mapping[Stage, str] = {"members": "members", "licences": "allocated licences"}
GONE: Mapping[Stage, str] = {"members": "gone", "licences": "given back"}  # who is doubted


class UnusualDrop(BrokenAnswer):
    """Many are suddenly missing. Believed when an admin says so, or when it is still so later."""

    default_remedy = (
        "If it is right, an admin of Seatwise can apply it now. Else there is nothing to do: "
        "Seatwise looks again after an hour, and takes it as the truth if it is still so then."
    )

    def __init__(self, service: str, stage: Stage, before: int, gone: int) -> None:
        super().__init__(
            f"{service} no longer lists {gone:,} of {before:,} {WHAT[stage]}. So unusual a drop "
            "was not applied, and what you see is from before."
        )
        self.stage, self.before, self.gone = stage, before, gone


def is_unusual(before: int, gone: int) -> bool:
    """Whether so many of those who were there are gone that it is doubted at first.

    Counted by those who are missing, so that as many strangers in their place hide nothing; and
    nobody left, of however few, is always doubted.
    """
    return (gone > FEW and gone > before * SHARE) or 0 < before == gone


def check(run: SyncRun, stage: Stage, now: datetime) -> None:
    """Looks at who of those we know is missing from what was staged, inside the transaction.

    Raises UnusualDrop where that is not believed, by a person's word or by an earlier look an hour
    ago; else notes on the run what became of a doubt.
    """
    told, known = _doubt_about(run, stage), _known_of(run, stage)
    with comparing():
        before, gone = known.count(), known.unstaged(_listed(run, stage)).count()
        usual = not is_unusual(before, gone)
        agrees = not usual and _agrees(run, stage, known, before)
    settled = "over" if usual else _belief(run, now) if told and agrees else ""
    if not settled:
        raise UnusualDrop(run.connection.service.name, stage, before, gone)
    if told:
        run.doubt = {**told, "gone": gone, "settled": settled}


def doubt(run: SyncRun, drop: UnusualDrop, now: datetime) -> None:
    """Remembers a drop and who it is about. A look that agrees with the first keeps its time.

    With the list still staged, inside the transaction.
    """
    kind, known = GONE[drop.stage], _known_of(run, drop.stage)
    with comparing():
        if _agrees(run, drop.stage, known, drop.before):
            return
        gone = known.unstaged(_listed(run, drop.stage))
        ids = list(gone.values_list("external_id", flat=True))
    StagedRecord.objects.of_kinds(run, [kind]).delete()
    StagedRecord.objects.bulk_create(
        (StagedRecord(run=run, kind=kind, key=key, data={}) for key in ids), batch_size=1000
    )
    run.doubt = {
        "stage": drop.stage,
        "what": WHAT[drop.stage],
        "before": drop.before,
        "gone": drop.gone,
        "at": now.isoformat(),
    }


def _doubt_about(run: SyncRun, stage: Stage) -> Mapping[str, Any]:
    """What is doubted about a list; {} where nothing is."""
    open_ = run.doubt.get("stage") == stage and not run.doubt.get("settled")
    return run.doubt if open_ else {}


def _known_of(run: SyncRun, stage: Stage) -> MemberQuerySet:
    """Whom a list is compared with: current members, or those of them with a licence."""
    current = Member.objects.filter(connection=run.connection).current()
    return current if stage == "members" else current.licensed()


def _belief(run: SyncRun, now: datetime) -> str:
    if run.doubt.get("believed_by"):
        return "confirmed"
    return "agreed" if run.doubted_until and now >= run.doubted_until else ""


def _agrees(run: SyncRun, stage: Stage, known: MemberQuerySet, before: int) -> bool:
    """Whether those who are missing beyond the doubted ones are no unusual drop by themselves."""
    if not _doubt_about(run, stage):
        return False
    doubted = StagedRecord.objects.of(run, GONE[stage])
    left = before - known.staged(doubted).count()
    others = known.unstaged(_listed(run, stage)).unstaged(doubted)
    return not is_unusual(left, others.count())


def _listed(run: SyncRun, stage: Stage) -> StagedRecordQuerySet:
    if stage == "members":
        return StagedRecord.objects.of(run, "member")
    return StagedRecord.objects.seats_of_listed_licenses(run)
