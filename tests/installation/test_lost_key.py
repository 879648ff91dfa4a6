"""The key is wrong or lost: said at the start, and nothing is harmed by it."""

import os
import signal
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections as databases
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from seatwise import connections, installation, keys
from seatwise.connections.care import look_after
from seatwise.connectors.errors import KeptBack
from seatwise.models import (
    AuditEvent,
    Authorization,
    Connection,
    Member,
    Revocation,
    Service,
    User,
)
from seatwise.vault import new_key
from tests.conftest import authorize, read
from tests.installation.vaulted import (
    everywhere,
    grant,
    opened,
    program_settings,
    ring,
    the_installation,
)
from tests.journey import programs
from tests.pages import rows
from tests.sandboxes import Running

OURS = os.environ["SEATWISE_ENCRYPTION_KEYS"]
OTHER = new_key()
PATIENCE = 30.0  # seconds


def test_with_the_right_keys_nothing_is_said(db: None) -> None:
    assert installation.check() == []
    assert installation.check() == []
    assert installation.hindrance() is None


@pytest.mark.fault(85)
def test_a_wrong_key_is_said_at_each_start_and_noted_once_a_day(
    db: None, settings: Settings
) -> None:
    installation.check()
    settings.ENCRYPTION_KEYS = ring(OTHER)
    for _ in range(3):
        (told,) = installation.check()
        assert ring(OURS).first in told
        assert ring(OTHER).first in told
        assert "Pages stay readable" in told
        assert "seatwise keys accept" in told
    (noted,) = AuditEvent.objects.filter(action="keys_refused")
    assert noted.about == f"key {ring(OURS).first}"
    assert OTHER not in str(vars(noted)) + told


@pytest.mark.fault(85)
def test_with_a_wrong_key_no_vendor_is_asked_and_the_right_one_heals_everything(
    connection: Connection,
    vendor: Running,
    settings: Settings,
    admin: User,
    as_admin: Client,
    as_viewer: Client,
) -> None:
    read(connection)
    installation.check()
    members = Member.objects.count()
    before = grant()
    settings.ENCRYPTION_KEYS = ring(OTHER)
    installation.check()
    vendor.forget_requests()

    with pytest.raises(KeptBack, match="do not fit"):
        connections.fresh_token(connection.pk, rejected="pdus+_whatever")
    with pytest.raises(KeptBack):
        connections.begin(connection.service, user=admin, session_key="s")
    look_after(timezone.now())
    assert connections.tell_vendors(timezone.now()) == 0
    assert read(connection).state == "retry_at"
    assert vendor.requests() == []

    for path in ("/", "/services/pagerduty/", "/services/pagerduty/members/", "/users/"):
        page = as_admin.get(path)
        assert page.status_code == 200
        assert "do not fit" in page.content.decode(), path
        assert 'id="accept-keys"' in page.content.decode(), path
        page = as_viewer.get(path)
        assert "Ask Ada Admin" in page.content.decode(), path
        assert "accept-keys" not in page.content.decode(), path
    assert Member.objects.count() == members > 0

    settings.ENCRYPTION_KEYS = ring(OURS)
    assert installation.check() == []
    assert grant() == before
    assert connections.fresh_token(connection.pk)
    assert read(connection).state in {"done", "done_with_notes"}
    assert "do not fit" not in as_admin.get("/").content.decode()


@pytest.mark.fault(85)
def test_a_key_that_is_lost_for_good_is_given_up_and_integrating_again_goes_on(
    connection: Connection,
    vendor: Running,
    service: Service,
    admin: User,
    settings: Settings,
    as_admin: Client,
) -> None:
    read(connection)
    installation.check()
    members = Member.objects.count()
    settings.ENCRYPTION_KEYS = ring(OTHER)
    vendor.forget_requests()

    answer = as_admin.post("/installation/keys/", follow=True)

    assert "Integrate again" in answer.content.decode()
    assert vendor.requests() == []
    connection.refresh_from_db()
    assert connection.state == "needs_reconnect"
    assert "given up as lost" in connection.attention
    assert not any(getattr(connection, name) for name in connection.SEALED_FIELDS)
    assert Member.objects.count() == members > 0
    assert AuditEvent.objects.get(action="keys_accepted").actor.startswith("Ada Admin")
    assert installation.check() == []
    attempt = authorize(vendor, service, admin)
    assert attempt.connection == connection, attempt.message
    assert read(connection).state in {"done", "done_with_notes"}


@pytest.mark.fault(85)
def test_giving_up_a_key_spares_what_opens_and_settles_what_does_not(
    service: Service, admin: User, settings: Settings
) -> None:
    installation.check()
    everywhere(service, admin, each=2)
    settings.ENCRYPTION_KEYS = ring(OTHER)
    kept = Connection.objects.get(account_id="E0")
    for name in kept.SEALED_FIELDS:
        kept.seal(name, "still known")
    kept.save()

    given_up = installation.accept_keys(admin)

    assert not AuditEvent.objects.filter(action="secret_refused").exists()
    assert [each.account_id for each in given_up.connections] == ["E1"]
    assert (given_up.revocations, given_up.authorizations) == (2, 2)
    assert set(Revocation.objects.values_list("state", "secret", "next_at")) == {
        ("unconfirmed", "", None)
    }
    kept.refresh_from_db()
    assert kept.state == "active"
    assert set(opened().values()) == {"still known", "The keys of this installation open this."}
    assert installation.accept_keys(admin).count == 0
    assert AuditEvent.objects.filter(action="keys_accepted").count() == 1


