"""The ways in that take no consent, classic consent, and checks on demand."""

import json

import pytest

from seatwise import connections
from seatwise.connectors.base import all_connectors
from seatwise.connectors.errors import CredentialsRejected, VendorError
from seatwise.models import AuditEvent, Authorization, Connection, Revocation, Service, User
from tests.conftest import authorize, read
from tests.sandboxes import Running

PERMISSIONS = all_connectors()["pagerduty"].scopes


def by_machine(vendor: Running, service: Service, admin: User, **given: str) -> Authorization:
    return connections.let_in_by_machine(
        service,
        user=admin,
        client_id=given.get("client_id", vendor.settings["CLIENT_ID"]),
        client_secret=given.get("client_secret", vendor.settings["CLIENT_SECRET"]),
        account_name=given.get("account_name", "harbor-prod"),
    )


def test_an_api_key_connects_without_any_setting_of_the_operator(
    vendor: Running, service: Service, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"SEATWISE_PAGERDUTY_{name}")
    assert connections.missing_settings("pagerduty", "key") == []
    attempt = connections.let_in_by_key(service, user=admin, api_key=f" {vendor.api_key()}\n")
    connection = attempt.connection
    assert connection is not None, attempt.message
    assert (connection.account_name, connection.region) == ("harbor-prod", "US")
    assert (connection.way, connection.access_token) == ("key", "")
    assert connection.unseal("credential") == vendor.api_key()
    assert connection.granted_by == ""
    assert read(connection).state in ("done", "done_with_notes")
    assert connection.members.count() == 40
    assert vendor.requests("/identity/oauth/token") == []


@pytest.mark.parametrize("key", ["", "not a key", "ü", "x" * 2000, "made-up", "a\x00b"])
def test_what_is_no_api_key_connects_nothing_and_is_shown_nowhere(
    key: str, vendor: Running, service: Service, admin: User
) -> None:
    attempt = connections.let_in_by_key(service, user=admin, api_key=key)
    assert attempt.outcome in ("refused", "failed")
    assert "Nothing was connected." in attempt.message
    assert attempt.remedy
    assert not Connection.objects.exists()
    assert not Revocation.objects.exists()
    assert len(key) < 3 or key not in str(Authorization.objects.values())


