"""Applying in plain Python, row by row: what the set-based code is compared with."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatwise.connectors.records import LicenseRecord, MemberRecord, SeatRecord

HISTORY = ("email", "name", "role", "invited")
Event = tuple[str, str, str, str, str, dict[str, Any]]  # whose, kind, field, before, after, facts


@dataclass(frozen=True)
class Look:
    """What one sync read of an account."""

    members: list[MemberRecord]
    licenses: list[LicenseRecord]
    seats: list[SeatRecord]
    all_members: bool = True
    all_seats: bool = True


@dataclass
class Row:
    record: MemberRecord
    joined: int | None  # at which look
    left: int | None = None
    held: str | None = None
    since: datetime | None = None


@dataclass
class Account:
    """The tables, and the history."""

    rows: dict[str, Row] = field(default_factory=dict)
    pools: dict[str, str] = field(default_factory=dict)
    knows_licenses: bool = False
    events: list[Event] = field(default_factory=list)

    def apply(self, number: int, look: Look) -> None:
        listed = {record.external_id: record for record in look.members}
        for key in sorted(self.rows.keys() | listed.keys()):
            self._member(number, key, listed.get(key), look.all_members)
        if look.all_seats or look.licenses:
            self._licenses(look)

    def _member(self, number: int, key: str, record: MemberRecord | None, whole: bool) -> None:
        row = self.rows.get(key)
        facts = {name: getattr(record, name) for name in HISTORY} if record else {}
        if record is None:
            if whole and row and row.left is None:
                row.left = number
                self._tell(key, "left")
        elif row is None:
            self.rows[key] = Row(record, joined=number or None)
            self._tell(key, "joined" if number else "listed", facts=facts)
        else:
            if row.left is not None:
                row.left = None
                self._tell(key, "returned", facts=facts)
            for name in HISTORY:
                before, after = getattr(row.record, name), getattr(record, name)
                if before != after:
                    self._tell(key, "changed", name, words(before), words(after))
            row.record = record

    def _licenses(self, look: Look) -> None:
        pools = {each.external_id: each.name for each in look.licenses}
        seats = {each.member_id: each for each in look.seats}
        for key, row in sorted(self.rows.items()):
            seat = seats.get(key) if row.left is None else None
            is_told = row.left is None and (look.all_seats or seat is not None)
            wanted = (seat.license_id if seat else None) if is_told else row.held
            now = wanted if wanted in pools else None
            before, after = self.pools.get(row.held or "", ""), pools.get(now or "", "")
            if before != after:
                kind = "changed" if self.knows_licenses else "listed"
                self._tell(key, kind, "license", before, after)
            if now != row.held:
                row.held, row.since = now, seat.allocated_at if seat else None
        self.pools, self.knows_licenses = pools, True

    def _tell(
        self,
        key: str,
        kind: str,
        name: str = "",
        before: str = "",
        after: str = "",
        facts: dict[str, Any] | None = None,
    ) -> None:
        self.events.append((key, kind, name, before, after, facts or {}))


def words(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
