"""`seatwise backup` and `seatwise restore`: all of it or nothing, and paused afterwards."""

import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection as database
from django.test import Client

from seatwise import backup, installation, sync, tasks
from seatwise.backup import Archive, NotPossible
from seatwise.models import AuditEvent, Connection, Installation, Member, Service, SyncRun, User
from seatwise.models.sync_run import RunState
from tests.conftest import read
from tests.installation.copying import living_in
from tests.installation.vaulted import database_url, program_settings
from tests.journey import programs
from tests.operating.disks import small_disk
from tests.operating.restoring import (
    KEYS,
    NOT_BROUGHT,
    OF_THE_PLACE,
    cut,
    empty_database,
    rows,
    run,
)
from tests.pages import rows as row_of
from tests.sandboxes import Running

DAMAGED = r"cut off or damaged|cannot be read as a backup"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def synced(connection: Connection, as_admin: Client) -> Connection:
    """An installation with an account that was read, and somebody who is signed in."""
    installation.check()
    assert read(connection).state in (RunState.DONE, RunState.DONE_WITH_NOTES)
    as_admin.get("/")
    return connection


def test_what_was_backed_up_is_restored_row_for_row_and_syncs_only_when_adopted(
    synced: Connection, vendor: Running, tmp_path: Path, admin: User
) -> None:
    waiting, _ = sync.open_run(synced, by=None)
    waiting.state = RunState.RUNNING  # as if its worker was lost with the machine
    waiting.save()
    path = tmp_path / "seatwise.backup"
    done = run("backup", str(path))
    assert done.returncode == 0, done.stderr
    assert "40 members" in done.stdout.replace(str(Member.objects.count()), "40")
    assert "Not in it: the keys" in done.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert AuditEvent.objects.get(action="backed_up").about == path.name
    before = rows()
    vendor.forget_requests()
    with empty_database() as empty:
        done = run("restore", str(path), where=empty)
        assert done.returncode == 0, done.stderr
        assert "seatwise installation adopt" in done.stdout
        after = rows(empty)
        assert set(before) == set(after)
        wrong = [name for name in before if before[name] != after[name]]
        assert set(wrong) <= {*NOT_BROUGHT, *OF_THE_PLACE, "seatwise_auditevent_id_seq"}
        assert not any(after[name] for name in NOT_BROUGHT)
        with living_in(empty):
            _stays_quiet_until_adopted(waiting, vendor)


def _stays_quiet_until_adopted(waiting: SyncRun, vendor: Running) -> None:
    row = Installation.objects.get()
    assert "This is a backup of" in row.paused_why
    assert AuditEvent.objects.get(action="restored").about == "seatwise.backup"
    tasks.carry_out(waiting.pk, stopping=lambda: False)
    waiting.refresh_from_db()
    assert waiting.is_open
    assert "This is a backup of" in waiting.reason
    assert vendor.requests() == []
    assert installation.adopt()
    tasks.carry_out(waiting.pk, stopping=lambda: False)
    waiting.refresh_from_db()
    assert waiting.state in (RunState.DONE, RunState.DONE_WITH_NOTES)
    listed = {each["id"] for each in vendor.truth()["members"]}
    assert set(Member.objects.current().values_list("external_id", flat=True)) == listed


def test_no_file_is_overwritten_unless_asked(admin: User, tmp_path: Path) -> None:
    path = tmp_path / "seatwise.backup"
    path.write_text("something dear")
    with pytest.raises(NotPossible, match=r"is there already.*--force"):
        backup.make(path)
    assert path.read_text() == "something dear"
    made = backup.make(path, force=True)
    assert made.counts["people who sign in"] == 1
    assert path.stat().st_size == made.size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with pytest.raises(NotPossible, match="is a folder"):
        backup.make(tmp_path)
    with pytest.raises(NotPossible, match="No such file"):
        backup.make(tmp_path / "nowhere" / "it")


def _command_lines() -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        try:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # no process, or no more
    return found


def test_a_backup_is_of_one_moment_while_syncs_go_on(tmp_path: Path, service: Service) -> None:
    """People come while it is written; those counted are those that are in it."""
    account = row_of.connection(service)
    stop = threading.Event()

    def come() -> None:
        with psycopg.connect(database_url(), autocommit=True) as other:
            number = 0
            while not stop.is_set():
                number += 1
                other.execute(
                    "INSERT INTO seatwise_member (connection_id, external_id, email, name, role,"
                    " invited, url, job_title, teams, first_listed_at, last_seen_source,"
                    " last_seen_proof) VALUES (%s, %s, '', '', '', false, '', '', '{}', now(),"
                    " '', '')",
                    [account.pk, f"new{number}"],
                )

    crowd = threading.Thread(target=come)
    crowd.start()
    try:
        made = backup.make(tmp_path / "it")
    finally:
        stop.set()
        crowd.join()
    assert Member.objects.count() > made.counts["members"]
    with empty_database() as empty, living_in(empty):
        _restore(made.path)
        assert Member.objects.count() == made.counts["members"]


@pytest.fixture
def archive(admin: User, tmp_path: Path) -> Path:
    """A small backup, of an installation with one person in it."""
    installation.check()
    return backup.make(tmp_path / "seatwise.backup").path


def _restore(path: Path, *, replace: bool = False) -> None:
    whole = Archive.read(path)
    backup.ready_for(whole, replace=replace)
    backup.restore(whole)
    backup.settle(whole)


