"""The files that a pull writes, column by column."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "flag", "number", "moment"]
Value = str | bool | int | None  # a moment is text here: "2026-11-23T12:00:00Z"
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """One file; it is written when one of its stages is asked for."""

    name: str
    stages: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def header(self) -> list[str]:
        return [column.name for column in self.columns]


MEMBERS = Table(
    "members",
    ("members",),
    (
        Column("external_id"),
        Column("email"),
        Column("name"),
        Column("role"),
        Column("base_role"),
        Column("license"),
        Column("invited", "flag"),
        Column("last_seen_at", "moment"),
        Column("last_seen_source"),
    ),
)
USAGE = Table(
    "usage",
    ("usage",),
    (
        Column("month"),
        Column("metric"),
        Column("value", "number"),
        Column("final", "flag"),
        Column("source"),
    ),
)
LICENSES = Table(
    "licenses",
    ("licenses",),
    (
        Column("external_id"),
        Column("name"),
        Column("kind"),
        Column("used", "number"),
        Column("available", "number"),
    ),
)
TABLES = (MEMBERS, USAGE, LICENSES)
