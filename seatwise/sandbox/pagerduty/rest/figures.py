"""What analytics counts of an incident, and whole days of such figures, ready to be added up.

All of it as of a moment: what happened then or later is not counted. Seconds since 1970.
"""

from array import array
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from ..company.codes import DAY
from ..company.people import EVER, Person
from ..company.story import Incident
from ..company.world import Company, Day

APART: Final = 60  # seconds; messages that follow each other faster are one interruption
REMEMBERED: Final = 1_000_000  # incidents whose figures are kept
NONE: Final = -1  # seconds of something that did not happen


class Figures(NamedTuple):
    """One incident's figures; NONE where there is nothing to measure."""

    seconds_to_first_ack: int
    seconds_to_resolve: int
    seconds_to_engage: int
    seconds_to_mobilize: int
    engaged_seconds: int
    acknowledgement_count: int
    acknowledged: int
    engaged_user_count: int
    assignment_count: int
    reassignment_count: int
    reassigned: int
    timeout_escalation_count: int
    timeout_escalated: int
    auto_resolved: int
    total_notifications: int
    business_hour_interruptions: int
    off_hour_interruptions: int
    sleep_hour_interruptions: int


FIELDS: Final = Figures._fields
SECONDS: Final = 5  # so many of them are seconds, the others are counts
MEASURED: Final = 4  # and so many may be NONE


class Sheet:
    """A day's incidents in order, as columns: when each began, on which service, its figures."""

    def __init__(self, told: list[Incident], places: dict[str, int], as_of: int) -> None:
        self.times = [one.at for one in told]
        self.numbers = array("q", (one.number for one in told))
        self.services = array("I", (places[one.service.id] for one in told))
        self.high = bytearray(one.urgency == "high" for one in told)
        rows = [figures(one, as_of) for one in told]
        self.columns = [
            array("i" if n < SECONDS else "H", (row[n] for row in rows)) for n in range(len(FIELDS))
        ]
        self.as_of = as_of
        # whatever still goes on may have other figures later
        self.final = all(one.end is not None and one.end < as_of for one in told)


class Sheets:
    """One account's days; what can change no more is counted once."""

    def __init__(self, company: Company) -> None:
        self._places = {service.id: n for n, service in enumerate(company.account.services)}
        self._sheets: dict[int, Sheet] = {}
        self._most = max(62, int(REMEMBERED / (company.account.tempo.monthly / 30 + 1)))

    def day(self, company: Company, day: int, as_of: int) -> Sheet:
        """The incidents that began on that day."""
        found = self._sheets.pop(day, None)
        if found is None or not (found.as_of == as_of or (found.final and found.as_of < as_of)):
            # told anew and forgotten: the company's memory is for what people look at
            found = Sheet(list(Day(company.account, day)), self._places, as_of)
        self._sheets[day] = found
        if len(self._sheets) > self._most:
            del self._sheets[next(iter(self._sheets))]
        return found


def sheet(company: Company, day: int, as_of: int) -> Sheet:
    """The incidents of one account that began on that day, with their figures."""
    if company not in _SHEETS:
        _SHEETS[company] = Sheets(company)
    return _SHEETS[company].day(company, day, as_of)


def figures(told: Incident, as_of: int, only: Collection[str] | None = None) -> Figures:
    """An incident's figures; `only` counts what these people (ids) did and were sent."""
    first: dict[str, int] = {}  # when each person first acknowledged
    acknowledged = assigned = reassigned = escalated = automatic = 0
    resolved = NONE
    for step in told.steps:
        if step.at >= as_of:
            break
        if step.kind == "resolve":
            resolved, automatic = step.at, int(not isinstance(step.by, Person))
        elif step.kind == "acknowledge" and (only is None or step.by.id in only):
            acknowledged += 1
            first.setdefault(step.by.id, step.at)
        count = len(step.to) if only is None else sum(person.id in only for person in step.to)
        assigned += count
        reassigned += count > 0 and isinstance(step.by, Person)
        escalated += count > 0 and step.kind == "escalate"
    came = sorted(first.values())
    several = len(came) > 1
    sent, business, off, asleep = _interruptions(told, as_of, only)
    return Figures(
        seconds_to_first_ack=came[0] - told.at if came else NONE,
        seconds_to_resolve=resolved - told.at if resolved != NONE else NONE,
        seconds_to_engage=came[-1] - came[0] if several else NONE,
        seconds_to_mobilize=came[-1] - told.at if several else NONE,
        engaged_seconds=sum(resolved - at for at in came) if resolved != NONE else 0,
        acknowledgement_count=acknowledged,
        acknowledged=int(acknowledged > 0),
        engaged_user_count=len(came),
        assignment_count=assigned,
        reassignment_count=reassigned,
        reassigned=int(reassigned > 0),
        timeout_escalation_count=escalated,
        timeout_escalated=int(escalated > 0),
        auto_resolved=automatic,
        total_notifications=sent,
        business_hour_interruptions=business,
        off_hour_interruptions=off,
        sleep_hour_interruptions=asleep,
    )


def _interruptions(
    told: Incident, as_of: int, only: Collection[str] | None
) -> tuple[int, int, int, int]:
    """Messages sent, and how often they interrupted: at work, off work, at night (by hours)."""
    sent, counts = 0, [0, 0, 0]
    latest: dict[str, int] = {}
    for notice in told.notices():
        person = notice.to[0]
        if notice.at >= as_of or (only is not None and person.id not in only):
            continue
        sent += 1
        if notice.detail == "email":
            continue
        if notice.at - latest.get(person.id, -EVER) > APART:
            counts[_hours(person.time_zone, notice.at)] += 1
        latest[person.id] = notice.at
    return sent, counts[0], counts[1], counts[2]


def _hours(zone: str, at: int) -> int:
    """0: Monday to Friday from 8 to 18; 2: from 22 to 8; 1: else, by the clock on the wall."""
    offset = _offset(zone, at // DAY)
    local = at + (_offset_at(zone, at) if offset is None else offset)
    hour = local // 3600 % 24
    if hour < 8 or hour >= 22:
        return 2
    return 0 if (local // DAY + 3) % 7 < 5 and hour < 18 else 1


@lru_cache(maxsize=50_000)
def _offset(zone: str, day: int) -> int | None:
    """The zone's distance from UTC on a day, in seconds; None when it changes on it."""
    first, last = _offset_at(zone, day * DAY), _offset_at(zone, day * DAY + DAY - 1)
    return first if first == last else None


def _offset_at(zone: str, at: int) -> int:
    offset = datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


_SHEETS: Final[WeakKeyDictionary[Company, Sheets]] = WeakKeyDictionary()
