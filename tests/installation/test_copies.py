"""A restored backup, or a test copy beside production, must not use the grants it brought."""

import re
import subprocess
import sys
import uuid
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from seatwise import audit, connections, installation
from seatwise.cli import standing
from seatwise.connections.care import look_after
from seatwise.connectors.errors import KeptBack
from seatwise.models import AuditEvent, Connection, Installation, Revocation, User
from tests.conftest import read
from tests.installation.copying import living_in, restored_dump
from tests.installation.vaulted import program_settings, the_connection, the_installation
from tests.journey import programs
from tests.sandboxes import Running

KEYS = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
LONG_AGO = timedelta(days=80)


@pytest.mark.fault(32)
@pytest.mark.django_db(transaction=True)
def test_a_restored_dump_makes_no_call_until_an_admin_says_that_it_goes_on(
    connection: Connection, vendor: Running, as_admin: Client, as_viewer: Client, admin: User
) -> None:
    assert installation.check() == []
    original = str(database.settings_dict["NAME"])
    Connection.objects.update(expires_at=timezone.now(), refreshed_at=timezone.now() - LONG_AGO)
    Revocation.objects.create(
        service=connection.service, why="Gone.", created_at=timezone.now(), next_at=timezone.now()
    )
    vendor.forget_requests()

    with restored_dump():
        assert the_connection().access_token  # the copy does bring the tokens along
        with pytest.raises(KeptBack, match="copy or a restored backup"):
            connections.fresh_token(connection.pk)  # before anything was started in it
        _start_sync_in_the_copy(vendor)
        (told,) = installation.check()
        assert "another database" in told
        assert AuditEvent.objects.filter(action="syncing_paused").count() == 1

        with pytest.raises(KeptBack):
            connections.fresh_token(connection.pk, rejected="whatever")
        with pytest.raises(KeptBack):
            connections.check(the_connection())
        look_after(timezone.now())
        assert connections.tell_vendors(timezone.now()) == 0
        assert read(the_connection()).state == "retry_at"
        page = as_admin.get("/services/pagerduty/").content.decode()
        assert "Syncing is paused. This is a copy or a restored backup" in page
        assert 'id="adopt"' in page
        assert "open data-modal" in as_admin.get("/?adopt").content.decode()
        assert "Ask Ada Admin" in as_viewer.get("/").content.decode()
        assert vendor.requests() == []

        with living_in(original):
            assert installation.check() == []
            assert installation.hindrance() is None

        answer = as_admin.post("/installation/adopt/", follow=True).content.decode()
        assert "must never sync again" in answer
        assert "Syncing is paused" not in answer
        assert installation.check() == []
        assert AuditEvent.objects.get(action="syncing_resumed").actor.startswith("Ada Admin")
        assert the_connection().installation == the_installation().uid
        assert connections.fresh_token(connection.pk)
        assert len(vendor.requests("/identity/oauth/token")) == 1


@pytest.mark.fault(32)
@pytest.mark.django_db(transaction=True)
def test_revoking_in_a_copy_tells_no_vendor(
    connection: Connection, vendor: Running, admin: User
) -> None:
    installation.check()
    vendor.forget_requests()
    with restored_dump():
        installation.check()
        connections.revoke(the_connection(), by=admin, erase=False)
        connections.tell_vendors(timezone.now() + timedelta(days=1))
        assert the_connection().refresh_token == ""
        assert Revocation.objects.get().state == "waiting"
        assert vendor.requests() == []
    assert connections.fresh_token(connection.pk)


@pytest.mark.fault(32)
@pytest.mark.parametrize("sign", ["system", "database", "table"])
def test_whatever_a_copy_cannot_bring_along_tells_it(db: None, sign: str) -> None:
    installation.check()
    row = the_installation()
    assert row.place[sign].isdecimal()
    row.place[sign] = "1"
    row.save()
    assert len(installation.check()) == 1
    assert the_installation().paused_at
    assert installation.adopt()
    assert installation.check() == []
    assert not installation.adopt()


@pytest.mark.fault(32)
def test_another_address_tells_a_copy_and_none_tells_nothing(db: None, settings: Settings) -> None:
    assert installation.check() == []  # the address of the tests is this machine's own
    assert "address" not in the_installation().place
    settings.BASE_URL = "https://seatwise.example.com"
    assert installation.check() == []
    settings.BASE_URL = "http://localhost:8123"  # a worker that was not told the address
    assert installation.check() == []
    assert installation.hindrance() is None
    settings.BASE_URL = "https://staging.example.com"
    assert "another address" in str(installation.hindrance())
    assert "another address" in installation.check()[0]
    settings.BASE_URL = "https://seatwise.example.com"
    assert installation.hindrance()  # it stays paused until somebody has looked


def test_a_server_that_keeps_its_identifier_to_itself_is_no_copy(db: None) -> None:
    installation.check()
    with database.cursor() as cursor:
        cursor.execute("CREATE ROLE closed; GRANT ALL ON ALL TABLES IN SCHEMA public TO closed")
        cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO closed")
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        cursor.execute("SET LOCAL ROLE closed")
    assert installation.check() == []
    assert the_installation().place["system"]


