"""The file of `--request-log`: every request of a pull, a line of JSON each."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from seatwise.connectors.requestlog import Told, log


@contextmanager
def logged(path: Path | None, clean: Callable[[str], str]) -> Iterator[None]:
    """Writes the requests made in the block to a file made anew; to none for None.

    `clean` takes out what must not be written. Raises OSError.
    """
    if path is None:
        yield
        return
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(_Lines(clean))
    before, log.propagate = log.propagate, False
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.setLevel(level)
        log.removeHandler(handler)
        log.propagate = before
        handler.close()


class _Lines(logging.Formatter):
    def __init__(self, clean: Callable[[str], str]) -> None:
        super().__init__()
        self._clean = clean

    def format(self, record: logging.LogRecord) -> str:
        told: Told = record.told  # type: ignore[attr-defined]
        at = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "method": told.method,
            "endpoint": self._clean(told.endpoint),
            "status": told.status,
            "error": told.error,
            "milliseconds": told.milliseconds,
            "bytes": told.size,
            "try": told.attempt,
            **told.paging,
        }
        return json.dumps(line, ensure_ascii=False)