def test_a_file_that_is_no_whole_backup_of_ours_is_refused(archive: Path, tmp_path: Path) -> None:
    size = archive.stat().st_size
    for where in (5, 300, size // 3, size // 2, size - 200, size - 1):
        with pytest.raises(NotPossible, match=DAMAGED):
            Archive.read(cut(archive, where))
    spoilt = bytearray(archive.read_bytes())
    spoilt[-200] ^= 0xFF
    (tmp_path / "spoilt").write_bytes(spoilt)
    with pytest.raises(NotPossible, match=DAMAGED):
        Archive.read(tmp_path / "spoilt")
    (tmp_path / "text").write_text("CREATE TABLE seatwise_service")
    for path, why in ((tmp_path / "text", "is no backup"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(NotPossible, match=why):
            Archive.read(path)
    done = run("restore", str(cut(archive, size // 2)))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert User.objects.count() == 1


def test_a_backup_of_a_newer_release_is_refused(admin: User, tmp_path: Path) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('seatwise', '9999_later', now())"
        )
        try:
            made = backup.make(tmp_path / "later")
        finally:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
    with pytest.raises(NotPossible, match=r"from a newer release .* seatwise 9999_later"):
        Archive.read(made.path)


def test_what_is_there_is_only_replaced_when_asked_and_then_altogether(archive: Path) -> None:
    User.objects.create_user("late@example.com", "x", name="Came Later")
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE seatwise_of_a_later_release (id int REFERENCES seatwise_user)")
    whole = Archive.read(archive)
    with pytest.raises(NotPossible, match=r"holds Seatwise's data already.*--replace"):
        backup.ready_for(whole, replace=False)
    _restore(archive, replace=True)
    assert [user.name for user in User.objects.all()] == ["Ada Admin"]
    assert "seatwise_of_a_later_release" not in database.introspection.table_names()
    assert installation.hindrance()
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE payroll (id int)")
        try:
            with pytest.raises(NotPossible, match=r"not Seatwise's .payroll"):
                backup.ready_for(whole, replace=True)
        finally:
            cursor.execute("DROP TABLE payroll")


def test_a_restore_that_fails_leaves_everything_as_it_was(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("late@example.com", "x", name="Came Later")
    before = rows()
    whole = Archive.read(archive)
    part = cut(archive, archive.stat().st_size - 400)  # as if its disk failed in the middle
    with pytest.raises(NotPossible, match="everything is as it was"):
        backup.restore(Archive(part, whole.at, whole.schema, whole.tools, whole.listing))
    assert rows() == before


def test_nothing_is_restored_while_a_program_is_connected(archive: Path) -> None:
    with psycopg.connect(database_url(), application_name="some worker"):
        done = run("restore", str(archive), "--replace", "--yes")
        assert done.returncode == 1
        assert "Somebody is connected to this database" in done.stderr
        assert "some worker" in done.stderr
    assert AuditEvent.objects.filter(action="restored").count() == 0


def test_a_restored_schema_that_cannot_be_brought_up_to_date_is_told_and_stays_paused(
    archive: Path, tmp_path: Path
) -> None:
    """Of an earlier release, without its table of sums; what its next step makes is there."""
    newest = "FROM django_migrations WHERE app = 'seatwise' AND name LIKE '0004%'"
    with database.cursor() as cursor:
        cursor.execute("DROP TABLE seatwise_sums")
        cursor.execute(f"SELECT app, name, applied {newest}")
        row = cursor.fetchone()
        cursor.execute(f"DELETE {newest}")
        try:
            made = backup.make(tmp_path / "earlier")
        finally:
            call_command("createcachetable")
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", row
            )
    with empty_database() as empty:
        done = run("restore", str(made.path), where=empty)
        assert done.returncode == 1
        assert "It is restored, but its schema could not be brought up to date: " in done.stderr
        assert "Traceback" not in done.stderr
        with living_in(empty):
            assert User.objects.get().name == "Ada Admin"
            assert "This is a backup of" in (installation.hindrance() or "")


def test_a_killed_backup_leaves_no_file_under_its_name_and_shows_no_password(
    admin: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table's lock holds pg_dump in the middle; the next backup takes its place."""
    path = tmp_path / "seatwise.backup"
    with monkeypatch.context() as patched:
        patched.setitem(database.settings_dict, "PASSWORD", "a-password-to-look-for")
        given = program_settings(KEYS)
    with psycopg.connect(database_url()) as other, programs.home() as home:
        other.execute("LOCK TABLE seatwise_signal")
        started = subprocess.Popen(
            [sys.executable, "-m", "seatwise", "backup", str(path)],
            env=programs.environment(home, **given),
            stderr=subprocess.DEVNULL,
        )
        _wait_for_a_dump()
        lines = _command_lines()
        assert any("--format=custom" in line for line in lines)
        assert not any("a-password-to-look-for" in line for line in lines)
        with pytest.raises(NotPossible, match="Another backup is writing"):
            backup.make(path)
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert not path.exists()
    assert backup.make(path).size > 1000
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def _wait_for_a_dump() -> None:
    """Until pg_dump waits for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND application_name = 'pg_dump'"
    )
    deadline = time.monotonic() + 30
    with database.cursor() as cursor:
        while True:
            cursor.execute(waiting)
            if cursor.fetchone() == (1,):
                return
            assert time.monotonic() < deadline


@pytest.mark.fault(77)
def test_a_full_disk_is_told_and_leaves_nothing_behind(admin: User, tmp_path: Path) -> None:
    with small_disk(tmp_path, "32k"):
        with pytest.raises(NotPossible, match="cannot be written: No space left on device"):
            backup.make(tmp_path / "seatwise.backup")
        assert list(tmp_path.iterdir()) == []
    assert backup.make(tmp_path / "seatwise.backup").size > 32 * 1024


def test_a_database_without_seatwise_is_not_backed_up(tmp_path: Path, db: None) -> None:
    with empty_database() as empty, living_in(empty), pytest.raises(NotPossible, match="nothing"):
        backup.make(tmp_path / "it")
    assert list(tmp_path.iterdir()) == []
