"""What lies on the queue, and how a run comes onto it: once, and on its vendor's own slots."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from seatwise.connectors import base
from seatwise.models import SyncRun
from seatwise.models.sync_run import RunState

SYNC = "seatwise.sync_run"
CARE = "care"  # what keeps the installation alive has slots of its own
OTHERS = "sync"  # of services whose connector this process does not know
EARLIER = "default"  # where an earlier release puts everything
SUSPECTS = "suspects"  # the queue and the lock of what is tried one at a time, anywhere
SUSPECT_FROM = 2  # deaths of its workers

JOBS_OF = """
SELECT 1 FROM procrastinate_jobs
WHERE task_name = %s AND (args ->> 'run_id')::bigint = %s AND status IN ('todo', 'doing')
"""
# What waits for this run, and what waits for earlier ones of its connection, which have ended.
TAKE_OFF = """
DELETE FROM procrastinate_jobs
WHERE task_name = %s AND status = 'todo' AND (args ->> 'run_id')::bigint IN (
    SELECT run.id FROM seatwise_syncrun run WHERE run.connection_id = %s
)
"""
DOING = "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status = 'doing' FOR SHARE"
HASTEN = """
UPDATE procrastinate_jobs SET scheduled_at = NULL
WHERE task_name = %s AND (args ->> 'run_id')::bigint = %s AND status = 'todo'
AND scheduled_at > now()
"""
# Since when: from its time on, or from when it came onto the queue for the last time.
OLDEST_DUE = """
SELECT min(coalesce(job.scheduled_at, came.at))
FROM procrastinate_jobs job
LEFT JOIN LATERAL (
    SELECT max(event.at) AS at FROM procrastinate_events event
    WHERE event.job_id = job.id AND event.type IN ('deferred', 'deferred_for_retry', 'retried')
) came ON true
WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())
AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs other
    WHERE other.lock = job.lock AND other.status = 'doing'
)
"""


@dataclass(frozen=True, slots=True)
class Queue:
    """What is on the queue, counted by the task's name."""

    waiting: Counter[str]
    running: Counter[str]
    oldest_due: datetime | None  # since when the oldest waits of those that could run


def names() -> list[str]:
    """The queues of syncs, one for each connector, one for the rest, and one for suspects."""
    return [*(f"{OTHERS}-{key}" for key in sorted(base.all_connectors())), OTHERS, SUSPECTS]


def put(run_id: int, *, at: datetime | None = None) -> bool:
    """Puts a run on the queue in place of what waits there for it; False where it has ended.

    The queue lets no job pass an earlier one of the same lock, whenever that is due. So a
    suspect takes the suspects' lock only when its time has come.
    """
    with transaction.atomic():
        run = SyncRun.objects.locked(run_id)
        if run is None or not run.is_open:
            return False
        if run.retry_at is not None and run.state == RunState.RETRY_AT:
            at = run.retry_at
        if at is not None and at <= timezone.now():
            at = None
        _ask(TAKE_OFF, SYNC, run.connection_id)
        alone = at is None and _is_suspect(run)
        app.configure_task(
            SYNC,
            queue=SUSPECTS if alone else _queue_of(run.connection.service.key),
            lock=SUSPECTS if alone else f"connection-{run.connection_id}",
            schedule_at=at,
        ).defer(run_id=run_id)
    return True


def hasten(run_id: int) -> None:
    """What waits for its time is tried now."""
    _ask(HASTEN, SYNC, run_id)


def belongs_elsewhere(run_id: int, *, queue: str, lock: str | None) -> bool:
    """Whether a job that was just taken up must give way to one on other slots or alone."""
    run = SyncRun.objects.numbered(run_id)
    if run is None or not run.is_open:
        return False
    return queue == EARLIER or (_is_suspect(run) and lock != SUSPECTS)


def is_doing(job: int | None) -> bool:
    """Whether a job is still given to whoever took it up; held so for the transaction."""
    return bool(_ask(DOING, job or 0))


def has(run_id: int) -> bool:
    """Whether something waits for this run or works on it."""
    return bool(_ask(JOBS_OF, SYNC, run_id))


def now() -> Queue:
    """What waits and what is worked on at this moment."""
    counted = _ask(
        "SELECT task_name, status::text, count(*) FROM procrastinate_jobs"
        " WHERE status IN ('todo', 'doing') GROUP BY 1, 2"
    )
    waiting = Counter({task: count for task, status, count in counted if status == "todo"})
    running = Counter({task: count for task, status, count in counted if status == "doing"})
    ((oldest,),) = _ask(OLDEST_DUE)
    return Queue(waiting, running, oldest)


def _is_suspect(run: SyncRun) -> bool:
    """Whether its workers died so often that it must not be tried beside others.

    A run that is still called running is one whose last worker left without a word.
    """
    return run.deaths + (run.state == RunState.RUNNING) >= SUSPECT_FROM


def _queue_of(key: str) -> str:
    return f"{OTHERS}-{key}" if base.find(key) else OTHERS


def _ask(question: str, *given: str | int) -> list[tuple[Any, ...]]:
    with database.cursor() as cursor:
        cursor.execute(question, given)
        return cursor.fetchall() if cursor.description else []
