"""The simulated vendor at a moment in time: its accounts, and what has happened there by now.

Windows are half-open, in seconds since 1970, and end at the present second at the latest.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, Generic, Literal, TypeVar

from ...options import Options
from .account import MONTHLY, Account, account, kinds
from .churn import Churn
from .codes import DAY
from .people import LEADING, Person
from .searches import Searches
from .story import (
    CALLING,
    INCIDENT,
    LONGEST,
    REACH,
    Entry,
    Incident,
    is_forgotten,
    is_lasting,
    tell,
)

Row = TypeVar("Row")
Moment = tuple[Entry, Incident]
Sort = Literal["", "important", "notify", "sms", "phone", "email", "push"]
KEPT: Final = 15_000  # incidents whose stories are remembered
AHEAD: Final = 24  # months of the future in which the script of comings and goings goes on


class Shelf(Generic[Row]):
    """One day's rows of some sort, in order of time, with the times beside them."""

    def __init__(self, times: list[int], rows: Sequence[Row]) -> None:
        self.times, self.rows = times, rows


class Day(Sequence[Incident]):
    """The incidents that begin on one day, in order; each is told when it is asked for."""

    def __init__(self, account: Account, day: int) -> None:
        self.account, self.day = account, day
        self.beginnings, self._faces = account.tempo.beginnings(day)
        self._first = account.tempo.number(day)
        self.times = [at for at, _ in self.beginnings]
        self._told: dict[int, Incident] = {}
        self.shown: dict[int, bytes] = {}  # rows that cannot change any more, as they are sent

    def __len__(self) -> int:
        return len(self.beginnings)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if index not in self._told:
            at, n = self.beginnings[index]
            faces = self._faces
            self._told[index] = tell(
                self.account, self.day, n, self._first + index, at, faces[n], faces[n - 1]
            )
        return self._told[index]

    def the(self, n: int) -> Incident:
        """The incident with that number of its id. Raises IndexError when there is none."""
        if n >= len(self):
            raise IndexError(n)
        where = next(k for k, (_, each) in enumerate(self.beginnings) if each == n)
        told: Incident = self[where]
        return told

    def lasting(self) -> list[Incident]:
        """Those that may go on for longer than a day."""
        return [
            self[k]
            for k, (_, n) in enumerate(self.beginnings)
            if is_lasting(n) or is_forgotten(self.day, n)
        ]


