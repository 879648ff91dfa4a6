"""A change that is more likely a mistake than the truth is held back, not acted upon."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.records import Stage

SHARE = 0.3  # of what was there
FEW = 10  # a drop of no more than so many may happen any day
LOOK_AGAIN = timedelta(hours=1)
STAGE_OF: Mapping[str, Stage] = {"members": "members", "allocated licences": "licences"}


class UnusualDrop(BrokenAnswer):
    """Many are suddenly missing. Believed when an admin says so, or when it is still so later."""

    default_remedy = (
        "If it is right, an admin of Seatwise can apply it now. Else there is nothing to do: "
        "Seatwise looks again after an hour, and takes it as the truth if it is still so then."
    )

    def __init__(self, service: str, what: str, before: int, gone: int) -> None:
        super().__init__(
            f"{service} no longer lists {gone:,} of {before:,} {what}. So unusual a drop was "
            "not applied, and what you see is from before."
        )
        self.stage, self.what, self.before, self.gone = STAGE_OF[what], what, before, gone


def is_unusual(before: int, gone: int) -> bool:
    """Whether so many of those who were there are gone that it is doubted at first.

    Counted by those who are missing, so that as many strangers in their place hide nothing; and
    nobody left, of however few, is always doubted.
    """
    return (gone > FEW and gone > before * SHARE) or 0 < before == gone


def doubted(doubt: Mapping[str, Any], drop: UnusualDrop, at: datetime) -> dict[str, Any]:
    """What a run keeps of a drop; a look that agrees with an earlier one keeps its time."""
    told = {"stage": drop.stage, "what": drop.what, "before": drop.before, "gone": drop.gone}
    if _agrees(doubt, drop):
        return {**doubt, **told}
    return {**told, "at": at.isoformat()}


def belief(doubt: Mapping[str, Any], drop: UnusualDrop, at: datetime) -> str:
    """Why a drop is taken as the truth, in a word; "" where it is still held.

    Nobody believes more than what was seen: a list that has shrunk further is doubted anew.
    """
    if not _agrees(doubt, drop):
        return ""
    if doubt.get("believed_by"):
        return "confirmed"
    return "agreed" if at >= again_at(doubt) else ""


def again_at(doubt: Mapping[str, Any]) -> datetime:
    """When the look is due that may agree."""
    return datetime.fromisoformat(doubt["at"]) + LOOK_AGAIN


def _agrees(doubt: Mapping[str, Any], drop: UnusualDrop) -> bool:
    if doubt.get("what") != drop.what or doubt.get("settled"):
        return False
    left, left_now = doubt["before"] - doubt["gone"], drop.before - drop.gone
    return left == left_now or not is_unusual(left, left - left_now)
