"""Long lists seen in another way without being copied."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, TypeVar

Row = TypeVar("Row")


class Backwards(Sequence[Row]):
    """A list from its end to its beginning."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        size = len(self._rows)
        if isinstance(index, slice):
            wanted = range(size)[index]
            if wanted.step == 1 and wanted:
                return list(reversed(self._rows[size - wanted.stop : size - wanted.start]))
            return [self[n] for n in wanted]
        if not 0 <= index < size:
            raise IndexError(index)
        return self._rows[size - 1 - index]


class Without(Sequence[Row]):
    """A list without the few rows at some places (places in order)."""

    def __init__(self, rows: Sequence[Row], holes: list[int]) -> None:
        self._rows = rows
        # how many rows stay before each hole: those beyond it move up by one
        self._before = [hole - n for n, hole in enumerate(holes)]

    def __len__(self) -> int:
        return len(self._rows) - len(self._before)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        moved = bisect_left(self._before, index + 1)
        return self._rows[index + moved]
