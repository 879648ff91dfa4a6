"""What becomes of the jobs of workers that are gone."""

from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone
from procrastinate.contrib.django import app

from seatwise import sync, tasks
from seatwise.models import Connection, Service, SyncRun, User
from seatwise.tasks import queue, rescuing
from tests.pages import rows
from tests.tasks.jobs import jobs, take, told, worker


@pytest.fixture
def run(service: Service, admin: User) -> SyncRun:
    return tasks.request_sync(rows.connection(service), by=admin)


@pytest.mark.fault(72)
def test_a_dead_workers_sync_is_given_to_another_as_a_new_job(run: SyncRun) -> None:
    (before,) = told("id")
    take(worker("31 seconds"))
    assert tasks.give_away() == [run.pk]
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": run.pk})]
    assert told("id") != [before]  # so that nothing the old one still says is about the new one
    assert tasks.give_away() == []


@pytest.mark.fault(72)
def test_a_worker_that_gives_signs_of_life_keeps_its_job(run: SyncRun) -> None:
    take(worker("20 seconds"))
    assert tasks.give_away() == []
    assert tasks.give_away(dead_after=10) == [run.pk]


@pytest.mark.fault(72)
def test_a_job_whose_worker_was_struck_off_is_given_away(run: SyncRun) -> None:
    take(worker("5 minutes"))
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
    assert tasks.give_away() == [run.pk]


def test_a_run_that_waits_for_its_time_waits_on_when_its_worker_dies(run: SyncRun) -> None:
    """The worker died between noting when to try again and putting the run on the queue."""
    SyncRun.objects.update(state="retry_at", retry_at=timezone.now() + timedelta(hours=1))
    take(worker("5 minutes"))
    assert tasks.give_away() == [run.pk]
    run.refresh_from_db()
    assert told("scheduled_at") == [(run.retry_at,)]


def test_a_dead_workers_sync_that_was_stopped_meanwhile_is_not_begun_again(run: SyncRun) -> None:
    take(worker("5 minutes"))
    SyncRun.objects.update(state="cancelled")
    assert tasks.give_away() == []
    assert jobs() == []


def test_a_periodic_job_of_a_dead_worker_does_not_keep_the_next_from_running(db: None) -> None:
    """It holds its lock as long as it counts as being done."""
    app.configure_task("seatwise.start_due_syncs", lock="start_due_syncs").defer(timestamp=1)
    take(worker("5 minutes"))
    assert tasks.give_away() == []
    assert jobs() == []


def test_a_job_of_somebody_else_is_put_on_the_queue_again(db: None) -> None:
    app.configure_task("of.a.newer.release", queue="theirs", lock="a").defer(number=3)
    take(worker("5 minutes"))
    tasks.give_away()
    assert jobs() == [("of.a.newer.release", "todo", {"number": 3})]
    assert told("queue_name, lock") == [("theirs", "a")]


def test_one_job_that_cannot_be_given_away_does_not_keep_the_others(
    run: SyncRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = tasks.request_sync(rows.connection(run.connection.service, account_id="P2"), by=None)
    take(worker("5 minutes"))
    really = queue.put

    def put(run_id: int) -> bool:
        if run_id == run.pk:
            raise RuntimeError
        return really(run_id)

    monkeypatch.setattr(queue, "put", put)
    assert tasks.give_away() == [again.pk]
    assert [status for _, status, _ in jobs()] == ["doing", "todo"]


def test_jobs_that_nobody_works_on_though_their_worker_lives_are_given_back(run: SyncRun) -> None:
    take(worker("1 second"))
    (number,) = told("id")
    assert rescuing.give_away_jobs(number) == [run.pk]
    assert [status for _, status, _ in jobs()] == ["todo"]


def test_an_open_run_that_is_on_no_queue_is_put_on_it_again(service: Service) -> None:
    connection = rows.connection(service)
    run, _ = sync.open_run(connection, by=None)
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    assert jobs() == []  # somebody may be about to begin it
    SyncRun.objects.update(touched_at=timezone.now() - timedelta(minutes=6))
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": run.pk})]


def test_a_file_that_waits_for_a_person_is_put_on_no_queue(service: Service) -> None:
    sync.open_run(rows.connection(service, state="by_file"), by=None)
    SyncRun.objects.update(touched_at=timezone.now() - timedelta(hours=6))
    tasks.rescue(None, 0)  # type: ignore[arg-type]
    assert jobs() == []


def test_every_care_task_is_on_slots_that_no_sync_can_take(db: None) -> None:
    known = {name for name, _id in app.periodic_registry.periodic_tasks}
    assert known >= {"seatwise.rescue", "seatwise.start_due_syncs", "seatwise.look_after"}
    ours = {name for name in known if name.startswith("seatwise.")}
    assert {app.tasks[name].queue for name in ours} == {"care"}
    assert app.tasks["seatwise.rescue"].lock is None  # a dead one would hold it


def test_a_connection_of_a_vendor_without_connector_is_still_worked_off(db: None) -> None:
    strange: Connection = rows.connection(rows.service("unheard-of", "Unheard of"))
    tasks.request_sync(strange, by=None)
    assert told("queue_name") == [("sync",)]
