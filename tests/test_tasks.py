"""Background work: what is put on the queue, and who takes it up when a worker dies."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.utils import timezone

from seatwise import sync, tasks
from seatwise.models import Connection, SyncRun, User
from tests.sandboxes import Running


def jobs() -> list[tuple[str, str, dict[str, int]]]:
    with database.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text, args::text FROM procrastinate_jobs")
        return [(name, status, json.loads(args)) for name, status, args in cursor.fetchall()]


def test_asking_twice_makes_one_run_and_one_job(connection: Connection, admin: User) -> None:
    first = tasks.request_sync(connection, by=admin)
    assert tasks.request_sync(connection, by=None) == first
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": first.pk})]


def test_a_run_that_waits_is_tried_at_once_when_a_person_asks_and_not_by_the_schedule(
    connection: Connection, admin: User
) -> None:
    run = SyncRun.objects.create(connection=connection, created_at=timezone.now(), state="retry_at")
    assert tasks.request_sync(connection, by=None) == run
    assert jobs() == []
    assert tasks.request_sync(connection, by=admin) == run
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": run.pk})]


def test_what_is_due_is_started_once_and_what_is_revoked_never(connection: Connection) -> None:
    Connection.objects.update(next_sync_at=timezone.now() - timedelta(days=3))
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert SyncRun.objects.count() == 1
    SyncRun.objects.all().delete()
    Connection.objects.update(state="disconnected")
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert not SyncRun.objects.exists()


@pytest.mark.fault(72)
@pytest.mark.django_db(transaction=True)
def test_a_dead_workers_job_is_given_to_another(connection: Connection, admin: User) -> None:
    tasks.request_sync(connection, by=admin)
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - interval '5 minutes') RETURNING id"
        )
        (worker,) = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    assert [status for _name, status, _ in jobs()] == ["todo"]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_an_open_run_that_is_on_no_queue_is_put_on_it_again(connection: Connection) -> None:
    run, _ = sync.open_run(connection, by=None)
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    assert jobs() == []  # somebody may be about to begin it
    SyncRun.objects.update(touched_at=timezone.now() - timedelta(minutes=6))
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": run.pk})]


@pytest.mark.usefixtures("impatient")
def test_a_run_that_could_not_be_read_comes_back_at_its_time(
    connection: Connection, vendor: Running
) -> None:
    vendor.fault(path="/users", kind="status", status=500, times=100)
    run, _ = sync.open_run(connection, by=None)
    tasks.carry_out(run.pk, stopping=lambda: False)
    run.refresh_from_db()
    assert run.state == "retry_at"
    with database.cursor() as cursor:
        cursor.execute("SELECT scheduled_at FROM procrastinate_jobs")
        assert cursor.fetchall() == [(run.retry_at,)]


def test_a_worker_that_goes_down_leaves_a_job_for_the_next(connection: Connection) -> None:
    run, _ = sync.open_run(connection, by=None)
    tasks.carry_out(run.pk, stopping=lambda: True)
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": run.pk})]