def test_a_private_app_connects_with_its_own_client_and_keeps_it_sealed(
    vendor: Running, service: Service, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = {name: vendor.settings[name] for name in ("CLIENT_ID", "CLIENT_SECRET")}
    for name in client:
        monkeypatch.delenv(f"SEATWISE_PAGERDUTY_{name}")
    attempt = by_machine(vendor, service, admin, account_name="https://harbor-prod.pagerduty.com/")
    connection = attempt.connection
    assert connection is not None, attempt.message
    assert (connection.account_name, connection.way) == ("harbor-prod", "machine")
    assert connection.refresh_token == ""
    permissions = [scope.name for scope in PERMISSIONS if not (scope.optional or scope.of_person)]
    assert connection.scopes == sorted(permissions)
    assert json.loads(connection.unseal("credential"))["client_id"] == client["CLIENT_ID"]
    assert client["CLIENT_SECRET"] not in str(Connection.objects.values())
    assert read(connection).state in ("done", "done_with_notes")
    token = connections.fresh_token(connection.pk)
    assert connections.fresh_token(connection.pk, rejected=token) != token
    connection.refresh_from_db()
    assert connection.scopes == sorted(permissions)
    assert not AuditEvent.objects.filter(action="scopes_changed").exists()


@pytest.mark.parametrize(
    "given", [{"client_secret": "wrong"}, {"client_id": ""}, {"account_name": "nowhere-at-all"}]
)
def test_a_private_app_that_is_not_accepted_says_what_to_compare(
    given: dict[str, str], vendor: Running, service: Service, admin: User
) -> None:
    attempt = by_machine(vendor, service, admin, **given)
    assert attempt.outcome == "refused"
    assert attempt.remedy
    assert "operator" not in attempt.message + attempt.remedy
    assert not Connection.objects.exists()


def test_somebody_who_is_no_admin_lets_nobody_in(
    vendor: Running, service: Service, viewer: User
) -> None:
    keyed = connections.let_in_by_key(service, user=viewer, api_key=vendor.api_key())
    machine = by_machine(vendor, service, viewer)
    assert {keyed.outcome, machine.outcome} == {"refused"}
    assert vendor.requests("/identity/oauth/token") == []
    assert not Connection.objects.exists()


def test_a_key_for_an_account_that_is_connected_takes_the_place_of_its_tokens(
    connection: Connection, vendor: Running, admin: User
) -> None:
    proved = connection.account_id
    attempt = connections.let_in_by_key(
        connection.service, user=admin, api_key=vendor.api_key(), renews=connection
    )
    assert attempt.connection == connection, attempt.message
    kept = Connection.objects.get()
    assert (kept.account_id, kept.way) == (proved, "key")
    assert (kept.access_token, kept.refresh_token) == ("", "")
    assert Revocation.objects.get().state == "confirmed"
    back = authorize(vendor, connection.service, admin, renews=kept)
    assert back.connection == connection
    assert back.remedy.startswith(
        "The replaced authorization of harbor-prod: The API key is erased here. "
        "Only people can end it: delete it at PagerDuty."
    )
    assert Connection.objects.get().credential == ""


def test_an_account_known_by_its_name_is_known_again_by_its_id(
    vendor: Running, service: Service, admin: User
) -> None:
    keyed = connections.let_in_by_key(service, user=admin, api_key=vendor.api_key()).connection
    assert keyed is not None
    assert keyed.account_id == "harbor-prod"
    proved = authorize(vendor, service, admin, renews=keyed).connection
    assert proved == keyed
    assert Connection.objects.get().account_id != "harbor-prod"


def test_an_unknown_way_in_is_none(service: Service, vendor: Running, admin: User) -> None:
    for way in ("key", "nonsense"):
        with pytest.raises(connections.NoSuchWay):
            connections.begin(service, user=admin, session_key="s", way=way)
    with pytest.raises(connections.NoSuchWay):
        connections.let_in_by_key(service, user=admin, api_key="x", way="scoped")


def test_classic_consent_asks_for_one_scope_that_opens_everything(
    vendor: Running, service: Service, admin: User
) -> None:
    url = connections.begin(service, user=admin, session_key="s", way="classic", scopes=["openid"])
    assert "scope=read&" in url


@pytest.mark.fault(15)
def test_classic_consent_of_an_app_for_single_permissions_says_which_way_to_take(
    vendor: Running, service: Service, admin: User
) -> None:
    attempt = authorize(vendor, service, admin, way="classic")
    connection = attempt.connection
    assert connection is not None, attempt.message
    assert connection.scopes == ["openid"]
    (scopes,) = (check for check in connection.checks if check["key"] == "scopes")
    assert "registered in PagerDuty with Scoped OAuth" in scopes["found"]
    assert "OAuth, permission by permission" in scopes["remedy"]
    assert "members" in connection.unreadable
    assert "to the app in PagerDuty" not in str(connection.checks)


def test_a_check_on_demand_finds_what_has_changed_and_says_so(
    connection: Connection, vendor: Running
) -> None:
    assert connection.checks
    assert connection.checked_at is not None
    vendor.fault(revoke_scopes=["licenses.read"])
    connections.check(connection)
    assert connection.state == "limited"
    assert "licences" in connection.unreadable
    assert AuditEvent.objects.get(action="checked").about == "harbor-prod"
    vendor.clear_faults()
    connections.check(connection)
    assert connection.state == "active"


def test_a_check_that_learns_nothing_changes_nothing(
    connection: Connection, vendor: Running
) -> None:
    connection.refresh_from_db()
    before = connection.checks
    vendor.fault(path="*", region="us", kind="status", status=401, times=99)
    with pytest.raises(VendorError):
        connections.check(connection)
    connection.refresh_from_db()
    assert connection.checks == before
    vendor.clear_faults()


def test_a_connection_that_has_ended_is_not_checked(
    connection: Connection, vendor: Running, admin: User
) -> None:
    connections.revoke(connection, by=admin, erase=False)
    vendor.forget_requests()
    with pytest.raises(CredentialsRejected):
        connections.check(connection)
    assert vendor.requests() == []
