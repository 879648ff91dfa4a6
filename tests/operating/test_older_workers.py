"""The code from before the newest migration goes on, on the schema that this migration made."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.db import connection as database
from django.db.migrations.loader import MigrationLoader

from seatwise.models import Connection, Member, MemberEvent, SyncRun
from seatwise.models.sync_run import RunState
from tests.conftest import read
from tests.installation.vaulted import program_settings
from tests.journey import programs
from tests.operating.restoring import KEYS
from tests.sandboxes import Running

ROOT = Path(__file__).parents[2]
MIGRATIONS = "seatwise/migrations"

# What programs of that release do: look after the schema at their start, then read or erase.
WORK = """
import sys
import seatwise
from seatwise.cli.prepare import prepared
assert seatwise.__file__.startswith(sys.argv[1]), seatwise.__file__
with prepared():
    from seatwise import sync
    from seatwise.models import Connection
    (connection,) = Connection.objects.all()
    if sys.argv[2] == "read":
        run, _ = sync.open_run(connection, by=None)
        sync.run(run.pk)
    else:
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
        archive.extractall(folder, filter="data")
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


def work(older: Path, vendor: Running, wish: str) -> None:
    with programs.home() as home:
        settings = program_settings(KEYS, vendor.settings)
        done = subprocess.run(
            [sys.executable, "-c", WORK, str(older), wish],
            env=programs.environment(home, PYTHONPATH=str(older), **settings),
            cwd=older,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 0, done.stderr


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


def members() -> dict[str, str]:
    rows = Member.objects.current().values_list("external_id", "role")
    return dict(rows.iterator())
