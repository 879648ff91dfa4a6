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


def until(steps: Course, ends: datetime | None) -> Course:
    """The same of an account that was replaced at `ends`: no seat from there on."""
    for at, seat in steps:
        if ends is not None and at >= ends:
            break
        yield at, seat
    if ends is not None:
        yield ends, None


@dataclass(frozen=True, slots=True)
class Net:
    """How somebody's seat differs between two moments."""

    was: Seat | None
    now: Seat | None
    what: tuple[str, ...]  # of WHAT; () where nothing is to be told


WHAT = (
    "listed", "joined", "returned", "left", "replaced", "role", "license", "away", "passed",
)  # fmt: skip


def net(
    steps: Course,
    first: datetime,
    last: datetime,
    *,
    listed: bool = False,
    ends: datetime | None = None,
) -> Net:
    """What became of a seat between the two moments.

    `what` of who held one at the last moment only: "joined", "returned" (held one before), or
    "listed", if they were there at their account's first look (`listed`) and that was in between.
    Of who held one at the first moment only: "left", or "replaced" if it was held until their
    account was replaced (at `ends`). Of who held one at both: "role", "license", "away" (left and
    came back). Of who held one only in between: "passed", or both ends of it where one of them is
    that of the looks. That a licence was told for the first time is no change of it.
    """
    was = now = None
    knew = away = passed = False
    for at, seat in until(steps, ends):
        if at <= first:
            was = now = seat
            knew = knew or seat is not None
        elif at == ends:
            break
        elif at <= last:
            now = seat
            away, passed = away or seat is None, passed or seat is not None
    replaced = now is not None and ends is not None and ends <= last
    now = None if replaced else now
    if was is not None and now is not None:
        return Net(was, now, _differing(was, now, away=away))
    if was is None and not passed:
        return Net(None, None, ())
    came = "" if was else "returned" if knew else "listed" if listed else "joined"
    went = "" if now else "replaced" if replaced else "left"
    if came in ("joined", "returned") and went == "left":
        return Net(None, None, ("passed",))
    return Net(was, now, tuple(word for word in (came, went) if word))


def _differing(was: Seat, now: Seat, *, away: bool) -> tuple[str, ...]:
    what = {
        "role": was.role != now.role,
        "license": was.license is not None and was.license != now.license,
        "away": away,
    }
    return tuple(word for word, is_so in what.items() if is_so)
