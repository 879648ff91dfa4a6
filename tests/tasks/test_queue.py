"""How runs come onto the queue: once, in time, on their vendor's slots, and suspects alone."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from seatwise import sync, tasks
from seatwise.models import Connection, Service, SyncRun, User
from seatwise.tasks import queue
from tests.pages import rows
from tests.tasks.jobs import jobs, take, told, worker

DEATH = {"how": "died"}


def run_of(connection: Connection, **fields: object) -> SyncRun:
    return SyncRun.objects.create(connection=connection, created_at=timezone.now(), **fields)


def begin(run: SyncRun, *, queue: str = "sync-pagerduty", lock: str = "") -> None:
    """As the worker does that has fetched such a job."""
    job = SimpleNamespace(attempts=0, queue=queue, lock=lock or f"connection-{run.connection_id}")
    context: Any = SimpleNamespace(job=job, should_abort=lambda: True)
    tasks.sync_run.func(context, run.pk)


@pytest.fixture
def somewhere(service: Service) -> Connection:
    return rows.connection(service)


def test_each_vendors_syncs_have_a_queue_of_their_own(somewhere: Connection, admin: User) -> None:
    tasks.request_sync(somewhere, by=admin)
    strange = rows.connection(rows.service("unheard-of", "Unheard of"), account_id="X")
    tasks.request_sync(strange, by=admin)
    assert told("queue_name") == [("sync-pagerduty",), ("sync",)]
    assert queue.names() == ["sync-pagerduty", "sync", "suspects"]


def test_a_run_has_one_job_however_often_it_is_put_there(somewhere: Connection) -> None:
    run = run_of(somewhere)
    for minutes in (60, 0, 10):
        assert queue.put(run.pk, at=timezone.now() + timedelta(minutes=minutes))
    assert len(jobs()) == 1
    run.state = "done"
    run.save()
    assert not queue.put(run.pk)


def test_a_person_does_not_wait_for_the_hour_at_which_a_run_was_to_try_again(
    somewhere: Connection, admin: User
) -> None:
    """The queue lets no job pass an earlier one of the same lock, even one that is due later."""
    run = run_of(somewhere, state="retry_at", retry_at=timezone.now() + timedelta(hours=1))
    queue.put(run.pk)
    assert told("scheduled_at IS NULL") == [(False,)]
    tasks.request_sync(somewhere, by=admin)
    assert told("scheduled_at IS NULL") == [(True,)]


def test_a_person_does_not_wait_for_a_run_whose_start_was_spread(
    somewhere: Connection, admin: User
) -> None:
    run = run_of(somewhere)
    queue.put(run.pk, at=timezone.now() + timedelta(minutes=4))
    tasks.request_sync(somewhere, by=None)
    assert told("scheduled_at IS NULL") == [(False,)]
    tasks.request_sync(somewhere, by=admin)
    assert told("scheduled_at IS NULL") == [(True,)]


def test_a_run_that_its_worker_did_not_survive_twice_is_tried_alone(somewhere: Connection) -> None:
    first = run_of(somewhere, state="running", attempts=[DEATH, {"how": ""}])
    again = run_of(rows.connection(somewhere.service, account_id="P2"), state="running")
    again.attempts = [{"how": ""}]
    again.save()
    for run in (first, again):
        queue.put(run.pk)
    assert told("lock") == [("suspects",), (f"connection-{again.connection_id}",)]


def test_a_suspect_that_waits_for_its_time_holds_up_no_other(somewhere: Connection) -> None:
    run = run_of(somewhere, attempts=[DEATH, DEATH])
    queue.put(run.pk, at=timezone.now() + timedelta(hours=1))
    assert told("lock") == [(f"connection-{run.connection_id}",)]
    begin(run)  # its hour has come
    run.refresh_from_db()
    assert (run.attempt, told("lock")) == (0, [("suspects",)])


def test_a_job_of_an_earlier_release_goes_to_its_vendors_slots(somewhere: Connection) -> None:
    run = run_of(somewhere)
    begin(run, queue="default")
    run.refresh_from_db()
    assert (run.attempt, told("queue_name")) == (0, [("sync-pagerduty",)])


def test_a_run_that_the_database_interrupted_did_not_kill_its_worker(
    somewhere: Connection,
) -> None:
    run = run_of(somewhere, state="running", attempts=[{"how": ""}])
    tasks.rescuing.note_interruption(run.pk)
    run.refresh_from_db()
    assert (run.state, run.deaths) == ("queued", 0)
    assert run.attempts[-1]["how"] == "database away"


def test_the_queue_tells_what_waits_and_since_when(somewhere: Connection, admin: User) -> None:
    connection = rows.connection(somewhere.service, account_id="P2")
    assert tasks.queue_now().oldest_due is None
    later = tasks.request_sync(somewhere, by=admin)
    queue.put(later.pk, at=timezone.now() + timedelta(hours=1))
    assert tasks.queue_now().oldest_due is None
    run, _ = sync.open_run(connection, by=None)
    begun = timezone.now()
    queue.put(run.pk)
    now = tasks.queue_now()
    assert now.waiting == {"seatwise.sync_run": 2}
    assert now.oldest_due is not None
    assert abs(now.oldest_due - begun) < timedelta(minutes=5)  # of the transaction's beginning
    take(worker("1 second"))
    now = tasks.queue_now()
    assert (now.running, now.oldest_due) == ({"seatwise.sync_run": 2}, None)
    with database.cursor() as cursor:  # the second of the same lock cannot run
        cursor.execute("UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = NULL")
        cursor.execute("UPDATE procrastinate_jobs SET lock = 'a'")
    assert tasks.queue_now().oldest_due is not None
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing' WHERE id ="
            " (SELECT min(id) FROM procrastinate_jobs)"
        )
    assert tasks.queue_now().oldest_due is None
