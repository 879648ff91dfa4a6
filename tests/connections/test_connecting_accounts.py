"""Connecting again, connecting another account, and several accounts side by side."""

import threading
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from seatwise import connections, installation
from seatwise.connections.ways import Given
from seatwise.connectors.errors import CredentialsRejected
from seatwise.models import AuditEvent, Authorization, Connection, Revocation, Service, User
from tests.conftest import SESSION, authorize, read
from tests.connections.test_connecting import answer_of, begin, token_calls
from tests.sandboxes import Running

pytestmark = pytest.mark.usefixtures("vendor")


@pytest.fixture
def asking(connection: Connection, vendor: Running, admin: User) -> Authorization:
    """The connection was to be renewed, and another account was chosen at the vendor."""
    return authorize(vendor, connection.service, admin, account="harbor-eu", renews=connection)


@pytest.mark.fault(13)
def test_another_account_stops_and_asks_and_nothing_is_changed(
    connection: Connection, asking: Authorization
) -> None:
    before = Connection.objects.values().get()
    assert asking.outcome == "asks"
    assert "harbor-prod" in asking.message
    assert "harbor-eu" in asking.message
    assert asking.held.startswith("v1.")
    assert Connection.objects.values().get() == before
    assert connections.fresh_token(connection.pk)
    assert not Revocation.objects.exists()


@pytest.mark.fault(13)
def test_the_other_account_beside_the_first_keeps_both_apart(
    connection: Connection, asking: Authorization, admin: User
) -> None:
    read(connection)
    ended = connections.decide(asking, "beside", user=admin)
    other = ended.connection
    assert ended.outcome == "connected"
    assert other is not None
    assert (other.account_name, other.region) == ("harbor-eu", "EU")
    assert (ended.held, ended.account) == ("", None)
    read(other)
    emails = [set(each.members.values_list("email", flat=True)) for each in (connection, other)]
    assert all(emails)
    assert connections.fresh_token(connection.pk) != connections.fresh_token(other.pk)
    assert Service.objects.get().accounts == [other, connection]


@pytest.mark.fault(13)
def test_the_other_account_in_its_place_revokes_the_first_and_keeps_its_data(
    connection: Connection, asking: Authorization, admin: User
) -> None:
    read(connection)
    ended = connections.decide(asking, "replace", user=admin)
    connection.refresh_from_db()
    assert connection.state == "disconnected"
    assert connection.replaced_at is not None
    assert connection.members.exists()
    assert Service.objects.get().shown_connections == [ended.connection]
    assert Revocation.objects.get().state == "confirmed"
    assert ended.remedy == (
        "The replaced authorization of harbor-prod: "
        "PagerDuty confirmed that the authorization is revoked."
    )
    assert Authorization.objects.get(pk=asking.pk).remedy == ended.remedy
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(connection.pk)


@pytest.mark.fault(13)
def test_keeping_everything_as_it_was_gives_the_new_grant_back(
    connection: Connection, asking: Authorization, admin: User, vendor: Running
) -> None:
    ended = connections.decide(asking, "cancel", user=admin)
    assert ended.outcome == "refused"
    assert ended.held == ""
    assert Connection.objects.get() == connection
    given_back = Revocation.objects.get()
    assert (given_back.state, given_back.connection, given_back.secret) == ("confirmed", None, "")
    assert connections.fresh_token(connection.pk)
    with pytest.raises(connections.NotYours, match="decided already"):
        connections.decide(asking, "beside", user=admin)


@pytest.mark.fault(13)
def test_only_who_began_it_decides_and_only_as_an_admin(asking: Authorization, admin: User) -> None:
    another = User.objects.create_user("eve@example.com", "another fine passphrase", role="admin")
    with pytest.raises(connections.NotYours, match="Only who began"):
        connections.decide(asking, "beside", user=another)
    with pytest.raises(ValueError, match="no such choice"):
        connections.decide(asking, "both", user=admin)
    User.objects.filter(pk=admin.pk).update(role="viewer")
    ended = connections.decide(asking, "replace", user=admin)
    assert ended.outcome == "refused"
    assert "no longer an admin" in ended.message
    assert Connection.objects.count() == 1
    assert Revocation.objects.get().state == "confirmed"


@pytest.mark.fault(13)
def test_a_vendor_that_cannot_confirm_the_end_of_the_replaced_account_is_told_so(
    connection: Connection, asking: Authorization, admin: User, vendor: Running
) -> None:
    vendor.fault(path="/oauth/revoke", kind="status", status=503, times=1)
    ended = connections.decide(asking, "replace", user=admin)
    assert "harbor-prod: PagerDuty did not confirm the revocation yet" in ended.remedy
    assert "the apps that you authorized" in ended.remedy


