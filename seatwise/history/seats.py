"""What one member's events tell: which seat they held from when on. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple


class Told(NamedTuple):
    """An event that is about a seat: `field` is role or license, or "" of who came and went."""

    at: datetime
    kind: str  # of MemberEvent.Kind
    field: str
    before: str
    after: str


class Seat(NamedTuple):
    """What somebody held."""

    role: str
    license: str | None  # a name, "" for none; None where nobody had told it


Course = Iterator[tuple[datetime, Seat | None]]


def course(events: Sequence[Told], now: Seat) -> Course:
    """The seat from each moment on at which something was found; None: no seat.

    `events`: all of one member, in their order. `now`: what the member's row says today, for
    what no event speaks of was so from the beginning. What was found in one look is one moment.
    """
    role = next((event.before for event in events if event.field == "role"), now.role)
    first = next((event for event in events if event.field == "license"), None)
    license_then = now.license
    if first is not None:
        license_then = first.before or (None if first.kind == "listed" else "")
    holds = False
    for at, together in groupby(events, key=lambda event: event.at):
        for event in together:
            if event.field == "role":
                role = event.after
            elif event.field == "license":
                license_then = event.after
            else:
                holds = event.kind != "left"
        yield at, Seat(role, license_then) if holds else None


@dataclass(frozen=True, slots=True)
class Net:
    """How somebody's seat differs between two moments."""

    was: Seat | None
    now: Seat | None
    what: tuple[str, ...]  # of WHAT; () where nothing is to be told


WHAT = ("joined", "returned", "left", "role", "license", "away", "passed")


def net(steps: Course, first: datetime, last: datetime) -> Net:
    """What became of a seat between the two moments.

    `what` is "joined", "returned" (held one before, not at the first moment), "left"; of who
    held one at both: "role", "license", "away" (left and came back); "passed" of who came and
    went in between. That a licence was told for the first time is no change of it.
    """
    was = now = None
    knew = away = passed = False
    for at, seat in steps:
        if at <= first:
            was = now = seat
            knew = knew or seat is not None
        elif at <= last:
            now = seat
            away, passed = away or seat is None, passed or seat is not None
    if was is None or now is None:
        what = ["left"] if was else ["passed"] if passed and now is None else []
        if now is not None:
            what = ["returned" if knew else "joined"]
        return Net(was, now, tuple(what))
    what = ["role"] if was.role != now.role else []
    if was.license is not None and was.license != now.license:
        what.append("license")
    return Net(was, now, (*what, "away") if away else tuple(what))