@pytest.mark.fault(87)
def test_what_was_altered_is_not_told_as_a_lost_key(service: Service, admin: User) -> None:
    installation.check()
    everywhere(service, admin, each=2)
    for kind, field in ((Connection, "access_token"), (Revocation, "secret")):
        first, second = kind.rows().order_by("pk")
        kind.rows().filter(pk=first.pk).update(**{field: getattr(second, field)})
    attempt = Authorization.objects.order_by("pk")[0]
    Authorization.objects.filter(pk=attempt.pk).update(held=attempt.verifier)

    given_up = installation.accept_keys(admin)

    assert given_up.count == 3
    moved = "The secret was altered or moved from another row."
    refused = AuditEvent.objects.filter(action="secret_refused").order_by("pk")
    assert [(event.service, event.said) for event in refused] == [("pagerduty", moved)] * 3
    assert [list(event.detail) for event in refused] == [
        ["authorization"],
        ["revocation"],
        ["connection"],
    ]
    told = [
        given_up.connections[0].attention,
        Revocation.objects.get(state="unconfirmed").told,
        Authorization.objects.get(outcome="failed").message,
    ]
    for sentence in told:
        assert moved in sentence
        assert "lost" not in sentence
    assert "lost" not in AuditEvent.objects.get(action="keys_accepted").said


@pytest.mark.fault(85)
def test_an_admin_is_told_what_is_left_to_do_at_the_vendor(
    service: Service, settings: Settings, as_admin: Client
) -> None:
    installation.check()
    waiting = Revocation(service=service, why="Gone.", created_at=timezone.now())
    waiting.seal("secret", "told by nobody")
    waiting.save()
    settings.ENCRYPTION_KEYS = ring(OTHER)
    answer = as_admin.post("/installation/keys/", follow=True).content.decode()
    assert "end 1 authorization and cannot be told any more: end that there by hand" in answer


@pytest.mark.fault(85)
@pytest.mark.django_db(transaction=True)
def test_giving_up_a_key_waits_for_whoever_is_telling_a_vendor(
    connection: Connection, service: Service, settings: Settings
) -> None:
    """A revocation is locked before its connection; the other way round they would block."""
    installation.check()
    waiting = Revocation(
        service=service, connection=connection, why="Gone.", created_at=timezone.now()
    )
    waiting.seal("secret", "told meanwhile")
    waiting.save()
    settings.ENCRYPTION_KEYS = ring(OTHER)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            row = Revocation.objects.select_for_update().get()
            giving_up = pool.submit(_accept_keys)
            _until_somebody_waits_for_us()
            row.state, row.secret = "confirmed", ""
            row.save()
            Connection.objects.update(revocation="It heard.")
        given_up = giving_up.result(timeout=PATIENCE)
    assert (len(given_up.connections), given_up.revocations) == (1, 0)
    assert Revocation.objects.get().state == "confirmed"
    connection.refresh_from_db()
    assert connection.revocation == "It heard."


def _accept_keys() -> keys.GivenUp:
    try:
        return installation.accept_keys()
    finally:
        databases.close_all()


def _until_somebody_waits_for_us() -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with databases["default"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.fault(85)
def test_a_first_start_with_a_wrong_key_does_not_take_it_for_the_right_one(
    service: Service, admin: User, settings: Settings
) -> None:
    everywhere(service, admin)  # as an earlier release left it: nothing proves the keys yet
    settings.ENCRYPTION_KEYS = ring(OTHER)
    assert any("could not be proved" in told for told in installation.check())
    assert installation.hindrance()
    settings.ENCRYPTION_KEYS = ring(OURS)
    assert installation.check() == []
    assert the_installation().key_check


def test_secrets_of_a_missing_key_are_counted_at_the_start(
    service: Service, admin: User, settings: Settings
) -> None:
    everywhere(service, admin)
    settings.ENCRYPTION_KEYS = ring(OTHER)
    rows.connection(service, account_id="new")
    the_row = Connection.objects.get(account_id="new")
    the_row.seal("access_token", "by the new key")
    the_row.save()
    (told,) = installation.check()
    assert f"8 with key {ring(OURS).first}" in told
    assert installation.hindrance() is None


@pytest.mark.fault(85)
@pytest.mark.django_db(transaction=True)
def test_the_programs_start_with_a_wrong_key_and_say_so() -> None:
    installation.check()
    port = programs.free_port()
    with (
        programs.home() as home,
        programs.running(
            *("web", "--port", str(port)),
            where=home,
            until="do not fit",
            stop=signal.SIGTERM,
            **program_settings(OTHER),
        ) as web,
    ):
        said = "".join(web.said)
        assert said.count("do not fit") == 1
        assert ring(OURS).first in said
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30)
        assert page.status == 200
