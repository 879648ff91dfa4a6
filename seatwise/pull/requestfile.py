"""The file of `--request-log`: every request of a pull, a line of JSON each."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TextIO

from seatwise.connectors.requestlog import Told, log


@contextmanager
def logged(path: Path | None, clean: Callable[[str], str]) -> Iterator[None]:
    """Writes the requests made in the block to a file made anew; to none for None.

    `clean` takes out what must not be written. An earlier file stays as it was where no request
    is made, or the credential is never taken. Whoever makes a request that cannot be written gets
    an OSError that names the file.
    """
    if path is None:
        yield
        return
    handler = _File(path)
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


class _File(logging.Handler):
    """Unlike logging's own, it does not go on where a line cannot be written."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file: TextIO | None = None
        self._held: list[str] = []  # until the credential is taken

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{self.format(record)}\n"
        told: Told = record.told  # type: ignore[attr-defined]
        if self._file is None and told.status == HTTPStatus.UNAUTHORIZED:
            self._held.append(line)
        else:
            self._write(line)

    def close(self) -> None:
        with suppress(OSError):
            if self._held and self._file is None and not self._path.exists():
                self._write("")
            if self._file is not None:
                self._file.close()
        super().close()

    def _write(self, line: str) -> None:
        try:
            if self._file is None:
                self._file = open(self._path, "w", encoding="utf-8", opener=_private)  # noqa: SIM115
                self._file.writelines(self._held)
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


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
