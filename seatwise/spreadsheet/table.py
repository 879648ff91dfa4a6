"""What a table is, whatever file it becomes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from seatwise.spreadsheet.cells import Cell

Kind = Literal["text", "number", "date", "time", "yes/no"]


@dataclass(frozen=True, slots=True)
class Column:
    key: str  # in the first line of a CSV file, and never renamed: programs read it
    title: str  # in the first row of a workbook
    kind: Kind
    definition: str  # in a sentence or two


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that are read once, and what they are. Times must carry their zone."""

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]  # as many cells as there are columns, of their kinds or None
    about: Sequence[tuple[str, Cell]] = ()  # what it is, of whom, as of when, with which filters

    @property
    def header(self) -> list[str]:
        return [column.key for column in self.columns]
