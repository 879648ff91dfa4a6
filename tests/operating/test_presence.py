"""A restore sees every program that is at work, also one that is idle or another role's."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection as database

from seatwise import backup, installation, presence
from seatwise.models import AuditEvent, User
from tests.installation.vaulted import database_url, program_settings
from tests.journey import programs
from tests.operating.restoring import KEYS, run

pytestmark = pytest.mark.django_db(transaction=True)
HELD = (
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.locktype = 'advisory' AND l.objid = %s AND l.mode = 'ShareLock' AND l.granted"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@pytest.fixture
def archive(admin: User, tmp_path: Path) -> Path:
    installation.check()
    return backup.make(tmp_path / "seatwise.backup").path


@pytest.fixture
def idle_web() -> Iterator[programs.Program]:
    """The pages alone, which nobody has asked for anything."""
    asks: dict[str, Any] = program_settings(KEYS)
    arguments = ("web", "--port", str(programs.free_port()))
    with (
        programs.home() as home,
        programs.running(*arguments, where=home, until="", **asks) as program,
    ):
        wait_until(lambda: seen() == ["seatwise web", "seatwise web"])
        yield program


def seen() -> list[str]:
    """The programs that are at work, by name."""
    with database.cursor() as cursor:
        cursor.execute(HELD, [presence.LOCK])
        return [name for (name,) in cursor.fetchall()]


def wait_until(it_is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not it_is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def asked(question: str) -> object:
    with database.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def test_nothing_is_restored_under_idle_pages_and_they_are_seen_again_after_a_restart(
    archive: Path, idle_web: programs.Program
) -> None:
    """The server ends their sessions, as a restart does."""
    refused(archive, "seatwise web")
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'seatwise web'"
        )
    wait_until(lambda: seen() == [])
    wait_until(lambda: seen() == ["seatwise web", "seatwise web"])
    assert idle_web.process.poll() is None
    refused(archive, "seatwise web")


def refused(archive: Path, name: str) -> None:
    done = run("restore", str(archive), "--replace", "--yes")
    assert done.returncode == 1
    assert "Somebody is connected to this database" in done.stderr
    assert name in done.stderr
    assert AuditEvent.objects.filter(action="restored").count() == 0


@pytest.fixture
def another_role() -> Iterator[str]:
    """Who may do little, and is not told of what kind others' sessions are."""
    name = f"{database.settings_dict['NAME']}_reader"
    with database.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN")
        try:
            yield name
        finally:
            cursor.execute(f"DROP ROLE {name}")


def test_a_program_of_another_role_is_seen(archive: Path, another_role: str) -> None:
    with psycopg.connect(database_url(), user=another_role, application_name="their worker"):
        refused(archive, "their worker")


def test_a_role_that_may_see_little_sees_the_others_nevertheless(another_role: str) -> None:
    with (
        psycopg.connect(database_url(), application_name="their worker"),
        psycopg.connect(database_url(), user=another_role) as little,
    ):
        found = little.execute(presence.COMPANY.replace("%", "%%")).fetchall()
    assert ("their worker",) in found


def test_who_comes_to_work_during_a_restore_waits_for_its_end() -> None:
    database.close()  # or what a test is told would name ourselves
    newcomer = presence.Presence()
    with psycopg.connect(database_url(), autocommit=True) as restoring:
        restoring.execute("SELECT pg_advisory_lock(%s)", [presence.LOCK])
        newcomer._thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: asked(waiting) == 1)
        assert seen() == []
        with presence.alone() as company:
            assert company  # the lock is another's
    wait_until(lambda: len(seen()) == 1)
    newcomer.end()
    wait_until(lambda: seen() == [])
    newcomer._thread.join(10)
    assert not newcomer._thread.is_alive()


def test_a_database_that_is_away_does_not_keep_a_program_from_its_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(database.settings_dict, "HOST", "/nowhere")
    with presence.at_work():
        pass