class Stretch(Sequence[Row]):
    """Rows in a window, counted day by day and read only where one looks."""

    def __init__(
        self,
        since: int,
        until: int,
        count: Callable[[int], int],
        shelf: Callable[[int], Shelf[Row]],
    ) -> None:
        self._shelf = shelf
        self._parts: list[tuple[int, int]] = []  # day, how many of its rows to leave out
        counts = []
        for day in range(since // DAY, (until - 1) // DAY + 1) if until > since else ():
            low, high = 0, -1
            if day * DAY < since or day * DAY + DAY > until:
                times = shelf(day).times
                low, high = bisect_left(times, since), bisect_left(times, until)
            many = (high if high >= 0 else count(day)) - low
            if many > 0:
                self._parts.append((day, low))
                counts.append(many)
        self._ends = list(accumulate(counts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            wanted = range(len(self))[index]
            if wanted.step == 1:
                return self._cut(wanted.start, wanted.stop)
            return [self[n] for n in wanted]
        place = index if index >= 0 else len(self) + index
        if not 0 <= place < len(self):
            raise IndexError(index)
        return self._cut(place, place + 1)[0]

    def __iter__(self) -> Iterator[Row]:
        start = 0
        for (day, low), end in zip(self._parts, self._ends, strict=True):
            rows = self._shelf(day).rows
            for n in range(low, low + end - start):
                yield rows[n]
            start = end

    def _cut(self, start: int, stop: int) -> list[Row]:
        rows: list[Row] = []
        part = bisect_right(self._ends, start)
        while start < stop and part < len(self._parts):
            (day, low), before = self._parts[part], self._ends[part - 1] if part else 0
            end = min(stop, self._ends[part])
            rows += self._shelf(day).rows[low + start - before : low + end - before]
            start, part = end, part + 1
        return rows


class Company:
    """One account with its history. Nothing later than now can be seen from outside."""

    def __init__(self, account: Account, start: int, clock: Callable[[], datetime]) -> None:
        self.account, self.start, self.clock = account, start, clock
        days = max(3, int(KEPT / (account.tempo.monthly / 30 + 1)))
        self.day = lru_cache(maxsize=days)(lambda day: Day(account, day))
        self._lasting = lru_cache(maxsize=120)(lambda day: self.day(day).lasting())
        self._shelf = lru_cache(maxsize=max(6, days // 2))(self._make_shelf)
        self._counts: dict[tuple[int, str], int] = {}
        self.churn = Churn(account, self.now)
        self._amended: dict[str, tuple[str, str | None]] = {}  # id and role (None: gone) by name
        self._held: tuple[Sequence[Person], Counter[str]] = ((), Counter())
        self.searches = Searches()

    def now(self) -> int:
        """The present second."""
        return int(self.clock().timestamp())

    def people(self, at: int | None = None) -> Sequence[Person]:
        """Everybody with a seat or an invitation at that moment (now), by name."""
        return self.account.roster.at(self.now() if at is None else at)

    def person(self, user_id: str) -> Person | None:
        """The person with that id as of now, or None when there is none (any more)."""
        return self.account.roster.person(user_id, self.now())

    def member(self, email: str) -> Person | None:
        """The person who signs in with that e-mail address as of now, in any case of letters."""
        return self.account.roster.member(email, self.now())

    def held(self) -> Counter[str]:
        """How many people hold each licence as of now, by its id."""
        people = self.people()
        if self._held[0] is not people:
            self._held = (people, Counter(person.license_id for person in people))
        return self._held[1]

    def amend(self, removed: Collection[str], demoted: Mapping[str, str]) -> None:
        """Takes people, by id or e-mail address, out of the account or changes their role.

        From now on, and for as long as they are named. The history goes on as it was written.
        """
        wanted: dict[str, str | None] = {**demoted, **dict.fromkeys(removed)}
        roster, now = self.account.roster, self.now()
        for name, (user_id, role) in list(self._amended.items()):
            if name not in wanted or wanted[name] != role:
                roster.restore(user_id)
                del self._amended[name]
        for name, role in wanted.items():
            person = self.member(name) if "@" in name else self.person(name)
            if person is None or name in self._amended:
                continue
            self._amended[name] = (person.id, role)
            if role is None:
                roster.leave(person, now)
            else:
                kind = self.account.license_of.get(role)
                roster.turn(person, now, role, kind.id if kind else person.license_id)

    def restore(self) -> None:
        """Forgets everybody who came, went or changed out of the script."""
        self._amended.clear()
        self.churn = Churn(self.account, self.now)
        self.account.roster.restore_all()

    def incidents(self, since: int, until: int) -> Stretch[Incident]:
        """Incidents created in the window, oldest first."""
        since, until = max(since, self.start), min(until, self.now() + 1)
        return Stretch(since, until, self._began, self._began_shelf)

    def unresolved(self, since: int, until: int, now: int) -> list[Incident]:
        """Those of them that are open at that moment, oldest first."""
        since, until = max(since, self.start), min(until, now + 1)
        recent = max(since, (now - DAY) // DAY * DAY)  # common incidents are over after a day
        found = [
            told
            for day in range(since // DAY, (min(recent, until) - 1) // DAY + 1)
            for told in self._open_for_long(day, now)
            if since <= told.at < min(recent, until)
        ]
        found += [t for t in self.incidents(recent, until) if t.end is None or t.end > now]
        return found

    def _open_for_long(self, day: int, now: int) -> list[Incident]:
        """The long ones of a day that are open at that moment, in order; the others aren't told."""
        account, found = self.account, []
        for n in range(account.tempo.of_day(day)):
            if is_lasting(n) or is_forgotten(day, n):
                face = account.chance.faces(day, n)
                told = tell(account, day, n, 0, account.tempo.second(day, face), face, face)
                if told.end is None or told.end > now:
                    found.append(self.day(day).the(n))
        return sorted(found, key=lambda told: told.number)

    def incident(self, incident_id: str) -> Incident | None:
        """The incident with that id, if it has happened."""
        place = self.account.chance.read(incident_id)
        if place is None or place[0] != INCIDENT or not incident_id.startswith("Q"):
            return None
        return None if place[3] else self.begun(place[1], place[2])

    def begun(self, day: int, n: int) -> Incident | None:
        """The n-th incident of a day, if it has happened."""
        if not self.start // DAY <= day <= self.now() // DAY:
            return None
        try:
            told = self.day(day).the(n)
        except IndexError:
            return None
        return told if told.at <= self.now() else None

    def numbered(self, number: int) -> Incident | None:
        """The incident with that number, if it has happened."""
        known = self.incidents(self.start, self.now() + 1)
        place = bisect_left(known, number, key=lambda told: told.number)
        found = known[place] if place < len(known) else None
        return found if found is not None and found.number == number else None

    def log(self, since: int, until: int, sort: Sort = "") -> Stretch[Moment]:
        """Log entries with their incidents in the window, oldest first.

        `sort` is "" for all, "important" for those of an overview, "notify" for messages to
        people, or the channel of such messages.
        """
        since, until = max(since, self.start), min(until, self.now() + 1)
        return Stretch(
            since, until, lambda day: self._logged(day, sort), lambda day: self._shelf(day, sort)
        )

    def deleted(self, at: int | None = None) -> set[str]:
        """Ids of people who once belonged to the account and no longer do at that moment (now)."""
        moment = self.now() if at is None else at
        gone = {p.id for p in self.account.roster.ever() if p.until <= moment}
        return gone - {person.id for person in self.people(moment)}

    def _began(self, day: int) -> int:
        return self.account.tempo.of_day(day)

    def _began_shelf(self, day: int) -> Shelf[Incident]:
        told = self.day(day)
        return Shelf(told.times, told)

    def _logged(self, day: int, sort: str) -> int:
        key = (day, sort)
        if key not in self._counts:
            self._counts[key] = len(self._shelf(day, sort).times)
        return self._counts[key]

    def _make_shelf(self, day: int, sort: str) -> Shelf[Moment]:
        if sort == "":
            rows = [*self._steps(day), *self._shelf(day, "notify").rows]
        elif sort == "important":
            rows = [moment for moment in self._steps(day) if moment[0].important]
        elif sort == "notify":
            rows = _between(day, self._begun_before(day, CALLING), Incident.notices)
        else:
            rows = [row for row in self._shelf(day, "notify").rows if row[0].detail == sort]
        rows.sort(key=lambda row: (row[0].at, row[1].number, row[0].ordinal))
        return Shelf([entry.at for entry, _ in rows], rows)

    def _steps(self, day: int) -> list[Moment]:
        """What people and machines did on a day, also about incidents that had begun before it."""
        told = self._begun_before(day, REACH)
        for each in range(max(self.start // DAY, day - LONGEST // DAY), day - 1):
            told += self._lasting(each)
        return _between(day, told, lambda one: one.steps)

    def _begun_before(self, day: int, reach: int) -> list[Incident]:
        """The incidents of a day, and those of the day before that it can still be about."""
        told = list(self.day(day))
        if day > self.start // DAY:
            yesterday = self.day(day - 1)
            told += yesterday[bisect_left(yesterday.times, day * DAY - reach) :]
        return told


def _between(
    day: int, told: Iterable[Incident], entries: Callable[[Incident], list[Entry]]
) -> list[Moment]:
    """Those entries of the incidents that are of that day."""
    begin, end = day * DAY, day * DAY + DAY
    return [(entry, one) for one in told for entry in entries(one) if begin <= entry.at < end]


class World:
    """All the accounts, and the clock they live by."""

    def __init__(self, options: Options) -> None:
        self.options, self._frozen = options, options.frozen
        today = self.clock().date()
        start, end = after(today, 1 - options.months), after(today, AHEAD)
        total = MONTHLY * options.months if options.incidents is None else options.incidents
        self.companies: dict[str, Company] = {}
        leaders: tuple[Person, ...] = ()
        for kind in kinds(options.users, total / options.months, options.accounts):
            made = account(options.seed, kind, options.plan, start, end, leaders)
            if not leaders:
                everybody = made.roster.at(self._second())
                leaders = tuple(person for person in everybody if person.role in LEADING)
            self.companies[kind.subdomain] = Company(made, start, self.clock)

    def clock(self) -> datetime:
        """Now, in UTC: the given moment for ever, or else the real time."""
        return self._frozen or datetime.now(UTC)

    def of_region(self, region: str) -> list[Company]:
        """The companies whose accounts live in that region, "us" or "eu"."""
        return [c for c in self.companies.values() if c.account.region == region]

    def amend(self, removed: Collection[str], demoted: Mapping[str, str]) -> None:
        """Takes people out of their accounts or changes their roles, see `Company.amend`."""
        for company in self.companies.values():
            company.amend(removed, demoted)

    def restore(self) -> None:
        """Everybody is again as the script has it."""
        for company in self.companies.values():
            company.restore()

    def _second(self) -> int:
        return int(self.clock().timestamp())


def after(day: date, months: int) -> int:
    """The first second (UTC) of the month so many months after that day's."""
    index = day.year * 12 + day.month - 1 + months
    return int(datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC).timestamp())
