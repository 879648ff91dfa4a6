"""What lies on the queue, workers that died, and a real worker in a thread of this process."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as database

from seatwise.tasks import working

PATIENCE = 90.0  # seconds; far more than it takes, for a busy machine


def jobs() -> list[tuple[str, str, dict[str, int]]]:
    """Task, status and arguments, oldest first."""
    found = told("task_name, status::text, args::text")
    return [(name, status, json.loads(args)) for name, status, args in found]


def told(columns: str) -> list[tuple[Any, ...]]:
    """These columns of every job, oldest first."""
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM procrastinate_jobs ORDER BY id")
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def worker(silent_for: str) -> int:
    """The number of one that gave its last sign of life so long ago, such as `5 minutes`."""
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - %s::interval) RETURNING id",
            [silent_for],
        )
        return int(cursor.fetchone()[0])


def take(number: int) -> None:
    """That worker has everything that waits."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE status = 'todo'",
            [number],
        )


def until(sentence: str, holds: Callable[[], object], patience: float = PATIENCE) -> None:
    """Waits until it holds."""
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, f"not within {patience:g} s: {sentence}"
        time.sleep(0.02)


@contextmanager
def at_work(heartbeat: float = 10.0) -> Iterator[Callable[[], None]]:
    """A worker, in a thread; gives what tells it to stop, which the end of the block does too."""
    inside: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    begun = threading.Event()

    async def life() -> None:
        inside.append((asyncio.get_running_loop(), asyncio.Event()))
        begun.set()
        await working.work(heartbeat, inside[0][1])

    def stop() -> None:
        loop, stopped = inside[0]
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopped.set)

    thread = threading.Thread(target=asyncio.run, args=[life()])
    thread.start()
    assert begun.wait(PATIENCE)
    try:
        yield stop
    finally:
        stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def cut_all_sessions() -> None:
    """All others in this database, as its operator would."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