@pytest.mark.fault(13)
def test_an_account_that_was_revoked_while_somebody_chose_is_replaced_and_not_revoked_again(
    connection: Connection, asking: Authorization, admin: User, vendor: Running
) -> None:
    connections.revoke(connection, by=admin, erase=False)
    ended = connections.decide(asking, "replace", user=admin)
    connection.refresh_from_db()
    assert connection.replaced_at is not None
    assert connection.revocation == "PagerDuty confirmed that the authorization is revoked."
    assert AuditEvent.objects.filter(action="revoked").count() == 1
    assert Revocation.objects.count() == 1
    assert "harbor-prod: PagerDuty confirmed" in ended.remedy


@pytest.mark.fault(13)
@pytest.mark.fault(32)
@pytest.mark.parametrize("choice", ["beside", "replace"])
def test_a_copy_keeps_no_grant_that_was_held_and_ends_none(
    choice: str, connection: Connection, asking: Authorization, admin: User, vendor: Running
) -> None:
    installation.check()
    installation.pause("A copy, to be looked at only.")
    before = Connection.objects.values().get()
    vendor.forget_requests()
    with pytest.raises(connections.NotYours, match="A copy"):
        connections.decide(asking, choice, user=admin)
    assert Connection.objects.values().get() == before
    assert Authorization.objects.get(pk=asking.pk).outcome == "asks"
    ended = connections.decide(asking, "cancel", user=admin)
    assert ended.outcome == "refused"
    assert Revocation.objects.get().state == "waiting"
    assert vendor.requests() == []


@pytest.mark.fault(13)
def test_what_nobody_decides_in_time_is_given_back(
    connection: Connection, asking: Authorization, admin: User, vendor: Running
) -> None:
    now = timezone.now()
    assert connections.release_held(now + timedelta(minutes=14)) == 0
    assert connections.release_held(now + timedelta(minutes=16)) == 1
    assert connections.tell_vendors(timezone.now()) == 1
    asking.refresh_from_db()
    assert asking.outcome == "failed"
    assert "within 15 minutes" in asking.message
    assert asking.held == ""
    assert Revocation.objects.get().state == "confirmed"
    assert Connection.objects.get() == connection


@pytest.mark.fault(14)
def test_the_same_account_again_is_the_same_connection_and_told_so(
    connection: Connection, vendor: Running, service: Service, admin: User
) -> None:
    old = connections.fresh_token(connection.pk)
    attempt = authorize(vendor, service, admin)
    assert attempt.connection == connection
    assert "was connected already" in attempt.message
    assert attempt.remedy == (
        "The replaced authorization of harbor-prod: "
        "PagerDuty confirmed that the authorization is revoked."
    )
    assert Authorization.objects.get(pk=attempt.pk).remedy == attempt.remedy
    assert Connection.objects.count() == 1
    assert connections.fresh_token(connection.pk) != old
    assert AuditEvent.objects.filter(action="reconnected", about="harbor-prod").exists()


@pytest.mark.fault(14)
@pytest.mark.django_db(transaction=True)
def test_two_first_connections_of_one_account_at_once_become_one(
    vendor: Running, service: Service, admin: User
) -> None:
    answers = [answer_of(vendor.decide(begin(service, admin), vendor.someone())) for _ in "12"]
    outcomes: list[str] = []

    def finish(answer: dict[str, str]) -> None:
        try:
            ended = connections.finish(service.key, answer, user=admin, session_key=SESSION)
            outcomes.append(ended.outcome)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=finish, args=[answer]) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert outcomes == ["connected", "connected"]
    connection = Connection.objects.get()
    assert connection.state == "active"
    assert Revocation.objects.get().state == "confirmed"
    assert connections.fresh_token(connection.pk, rejected=connections.fresh_token(connection.pk))


