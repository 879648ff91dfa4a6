"""What a Members page was asked to show: read from its address and written back to it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict

from seatwise.models.keyset import LONGEST
from seatwise.models.member import AGES, LEFT, SORTS, STATUSES, MemberQuerySet, Tally

MOST_WORDS = 8  # each word of a search is one more condition
MOST_VALUES = 40


@dataclass(frozen=True, slots=True)
class MemberChoice:
    """The filters, sort and page; the field names are the address's parameters."""

    account: str = ""  # a connection's number; "": every account of the service
    q: str = ""
    role: tuple[str, ...] = ()
    license: tuple[str, ...] = ()  # names; "" is an unknown licence
    status: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()  # at most one month, "2026-11"
    left: tuple[str, ...] = ()
    sort: str = "name"
    place: str = ""  # of a page, see `models.keyset`; "" is the first

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """What can be understood of an address; the rest is as if it was not there."""

        def many(name: str) -> tuple[str, ...]:
            values = (_clean(value) for value in query.getlist(name)[:MOST_VALUES])
            return tuple(dict.fromkeys(values))

        sort = query.get("sort", "name")
        return cls(
            account=_clean(query.get("account", "")),
            q=" ".join(_clean(query.get("q", "")).split()[:MOST_WORDS]),
            role=many("role"),
            license=many("license"),
            status=tuple(value for value in many("status") if value in STATUSES),
            seen=tuple(value for value in many("seen") if value in AGES),
            joined=tuple(value for value in many("joined")[:1] if month_of(value)),
            left=tuple(value for value in many("left")[:1] if month_of(value)),
            sort=sort if sort.removeprefix("-") in SORTS else "name",
            place=query.get("place", "")[:LONGEST],
        )

    def rows(self, members: MemberQuerySet, now: datetime) -> MemberQuerySet:
        """The members that were asked for, in no order."""
        found = members.matching(self.q).with_status(now).with_age(now)
        found = found.in_roles(list(self.role)).on_licenses(list(self.license))
        found = found.seen_in(self.seen)
        found = found.having_status(list(self.status) or ([LEFT] if self.left else []))
        for month in self.joined:
            found = found.joined_between(*bounds(month))
        for month in self.left:
            found = found.left_between(*bounds(month))
        return found

    def counted(self, tallies: Sequence[Tally]) -> int | None:
        """How many members `rows` holds, without asking; None where only the rows can say."""
        if self.q or self.joined or self.left:
            return None
        return sum(tally.members for tally in tallies if self._fits(tally))

    @property
    def includes_left(self) -> bool:
        return LEFT in self.status or bool(self.left)

    @property
    def is_filtered(self) -> bool:
        return self != type(self)(account=self.account, sort=self.sort, place=self.place)

    def has(self, name: str, value: str) -> bool:
        return value in getattr(self, name)

    def address(self, **changes: Any) -> str:
        """The query of this choice with `changes`, on its first page; "?" when it is bare."""
        wanted = replace(self, **{"place": "", **changes})
        bare = type(self)()
        pairs = [
            (field.name, value)
            for field in fields(wanted)
            for value in _values(getattr(wanted, field.name))
            if getattr(wanted, field.name) != getattr(bare, field.name)
        ]
        return f"?{urlencode(pairs)}"

    def toggled(self, name: str, value: str) -> str:
        """The address with this value of a filter taken out if it is in, else put in."""
        values: tuple[str, ...] = getattr(self, name)
        if value in values:
            return self.address(**{name: tuple(old for old in values if old != value)})
        return self.address(**{name: (*values, value)})

    def cleared(self) -> str:
        """The address without any filter, of the same accounts and in the same order."""
        return type(self)(account=self.account, sort=self.sort).address()

    def sort_links(self) -> dict[str, dict[str, str]]:
        """{column: address that sorts by it, and how it is sorted now}."""
        return {key: self._sort_link(key) for key in SORTS}

    def _fits(self, tally: Tally) -> bool:
        wanted = (
            (self.role, tally.role),
            (self.license, tally.license or ""),
            (self.status, tally.status),
            (self.seen, tally.age),
        )
        right_status = bool(self.status) or tally.status != LEFT
        return right_status and all(not values or value in values for values, value in wanted)

    def _sort_link(self, key: str) -> dict[str, str]:
        now = {key: "ascending", f"-{key}": "descending"}.get(self.sort, "none")
        # Newest first is what one wants of times, and a second click turns it round.
        first, second = (f"-{key}", key) if key == "seen" else (key, f"-{key}")
        url = self.address(sort=second if self.sort == first else first)
        return {"url": url, "now": now, "arrow": {"ascending": "↑", "descending": "↓"}.get(now, "")}


def month_of(text: str) -> date | None:
    """The first day of a month written as 2026-11, or None."""
    try:
        first = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 (a month has no zone)
    except ValueError:
        return None
    return first if 2000 <= first.year < 2200 else None


def bounds(month: str) -> tuple[datetime, datetime]:
    """When a month begins and ends, in the billing zone."""
    first = month_of(month) or date.min
    following = (first + timedelta(days=31)).replace(day=1)
    start, end = (
        datetime(day.year, day.month, 1, tzinfo=settings.BILLING_ZONE) for day in (first, following)
    )
    return start, end


def _clean(text: str) -> str:
    """Without the one character that PostgreSQL cannot hold, and not endless."""
    return text.replace("\x00", "")[:200]


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)
