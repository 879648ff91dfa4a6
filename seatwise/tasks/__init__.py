"""Background work: the only package that knows the queue.

The first job of a run is put on the queue in the same transaction as the run, so neither exists
without the other; should a later one get lost, `rescue` puts the run on the queue again.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from seatwise import alerts, audit, installation, sync
from seatwise.connections import care
from seatwise.models import Connection, SyncRun, User
from seatwise.models.sync_run import RunState
from seatwise.sync import schedule
from seatwise.sync.lasting import lasting
from seatwise.tasks import looking, queue, rescuing, working
from seatwise.tasks.looking import look_soon
from seatwise.tasks.queue import Queue
from seatwise.tasks.rescuing import DEAD_AFTER, FORGOTTEN_AFTER

__all__ = [
    "FORGOTTEN_AFTER",
    "Queue",
    "carry_out",
    "deliver_soon",
    "give_away",
    "look_soon",
    "queue_now",
    "request_sync",
]

log = logging.getLogger(__name__)

DELIVER = "seatwise.deliver"
WORKER = "worker"  # from where its acts come, on the audit trail
SPREAD_OVER = timedelta(minutes=5)  # what is due at the same moment begins within so long
APART = timedelta(seconds=1)  # at most, between two of them
DATABASE_TROUBLE = RetryStrategy(wait=5, retry_exceptions=(OperationalError, InterfaceError))


def request_sync(connection: Connection, *, by: User | None) -> SyncRun:
    """The run that is open for this connection, or a new one on the queue.

    A run that waits for its time is tried at once when a person asks.
    """
    with transaction.atomic():
        run, is_new = sync.open_run(connection, by=by)
        if is_new:
            queue.put(run.pk)
        elif by is not None and (held := SyncRun.objects.locked(run.pk)):
            _hurry(held)
    return run


def carry_out(
    run_id: int, *, stopping: Callable[[], bool], is_ours: Callable[[], bool] = lambda: True
) -> None:
    """Reads an account; what could not be read to the end goes back on the queue."""
    again_at = sync.run(run_id, stopping=stopping, is_ours=is_ours)
    if again_at is not None:
        lasting(lambda: queue.put(run_id, at=again_at), stopping=stopping)
    else:
        looking.look_after_run(run_id)


def run_worker(heartbeat: float = working.HEARTBEAT) -> None:
    """Works off the queue until SIGTERM or SIGINT; a running sync is handed over by page.

    `heartbeat`: seconds between two signs of life. To be called in the main thread.
    """
    working.run(heartbeat)


def give_away(dead_after: float = DEAD_AFTER) -> list[int]:
    """Gives others what workers had that were not heard of for so many seconds.

    Returns the runs among it by number.
    """
    return rescuing.give_away(dead_after)


def deliver_soon() -> None:
    """Sends what is due as soon as a worker is free, and not only at the next full minute."""
    with suppress(AlreadyEnqueued), transaction.atomic():
        app.configure_task(
            DELIVER, queue=queue.CARE, lock="deliver", queueing_lock="deliver"
        ).defer(timestamp=0)


def queue_now() -> Queue:
    """What waits and what is worked on, by task, and since when the oldest waits that could run."""
    return queue.now()


@app.task(name=queue.SYNC, pass_context=True, retry=DATABASE_TROUBLE)
def sync_run(context: JobContext, run_id: int) -> None:
    """One attempt at a run."""
    with audit.acting(WORKER):
        if context.job.attempts:
            rescuing.note_interruption(run_id)
        if queue.belongs_elsewhere(run_id, queue=context.job.queue, lock=context.job.lock):
            queue.put(run_id)
        else:
            ours = partial(queue.is_doing, context.job.id)
            carry_out(run_id, stopping=context.should_abort, is_ours=ours)
            _look_at_alerts(run_id)


@app.periodic(cron="* * * * *")
@app.task(
    name="seatwise.start_due_syncs",
    queue=queue.CARE,
    lock="start_due_syncs",
    queueing_lock="start_due_syncs",
    pass_context=True,
)
def start_due_syncs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Starts what its schedule asks for; missed hours are caught up once, not many times.

    What became due together is spread, so that no vendor and no worker meets all of it at once.
    """
    if installation.hindrance():
        return
    with audit.acting(WORKER):
        _start(list(Connection.objects.due(timezone.now())))


@app.periodic(cron="*/5 * * * *")
@app.task(
    name="seatwise.look_after",
    queue=queue.CARE,
    lock="look_after",
    queueing_lock="look_after",
    pass_context=True,
)
def look_after(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Keeps unused grants alive, announces their ends, and ends those nobody wants; and removes
    uploads that nobody came back to."""
    sync.byfile.forget_old(timezone.now())
    with audit.acting(WORKER):
        care.look_after(timezone.now(), stopping=context.should_abort)


@app.periodic(cron="2-59/5 * * * *")
@app.task(
    name="seatwise.watch", queue=queue.CARE, lock="watch", queueing_lock="watch", pass_context=True
)
def watch(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Looks at every alert, and makes the weekly digests when they are due.

    Not where syncing is paused: a copy must not tell people what its original tells them.
    """
    if installation.hindrance():
        return
    with audit.acting(WORKER):
        now = timezone.now()
        alerts.watch(now)
        alerts.send_digests(now)
        alerts.forget_old(now)


@app.periodic(cron="* * * * *")
@app.task(
    name=DELIVER,
    queue=queue.CARE,
    lock="deliver",
    queueing_lock="deliver",
    pass_context=True,
)
def deliver(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Sends the messages that are due."""
    if not installation.hindrance():
        alerts.send_due(stopping=context.should_abort)


# No lock: one that died while it rescued would keep all others from rescuing it.
@app.periodic(cron="* * * * * */10")
@app.task(
    name="seatwise.rescue", queue=queue.CARE, queueing_lock="rescue", priority=1, pass_context=True
)
def rescue(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Gives a dead worker's syncs to another; the queue does not do so by itself.

    Should the worker be merely frozen, its late writes are refused: see `sync.claim`.
    """
    give_away()
    rescuing.take_up_forgotten(timezone.now())


def _hurry(run: SyncRun) -> None:
    if run.state == RunState.RETRY_AT:
        run.retry_at = timezone.now()
        run.save(update_fields=["retry_at"])
        queue.put(run.pk)
    elif run.state == RunState.QUEUED:
        queue.hasten(run.pk)


def _look_at_alerts(run_id: int) -> None:
    """At those of the service that was read just now; the watch would do so within five minutes."""
    run = SyncRun.objects.numbered(run_id)
    if run is None or run.is_open:
        return
    try:
        alerts.watch(timezone.now(), [run.connection.service])
    except Exception:  # the sync is done, whatever becomes of this
        log.exception("the alerts after run %s could not be looked at", run_id)


def _start(due: Sequence[Connection]) -> None:
    now = timezone.now()
    apart = min(APART, SPREAD_OVER / max(len(due), 1))
    for place, connection in enumerate(due):
        with transaction.atomic():
            run, is_new = sync.open_run(connection, by=None)
            if not is_new:
                continue
            if schedule.is_due(connection, now):
                queue.put(run.pk, at=now + place * apart if place else None)
            else:  # another worker has started it meanwhile, and it has ended already
                transaction.set_rollback(True)
