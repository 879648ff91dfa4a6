"""A real worker: its slots, its end, and what it does when the database goes away for a moment."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection as database
from django.utils import timezone

from seatwise import tasks
from seatwise.models import Connection, SyncRun
from seatwise.sync import bridge
from seatwise.tasks import queue, working
from tests.installation.vaulted import program_settings
from tests.journey import programs
from tests.sandboxes import Running
from tests.tasks import vendors
from tests.tasks.jobs import at_work, cut_all_sessions, jobs, take, told, until, worker
from tests.tasks.vendors import Door, connected

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    made = Door()
    vendors.installed(monkeypatch, made)
    yield made
    made.open = True


def states(key: str) -> set[str]:
    runs = SyncRun.objects.filter(connection__service__key=key)
    return set(runs.values_list("state", flat=True))


def test_a_vendor_that_does_not_answer_holds_up_neither_another_nor_the_rescue(
    door: Door,
) -> None:
    for number in range(8):
        tasks.request_sync(connected("stuck", number), by=None)
    lost = tasks.request_sync(connected("quick", 0), by=None)
    row = told("id")[-1]
    with database.cursor() as cursor:  # a dead worker has it, and only the rescue gets it back
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s WHERE id = %s",
            [worker("29 seconds"), *row],
        )
    with at_work():
        until("four of eight wait for their vendor", lambda: door.waiting == 4)
        tasks.request_sync(connected("quick", 1), by=None)
        until("the other vendor is read", lambda: "quick-1" in door.seen)
        until("the rescue gave away what was lost", lambda: "quick-0" in door.seen)
        assert door.waiting == 4  # the rest waits for slots of its own vendor
        assert states("stuck") == {"queued", "running"}
        door.open = True
        until("all are read", lambda: states("stuck") | states("quick") == {"done"})
    lost.refresh_from_db()
    assert lost.attempt == 1
    assert [job for job in jobs() if job[0] == queue.SYNC] == []


def test_a_worker_holds_few_sessions_for_its_queues_and_one_for_each_job(door: Door) -> None:
    before = _sessions()
    for number in range(8):
        tasks.request_sync(connected("stuck", number), by=None)
    most = 0
    with at_work():
        until("four wait for their vendor", lambda: door.waiting == 4)
        for number in range(4):
            tasks.request_sync(connected("quick", number), by=None)
            until("another is read", partial(_seen, door, f"quick-{number}"))
            most = max(most, _sessions() - before)
        door.open = True
        until("all are read", lambda: states("stuck") | states("quick") == {"done"})
    assert 4 < most <= working.SESSIONS + 4 + 1 + working.SPARE


@pytest.mark.fault(74)
def test_a_worker_that_is_told_to_end_hands_over_what_it_has_in_hand(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "GRACE", 0.0)
    run = tasks.request_sync(connected("stuck", 0), by=None)
    with at_work() as stop:
        until("it is begun", lambda: door.waiting == 1)
        stop()
    run.refresh_from_db()
    assert run.state == "queued"
    assert ("seatwise.sync_run", "todo", {"run_id": run.pk}) in jobs()
    assert _workers() == 0


@pytest.mark.fault(75)
def test_a_worker_whose_sessions_are_cut_begins_anew_and_loses_no_job(door: Door) -> None:
    with at_work(heartbeat=0.3):
        tasks.request_sync(connected("quick", 0), by=None)
        until("it works", lambda: door.seen)
        cut_all_sessions()
        tasks.request_sync(connected("quick", 1), by=None)
        until("it works again", lambda: len(door.seen) == 2)
        until("all are read", lambda: states("quick") == {"done"})


@pytest.mark.fault(75)
def test_a_job_whose_end_could_not_be_written_is_taken_up_again(door: Door) -> None:
    """Its worker lives and knows nothing of it: no other would ever take it."""
    run = tasks.request_sync(connected("quick", 0), by=None)
    dead = worker("0 seconds")
    take(dead)
    with at_work(heartbeat=0.2):
        until("it is there", lambda: _workers(but=dead) == len(working._slots()))
        with database.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET worker_id ="
                " (SELECT max(id) FROM procrastinate_workers) WHERE task_name = %s",
                [queue.SYNC],
            )
        until("it is read", lambda: states("quick") == {"done"})
    run.refresh_from_db()
    assert run.attempt == 1


@pytest.mark.fault(74)
def test_a_worker_process_ends_within_twenty_seconds_though_the_vendor_is_slow(
    connection: Connection, vendor: Running
) -> None:
    vendor.fault(path="/users", kind="slow", delay=60)
    run = tasks.request_sync(connection, by=None)
    with programs.home() as where:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatwise", "worker"],
            env=programs.environment(where, **program_settings(KEYS, vendor.settings)),
        )
        try:
            until("it is begun", lambda: _begun(run))
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert time.monotonic() - begun < 20
        finally:
            process.kill()
            process.wait()
    run.refresh_from_db()
    assert run.state == "queued"
    assert ("seatwise.sync_run", "todo", {"run_id": run.pk}) in jobs()
    assert run.touched_at <= timezone.now()


def _seen(door: Door, account: str) -> bool:
    return account in door.seen


def _sessions() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        ((count,),) = cursor.fetchall()
    return int(count)


def _begun(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.state == "running"


def _workers(but: int = 0) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_workers WHERE id <> %s", [but])
        return int(cursor.fetchone()[0])
