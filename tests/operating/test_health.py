"""The probes: the process, whether it can do its work, and that neither ever hangs or tells."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.db import InterfaceError
from django.db import connection as database
from django.db.backends.signals import connection_created
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from seatwise import installation, readiness
from seatwise.vault import Ring, new_key
from tests.installation.vaulted import the_installation
from tests.journey import programs
from tests.operating.disks import small_disk

READY = "database ok\nschema ok\nkeys ok\nqueue ok\ndisk ok\n"
NOBODY = "database down\nschema unknown\nkeys unknown\nqueue unknown\ndisk ok\n"


def ready() -> tuple[int, str]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.content.decode()


@pytest.fixture
def no_database() -> Iterator[None]:
    """The database's address leads nowhere, for threads that begin only now, too."""
    before = database.settings_dict["HOST"]
    database.close()
    database.settings_dict["HOST"] = "/nowhere"
    yield
    database.settings_dict["HOST"] = before


@pytest.mark.django_db(transaction=True)
def test_all_is_well_where_nothing_waits() -> None:
    installation.check()
    assert ready() == (200, READY)


@pytest.mark.django_db(transaction=True)
def test_both_probes_are_for_anybody_by_any_name_and_never_kept(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for path in ("/healthz", "/readyz"):
        answer = Client(headers={"host": "10.1.2.3:8000"}).get(path)
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        assert "Set-Cookie" not in answer.headers


@pytest.mark.django_db(transaction=True)
def test_the_process_answers_without_a_database_and_readiness_says_which(
    no_database: None,
) -> None:
    signed_in = Client()
    signed_in.cookies["sessionid"] = "somebody-who-was-here-before"
    assert signed_in.get("/healthz").content == b"ok\n"
    answer = signed_in.get("/readyz")
    assert (answer.status_code, answer.content.decode()) == (503, NOBODY)


def test_a_frozen_database_does_not_freeze_the_probes() -> None:
    """A server of its own, stopped in the middle of everything by a signal."""
    with programs.home() as where:
        port = programs.free_port()
        with programs.running(
            "serve",
            "--port",
            str(port),
            where=where,
            until="is served at",
            SEATWISE_SECRET_KEY="x" * 50,
            SEATWISE_ENCRYPTION_KEYS=new_key(),
        ):
            assert _probe(port, "readyz") == "200"
            server = int((where / "postgres" / "postmaster.pid").read_text().split()[0])
            family = [server, *_children(server)]
            _send(family, signal.SIGSTOP)
            try:
                began = time.monotonic()
                assert _probe(port, "healthz") == "200"
                assert time.monotonic() - began < 2
                assert _probe(port, "readyz") == "503"
                assert time.monotonic() - began < 8
            finally:
                _send(family, signal.SIGCONT)
            deadline = time.monotonic() + 90
            while _probe(port, "readyz") != "200":
                assert time.monotonic() < deadline


@pytest.mark.fault(85)
@pytest.mark.django_db(transaction=True)
def test_a_wrong_key_is_told_and_asks_no_vendor(settings: Settings) -> None:
    installation.check()
    settings.ENCRYPTION_KEYS = Ring.parse(new_key())
    assert ready() == (503, READY.replace("keys ok", "keys wrong"))
    assert Client().get("/healthz").status_code == 200
    the_installation().delete()
    assert ready() == (200, READY)  # nothing was ever sealed


@pytest.mark.django_db(transaction=True)
def test_a_job_that_waits_for_too_long_is_told_and_one_that_is_not_due_is_not() -> None:
    job = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at) "
        "VALUES ('default', 'seatwise.sync_run', '{}', 'todo', %s)"
    )
    now = timezone.now()
    with database.cursor() as cursor:
        try:
            cursor.execute(job, [now + timedelta(hours=1)])
            cursor.execute(job, [now - timedelta(minutes=4)])
            assert ready() == (200, READY)
            cursor.execute(job, [now - timedelta(minutes=6)])
            assert ready() == (503, READY.replace("queue ok", "queue waiting"))
        finally:
            cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.mark.django_db(transaction=True)
def test_what_waits_while_syncing_is_paused_is_no_trouble() -> None:
    """A copy without a worker is ready, too."""
    job = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at) "
        "VALUES ('default', 'seatwise.sync_run', '{}', 'todo', now() - interval '1 day')"
    )
    installation.check()
    with database.cursor() as cursor:
        try:
            cursor.execute(job)
            assert ready() == (503, READY.replace("queue ok", "queue waiting"))
            installation.pause("This is a copy to look at.")
            assert ready() == (200, READY)
        finally:
            cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_breaks_is_no_failure_of_ours() -> None:
    def broken(**_: object) -> None:
        raise InterfaceError("connection already closed")

    connection_created.connect(broken)
    try:
        assert ready() == (503, NOBODY)
    finally:
        connection_created.disconnect(broken)


