"""The simulated vendor at a moment in time: its accounts, and what has happened there by now."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from .history import Incident, Moment, deleted_users, month_of
from .people import Account, Person, companies

IMPORTANT: Final = frozenset(
    {"trigger", "assign", "acknowledge", "annotate", "escalate", "resolve"}
)

REACH: Final = (1, 0)  # months: no incident is in the log for longer than February is


def after(first: date, months: int) -> date:
    """The first day of the month so many months later (earlier, if negative)."""
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class _Month:
    """One month's happenings, each list in order of time with the times beside it."""

    incidents: Sequence[Incident]
    created: Sequence[datetime]
    moments: Sequence[Moment]
    when: Sequence[datetime]


class Company:
    """One account with its history. Nothing later than `clock()` can be seen from outside."""

    def __init__(self, account: Account, first: date, clock: Callable[[], datetime]) -> None:
        self.account = account
        self.first = first
        self.clock = clock
        self._told: dict[date, tuple[Incident, ...]] = {}
        self._months: dict[tuple[date, str], _Month] = {}

    def people(self) -> Sequence[Person]:
        """Everybody with a seat or an invitation as of now, by name."""
        return self.account.people

    def person(self, user_id: str) -> Person | None:
        """The person with that id as of now, or None when there is none (any more)."""
        return self.account.person(user_id)

    def member(self, email: str) -> Person | None:
        """The person who signs in with that e-mail address as of now, in any case of letters."""
        return self.account.member(email)

    def incidents(self, since: datetime, until: datetime) -> list[Incident]:
        """Incidents created in [since, until) and not later than now, oldest first."""
        until = min(until, self._next_second())
        found: list[Incident] = []
        for month in self._spanning(since, until, ""):
            low = bisect_left(month.created, since)
            found += month.incidents[low : bisect_left(month.created, until)]
        return found

    def incident(self, incident_id: str) -> Incident | None:
        """The incident with that id, if it has happened."""
        known = self.incidents(self.start, self._next_second())
        found = (incident for incident in known if incident.id == incident_id)
        return next(found, None)

    def moments(self, since: datetime, until: datetime, kinds: str = "") -> "Stretch":
        """Log entries with their incidents in [since, until), not later than now.

        `kinds` is "" for all, "important" for what people and machines did, "notify" for pages.
        """
        until = min(until, self._next_second())
        parts = []
        for month in self._spanning(since, until, kinds):
            low, high = bisect_left(month.when, since), bisect_left(month.when, until)
            parts.append((month.moments, low, high))
        return Stretch(parts)

    def deleted(self) -> set[str]:
        """Ids of people who appear in the history and no longer exist."""
        return {name for month in self.months() for name in deleted_users(self.account, month)}

    @property
    def start(self) -> datetime:
        """When the account's history begins."""
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    def months(self) -> Iterator[date]:
        """The months (UTC) from the first to the present one."""
        month = self.first
        while datetime(month.year, month.month, 1, tzinfo=UTC) <= self.clock():
            yield month
            month = after(month, 1)

    def _next_second(self) -> datetime:
        return self.clock().replace(microsecond=0) + timedelta(seconds=1)

    def _spanning(self, since: datetime, until: datetime, kinds: str) -> Iterator[_Month]:
        since = max(since, self.start).astimezone(UTC)
        month = since.date().replace(day=1)
        while datetime(month.year, month.month, 1, tzinfo=UTC) < until:
            yield self._month(month, kinds)
            month = after(month, 1)

    def _month(self, month: date, kinds: str) -> _Month:
        key = (month, kinds)
        if key not in self._months:
            begin, end = (
                datetime(m.year, m.month, 1, tzinfo=UTC) for m in (month, after(month, 1))
            )
            incidents = self._stories(month)
            moments = [
                (entry, incident)
                for back in REACH  # an incident's log reaches into the months after it
                for incident in self._stories(after(month, -back))
                for entry in incident.entries
                if begin <= entry.at < end and _fits(entry.kind, kinds)
            ]
            moments.sort(key=lambda moment: (moment[0].at, moment[0].id))
            self._months[key] = _Month(
                incidents,
                [incident.created_at for incident in incidents],
                moments,
                [entry.at for entry, _ in moments],
            )
        return self._months[key]

    def _stories(self, month: date) -> tuple[Incident, ...]:
        if month < self.first:
            return ()
        if month not in self._told:
            self._told[month] = month_of(self.account, month)
        return self._told[month]


class Stretch:
    """A stretch of the log that is counted and sliced without being copied."""

    def __init__(self, parts: list[tuple[Sequence[Moment], int, int]]) -> None:
        self._parts = [part for part in parts if part[2] > part[1]]
        self._ends: list[int] = []
        for _, low, high in self._parts:
            self._ends.append((self._ends[-1] if self._ends else 0) + high - low)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Moment]:
        for moments, low, high in self._parts:
            yield from moments[low:high]

    def oldest_first(self, offset: int, limit: int) -> list[Moment]:
        """`limit` moments from the one at `offset` on."""
        return [self._at(n) for n in range(offset, min(offset + limit, len(self)))]

    def newest_first(self, offset: int, limit: int) -> list[Moment]:
        """`limit` moments, counted from the end backwards."""
        last = len(self) - 1 - offset
        return [self._at(n) for n in range(last, max(last - limit, -1), -1)]

    def _at(self, n: int) -> Moment:
        part = bisect_right(self._ends, n)
        moments, low, _ = self._parts[part]
        return moments[low + n - (self._ends[part - 1] if part else 0)]


class World:
    """Both companies, and the clock they live by."""

    def __init__(
        self, seed: int = 1, people: int = 250, months: int = 14, now: datetime | None = None
    ) -> None:
        if months < 1:
            raise ValueError("history has at least one month")
        if now is not None and now.tzinfo is None:
            raise ValueError("now needs a time zone")
        self._frozen = now.astimezone(UTC) if now else None
        first = after(self.clock().date().replace(day=1), 1 - months)
        self.companies = {
            account.subdomain: Company(account, first, self.clock)
            for account in companies(seed, people)
        }

    def clock(self) -> datetime:
        """Now, in UTC: the given moment for ever, or else the real time."""
        return self._frozen or datetime.now(UTC)

    def of_region(self, region: str) -> list[Company]:
        """The companies whose accounts live in that region, "us" or "eu"."""
        return [c for c in self.companies.values() if c.account.region == region]


def _fits(kind: str, kinds: str) -> bool:
    return kinds == "" or (kind in IMPORTANT if kinds == "important" else kind == kinds)
