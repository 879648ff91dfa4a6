"""The pages of the other ways in, of another account, of a check, and of a session that ended."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from seatwise.models import Authorization, Connection, Revocation, Service, SyncRun, User
from tests.conftest import PASSWORD
from tests.pages.test_authorizing import SETTINGS, go
from tests.sandboxes import Running

AUTHORIZE = "/services/pagerduty/authorize/"
LET_IN = "/services/pagerduty/let-in/"


def asked_scopes(client: Client, **given: object) -> set[str]:
    url = client.post(AUTHORIZE, given)["Location"]
    return set(parse_qs(urlsplit(url).query)["scope"][0].split())


def another_account(client: Client, vendor: Running) -> str:
    """The address of the outcome after another account was chosen at the vendor."""
    path = go(client, vendor, account="harbor-eu")
    address: str = client.get(path)["Location"]
    return address


def test_what_was_ticked_is_asked_for_and_nothing_else(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    usual = asked_scopes(as_admin)
    assert "incidents.read" in usual
    assert "analytics.write" not in usual
    ticked = asked_scopes(as_admin, way="scoped", scope=["licenses.read", "analytics.write", "x"])
    assert ticked == {"openid", "users.read", "licenses.read", "analytics.write"}
    assert asked_scopes(as_admin, way="scoped") == {"openid", "users.read"}
    assert asked_scopes(as_admin, way="classic", scope=["openid"]) == {"read"}
    assert as_admin.post(AUTHORIZE, {"way": "nonsense"}).status_code == 400


@pytest.mark.parametrize("number", ["999999", "x", "²", "9" * 30])
def test_an_account_that_is_not_there_cannot_be_renewed(
    number: str, as_admin: Client, vendor: Running, service: Service
) -> None:
    assert as_admin.post(AUTHORIZE, {"account": number}).status_code == 404


def test_an_api_key_connects_on_a_page_that_never_shows_it(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    given = {"way": "key", "account": "new", "api_key": vendor.api_key()}
    answer = as_admin.post(LET_IN, given, follow=True)
    page = answer.content.decode()
    assert "PagerDuty is connected" in page
    assert vendor.api_key() not in page
    assert vendor.api_key() not in str(answer.redirect_chain)
    assert SyncRun.objects.open().exists()


def test_a_key_that_is_none_says_so_and_offers_to_type_it_again(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    page = as_admin.post(LET_IN, {"way": "key", "api_key": "made-up"}, follow=True)
    assert "PagerDuty was not connected" in page.content.decode()
    assert f"{SETTINGS}?integrate" in page.content.decode()
    assert AUTHORIZE not in page.content.decode()
    assert as_admin.post(LET_IN, {"way": "scoped", "api_key": "x"}).status_code == 400


def test_a_private_app_connects_on_a_page(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    given = {"way": "machine", "account_name": "harbor-prod", "scope": ["incidents.read"]}
    client = {name: vendor.settings[name.upper()] for name in ("client_id", "client_secret")}
    page = as_admin.post(LET_IN, given | client, follow=True).content.decode()
    assert "PagerDuty is connected" in page
    assert set(Connection.objects.get().scopes) >= {"users.read", "incidents.read"}
    assert "licenses.read" not in Connection.objects.get().scopes


@pytest.mark.fault(13)
def test_another_account_asks_on_a_page_and_nothing_has_changed(
    as_admin: Client, as_viewer: Client, connection: Connection, vendor: Running
) -> None:
    outcome = another_account(as_admin, vendor)
    page = as_admin.get(outcome).content.decode()
    assert "This is another account" in page
    assert "harbor-prod" in page
    assert "harbor-eu" in page
    assert 'value="beside"' in page
    number = Authorization.objects.get(outcome="asks").pk
    in_the_window = as_admin.get(f"{SETTINGS}?authorization={number}").content.decode()
    assert f"/authorizations/{number}/decide/" in in_the_window
    assert Connection.objects.get() == connection
    assert as_viewer.get(outcome).status_code == 404
    assert as_viewer.post(f"{outcome}decide/", {"choice": "replace"}).status_code == 403


@pytest.mark.fault(13)
def test_the_choice_is_made_once(as_admin: Client, connection: Connection, vendor: Running) -> None:
    outcome = another_account(as_admin, vendor)
    assert as_admin.post(f"{outcome}decide/", {"choice": "x"}).status_code == 400
    page = as_admin.post(f"{outcome}decide/", {"choice": "beside"}, follow=True)
    assert "PagerDuty is connected" in page.content.decode()
    assert Connection.objects.alive().count() == 2
    again = as_admin.post(f"{outcome}decide/", {"choice": "cancel"}, follow=True).content.decode()
    assert "decided already" in again
    assert Connection.objects.alive().count() == 2


@pytest.mark.fault(13)
def test_another_admin_sees_it_and_cannot_decide(
    as_admin: Client, connection: Connection, vendor: Running
) -> None:
    outcome = another_account(as_admin, vendor)
    eve = Client()
    eve.force_login(User.objects.create_user("eve@example.com", PASSWORD, role="admin"))
    assert "who began it" in eve.get(outcome).content.decode()
    assert eve.post(f"{outcome}decide/", {"choice": "replace"}).status_code == 403
    assert Authorization.objects.get(outcome="asks")
    assert not Revocation.objects.exists()


def test_a_check_is_made_on_demand_and_told(
    as_admin: Client, as_viewer: Client, connection: Connection, vendor: Running
) -> None:
    checked = connection.checked_at
    path = "/services/pagerduty/check/"
    page = as_admin.post(path, {"account": connection.pk}, follow=True).content.decode()
    assert "harbor-prod was checked" in page
    connection.refresh_from_db()
    assert connection.checked_at != checked
    assert as_viewer.post(path).status_code == 403
    vendor.fault(path="*", region="us", kind="status", status=401, times=99)
    checked = connection.checked_at
    answer = as_admin.post(path, {"account": connection.pk}, follow=True)
    assert answer.status_code == 200
    assert "harbor-prod was checked" not in answer.content.decode()
    (told,) = answer.context["messages"]
    assert str(told)
    assert Connection.objects.get().checked_at == checked


@pytest.mark.fault(10)
def test_somebody_who_lost_the_right_is_refused_at_the_end(
    as_admin: Client, admin: User, vendor: Running, service: Service
) -> None:
    path = go(as_admin, vendor)
    User.objects.filter(pk=admin.pk).update(role="viewer")
    answer = as_admin.get(path, follow=True)
    assert answer.status_code == 403
    assert "no longer an admin" in answer.content.decode()
    assert not Connection.objects.exists()
    assert vendor.requests("/identity/oauth/token") == []


@pytest.mark.fault(9)
def test_after_a_session_that_ended_at_the_vendor_one_signs_in_and_starts_again(
    as_admin: Client, admin: User, vendor: Running, service: Service
) -> None:
    path = go(as_admin, vendor)
    as_admin.logout()
    door = as_admin.get(path)["Location"]
    assert door.startswith("/login/?next=/oauth/pagerduty/callback/")
    for secret in ("code", "state"):
        assert parse_qs(urlsplit(path).query)[secret][0] not in door
        assert f"{secret}=" not in door
    page = as_admin.post(door, {"login": admin.email, "password": PASSWORD}, follow=True)
    assert page.redirect_chain[-1][0] == SETTINGS
    assert "Your session ended while you were at PagerDuty" in page.content.decode()
    assert "Nothing was connected: press Integrate again." in page.content.decode()
    assert as_admin.get(path).status_code == 403, "the answer belongs to the session that is over"
    assert vendor.requests("/identity/oauth/token") == []
    assert not Connection.objects.exists()


@pytest.mark.fault(88)
def test_a_page_at_the_answers_own_address_tells_it_to_no_other(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    path = go(as_admin, vendor)
    outcome = as_admin.get(path)["Location"]
    assert urlsplit(outcome).query == ""
    rejected = as_admin.get(path)
    assert rejected["Referrer-Policy"] == "strict-origin"
    assert parse_qs(urlsplit(path).query)["code"][0] not in rejected.content.decode()


@pytest.mark.fault(8)
def test_the_session_comes_along_when_the_vendor_sends_somebody_back(
    as_admin: Client, admin: User
) -> None:
    client = Client()
    client.post("/login/", {"login": admin.email, "password": PASSWORD})
    assert client.cookies["sessionid"]["samesite"] == "Lax"
    assert client.cookies["sessionid"]["httponly"]
