"""Background work: what is put on the queue, and who takes it up when a worker dies."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.db import connections as databases
from django.test import Client
from django.utils import timezone

from seatwise import installation, sync, tasks
from seatwise.models import Connection, Service, SyncRun, User
from tests.pages import rows
from tests.sandboxes import Running
from tests.tasks.jobs import jobs, told


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


@pytest.mark.fault(78)
@pytest.mark.django_db(transaction=True)
def test_twenty_who_ask_at_the_same_time_share_one_run_and_one_job(
    admin: User, service: Service
) -> None:
    rows.connection(service)
    together = threading.Barrier(20)

    def ask(number: int) -> tuple[int, int]:
        client = Client()
        client.force_login(admin)
        together.wait(20)
        try:
            answer = client.post("/services/pagerduty/sync/")
            return answer.status_code, SyncRun.objects.get().pk
        finally:
            databases.close_all()

    with ThreadPoolExecutor(20) as people:
        answers = list(people.map(ask, range(20)))
    run = SyncRun.objects.get()
    assert set(answers) == {(302, run.pk)}
    assert jobs() == [("seatwise.sync_run", "todo", {"run_id": run.pk})]


@pytest.mark.fault(82)
def test_hours_that_were_missed_are_caught_up_once(service: Service) -> None:
    for number in range(3):
        long_ago = timezone.now() - timedelta(days=9)
        rows.connection(service, account_id=f"P{number}", next_sync_at=long_ago)
    for _ in range(3):  # as three workers do whose clocks differ
        tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert SyncRun.objects.count() == len(jobs()) == 3


@pytest.mark.fault(82)
def test_a_schedule_that_fires_twice_starts_no_second_run_after_a_quick_first(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has looked before the first run was over, and acts after it."""
    connection = rows.connection(service, next_sync_at=timezone.now())
    seen = list(Connection.objects.due(timezone.now()))
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    SyncRun.objects.update(state="done")
    Connection.objects.update(next_sync_at=timezone.now() + timedelta(days=1))
    tasks._start(seen)
    assert list(SyncRun.objects.of_connection(connection)) == [SyncRun.objects.get()]


def test_what_is_due_together_begins_one_after_the_other_within_five_minutes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        rows.connection(service, account_id=f"P{number}", next_sync_at=timezone.now())
    begun = timezone.now()
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    first, *others = [at for (at,) in told("scheduled_at")]
    assert first is None
    later = [at for at in others if at]  # but for those whose time came while this was going on
    assert {after - before for before, after in pairwise(later)} == {timedelta(seconds=1)}
    assert later[-1] - begun < timedelta(seconds=25)
    SyncRun.objects.all().delete()
    monkeypatch.setattr(tasks, "APART", timedelta(hours=1))  # as if there were very many
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    others = [at for (at,) in told("scheduled_at")[-19:]]
    assert {after - before for before, after in pairwise(others)} == {timedelta(minutes=5) / 20}


def test_a_paused_installation_starts_nothing(service: Service) -> None:
    rows.connection(service, next_sync_at=timezone.now())
    installation.check()
    installation.pause("A snapshot is taken.")
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert not SyncRun.objects.exists()
    installation.adopt()
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert SyncRun.objects.count() == 1


def test_what_is_due_is_started_once_and_what_is_revoked_never(connection: Connection) -> None:
    Connection.objects.update(next_sync_at=timezone.now() - timedelta(days=3))
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert SyncRun.objects.count() == 1
    SyncRun.objects.all().delete()
    Connection.objects.update(state="disconnected")
    tasks.start_due_syncs(None, 0)  # type: ignore[arg-type]
    assert not SyncRun.objects.exists()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


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
