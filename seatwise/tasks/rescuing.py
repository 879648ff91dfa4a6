"""What became of the jobs of workers that are gone: the queue itself leaves them lying.

A sync of a worker that was killed goes on elsewhere within a minute. Its worker gave a sign of
life every 10 s and counts as dead after 30 s without one; `rescue` looks every 10 s (begun up to
0.5 s late), and a free slot sees a new job within 1 s: 30 + 10 + 0.5 + 1 < 45 s. Where the only
worker died, its successor looks when it starts. A row that a frozen worker has locked is free
after 20 s, see `settings`.
"""

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from seatwise.models import SyncRun
from seatwise.models.sync_run import How, RunState
from seatwise.tasks import queue

log = logging.getLogger(__name__)

DEAD_AFTER = 30.0  # seconds without a sign of life after which a worker counts as dead
FORGOTTEN_AFTER = timedelta(minutes=5)  # an open run that nobody touched for so long

STALLED = """
SELECT id FROM procrastinate_jobs
WHERE status = 'doing' AND (worker_id IS NULL OR worker_id IN (
    SELECT id FROM procrastinate_workers
    WHERE last_heartbeat < now() - %(seconds)s * interval '1 second'
))
ORDER BY id
"""
# Looked at once more, for the worker may have been heard of; without seconds, in any case.
TAKE_AWAY = """
DELETE FROM procrastinate_jobs
WHERE id = %(job)s AND status = 'doing' AND (
    %(seconds)s::float IS NULL OR worker_id IS NULL OR worker_id IN (
        SELECT id FROM procrastinate_workers
        WHERE last_heartbeat < now() - %(seconds)s * interval '1 second'
    )
)
RETURNING task_name, queue_name, lock, queueing_lock, args::text
"""


def give_away(dead_after: float) -> list[int]:
    """Every job of a worker that was not heard of for so many seconds; gives the runs' numbers."""
    with database.cursor() as cursor:
        cursor.execute(STALLED, {"seconds": dead_after})
        found = [number for (number,) in cursor.fetchall()]
    return _given_away(found, dead_after)


def give_away_jobs(numbers: Sequence[int]) -> list[int]:
    """These jobs, of which their worker knows nothing any more."""
    return _given_away(numbers, None)


def take_up_forgotten(now: datetime) -> None:
    """Puts open runs on the queue that are on none; those of a command line are touched often."""
    for run in SyncRun.objects.forgotten(now - FORGOTTEN_AFTER):
        if not queue.has(run.pk):
            log.warning("run %s was on no queue any more", run.pk)
            queue.put(run.pk)


@transaction.atomic
def note_interruption(run_id: int) -> None:
    """The attempt before ended with the database, not with its worker: that is no death."""
    run = SyncRun.objects.locked(run_id)
    if run is None or run.state != RunState.RUNNING:
        return
    run.state = RunState.QUEUED
    run.leave(How.DATABASE, timezone.now())
    run.save(update_fields=["state", "attempts", "touched_at"])


def _given_away(numbers: Sequence[int], dead_after: float | None) -> list[int]:
    runs: list[int] = []
    for number in numbers:
        try:
            with transaction.atomic():
                runs += _one_given_away(number, dead_after)
        except Exception:  # one that cannot be given away must not keep the others
            log.exception("job %s of a dead worker could not be given away", number)
    return runs


def _one_given_away(number: int, dead_after: float | None) -> list[int]:
    """A new job in place of the old one: a frozen worker's late word on the old is for nobody.

    What is periodic comes again by itself.
    """
    with database.cursor() as cursor:
        cursor.execute(TAKE_AWAY, {"job": number, "seconds": dead_after})
        row = cursor.fetchone()
    if row is None:  # somebody else was faster, or the worker lives
        return []
    task, where, lock, queueing_lock, args = row
    log.warning("job %s (%s) of a dead worker is given to another", number, task)
    if task == queue.SYNC:
        run_id = json.loads(args)["run_id"]
        if dead_after is None:  # its worker lives, and only could not say what became of it
            note_interruption(run_id)
        return [run_id] if queue.put(run_id) else []
    if task not in {name for name, _id in app.periodic_registry.periodic_tasks}:
        again = app.configure_task(task, queue=where, lock=lock, queueing_lock=queueing_lock)
        again.defer(**json.loads(args))
    return []
