"""Members while they are still being read, for whoever cannot wait."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from seatwise.pull.folder import PARTIAL, Folder
from seatwise.pull.formats import Writer, opened
from seatwise.pull.order import Order
from seatwise.pull.tables import MEMBERS, Row


class Partial:
    """Rows as the vendor lists them, in `members.<ext>.partial`; it is gone after the block.

    Licences and last seen are empty there. A Parquet file cannot be read before its end, so of
    that format there is none.
    """

    def __init__(self, place: Folder, order: Order) -> None:
        self._path: Path | None = None
        if order.wants("members") and order.format != "parquet":
            self._format = order.format
            self._path = place.out / f"{MEMBERS.name}.{order.format}{PARTIAL}"
        self._writer: Writer | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._path is not None:
            self._writer = self._stack.enter_context(opened(self._path, MEMBERS, self._format))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stack.close()
        finally:
            if self._path is not None:
                self._path.unlink(missing_ok=True)

    def add(self, rows: list[Row]) -> None:
        """Appends rows, readable by others from now on."""
        if self._writer is not None and rows:
            for row in rows:
                self._writer.write(row)
            self._writer.flush()
