"""What was agreed: lines of seats with their prices, the term, and how it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import TypeAdapter

from seatwise.pricing.packs import Pack

Term = Literal["month", "year"]


@dataclass(frozen=True, slots=True)
class Line:
    """Seats of one sort: priced each, or in packs, or not known."""

    key: str  # "full": kept in findings and addresses, never renamed
    name: str
    kind: str  # connectors.records.SeatKind
    licenses: tuple[str, ...] = ()  # whose holders it counts; (): everybody of its kind
    price: Decimal | None = None  # of a seat and month; None: unknown, or in packs
    packs: tuple[Pack, ...] = ()
    committed: int | None = None  # seats that are paid for, held or not; None: none
    ratchet: bool = False  # billed is the most of this month or any before, until a reduction

    @property
    def is_priced(self) -> bool:
        return self.price is not None or bool(self.packs)


@dataclass(frozen=True, slots=True)
class Alerts:
    """What notifications beyond the plan's cost. None is unknown, and then no number is told."""

    allowance: int | None = None  # included in a month
    price: Decimal | None = None  # of each one more


@dataclass(frozen=True, slots=True)
class Terms:
    """One state of a contract. Days are whole days; both `starts` and `ends` belong to it."""

    currency: str
    term: Term
    lines: tuple[Line, ...]
    starts: date | None = None
    ends: date | None = None  # the last day; None: open end, or not known
    notice_days: int | None = None  # before the end; None: not known
    renews: bool | None = None  # by itself, for another term; None: not known
    alerts: Alerts = field(default_factory=Alerts)
    plan: str = ""  # the key of the list price it was taken from; "": own prices
    priced_on: date | None = None  # when that list was looked at

    def line(self, key: str) -> Line | None:
        return next((line for line in self.lines if line.key == key), None)

    def line_for(self, license_name: str, kind: str) -> Line | None:
        """Where a seat is billed: where its licence is named, else where its kind is."""
        named = (line for line in self.lines if license_name and license_name in line.licenses)
        of_kind = (line for line in self.lines if not line.licenses and line.kind == kind)
        return next(named, None) or next(of_kind, None)

    def as_json(self) -> dict[str, Any]:
        """For a column: plain JSON, amounts as text so that no cent is lost."""
        data: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Terms":
        """The opposite of `as_json`. Raises ValueError for what it did not make."""
        return _ADAPTER.validate_python(dict(data))


_ADAPTER = TypeAdapter(Terms)
