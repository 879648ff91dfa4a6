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

    def __init__(self, service: str, what: str, before: int, now: int) -> None:
        super().__init__(
            f"{service} lists {now:,} {what}, and there were {before:,}. So unusual a drop was "
            "not applied, and what you see is from before."
        )
        self.stage, self.what, self.before, self.now = STAGE_OF[what], what, before, now


def is_unusual(before: int, now: int) -> bool:
    """Whether `now` is so far below `before` that it is doubted at first."""
    missing = before - now
    return missing > FEW and missing > before * SHARE


def doubted(doubt: Mapping[str, Any], drop: UnusualDrop, at: datetime) -> dict[str, Any]:
    """What a run keeps of a drop; a look that agrees with an earlier one keeps its time."""
    told = {"stage": drop.stage, "what": drop.what, "before": drop.before, "now": drop.now}
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
    about_it = doubt.get("what") == drop.what and not doubt.get("settled")
    return (
        about_it and (drop.now > 0 or doubt["now"] == 0) and not is_unusual(doubt["now"], drop.now)
    )
