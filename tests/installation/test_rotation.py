"""A key is exchanged for another while everything goes on."""

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connections as databases
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from seatwise import audit, connections, installation, keys
from seatwise.cli import keys as command
from seatwise.connectors.errors import KeptBack
from seatwise.models import AuditEvent, Authorization, Connection, Service, User
from tests.conftest import read
from tests.installation.vaulted import everywhere, grant, opened, program_settings, ring
from tests.journey import programs
from tests.sandboxes import Running

OLD = os.environ["SEATWISE_ENCRYPTION_KEYS"]
NEW = "bmV3LW9ubHktbmV3LW9ubHktbmV3LW9ubHktbmV3LW8="
OLD_ID, NEW_ID = ring(OLD).first, ring(NEW).first
PATIENCE = 60.0  # seconds


@pytest.mark.fault(86)
def test_after_a_rotation_the_old_key_has_no_uses_and_the_new_one_alone_opens_all(
    service: Service, admin: User, settings: Settings
) -> None:
    installation.check()
    everywhere(service, admin, each=3)
    secrets = opened()
    settings.ENCRYPTION_KEYS = ring(NEW, OLD)

    done = keys.rotate()

    assert done.resealed == {
        "connection": 9,
        "authorization": 6,
        "channel": 6,
        "revocation": 3,
        "installation": 1,
    }
    assert set(keys.uses()) == {NEW_ID}
    settings.ENCRYPTION_KEYS = ring(NEW)
    assert opened() == secrets
    assert installation.check() == []
    assert keys.rotate().count == 0
    (noted,) = AuditEvent.objects.filter(action="keys_rotated")
    assert noted.detail["resealed"] == done.resealed


