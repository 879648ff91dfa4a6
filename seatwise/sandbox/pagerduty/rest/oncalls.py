"""The endpoint that says who is on call, for which policy, at which level, from when to when."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from ..company.codes import DAY
from ..company.duty import Level, Policy, Schedule
from ..company.people import Person, Seat
from ..company.world import Company
from .answers import Body, Call, included, yes
from .directory import policy
from .paging import bounds, cut, moment, page, seconds, stamp, zone
from .references import reference
from .schedules import schedule
from .users import user

INCLUDES: Final = frozenset({"escalation_policies", "users", "schedules"})
LONGEST: Final = 90  # days, and as far ahead as one can look
REMEMBERED: Final = 64  # lengths of an account's lists


class Duty(NamedTuple):
    """Somebody is on call for one level of a policy; without times they always are."""

    policy: Policy
    level: int  # from 1
    schedule: Schedule | None
    person: Person
    start: int | None
    end: int | None


def list_oncalls(call: Call) -> bytes:
    """Everybody on call at some time in the window (now by default), policy by policy.

    Whoever is called by two policies or levels, or has two turns in the window, appears for each.
    """
    include, where = included(call, INCLUDES), zone(call) or ZoneInfo(call.account.time_zone)
    found = _cut(call, _Watch(call))
    return page(call, "oncalls", found, lambda row: _shown(call, row, include, where))


class _Watch:
    """One question about on-calls."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.since, self.until = _window(call)
        self.policies = set(call.params.getlist("escalation_policy_ids[]"))
        self.schedules = set(call.params.getlist("schedule_ids[]"))
        self.people = set(call.params.getlist("user_ids[]"))
        self.earliest = yes(call, "earliest")
        self._known: dict[str, Person | None] = {}

    @property
    def question(self) -> tuple[object, ...]:
        """What its answer depends on."""
        asked = (frozenset(self.policies), frozenset(self.schedules), frozenset(self.people))
        state = (self.call.account.roster.version, self.call.now)
        return (*state, self.since, self.until, *asked, self.earliest)

    def duties(self) -> Iterator[Duty]:
        """All that was asked for, worked out only as far as one reads."""
        for one in self.call.account.policies:
            if self.policies and one.id not in self.policies:
                continue
            for n, level in enumerate(one.levels, 1):
                found = self._of_level(one, n, level)
                yield from _firsts(found) if self.earliest else found

    def _of_level(self, one: Policy, n: int, level: Level) -> Iterator[Duty]:
        for target in level.targets:
            name = target.id if isinstance(target, Schedule) else "null"
            if self.schedules and name not in self.schedules:
                continue
            if isinstance(target, Schedule):
                yield from self._of_schedule(one, n, target)
            else:
                yield from self._of_seat(one, n, target)

    def _of_schedule(self, one: Policy, n: int, target: Schedule) -> Iterator[Duty]:
        if self.until - self.since == 1 and target.holder(self.since) is None:
            return  # much quicker than working out the shifts around that second
        farthest = self.call.now + LONGEST * DAY
        for shift in target.shifts(self.since, self.until):
            person = self._person(shift.person.id)
            if person and shift.start <= farthest:
                yield Duty(one, n, target, person, shift.start, shift.end)

    def _of_seat(self, one: Policy, n: int, target: Seat) -> Iterator[Duty]:
        held = [p.id for p in target.holders if p.since < self.until and p.until > self.since]
        for name in dict.fromkeys(held):  # a new role makes nobody appear twice
            person = self._person(name)
            if person:
                yield Duty(one, n, None, person, None, None)

    def _person(self, user_id: str) -> Person | None:
        """Somebody as of now, if they are there and wanted. Who has left is never on call."""
        if self.people and user_id not in self.people:
            return None
        if user_id not in self._known:
            found = self.call.company.person(user_id)
            self._known[user_id] = found
        return self._known[user_id]


def _window(call: Call) -> tuple[int, int]:
    """The window asked for, by default the present second; a future `since` alone is a moment.

    Raises RestError over 90 days.
    """
    clock = datetime.fromtimestamp(call.now, UTC)
    since = moment(call, "since") or clock
    until = moment(call, "until") or max(clock, since)
    bounds(since, until, None, LONGEST)
    begin = max(seconds(since), call.company.start)
    return begin, max(seconds(until), begin + 1)


def _firsts(found: Iterable[Duty]) -> Iterator[Duty]:
    """Of everybody only what comes first."""
    seen: set[str] = set()
    for row in sorted(found, key=lambda row: row.start or 0):
        if row.person.id not in seen:
            seen.add(row.person.id)
            yield row


class _Begun(Sequence[Duty]):
    """The first rows of a list that is as long as is said."""

    def __init__(self, rows: list[Duty], length: int) -> None:
        self._rows, self._length = rows, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]


_LENGTHS: Final[WeakKeyDictionary[Company, dict[tuple[object, ...], int]]] = WeakKeyDictionary()


def _cut(call: Call, watch: _Watch) -> Sequence[Duty]:
    """As many rows as the page needs. They are counted only where that is wanted, and once:

    a large account has half a million in ninety days.
    """
    limit, offset = cut(call)
    rows = list(islice(watch.duties(), offset + limit + 1))
    if call.params.get("total") != "true":
        return rows
    lengths, question = _LENGTHS.setdefault(call.company, {}), watch.question
    if question not in lengths:
        if len(lengths) >= REMEMBERED:
            lengths.clear()
        lengths[question] = sum(1 for _ in watch.duties())
    return _Begun(rows, lengths[question])


def _shown(call: Call, row: Duty, include: frozenset[str], where: tzinfo) -> Body:
    account = call.account
    shown: Body = {
        "escalation_policy": reference(account, row.policy),
        "escalation_level": row.level,
        "schedule": reference(account, row.schedule) if row.schedule else None,
        "user": reference(account, row.person),
        "start": None if row.start is None else stamp(row.start, where),
        "end": None if row.end is None else stamp(row.end, where),
    }
    if "escalation_policies" in include:
        shown["escalation_policy"] = policy(call, row.policy)
    if "schedules" in include and row.schedule:
        shown["schedule"] = schedule(call, row.schedule)
    if "users" in include:
        shown["user"] = user(account, row.person, frozenset())
    return shown
