"""The end of a grant: erased here at once, told the vendor until it heard, and no call after it."""

import threading
import time
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from django.db import connections as databases
from django.utils import timezone

from seatwise import connections, installation, sync
from seatwise.connections.revocation import PAUSES
from seatwise.models import (
    AuditEvent,
    Connection,
    Member,
    Revocation,
    Service,
    SyncRun,
    Upload,
    UsagePoint,
    User,
)
from tests.conftest import authorize, read
from tests.sandboxes import Running


def told(vendor: Running) -> int:
    return len(vendor.requests("/identity/oauth/revoke"))


def still_opens(vendor: Running, token: str) -> bool:
    asked = {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{vendor.settings['API_URL']}/users", headers=asked).status_code == 200


def test_revoking_erases_the_tokens_and_the_vendor_confirms(
    connection: Connection, vendor: Running, admin: User
) -> None:
    token = connections.fresh_token(connection.pk)
    connections.revoke(connection, by=admin, erase=False)
    connection.refresh_from_db()
    assert (connection.access_token, connection.refresh_token) == ("", "")
    assert (connection.credential, connection.next_sync_at) == ("", None)
    assert connection.state == "disconnected"
    assert connection.revocation == "PagerDuty confirmed that the authorization is revoked."
    assert not still_opens(vendor, token)
    row = Revocation.objects.get()
    assert (row.state, row.secret, row.next_at) == ("confirmed", "", None)
    actions = AuditEvent.objects.filter(about="harbor-prod").values_list("action", flat=True)
    assert {"revoked", "revocation_confirmed"} <= set(actions)


def test_a_vendor_that_cannot_answer_is_told_again_until_it_confirms(
    connection: Connection, vendor: Running, admin: User
) -> None:
    token = connections.fresh_token(connection.pk)
    vendor.fault(path="/oauth/revoke", kind="status", status=500, times=2)
    connections.revoke(connection, by=admin, erase=False)
    assert connection.access_token == ""
    assert "did not confirm the revocation yet" in connection.revocation
    assert connection.connector is not None
    assert connection.connector.removal in connection.revocation
    assert still_opens(vendor, token), "that is why the token is kept, sealed, for another try"
    now = timezone.now()
    assert connections.tell_vendors(now) == 0
    assert told(vendor) == 1, "not before its time"
    assert connections.tell_vendors(now + timedelta(minutes=2)) == 0
    assert connections.tell_vendors(now + timedelta(minutes=4)) == 0
    assert told(vendor) == 2
    assert connections.tell_vendors(now + timedelta(minutes=8)) == 1
    connection.refresh_from_db()
    assert "confirmed" in connection.revocation
    assert not still_opens(vendor, token)


def test_a_vendor_that_never_answers_is_given_up_and_people_are_told_what_to_do(
    connection: Connection, vendor: Running, admin: User
) -> None:
    vendor.fault(path="/oauth/revoke", kind="status", status=503, times=99)
    connections.revoke(connection, by=admin, erase=False)
    now = timezone.now()
    for pause in PAUSES:
        now += pause + timedelta(seconds=1)
        connections.tell_vendors(now)
    row = Revocation.objects.get()
    assert (row.state, row.secret, row.next_at) == ("unconfirmed", "", None)
    assert told(vendor) == len(PAUSES) + 1
    connection.refresh_from_db()
    assert connection.connector is not None
    assert row.told == connection.revocation
    assert row.told.endswith(connection.connector.removal)
    assert AuditEvent.objects.filter(action="revocation_unconfirmed").count() == 1
    assert connections.tell_vendors(now + timedelta(days=9)) == 0


@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_vendor_without_a_door_for_it_is_not_asked_again(
    status: int, connection: Connection, vendor: Running, admin: User
) -> None:
    vendor.fault(path="/oauth/revoke", kind="status", status=status, times=99)
    connections.revoke(connection, by=admin, erase=False)
    row = Revocation.objects.get()
    assert (row.state, row.secret, row.tries) == ("unconfirmed", "", 1)
    assert "did not confirm" in connection.revocation


def test_a_vendor_that_hangs_does_not_hold_the_page_up(
    connection: Connection, vendor: Running, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatwise.connections.revocation.AT_ONCE", 0.3)
    vendor.fault(path="/oauth/revoke", kind="hang", delay=3)
    began = time.monotonic()
    connections.revoke(connection, by=admin, erase=False)
    assert time.monotonic() - began < 2
    assert Revocation.objects.get().state == "waiting"


def test_a_copy_tells_nobody_until_somebody_says_that_it_is_the_one(
    connection: Connection, vendor: Running, admin: User
) -> None:
    installation.check()
    installation.pause("A copy, to be looked at only.")
    connections.revoke(connection, by=admin, erase=False)
    row = Revocation.objects.get()
    assert row.state == "waiting"
    assert "is not told yet" in row.told
    assert connection.revocation == row.told
    assert connections.tell_vendors(timezone.now() + timedelta(days=1)) == 0
    assert told(vendor) == 0
    installation.adopt(admin)
    assert connections.tell_vendors(timezone.now()) == 1
    assert told(vendor) == 1


def test_a_key_can_only_be_deleted_by_people_and_that_is_said(
    vendor: Running, service: Service, admin: User
) -> None:
    keyed = connections.let_in_by_key(service, user=admin, api_key=vendor.api_key()).connection
    assert keyed is not None
    connections.revoke(keyed, by=admin, erase=False)
    assert keyed.credential == ""
    assert "delete it at PagerDuty" in keyed.revocation
    assert "API Access Keys" in keyed.revocation
    assert "the apps that you authorized" not in keyed.revocation
    assert Revocation.objects.get().state == "unconfirmed"
    assert told(vendor) == 0


def test_a_private_apps_token_is_revoked_as_that_app(
    vendor: Running, service: Service, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"SEATWISE_PAGERDUTY_{name}")
    connection = connections.let_in_by_machine(
        service,
        user=admin,
        client_id=vendor.settings["CLIENT_ID"],
        client_secret=vendor.settings["CLIENT_SECRET"],
        account_name="harbor-prod",
    ).connection
    assert connection is not None
    token = connections.fresh_token(connection.pk)
    connections.revoke(connection, by=admin, erase=False)
    assert Revocation.objects.get().state == "confirmed"
    assert not still_opens(vendor, token)
    assert "the token is revoked" in connection.revocation
    assert "delete the app" in connection.revocation, "whoever has its secret still gets in"


@pytest.fixture
def other(connection: Connection, vendor: Running, service: Service, admin: User) -> Connection:
    """A second account beside `connection`; both were read."""
    beside = authorize(vendor, service, admin, account="harbor-eu").connection
    assert beside is not None
    for each in (connection, beside):
        read(each)
    return beside


def test_erasing_with_the_revocation_takes_what_came_through_that_connection_alone(
    connection: Connection, other: Connection, vendor: Running, service: Service, admin: User
) -> None:
    connections.revoke(connection, by=admin, erase=True)
    assert (connection.checks, connection.members_as_of) == ([], None)
    assert not connection.members.exists()
    assert other.members.exists()
    back = authorize(vendor, service, admin).connection
    assert back == connection
    read(back)
    connections.revoke(other, by=admin, erase=False)
    connections.revoke(back, by=admin, erase=True)
    assert other.members.exists(), "the last grant is gone, and still only its own data goes"
    assert set(Member.objects.values_list("connection", flat=True)) == {other.pk}
    assert AuditEvent.objects.filter(action="erased", about="harbor-prod").count() == 2
    assert not AuditEvent.objects.filter(action="erased", about="harbor-eu").exists()


def test_an_account_is_erased_by_itself_once_it_holds_no_grant(
    connection: Connection, other: Connection, admin: User
) -> None:
    assert not connections.erase(connection)
    connections.revoke(connection, by=admin, erase=False)
    assert connections.erase(connection)
    assert set(Member.objects.values_list("connection", flat=True)) == {other.pk}
    connection.refresh_from_db()
    assert not connection.has_collected
    assert other.is_alive
    Connection.objects.filter(pk=other.pk).update(state="needs_reconnect")
    assert not connections.erase(other), "its grant may still live at the vendor"
    assert other.members.exists()


def test_what_holds_no_grant_any_more_is_not_revoked_a_second_time(
    connection: Connection, vendor: Running, admin: User
) -> None:
    read(connection)
    connections.revoke(connection, by=admin, erase=False)
    before = Connection.objects.values().get()
    connections.revoke(connection, by=admin, erase=False)
    assert Connection.objects.values().get() == before
    assert told(vendor) == Revocation.objects.count() == 1
    assert AuditEvent.objects.filter(action="revoked").count() == 1
    connections.revoke(connection, by=admin, erase=True)
    assert not Member.objects.exists(), "that was asked for all the same"
    assert connection.revocation == "PagerDuty confirmed that the authorization is revoked."


@pytest.mark.django_db(transaction=True)
def test_two_that_revoke_at_once_leave_the_truth(
    connection: Connection, vendor: Running, admin: User
) -> None:
    together = threading.Barrier(2)

    def revoke() -> None:
        try:
            own = Connection.objects.get(pk=connection.pk)
            together.wait(10)
            connections.revoke(own, by=admin, erase=False)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=revoke) for _ in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    connection.refresh_from_db()
    assert connection.revocation == "PagerDuty confirmed that the authorization is revoked."
    assert Revocation.objects.get().state == "confirmed"
    assert AuditEvent.objects.filter(action="revoked").count() == 1
    assert told(vendor) == 1


def test_a_try_that_is_a_day_away_names_the_day(
    connection: Connection, vendor: Running, admin: User
) -> None:
    vendor.fault(path="/oauth/revoke", kind="status", status=503, times=99)
    connections.revoke(connection, by=admin, erase=False)
    Revocation.objects.update(tries=len(PAUSES) - 1)
    now = timezone.now() + timedelta(hours=1)
    connections.tell_vendors(now)
    row = Revocation.objects.get()
    assert row.next_at == now + PAUSES[-1]
    assert f"by itself, {row.next_at:%-d %B, %H:%M} UTC" in row.told


@pytest.mark.django_db(transaction=True)
def test_many_that_tell_at_once_tell_once(
    connection: Connection, vendor: Running, admin: User
) -> None:
    vendor.fault(path="/oauth/revoke", kind="status", status=500)
    connections.revoke(connection, by=admin, erase=False)
    later = timezone.now() + timedelta(hours=1)

    def tell() -> None:
        try:
            connections.tell_vendors(later)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told(vendor) == 2
    assert Revocation.objects.get().state == "confirmed"


@pytest.mark.fault(83)
@pytest.mark.django_db(transaction=True)
def test_a_sync_in_another_thread_makes_no_call_with_the_grant_after_the_revocation(
    connection: Connection, vendor: Running, admin: User
) -> None:
    vendor.forget_requests()
    vendor.fault(latency_ms=30)
    run, _ = sync.open_run(connection, by=None)
    thread = _syncing(run.pk)
    _wait_for(lambda: len(vendor.requests()) > 12)
    connections.revoke(connection, by=admin, erase=False)
    thread.join(30)
    rows = UsagePoint.objects.count(), Member.objects.count()
    run.refresh_from_db()
    assert run.state == "cancelled"
    requests = vendor.requests()
    places = [number for number, each in enumerate(requests) if "/oauth/revoke" in each["path"]]
    assert len(places) == 1
    after = requests[places[0] + 1 :]
    assert [each for each in after if each["status"] == 200] == []
    assert [each for each in after if "/oauth/token" in each["path"]] == []
    assert len(after) <= 16, "the page that was being read, asked ahead"
    assert (UsagePoint.objects.count(), Member.objects.count()) == rows
    connection.refresh_from_db()
    assert (connection.state, connection.attention) == ("disconnected", "")


@pytest.mark.parametrize("at_once", [True, False])
def test_with_what_was_collected_a_file_that_waits_goes(
    connection: Connection, admin: User, at_once: bool
) -> None:
    Upload.objects.create(
        service=connection.service, name="a.csv", data=b"email", uploaded_at=timezone.now()
    )
    connections.revoke(connection, by=admin, erase=at_once)
    assert Upload.objects.exists() is not at_once
    connections.erase(connection)
    assert not Upload.objects.exists()


@pytest.mark.fault(84)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", [Connection, Service])
def test_what_is_deleted_while_it_is_read_leaves_nothing_behind(
    what: Any, connection: Connection, vendor: Running, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.forget_requests()
    vendor.fault(latency_ms=30)
    run, _ = sync.open_run(connection, by=None)
    raised: list[BaseException] = []
    thread = _syncing(run.pk, raised)
    _wait_for(lambda: len(vendor.requests()) > 12)
    what.objects.all().delete()
    thread.join(30)
    assert raised == []
    assert not any(record.exc_info for record in caplog.records)
    for kind in (SyncRun, Connection, Member, UsagePoint):
        assert not kind.objects.exists(), kind.__name__
    assert Revocation.objects.exists() is False or what is Connection


def _syncing(run_id: int, raised: list[BaseException] | None = None) -> threading.Thread:
    def read_on() -> None:
        try:
            sync.run(run_id)
        except BaseException as error:
            if raised is None:
                raise
            raised.append(error)
        finally:
            databases.close_all()

    thread = threading.Thread(target=read_on)
    thread.start()
    return thread


def _wait_for(so: Any) -> None:
    deadline = time.monotonic() + 20
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
