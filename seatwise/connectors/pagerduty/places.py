"""Where a list was left off, so that another attempt at the same reading goes on from there.

    {"version": 1, "list": "licences", "offset": 97, "tail": ["P3 L1", …], …, "sum": 2839104}

It is plain JSON. A place that was damaged could skip people, who would then count as gone, so it
carries a sum over all that it says.
"""

import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from seatwise.connectors.pagerduty.paging import Place
from seatwise.connectors.records import Stage
from seatwise.connectors.state import StateRefused

VERSION = 1  # a place that changes its meaning raises it


@dataclass(frozen=True, slots=True)
class Begun:
    """A list that an earlier attempt began."""

    place: Mapping[str, Any]
    read: Collection[str] = ()  # the keys of what it handed over

    def page(self) -> Place:
        """The place in the pages of a list."""
        names = ("offset", "tail", "total", "met", "pages", "largest")
        found = {name: self.place[name] for name in names}
        return Place(**{**found, "tail": tuple(found["tail"])})


def written(stage: Stage, **told: object) -> dict[str, object]:
    """A place in that list, to be kept."""
    place = {"version": VERSION, "list": stage, **told}
    return {**place, "sum": _sum(place)}


def of_page(stage: Stage, place: Place) -> dict[str, object]:
    """A place in the pages of that list, to be kept."""
    return written(stage, **{**asdict(place), "tail": list(place.tail)})


def ending(stage: Stage, *, complete: bool, met: int) -> dict[str, object]:
    """The end of a list, which so many were met in."""
    return written(stage, ended=True, complete=complete, met=met)


def opened(stage: Stage, raw: Mapping[str, Any], *, ended: bool) -> Mapping[str, Any]:
    """What `written` gave for that list, ended or not. Raises StateRefused for anything else."""
    if not isinstance(raw, Mapping):
        raise _refused(stage, "is damaged")
    version = raw.get("version")
    if version != VERSION or isinstance(version, bool):
        raise _refused(stage, f"is of version {version!r:.20}, which this Seatwise does not know")
    told = {name: value for name, value in raw.items() if name != "sum"}
    try:
        intact = raw.get("sum") == _sum(told) and not isinstance(raw["sum"], bool | float)
    except (TypeError, ValueError, RecursionError):
        intact = False
    if not intact or told.get("list") != stage:
        raise _refused(stage, "is damaged")
    if told.get("ended", False) is not ended:
        raise _refused(stage, "does not say what is said of it")
    return told


def _sum(told: Mapping[str, object]) -> int:
    return zlib.crc32(json.dumps(told, sort_keys=True, allow_nan=False).encode())


def _refused(stage: Stage, why: str) -> StateRefused:
    return StateRefused(f"The place where the {stage} were left off {why}. Read them anew.")
