"""How far a pull is: a bar a stage on a terminal, plain lines elsewhere, on standard error."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seatwise.connectors.records import Batch

EVERY = 2.0  # seconds between two plain lines of one stage
Watch = Callable[[Batch], None]


@contextmanager
def meter() -> Iterator[Watch]:
    """What to tell each batch to, as long as the block lasts."""
    if sys.stderr.isatty():
        with _bars() as watch:
            yield watch
    else:
        yield _Lines().tell


@contextmanager
def _bars() -> Iterator[Watch]:
    # Only here, for nobody waits for its import where no terminal is.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, TaskID] = {}
        clock = _Clock()

        def tell(batch: Batch) -> None:
            name = batch.stage
            if name not in bars:
                bars[name] = progress.add_task(name, total=None, count="", rate="")
            whole = batch.total if batch.total is not None else batch.done if batch.ended else None
            done = (whole or 1) if batch.ended else batch.done
            progress.update(
                bars[name],
                completed=done,
                total=(whole or 1) if batch.ended else whole,
                count=_count(batch),
                rate=clock.rate(batch),
            )

        yield tell


class _Lines:
    """A line when a stage begins and ends, and now and then in between."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._clock = _Clock()

    def tell(self, batch: Batch) -> None:
        now = time.monotonic()
        if not batch.ended and now - self._said.get(batch.stage, -EVERY) < EVERY:
            return
        self._said[batch.stage] = now
        parts = [_count(batch), self._clock.rate(batch), self._clock.left(batch)]
        line = ", ".join(part for part in parts if part)
        print(f"{batch.stage}: {line}", file=sys.stderr, flush=True)


class _Clock:
    """How fast the stages go. They come one after another."""

    def __init__(self) -> None:
        self._stage = ""
        self._from = self._last = time.monotonic()

    def rate(self, batch: Batch) -> str:
        per_second = self._per_second(batch)
        return f"{per_second:,.1f} {batch.unit}/s" if per_second else ""

    def left(self, batch: Batch) -> str:
        """The time left, in words; "" where nobody can know or nothing is left."""
        per_second = self._per_second(batch)
        if batch.ended or not per_second or batch.total is None:
            return ""
        return f"{max(batch.total - batch.done, 0) / per_second:,.0f} s left"

    def _per_second(self, batch: Batch) -> float:
        if batch.stage != self._stage:
            self._stage, self._from = batch.stage, self._last
        self._last = time.monotonic()
        return batch.done / max(self._last - self._from, 0.001)


def _count(batch: Batch) -> str:
    if batch.ended and not batch.done and any(not gap.minor for gap in batch.gaps):
        return "not read"
    of = f" of {batch.total:,}" if batch.total else ""
    return f"{batch.done:,}{of} {batch.unit}"
