"""What the Spend page was asked to show: read from its address and written back to it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from django.http import QueryDict

from seatwise.models.connection import State
from seatwise.views import spend_rows
from seatwise.views.choice import Choice
from seatwise.views.spend_rows import Row

MOST_VALUES = 40
NOBODY = "nobody"  # an owner that is none
STATES: Mapping[str, str] = {**dict(State.choices), spend_rows.NOT_CONNECTED: "Not connected"}
NEEDS: Mapping[str, str] = {
    spend_rows.ACTION: "Action needed",
    spend_rows.HELD: "Unusual drop held",
    spend_rows.LATE: "Not read for a long time",
    spend_rows.STILL: "Disconnected, figures kept",
    spend_rows.WAITING: "First reading not there yet",
    spend_rows.LIMITED: "Something cannot be read",
    spend_rows.NOTICE: "Notice within 60 days",
    spend_rows.OVER_BUDGET: "Over budget",
    spend_rows.NO_PRICE: "No price yet",
    spend_rows.IDLE_SEATS: "Idle seats",
    spend_rows.UNKNOWN_SEATS: "Last seen unknown",
    spend_rows.NOTHING_READ: "No members yet",
}
FILTERS: Mapping[str, str] = {
    "category": "Category",
    "state": "Connection",
    "need": "Attention",
    "owner": "Owner",
}
Key = float | str | tuple[str, float] | None
# What a sort asks of a row; None, what is not known, stands last either way. Amounts of different
# currencies are not compared: each currency stands by itself.
SORTS: Mapping[str, Callable[[Row], Key]] = {
    "name": lambda row: row.service.name.casefold(),
    "seats": lambda row: row.seats.total,
    "active": lambda row: row.seats.active_percent,
    "idle": lambda row: row.seats.savable if row.seats.known else None,
    "cost": lambda row: _amount(row, row.money.cost),
    "savable": lambda row: _amount(row, row.money.savable),
    "renewal": lambda row: row.money.ends.toordinal() if row.money.ends else None,
    "owner": lambda row: row.owner.casefold() or None,
}
LARGEST_FIRST = ("seats", "idle", "cost", "savable")
USUAL_SORT = "-seats"
# The values that a row has for each filter.
VALUES: Mapping[str, Callable[[Row], frozenset[str]]] = {
    "category": lambda row: frozenset({row.service.category} - {""}),
    "state": lambda row: row.states,
    "need": lambda row: row.needs,
    "owner": lambda row: frozenset({str(row.service.owner_id or NOBODY)}),
}
GONE: Mapping[str, str] = {"owner": "somebody who owns none"}  # else the value itself


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a filter, and how many services have it."""

    value: str
    label: str
    count: int  # of the services
    selected: bool


@dataclass(frozen=True, slots=True)
class SpendChoice(Choice):
    """See `Choice`. `place`: the number of services before the page, or "last"."""

    category: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    need: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()  # a person's number, or NOBODY
    sort: str = USUAL_SORT

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """What can be understood of an address; the rest is as if it was not there."""

        def many(name: str, known: Iterable[str] | None = None) -> tuple[str, ...]:
            values = dict.fromkeys(value[:120] for value in query.getlist(name)[:MOST_VALUES])
            return tuple(value for value in values if value and (known is None or value in known))

        sort = query.get("sort", USUAL_SORT)
        return cls(
            q=" ".join(query.get("q", "")[:200].split()),
            category=many("category"),
            state=many("state", STATES),
            need=many("need", NEEDS),
            owner=tuple(o for o in many("owner") if o == NOBODY or o.isdecimal()),
            sort=sort if sort.removeprefix("-") in SORTS else USUAL_SORT,
            place=query.get("place", "")[:20],
        )

    def chosen(self, rows: Iterable[Row]) -> list[Row]:
        """The rows that were asked for, in the order that was asked for."""
        found = sorted((row for row in rows if self._fits(row)), key=_by_name)
        name = self.sort.removeprefix("-")
        known = [row for row in found if SORTS[name](row) is not None]
        unknown = [row for row in found if SORTS[name](row) is None]
        known.sort(key=SORTS[name], reverse=self.sort.startswith("-"))  # type: ignore[arg-type]
        return known + unknown

    @property
    def is_filtered(self) -> bool:
        return self != type(self)(sort=self.sort, place=self.place)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form carries on without a field that one sees."""
        return [("sort", self.sort)] if self.sort != USUAL_SORT else []

    def cleared(self) -> str:
        """The address without any filter, in the same order."""
        return type(self)(sort=self.sort).address()

    def options(self, rows: Sequence[Row]) -> dict[str, list[Option]]:
        """{filter: its values}, each with how many services of all have it.

        What is chosen and gone stays a value, so that it can be seen and taken out.
        """
        owners = {str(o.pk): str(o) for row in rows if (o := row.service.owner)}
        labels: dict[str, Mapping[str, str]] = {
            "category": {c: c for c in sorted({row.service.category for row in rows} - {""})},
            "state": STATES,
            "need": NEEDS,
            "owner": {**dict(sorted(owners.items(), key=_by_label)), NOBODY: "Nobody yet"},
        }
        return {
            name: [
                Option(value, label, counts[value], value in getattr(self, name))
                for value, label in {**labels[name], **gone}.items()
                if counts[value] or value in getattr(self, name)
            ]
            for name in FILTERS
            for gone in [
                {v: GONE.get(name, v) for v in getattr(self, name) if v not in labels[name]}
            ]
            for counts in [Counter(value for row in rows for value in VALUES[name](row))]
        }

    def words(self, options: Mapping[str, Sequence[Option]]) -> list[tuple[str, str]]:
        """Each filter that is on, in words, and the address without it."""
        found = [(f"“{self.q}”", self.address(q=""))] if self.q else []
        for name, title in FILTERS.items():
            values: tuple[str, ...] = getattr(self, name)
            labels = {option.value: option.label for option in options[name]}
            found += [
                (
                    f"{title}: {labels[value]}",
                    self.address(**{name: tuple(other for other in values if other != value)}),
                )
                for value in values
            ]
        return found

    def sort_links(self) -> dict[str, dict[str, str]]:
        """{column: address that sorts by it, and how it is sorted now}."""
        return self.links(SORTS, LARGEST_FIRST)

    def _fits(self, row: Row) -> bool:
        asked = ((name, getattr(self, name)) for name in FILTERS)
        return self._is_called(row) and all(
            not values or not VALUES[name](row).isdisjoint(values) for name, values in asked
        )

    def _is_called(self, row: Row) -> bool:
        """Whether it has every word of the search; without one nothing is looked at."""
        if not self.q:
            return True
        service = row.service
        accounts = " ".join(account.account_name for account in service.accounts)
        text = f"{service.name} {service.vendor} {service.category} {row.owner} {accounts}"
        return all(word in text.casefold() for word in self.q.casefold().split())


def _amount(row: Row, amount: Decimal | None) -> Key:
    return None if amount is None else (row.money.currency, float(amount))


def _by_name(row: Row) -> tuple[str, int]:
    return row.service.name.casefold(), row.service.pk


def _by_label(pair: tuple[str, str]) -> str:
    return pair[1].casefold()