@pytest.mark.fault(86)
def test_what_does_not_open_is_named_and_left_and_the_rest_is_done(
    service: Service, admin: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.check()
    everywhere(service, admin, each=2)
    first, second = Connection.objects.order_by("pk")
    moved = first.access_token
    Connection.objects.filter(pk=second.pk).update(access_token=moved)
    settings.ENCRYPTION_KEYS = ring(NEW, OLD)

    with audit.acting("command line", who="grace"):
        assert command.rotate() == 1

    said = capsys.readouterr().out
    assert f"connection {second.pk}, access_token: The secret was altered or moved" in said
    assert moved[20:] not in said
    assert "canary" not in said
    second.refresh_from_db()
    assert second.access_token == moved
    assert keys.uses()[OLD_ID] == {"connection": 1}
    assert command.status() == 0
    assert re.search(rf"{OLD_ID}.*opens only.*1 in connection", capsys.readouterr().out)
    with audit.acting("command line", who="grace"):
        assert command.accept(yes=True) == 0
    told = AuditEvent.objects.filter(action__in=["keys_rotated", "keys_accepted"])
    assert [event.actor for event in told] == ["grace", "grace"]
    assert command.status() == 0
    assert re.search(rf"{OLD_ID}.*opens only.*nothing.*may be removed", capsys.readouterr().out)
    settings.ENCRYPTION_KEYS = ring(OLD)
    assert command.status() == 1
    assert re.search(rf"{NEW_ID}.*missing", capsys.readouterr().out)


@pytest.mark.fault(86)
def test_a_process_with_the_old_list_keeps_back_and_fails_nothing(
    connection: Connection, vendor: Running, settings: Settings
) -> None:
    installation.check()
    settings.ENCRYPTION_KEYS = ring(NEW, OLD)
    keys.rotate()
    vendor.forget_requests()
    before = grant()

    settings.ENCRYPTION_KEYS = ring(OLD)  # a process that nobody has started again
    with pytest.raises(KeptBack):
        connections.fresh_token(connection.pk)
    run = read(connection)
    assert run.state == "retry_at"
    assert vendor.requests() == []
    assert grant() == before
    assert connection.state == "active"

    settings.ENCRYPTION_KEYS = ring(NEW)  # the next worker that takes the run
    assert read(connection).state in {"done", "done_with_notes"}
    assert connection.runs.count() == 1


@pytest.mark.fault(86)
@pytest.mark.django_db(transaction=True)
def test_tokens_renewed_during_a_rotation_are_not_lost(
    connection: Connection, vendor: Running, settings: Settings
) -> None:
    installation.check()
    settings.ENCRYPTION_KEYS = ring(NEW, OLD)
    rotating = threading.Event()
    rotating.set()

    def renew() -> int:
        renewed = 0
        try:
            while rotating.is_set() or renewed < 3:
                Connection.objects.filter(pk=connection.pk).update(expires_at=timezone.now())
                connections.fresh_token(connection.pk)
                renewed += 1
        finally:
            databases.close_all()
        return renewed

    def rotate() -> None:
        try:
            for turn in range(40):
                settings.ENCRYPTION_KEYS = ring(NEW, OLD) if turn % 2 else ring(OLD, NEW)
                keys.rotate()
        finally:
            rotating.clear()
            databases.close_all()

    with ThreadPoolExecutor(2) as pool:
        renewing, turning = pool.submit(renew), pool.submit(rotate)
        turning.result(PATIENCE)
        assert renewing.result(PATIENCE) >= 3
    settings.ENCRYPTION_KEYS = ring(NEW, OLD)
    keys.rotate()
    settings.ENCRYPTION_KEYS = ring(NEW)
    connection.refresh_from_db()
    assert connection.state == "active"
    Connection.objects.filter(pk=connection.pk).update(expires_at=timezone.now())
    assert connections.fresh_token(connection.pk)


@pytest.mark.fault(86)
@pytest.mark.django_db(transaction=True)
def test_a_killed_rotation_goes_on_with_the_rest_while_old_processes_still_seal(
    service: Service, admin: User, settings: Settings
) -> None:
    installation.check()
    everywhere(service, admin, each=3)
    _many_attempts(service, admin, 600)
    enough = threading.Event()
    written: dict[int, str] = {}

    def seal_with_the_old_key() -> None:
        """As a process does that was not started again: its ring knows the old key only."""
        old = ring(OLD)
        pks = list(Connection.objects.values_list("pk", flat=True))
        try:
            while not enough.wait(0.01):
                for pk in pks:
                    with transaction.atomic():
                        row = Connection.objects.select_for_update(no_key=True).get(pk=pk)
                        written[pk] = f"token {time.monotonic_ns()}"
                        row.access_token = old.seal(written[pk], row.address_of("access_token"))
                        row.save(update_fields=["access_token"])
        finally:
            databases.close_all()

    with programs.home() as home, ThreadPoolExecutor(1) as pool:
        writer = pool.submit(seal_with_the_old_key)
        try:
            _kill_midway(_rotation(home), 600)
            again = _rotation(home)
        finally:
            enough.set()
        writer.result(PATIENCE)
        said, _ = again.communicate(timeout=PATIENCE)
        assert again.returncode == 0, said
        settings.ENCRYPTION_KEYS = ring(NEW, OLD)
        keys.rotate()  # for the last word of the old process
    assert set(keys.uses()) == {NEW_ID}
    settings.ENCRYPTION_KEYS = ring(NEW)
    for pk, token in written.items():
        assert Connection.objects.get(pk=pk).unseal("access_token") == token
    assert len(opened()) == 600 + 8 * 3 + 1
    assert installation.check() == []


def _many_attempts(service: Service, user: User, count: int) -> None:
    now = timezone.now()
    rows = []
    for number in range(count):
        row = Authorization(
            service=service, user=user, state_hash=f"many-{number}", session_hash="", asked=[]
        )
        row.created_at = now
        row.seal("verifier", f"canary verifier {number}")
        rows.append(row)
    Authorization.objects.bulk_create(rows)


def _kill_midway(rotation: "subprocess.Popen[str]", count: int) -> None:
    until = time.monotonic() + PATIENCE
    while keys.uses().get(NEW_ID, {}).get("authorization", 0) < 20:
        assert rotation.poll() is None, rotation.communicate()
        assert time.monotonic() < until
    rotation.kill()
    rotation.communicate()
    left = keys.uses()[OLD_ID]
    assert 0 < left["authorization"] < count
    assert left["installation"] == 1  # what proves the keys comes last


def _rotation(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "seatwise", "keys", "rotate"],
        env=programs.environment(home, **program_settings(f"{NEW},{OLD}")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
