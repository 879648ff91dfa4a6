"""From Integrate over the vendor's real consent pages to the outcome, as a browser goes it."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from seatwise import connections
from seatwise.models import Authorization, Connection, Service, SyncRun
from seatwise.models.connection import State
from tests.sandboxes import Running

SETTINGS = "/services/pagerduty/settings/"


def go(
    client: Client, vendor: Running, decision: str = "authorize", account: str = "harbor-prod"
) -> str:
    """Presses Authorize and decides; returns the path the vendor sends the browser back to."""
    url = client.post("/services/pagerduty/authorize/", {"popup": "1"})["Location"]
    assert url.startswith(vendor.base_url)
    back = urlsplit(vendor.decide(url, vendor.someone("owner", account), account, decision))
    return f"{back.path}?{back.query}"


def come_back(client: Client, path: str) -> str:
    return client.get(path, follow=True).content.decode()


def test_the_yes_connects_starts_the_first_sync_and_says_what_can_be_read(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    page = come_back(as_admin, go(as_admin, vendor))
    assert "PagerDuty is connected" in page
    assert "harbor-prod" in page
    assert "All 6 permissions were granted." in page
    assert "9 of 10 are as they should be; not: Last sign-ins." in page
    assert page.index("analytics.write was not asked for") < page.index("Account and region")
    assert "Close and go to PagerDuty</a>" in page  # there is no dialog that closes
    assert SyncRun.objects.open().get().connection.service == service
    settings = as_admin.get(SETTINGS).content.decode()
    assert "Integrate again" in settings
    assert "Revoke auth" in settings


def test_the_no_connects_nothing_and_offers_another_try(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    page = come_back(as_admin, go(as_admin, vendor, decision="deny"))
    assert "You did not allow access. Nothing was connected." in page
    assert "Try again" in page
    assert not Connection.objects.exists()
    assert not SyncRun.objects.exists()


@pytest.mark.fault(88)
def test_somebody_elses_answer_is_refused(
    as_admin: Client, as_viewer: Client, vendor: Running, service: Service
) -> None:
    path = go(as_admin, vendor)
    answer = as_viewer.get(path)
    assert answer.status_code == 403
    assert "was not begun in this browser by you" in answer.content.decode()
    assert not Connection.objects.exists()


def test_an_answer_counts_once(as_admin: Client, vendor: Running, service: Service) -> None:
    path = go(as_admin, vendor)
    come_back(as_admin, path)
    answer = as_admin.get(path)
    assert answer.status_code == 409
    assert "This authorization was used already. Start again" in answer.content.decode()
    assert Connection.objects.get().state == State.ACTIVE


@pytest.mark.fault(88)
def test_an_outcome_is_shown_to_who_began_it_and_to_admins_only(
    as_admin: Client, as_viewer: Client, vendor: Running, service: Service
) -> None:
    come_back(as_admin, go(as_admin, vendor))
    path = f"/services/pagerduty/authorizations/{Authorization.objects.get().pk}/"
    assert as_admin.get(path).status_code == 200
    assert as_viewer.get(path).status_code == 404
    shown = as_viewer.get(f"{SETTINGS}?authorization={Authorization.objects.get().pk}")
    assert 'id="outcome"' not in shown.content.decode()


def test_the_settings_page_shows_what_the_popup_brought_home(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    come_back(as_admin, go(as_admin, vendor))
    pk = Authorization.objects.get().pk
    assert (
        "PagerDuty is connected" in as_admin.get(f"{SETTINGS}?authorization={pk}").content.decode()
    )
    for nonsense in ("", "x", "999999", "99999999999999999999", "²"):
        page = as_admin.get(f"{SETTINGS}?authorization={nonsense}")
        assert 'id="outcome"' not in page.content.decode(), nonsense


def test_the_page_allows_its_form_to_lead_to_the_vendor_and_nowhere_else(
    as_admin: Client, vendor: Running, service: Service
) -> None:
    policy = as_admin.get(SETTINGS)["Content-Security-Policy"]
    assert f"form-action 'self' {vendor.base_url}" in policy
    assert vendor.base_url not in as_admin.get("/")["Content-Security-Policy"]


def test_missing_settings_are_named_and_nothing_can_be_pressed(
    as_admin: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEATWISE_PAGERDUTY_CLIENT_ID", raising=False)
    page = as_admin.get(SETTINGS).content.decode()
    assert "SEATWISE_PAGERDUTY_CLIENT_ID" in page
    assert "/services/pagerduty/authorize/" not in page, "the ways that need no settings are left"
    pressed = as_admin.post("/services/pagerduty/authorize/", follow=True).content.decode()
    assert "SEATWISE_PAGERDUTY_CLIENT_ID" in pressed


def test_each_permission_is_shown_with_its_reason(
    as_viewer: Client, vendor: Running, service: Service, admin: object
) -> None:
    page = as_viewer.get(SETTINGS).content.decode()
    assert service.connector is not None
    for scope in service.connector.scopes:
        assert (scope.why in page) is not scope.optional  # nobody can choose one here
        assert scope.optional or scope.name in page
    assert "Only an admin can integrate: ask Ada Admin" in page
    assert "/oauth/pagerduty/callback/" in page


def test_a_service_without_a_connector_says_what_that_means(as_admin: Client, db: None) -> None:
    Service.objects.create(key="zoom", name="Zoom")
    page = as_admin.get("/services/zoom/settings/").content.decode()
    assert "There is no connector for Zoom yet" in page
    assert 'id="integrate"' not in page


@pytest.mark.parametrize(("choice", "kept"), [("keep", True), ("erase", False)])
def test_revoking_erases_the_tokens_and_the_data_only_if_asked_to(
    as_admin: Client, connection: Connection, vendor: Running, choice: str, kept: bool
) -> None:
    SyncRun.objects.create(connection=connection, created_at=connection.connected_at, state="done")
    page = as_admin.post("/services/pagerduty/revoke/", {"data": choice}, follow=True)
    connection.refresh_from_db()
    assert connection.state == State.DISCONNECTED
    assert (connection.access_token, connection.refresh_token) == ("", "")
    assert SyncRun.objects.exists() == kept
    assert connection.revocation == connections.confirmed("PagerDuty")
    assert "Confirmed by the vendor" in page.content.decode()
    assert "Revoke auth" not in page.content.decode()


def test_revoking_what_is_not_connected_changes_nothing(as_admin: Client, service: Service) -> None:
    page = as_admin.post("/services/pagerduty/revoke/", {}, follow=True).content.decode()
    assert "is not connected; nothing was changed" in page