@pytest.mark.fault(32)
def test_a_grant_of_another_installation_is_not_used(
    connection: Connection, vendor: Running
) -> None:
    installation.check()
    assert installation.hindrance(the_connection()) is None
    Connection.objects.update(installation=uuid.uuid4())  # its row alone was copied here
    vendor.forget_requests()
    with pytest.raises(KeptBack):
        connections.fresh_token(connection.pk)
    assert installation.hindrance(the_connection())
    assert vendor.requests() == []


def test_grants_from_before_there_was_an_installation_are_ours(connection: Connection) -> None:
    Connection.objects.update(installation=None)
    Installation.objects.all().delete()
    assert installation.check() == []
    assert the_connection().installation == the_installation().uid
    assert connections.fresh_token(connection.pk)


def test_an_operator_pauses_before_a_snapshot_and_goes_on_after_it(
    connection: Connection, vendor: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.check()
    with audit.acting("command line", who="grace"):  # as `prepared` tells of a command
        assert standing.status() == 0
        assert standing.pause(why="A snapshot is taken.") == 0
        assert standing.pause(why="Once more.") == 0
        with pytest.raises(KeptBack, match="A snapshot is taken"):
            connections.fresh_token(connection.pk)
        assert standing.status() == 1
        assert standing.adopt(yes=True) == 0
        assert standing.adopt(yes=True) == 0
    assert connections.fresh_token(connection.pk)
    said = capsys.readouterr().out
    assert "was paused already" in said
    assert "syncs already" in said
    told = AuditEvent.objects.filter(action__in=["syncing_paused", "syncing_resumed"])
    assert [event.actor for event in told] == ["grace", "grace"]


COPIED = "copied|copy|never sync"


def answering(monkeypatch: pytest.MonkeyPatch, answer: bool) -> list[str]:
    """A person at the command line who answers all questions so; what was asked is listed."""
    asked: list[str] = []

    def confirm(words: str) -> bool:
        asked.append(words)
        return answer

    monkeypatch.setattr("typer.confirm", confirm)
    return asked


def test_going_on_after_a_mere_pause_speaks_of_no_copy(
    as_admin: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, True)
    installation.check()
    installation.pause("The vendor asked for a quiet night.")
    page = as_admin.get("/?adopt").content.decode()
    dialog = page[page.index('role="alert"') : page.index("</dialog>")]
    assert "quiet night" in dialog
    assert not re.search(COPIED, dialog)
    answer = as_admin.post("/installation/adopt/", follow=True).content.decode()
    assert "Syncing goes on." in answer
    assert not re.search(COPIED, answer)
    installation.pause("The vendor asked for a quiet night.")
    assert standing.adopt(yes=False) == 0
    told = [event.said for event in AuditEvent.objects.filter(action="syncing_resumed")]
    assert told == ["Syncing goes on."] * 2
    said = capsys.readouterr().out + asked[0]
    assert "quiet night" in said
    assert not re.search(COPIED, said)


def test_going_on_under_another_address_leaves_open_whether_it_is_a_copy(
    as_admin: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answering(monkeypatch, False)
    settings.ALLOWED_HOSTS = ["*"]
    settings.BASE_URL = "https://seatwise.example.com"
    installation.check()
    settings.BASE_URL = "https://seats.example.com"
    page = as_admin.get("/?adopt").content.decode()  # before anything was started there
    dialog = page[page.index('role="alert"') : page.index("</dialog>")]
    assert dialog.count("This may be a copy, or its address was changed") == 2
    assert "This is a copy" not in dialog
    (told,) = installation.check()
    assert "This may be a copy, or its address was changed" in told
    assert standing.adopt(yes=False) == 1
    assert "If it is a copy" in asked[0]
    assert "If it is a copy" in installation.adopt()
    assert "If it is a copy" in AuditEvent.objects.get(action="syncing_resumed").said


@pytest.mark.fault(32)
def test_what_was_paused_by_hand_and_copied_then_is_a_copy(db: None) -> None:
    installation.check()
    installation.pause("A snapshot is taken.")
    row = the_installation()
    row.place["table"] = "1"
    row.save()
    for told in (str(installation.hindrance()), *installation.check(), *installation.check()):
        assert told.count("A snapshot is taken. This is a copy or a restored backup") == 1
    assert AuditEvent.objects.filter(action="syncing_paused").count() == 2
    assert "must never sync again" in installation.adopt()


def test_nothing_is_adopted_unless_somebody_confirms(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.check()
    installation.pause("Why.")
    monkeypatch.setattr("typer.confirm", lambda _asked: False)
    assert standing.adopt(yes=False) == 1
    assert installation.hindrance()


def _start_sync_in_the_copy(vendor: Running) -> None:
    """`seatwise sync`, as somebody would who tries out a restored backup."""
    with programs.home() as home:
        done = subprocess.run(
            [sys.executable, "-m", "seatwise", "sync"],
            env=programs.environment(home, **program_settings(KEYS, vendor.settings)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert re.search("seatwise: Syncing is paused.*restored backup", done.stderr)
