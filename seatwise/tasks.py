"""Background work: the only module that knows the queue.

The first job of a run is put on the queue in the same transaction as the run, so neither exists
without the other; should a later one get lost, `rescue` puts the run on the queue again.
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate import JobContext, sql
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import DeleteJobCondition, Status

from seatwise import audit, sync
from seatwise.connections import care
from seatwise.models import Connection, SyncRun, User
from seatwise.models.sync_run import RunState

log = logging.getLogger(__name__)

CONCURRENCY = 4  # syncs at once; they wait for vendors most of the time
FORGOTTEN_AFTER = timedelta(minutes=5)  # an open run that nobody touched for so long
DEAD_AFTER = 30.0  # seconds without a heartbeat after which a worker counts as dead
WORKER = "worker"  # from where its acts come, on the audit trail
GRACE = 1.0  # seconds before running syncs are asked to stop at their next page


def request_sync(connection: Connection, *, by: User | None) -> SyncRun:
    """The run that is open for this connection, or a new one on the queue.

    A run that waits to try again is tried at once when a person asks.
    """
    with transaction.atomic():
        run, is_new = sync.open_run(connection, by=by)
        hurried = by is not None and run.state == RunState.RETRY_AT
        if hurried:
            run.retry_at = timezone.now()
            run.save(update_fields=["retry_at"])
        if is_new or hurried:
            _enqueue(run.pk)
    return run


def carry_out(run_id: int, *, stopping: Callable[[], bool]) -> None:
    """Reads an account; what could not be read to the end goes back on the queue."""
    again_at = sync.run(run_id, stopping=stopping)
    if again_at is not None:
        _enqueue(run_id, at=again_at)


def run_worker() -> None:
    """Works off the queue until SIGTERM or SIGINT; a running sync is handed over by page."""
    assert isinstance(app.connector, DjangoConnector)
    worker_app = app.with_connector(app.connector.get_worker_connector())
    worker_app.run_worker(
        concurrency=CONCURRENCY,
        shutdown_graceful_timeout=GRACE,
        fetch_job_polling_interval=1.0,
        delete_jobs=DeleteJobCondition.SUCCESSFUL,
    )


@app.task(name="seatwise.sync_run", pass_context=True)
def sync_run(context: JobContext, run_id: int) -> None:
    """One attempt at a run."""
    with audit.acting(WORKER):
        carry_out(run_id, stopping=context.should_abort)


@app.periodic(cron="* * * * *")
@app.task(name="seatwise.start_due_syncs", queueing_lock="start_due_syncs", pass_context=True)
def start_due_syncs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Starts what its schedule asks for; a missed hour is caught up once, not many times."""
    with audit.acting(WORKER):
        for connection in Connection.objects.due(timezone.now()):
            request_sync(connection, by=None)


@app.periodic(cron="*/5 * * * *")
@app.task(name="seatwise.look_after", queueing_lock="look_after", pass_context=True)
def look_after(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Keeps unused grants alive, announces their ends, and ends those nobody wants."""
    with audit.acting(WORKER):
        care.look_after(timezone.now(), stopping=context.should_abort)


@app.periodic(cron="* * * * * */30")
@app.task(name="seatwise.rescue", queueing_lock="rescue", pass_context=True)
def rescue(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Gives a dead worker's syncs to another; the queue does not do so by itself.

    Should the worker be merely frozen, its late writes are refused: see `sync.claim`.
    """
    now = timezone.now()
    # The manager's own question is asynchronous only; this is the same one, asked plainly.
    stalled = app.connector.get_sync_connector().execute_query_all(
        sql.queries["select_stalled_jobs_by_heartbeat"],
        queue=None,
        task_name=sync_run.name,
        seconds_since_heartbeat=DEAD_AFTER,
    )
    for job in stalled:
        log.warning("job %s of a dead worker is tried again", job["id"])
        app.job_manager.retry_job_by_id(job["id"], retry_at=now)
    queued = _runs_on_the_queue()
    for run in SyncRun.objects.forgotten(now - FORGOTTEN_AFTER):
        if run.pk not in queued:
            log.warning("run %s was on no queue any more", run.pk)
            _enqueue(run.pk)


def _runs_on_the_queue() -> set[int]:
    found: set[int] = set()
    for status in (Status.TODO, Status.DOING):
        for job in app.job_manager.list_jobs(task=sync_run.name, status=status.value):
            told: Any = job.task_kwargs  # which this connector leaves as JSON text
            found.add((json.loads(told) if isinstance(told, str) else told)["run_id"])
    return found


def _enqueue(run_id: int, *, at: datetime | None = None) -> None:
    app.configure_task("seatwise.sync_run", lock=f"run-{run_id}", schedule_at=at).defer(
        run_id=run_id
    )
