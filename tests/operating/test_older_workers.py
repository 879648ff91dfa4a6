"""The code from before the newest migration goes on, on the schema that this migration made."""

import io
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM
from tempfile import TemporaryFile

import pytest
from django.db import connection as database
from django.db.migrations.loader import MigrationLoader

from seatwise import tasks
from seatwise.models import Connection, Member, MemberEvent, SyncRun
from seatwise.models.sync_run import RunState
from tests import canary
from tests.conftest import read
from tests.installation.vaulted import program_settings
from tests.journey import programs
from tests.operating.restoring import KEYS
from tests.sandboxes import Running

ROOT = Path(__file__).parents[2]
MIGRATIONS = "seatwise/migrations"

# What programs of that release do: look after the schema at their start, then what is wished.
WORK = """
import sys
import seatwise
from seatwise.cli.prepare import prepared
assert seatwise.__file__.startswith(sys.argv[1]), seatwise.__file__
with prepared():
    from seatwise import sync, tasks
    from seatwise.models import Connection
    (connection,) = Connection.objects.all()
    for wish in sys.argv[2:]:
        if wish == "read":
            run, _ = sync.open_run(connection, by=None)
            sync.run(run.pk)
        elif wish == "work":
            tasks.run_worker()
        elif wish == "ask":
            tasks.request_sync(connection, by=None)
        else:
            connection.refresh_from_db()
            connection.erase_collected()
            connection.save()
"""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it was before the newest migration came."""
    newest = max(name for app, name in MigrationLoader(None).disk_migrations if app == "seatwise")
    added = _git("log", "--diff-filter=A", "--format=%H", "--", f"{MIGRATIONS}/{newest}.py")
    commit = added.decode().split()[-1:] if added else []
    packed = _git("archive", f"{commit[0]}~1", "seatwise") if commit else b""
    if not packed:
        pytest.skip("the history that holds the release before is not here")
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        if hasattr(tarfile, "data_filter"):  # without it Python 3.12 warns, 3.11.3 knows none
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder)
    assert not (folder / MIGRATIONS / f"{newest}.py").exists()
    return folder


def _git(*arguments: str) -> bytes:
    """What it says; nothing where there is no git, no history, or not all of it."""
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, check=False
        )
    except FileNotFoundError:
        return b""
    return b"" if done.returncode else done.stdout


@contextmanager
def program(code: Path, vendor: Running, *wishes: str) -> Iterator[subprocess.Popen[str]]:
    """One of the release whose code that is; asked to end, and ended, behind the block."""
    with programs.home() as home, TemporaryFile("w+") as said:
        settings = program_settings(KEYS, vendor.settings)
        process = subprocess.Popen(
            [sys.executable, "-c", WORK, str(code), *wishes],
            env=programs.environment(home, PYTHONPATH=str(code), **settings),
            cwd=code,
            stdout=said,
            stderr=said,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
            said.seek(0)
            told = said.read()
            canary.write("output of another release", told)
        assert process.returncode in (0, -SIGTERM, 128 + SIGTERM), told


def work(older: Path, vendor: Running, *wishes: str) -> None:
    with program(older, vendor, *wishes) as process:
        assert process.wait(90) == 0


def schema() -> set[tuple[object, ...]]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema = 'public'"
            " UNION ALL SELECT 'migration', app, name, '', '' FROM django_migrations"
        )
        return set(cursor.fetchall())


@pytest.mark.fault(80)
@pytest.mark.django_db(transaction=True)
def test_an_older_program_reads_and_erases_on_the_newer_schema(
    older: Path, connection: Connection, vendor: Running
) -> None:
    """And the newer one goes on in between from where the older one ended."""
    before = schema()
    work(older, vendor, "read")
    assert schema() == before
    truth = {each["id"]: each["role"] for each in vendor.truth()["members"]}
    assert members() == truth
    run = SyncRun.objects.get()
    assert run.state == RunState.DONE, run.reason
    events = MemberEvent.objects.count()
    assert events >= len(truth)
    assert read(connection).state == RunState.DONE
    assert (members(), MemberEvent.objects.count()) == (truth, events)
    work(older, vendor, "erase")
    assert (Member.objects.count(), MemberEvent.objects.count(), SyncRun.objects.count()) == (
        0,
        0,
        0,
    )


@pytest.fixture
def empty_queue() -> Iterator[None]:
    """Its tables are not Django's to empty."""
    yield
    with database.cursor() as cursor:
        for table in ("jobs", "workers", "periodic_defers"):
            cursor.execute(f"DELETE FROM procrastinate_{table}")


def until_read(connection: Connection, code: Path, vendor: Running, *then: str) -> None:
    """A worker of that release takes up what is on the queue; then its wishes are carried out."""
    run = connection.runs.get(finished_at=None)
    deadline = time.monotonic() + 60
    with program(code, vendor, "work", *then) as worker:
        while run.finished_at is None:
            assert worker.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
            run.refresh_from_db()
    assert run.state == RunState.DONE, run.reason


@pytest.mark.fault(80)
@pytest.mark.django_db(transaction=True)
def test_workers_of_either_release_take_up_what_the_other_put_on_the_queue(
    older: Path, connection: Connection, vendor: Running, empty_queue: None
) -> None:
    truth = {each["id"]: each["role"] for each in vendor.truth()["members"]}
    tasks.request_sync(connection, by=None)
    assert queues() == ["sync-pagerduty"]
    until_read(connection, older, vendor, "ask")
    assert members() == truth
    events = MemberEvent.objects.count()
    assert len(queues()) == 1
    until_read(connection, ROOT, vendor)
    assert (members(), MemberEvent.objects.count()) == (truth, events)
    assert not queues()


def queues() -> list[str]:
    """Where syncs wait or are worked on."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT queue_name FROM procrastinate_jobs"
            " WHERE task_name = 'seatwise.sync_run' AND status IN ('todo', 'doing')"
        )
        return [name for (name,) in cursor.fetchall()]


def members() -> dict[str, str]:
    rows = Member.objects.current().values_list("external_id", "role")
    return dict(rows.iterator())
