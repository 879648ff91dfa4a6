"""What a Members page was asked to show: read from its address and written back to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from django.conf import settings
from django.http import QueryDict

from seatwise import history
from seatwise.models import Connection
from seatwise.models.keyset import LONGEST
from seatwise.models.member import MemberQuerySet
from seatwise.models.member_order import SORTS, Tally
from seatwise.models.member_status import AGES, LEFT, STATUSES
from seatwise.views.choice import Choice

MOST_WORDS = 8  # each word of a search is one more condition
MOST_VALUES = 40
USUAL_SORT = "name"


@dataclass(frozen=True, slots=True)
class MemberChoice(Choice):
    """See `Choice`. `place`: see `models.keyset`."""

    account: str = ""  # a connection's number; "": every account of the service
    role: tuple[str, ...] = ()
    license: tuple[str, ...] = ()  # names; "" is an unknown licence
    status: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()  # at most one month, "2026-11"
    left: tuple[str, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """What can be understood of an address; the rest is as if it was not there."""

        def many(name: str) -> tuple[str, ...]:
            values = (_clean(value) for value in query.getlist(name)[:MOST_VALUES])
            return tuple(dict.fromkeys(values))

        sort = query.get("sort", USUAL_SORT)
        return cls(
            account=_clean(query.get("account", "")),
            q=" ".join(_clean(query.get("q", "")).split()[:MOST_WORDS]),
            role=many("role"),
            license=many("license"),
            status=tuple(value for value in many("status") if value in STATUSES),
            seen=tuple(value for value in many("seen") if value in AGES),
            joined=tuple(value for value in many("joined")[:1] if month_of(value)),
            left=tuple(value for value in many("left")[:1] if month_of(value)),
            sort=sort if sort.removeprefix("-") in SORTS else USUAL_SORT,
            place=query.get("place", "")[:LONGEST],
        )

    def rows(
        self, members: MemberQuerySet, now: datetime, only: Connection | None = None
    ) -> MemberQuerySet:
        """The members that were asked for, in no order. `only`: the account, if there is one."""
        found = members.matching(self.q)
        found = found.in_roles(list(self.role)).on_licenses(list(self.license))
        found = found.seen_in(self.seen, now, only).having_status(self._statuses, now, only)
        for month in self.joined:
            found = found.joined_between(*bounds(month))
        for month in self.left:
            found = found.left_between(*bounds(month))
        return found

    def counted(self, tallies: Sequence[Tally]) -> int | None:
        """How many members `rows` holds, without asking; None where only the rows can say."""
        return None if self.has_uncounted else sum(t.members for t in self.fitting(tallies))

    def fitting(self, tallies: Sequence[Tally], beside: str = "") -> list[Tally]:
        """Those that all filters leave but the one `beside`, of which the values are counted."""
        return [tally for tally in tallies if self._fits(tally, beside)]

    @property
    def has_uncounted(self) -> bool:
        """Whether it asks for something that tallies know nothing of."""
        return bool(self.q or self.joined or self.left)

    @property
    def includes_left(self) -> bool:
        return LEFT in self.status or bool(self.left)

    @property
    def is_filtered(self) -> bool:
        return self != type(self)(account=self.account, sort=self.sort, place=self.place)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form carries on without a field that one sees."""
        found = [("seen", age) for age in self.seen]
        found += [("account", self.account)] if self.account else []
        return found + ([("sort", self.sort)] if self.sort != USUAL_SORT else [])

    def has(self, name: str, value: str) -> bool:
        return value in getattr(self, name)

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
        # Newest first is what one wants of times.
        return self.links(SORTS, falling=("seen",))

    @property
    def _statuses(self) -> tuple[str, ...]:
        return self.status or ((LEFT,) if self.left else ())

    def _fits(self, tally: Tally, beside: str) -> bool:
        wanted = (
            ("role", self.role, tally.role),
            ("license", self.license, tally.license or ""),
            ("status", self._statuses, tally.status),
            ("seen", self.seen, tally.age),
        )
        if not self._statuses and tally.status == LEFT and beside != "status":
            return False
        return all(
            name == beside or not values or value in values for name, values, value in wanted
        )


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
    start, end = (
        datetime(day.year, day.month, 1, tzinfo=settings.BILLING_ZONE)
        for day in (first, history.month_after(first))
    )
    return start, end


def _clean(text: str) -> str:
    """Without the one character that PostgreSQL cannot hold, and not endless."""
    return text.replace("\x00", "")[:200]