@pytest.mark.django_db(transaction=True)
def test_the_log_has_a_change_once_however_often_somebody_probes(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    installation.check()
    fitting, wrong = settings.ENCRYPTION_KEYS, Ring.parse(new_key())
    ready()
    caplog.clear()
    for keys in (wrong, wrong, wrong, fitting, fitting, wrong):
        settings.ENCRYPTION_KEYS = keys
        ready()
    told = [(each.levelname, each.message) for each in caplog.records if each.levelno > 20]
    assert told == [
        ("WARNING", "not ready: keys wrong"),
        ("WARNING", "ready again"),
        ("WARNING", "not ready: keys wrong"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_schema_that_is_not_up_to_date_is_told_and_a_newer_one_is_not() -> None:
    """A worker of the release before goes on while the newer one has changed the schema."""
    newest = "SELECT app, name, applied FROM django_migrations WHERE app = 'seatwise'"
    with database.cursor() as cursor:
        cursor.execute(f"{newest} ORDER BY name DESC LIMIT 1")
        row = cursor.fetchone()
        cursor.execute("DELETE FROM django_migrations WHERE name = %s", [row[1]])
        try:
            assert ready() == (503, READY.replace("schema ok", "schema behind"))
        finally:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", row
            )
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('seatwise', '9999_later', now())"
        )
        try:
            assert ready() == (200, READY)
        finally:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")


@pytest.fixture
def held() -> Iterator[None]:
    """Somebody else holds a table that one of the checks needs."""
    other = database.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE seatwise_installation")
    yield
    other.rollback()
    other.close()


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_held_does_not_hold_the_probe(held: None) -> None:
    began = time.monotonic()
    told = "database ok\nschema ok\nkeys unknown\nqueue unknown\ndisk ok\n"
    assert ready() == (503, told)
    assert time.monotonic() - began < 6
    with database.cursor() as cursor:  # and nobody goes on waiting for the table
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_strangers_who_ask_all_at_once_share_one_look(held: None) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    most = 0
    with ThreadPoolExecutor(20) as crowd, database.cursor() as cursor:
        asked = [crowd.submit(readiness.checks) for _ in range(20)]
        while not all(each.done() for each in asked):
            cursor.execute(waiting)
            most = max(most, cursor.fetchone()[0])
    assert most == 1
    assert {each.result()["keys"] for each in asked} == {"unknown"}


@pytest.mark.fault(77)
@pytest.mark.django_db(transaction=True)
def test_a_disk_that_is_nearly_full_is_told_before_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path, "100m"):
        monkeypatch.setenv("SEATWISE_DATA_DIR", str(tmp_path))
        assert ready() == (503, READY.replace("disk ok", "disk low"))
    with small_disk(tmp_path, "600m"):
        assert ready() == (200, READY)


@pytest.mark.fault(77)
@pytest.mark.django_db
def test_admins_see_on_every_page_that_the_database_is_short_of_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_admin: Client, as_viewer: Client
) -> None:
    """Asking nothing of the database: one whose disk is full may not answer."""
    sentence = "The disk of the database is nearly full"

    def says_so(browser: Client) -> bool:
        return sentence in browser.get("/users/").content.decode()

    with small_disk(tmp_path, "600m"):
        (tmp_path / "PG_VERSION").touch()
        monkeypatch.setitem(database.settings_dict, "HOST", str(tmp_path))
        assert not says_so(as_admin)
    with small_disk(tmp_path, "100m"):
        assert not says_so(as_admin)  # that disk is no database's
        (tmp_path / "PG_VERSION").touch()
        assert says_so(as_admin)
        assert not says_so(as_viewer)
        monkeypatch.setitem(database.settings_dict, "HOST", "db.example.com")
        assert not says_so(as_admin)


def _probe(port: int, path: str) -> str:
    asked = HTTPConnection("127.0.0.1", port, timeout=30)
    asked.request("GET", f"/{path}")
    try:
        return str(asked.getresponse().status)
    finally:
        asked.close()


def _children(pid: int) -> list[int]:
    return [
        int(found)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for found in (task / "children").read_text().split()
    ]


def _send(family: list[int], number: signal.Signals) -> None:
    for pid in family:
        with suppress(ProcessLookupError):  # one that had just done its work
            os.kill(pid, number)