@pytest.mark.fault(3)
@pytest.mark.django_db(transaction=True)
def test_one_answer_that_comes_twice_at_the_same_moment_counts_once(
    vendor: Running, service: Service, admin: User
) -> None:
    answer = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    outcomes: list[str] = []

    def finish() -> None:
        try:
            ended = connections.finish(service.key, answer, user=admin, session_key=SESSION)
            outcomes.append(ended.outcome)
        except connections.StateRejected as error:
            outcomes.append("used" if error.used else "rejected")
        finally:
            databases.close_all()

    threads = [threading.Thread(target=finish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["connected", "used"]
    assert token_calls(vendor) == 1
    assert Connection.objects.count() == 1


def test_the_old_grant_is_revoked_only_after_the_new_one_has_proved_itself(
    connection: Connection, vendor: Running, admin: User
) -> None:
    vendor.forget_requests()
    attempt = authorize(vendor, connection.service, admin, renews=connection)
    assert attempt.message == "The authorization of harbor-prod was renewed."
    row = Revocation.objects.get()
    assert (row.state, row.secret) == ("confirmed", "")
    assert "newer authorization" in row.why
    paths = [str(each["path"]) for each in vendor.requests()]
    revoked = next(place for place, path in enumerate(paths) if path.endswith("/oauth/revoke"))
    assert any("/us/" in path for path in paths[:revoked])
    assert not [path for path in paths[revoked + 1 :] if "/oauth/" in path]
    connection.refresh_from_db()
    assert connection.revocation == ""
    assert connections.fresh_token(connection.pk, rejected=connections.fresh_token(connection.pk))


@pytest.mark.parametrize(
    ("path", "status"), [("*", 401), ("/oauth/token", 500), ("*jwks.json", 404)]
)
def test_a_new_grant_that_proves_nothing_leaves_the_old_one_working(
    path: str, status: int, connection: Connection, vendor: Running, admin: User
) -> None:
    token = connections.fresh_token(connection.pk)
    where = {"region": "us"} if path == "*" else {}
    vendor.fault(path=path, kind="status", status=status, times=99, **where)
    before = Connection.objects.values().get()
    attempt = authorize(vendor, connection.service, admin, renews=connection)
    assert attempt.outcome == "failed"
    vendor.clear_faults()
    assert Connection.objects.values().get() == before
    assert connections.fresh_token(connection.pk) == token
    assert connections.fresh_token(connection.pk, rejected=token) != token


def test_a_vendor_that_gives_the_same_token_again_is_not_told_to_end_it(
    connection: Connection, vendor: Running, admin: User
) -> None:
    token = connections.fresh_token(connection.pk)
    same = {"access_token": token, "refresh_token": connection.unseal("refresh_token")}
    body = same | {"expires_in": 3600, "scope": " ".join(connection.scopes)}
    vendor.fault(path="/oauth/token", kind="json", body=body)
    attempt = authorize(vendor, connection.service, admin, renews=connection)
    assert attempt.outcome == "connected", attempt.message
    assert attempt.remedy == "PagerDuty gave the same authorization again."
    assert not Revocation.objects.exists()
    assert connections.fresh_token(connection.pk, rejected=token) != token


def test_a_grant_that_cannot_be_opened_when_it_is_replaced_is_left_to_people_and_told(
    connection: Connection, vendor: Running, admin: User
) -> None:
    Connection.objects.filter(pk=connection.pk).update(refresh_token="v1.gone.AAAA")
    attempt = authorize(vendor, connection.service, admin, renews=connection)
    assert "No token could be opened, so PagerDuty was not told." in attempt.remedy
    assert "the apps that you authorized" in attempt.remedy
    assert Revocation.objects.get().state == "unconfirmed"


def test_other_permissions_than_before_are_on_the_trail(
    connection: Connection, vendor: Running, admin: User
) -> None:
    scopes = [scope for scope in connection.scopes if scope != "incidents.read"]
    authorize(vendor, connection.service, admin, renews=connection, scopes=scopes)
    event = AuditEvent.objects.get(action="scopes_changed")
    assert set(event.detail["before"]) - set(event.detail["now"]) == {"incidents.read"}


def test_adding_an_account_puts_it_beside_the_first(
    connection: Connection, vendor: Running, service: Service, admin: User
) -> None:
    other = authorize(vendor, service, admin, account="harbor-eu").connection
    assert other is not None
    assert {each.account_name for each in Service.objects.get().accounts} == {
        "harbor-prod",
        "harbor-eu",
    }
    connection.refresh_from_db()
    assert connection.is_alive


def test_after_a_revoke_another_account_takes_the_place_of_the_first(
    connection: Connection, vendor: Running, service: Service, admin: User
) -> None:
    connections.revoke(connection, by=admin, erase=False)
    other = authorize(vendor, service, admin, account="harbor-eu").connection
    assert other is not None
    assert Service.objects.get().shown_connections == [other]
    connections.revoke(other, by=admin, erase=False)
    assert authorize(vendor, service, admin).connection == connection
    assert Service.objects.get().shown_connections == [connection]


def test_a_held_api_key_leaves_nothing_behind_when_it_is_given_up(
    connection: Connection, vendor: Running, admin: User
) -> None:
    key = vendor.api_key("harbor-eu")
    attempt = connections.let_in_by_key(
        connection.service, user=admin, api_key=key, renews=connection
    )
    assert attempt.outcome == "asks"
    assert key not in str(Authorization.objects.values())
    assert "api_key" not in str(Given.__repr__)
    connections.decide(attempt, "cancel", user=admin)
    assert not Revocation.objects.exists()
    assert Authorization.objects.get(pk=attempt.pk).held == ""
