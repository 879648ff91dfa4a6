"""How long a dead worker's sync stands still, with the product's own programs and patience."""

import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.chaos.cluster import cluster
from tests.chaos.invariants import _execute
from tests.chaos.processes import ending_with_us, send
from tests.chaos.site import connect, set_up, settings_of, steady, until, wait
from tests.chaos.vendors import vendor

WORKERS = 6
LATENCY = 2_500  # milliseconds before every answer: a sync takes minutes
PROMISED = 60.0  # seconds, for 95 of 100
RUNNING = """
SELECT id, attempt, split_part(attempts -> -1 ->> 'worker', ':', 2)::int
FROM seatwise_syncrun WHERE state = 'running' AND jsonb_array_length(attempts) = 1
"""
AFTER = "SELECT attempt, state FROM seatwise_syncrun WHERE id = %s"


def recovery(seed: int, count: int) -> int:
    """Counts first deaths: whatever took two workers down is tried alone, and may stand in line.

    Prints figures; returns 1 where it takes longer than promised, or a sync is not gone on."""
    dice, taken, lost = random.Random(seed), list[float](), 0
    with ExitStack() as stack:
        made = stack.enter_context(cluster())
        wishes: dict[str, Any] = {"users": 300, "accounts": 3, "months": 3, "incidents": 900}
        there = stack.enter_context(vendor(seed=seed, latency_ms=LATENCY, **wishes))
        settings = settings_of(made.url, there)
        set_up(settings)
        admin, _ = connect(there, 3, twins=20)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        staff = stack.enter_context(_staff(settings | {"SEATWISE_LOG_LEVEL": "INFO"}, logs))
        from seatwise import tasks
        from seatwise.models import Connection

        waiting = list[threading.Thread]()
        while len(waiting) < count:
            for connection in Connection.objects.alive():
                tasks.request_sync(connection, by=admin)
            wait(dice.uniform(2, 7))
            running = steady(lambda: _execute(RUNNING))
            busy = {pid for _, _, pid in running} & {*staff.pids()}
            if not busy:
                continue
            victim = dice.choice(sorted(busy))
            died = time.time()
            if not send(victim, signal.SIGKILL):
                continue
            staff.replace(victim)
            for run, attempt, pid in running:
                if pid == victim:
                    args = (run, attempt, died, taken)
                    waiting.append(threading.Thread(target=_watch, args=args, daemon=True))
                    waiting[-1].start()
        for thread in waiting:
            thread.join(200)
        lost = len(waiting) - len(taken)
    taken.sort()
    if not taken:
        print("nothing was killed")
        return 1
    p95 = taken[min(len(taken) - 1, round(0.95 * len(taken)) - (len(taken) > 1))]
    print(
        f"{len(taken)} syncs went on elsewhere: median {statistics.median(taken):.1f} s, p95"
        f" {p95:.1f} s, at most {taken[-1]:.1f} s from the kill to the successor’s first write;"
        f" {lost} were not gone on with"
    )
    return lost + (p95 > PROMISED)


class _Staff:
    """Workers as an operator starts them, each from the command."""

    def __init__(self, settings: dict[str, str], logs: Path) -> None:
        self._settings, self._logs = settings, logs
        self._there: dict[int, subprocess.Popen[bytes]] = {}

    def pids(self) -> list[int]:
        return [pid for pid, each in self._there.items() if each.poll() is None]

    def start(self) -> None:
        log = (self._logs / f"{time.monotonic_ns()}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "seatwise", "worker"],
            env={**os.environ, **self._settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=ending_with_us,
        )
        self._there[process.pid] = process

    def replace(self, pid: int) -> None:
        """As a supervisor does."""
        self._there.pop(pid).wait(30)
        self.start()

    def stop(self) -> None:
        for each in self._there.values():
            each.kill()
            each.wait(30)


@contextmanager
def _staff(settings: dict[str, str], logs: Path) -> Iterator[_Staff]:
    there = _Staff(settings, logs)
    try:
        for _ in range(WORKERS):
            there.start()
        yield there
    finally:
        there.stop()


def _watch(run: int, attempt: int, died: float, taken: list[float]) -> None:
    """From the kill to the first write of whoever goes on with it."""
    from django.db import connection as database

    until(lambda: _went_on(run, attempt), 180, every=0.1)
    if _went_on(run, attempt):
        taken.append(time.time() - died)
    database.close()


def _went_on(run: int, attempt: int) -> bool:
    rows = steady(lambda: _execute(AFTER, [run]))
    return not rows or rows[0][0] > attempt or rows[0][1] != "running"
