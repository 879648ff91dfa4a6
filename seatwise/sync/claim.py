"""Who may write for a run: the newest attempt, while nobody has ended the run."""

import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from seatwise.models import Connection, SyncRun
from seatwise.models.sync_run import How, RunState
from seatwise.sync import checkpoint

MOST_TOLD = 50  # attempts that a run remembers


class Superseded(Exception):
    """The run was ended, or a newer attempt has taken it over: write nothing more."""


@dataclass(slots=True)
class Meter:
    """What reading costs: requests, those of earlier attempts included, and seconds."""

    before: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    looked: float = field(default_factory=time.monotonic)

    def follow(self, made: Counter[str]) -> None:
        """From here on a reader counts its requests there."""
        self.before += self.made
        self.made = made

    @property
    def requests(self) -> dict[str, int]:
        """Made at the vendor so far, by endpoint."""
        return dict(self.before + self.made)

    def lap(self) -> float:
        """Seconds since this was asked last."""
        before, self.looked = self.looked, time.monotonic()
        return self.looked - before


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one run."""

    run_id: int
    attempt: int
    connection: Connection
    deaths: int  # attempts at it that ended without a word
    meter: Meter

    def hold(self) -> SyncRun:
        """The run, locked for the transaction one is in. Raises Superseded."""
        run = SyncRun.objects.locked(self.run_id)
        if run is None or run.attempt != self.attempt or run.state != RunState.RUNNING:
            raise Superseded(f"attempt {self.attempt} is not the one that may write")
        run.requests = self.meter.requests
        return run


@transaction.atomic
def start(run_id: int, key: str, is_ours: Callable[[], bool] = lambda: True) -> Claim | None:
    """Begins the next attempt at a run; None where the run has ended already.

    It is counted before anything is read, so that one that takes its worker down is known by
    the next. With the same `key` it is the same attempt, begun twice because nobody knew whether
    the first time had been kept.
    """
    run = SyncRun.objects.locked(run_id)
    if run is None or not run.is_open or not is_ours():
        return None
    if not (run.attempts and run.attempts[-1].get("key") == key):
        _begin(run, key)
        run.save()
    meter = Meter(before=Counter(run.requests))
    return Claim(run.pk, run.attempt, run.connection, run.deaths, meter)


def _begin(run: SyncRun, key: str) -> None:
    now = timezone.now()
    if run.state == RunState.RUNNING and run.attempts:
        run.attempts[-1]["how"] = run.attempts[-1]["how"] or How.DIED
    run.attempt += 1
    told = {"number": run.attempt, "worker": _here(), "began": now.isoformat(), "key": key}
    run.attempts = [*run.attempts, {**told, "ended": None, "how": ""}][-MOST_TOLD:]
    run.state, run.reason, run.remedy, run.retry_at = RunState.RUNNING, "", "", None
    run.started_at = run.started_at or now
    checkpoint.begin(run, now)
    ended = {part.stage for part in checkpoint.kept(run) if part.ended}
    run.stages = {
        name: stage if name in ended else {"seconds": stage.get("seconds", 0.0)}
        for name, stage in run.stages.items()
    }


def _here() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:100]
