"""Connecting: answers that are late, foreign, forged or smaller than what was asked for."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as some

from seatwise import connections
from seatwise.connectors import base
from seatwise.connectors.base import all_connectors
from seatwise.models import AuditEvent, Authorization, Connection, Service, User
from tests.conftest import SESSION, authorize, read
from tests.connections.test_connecting import answer_of, begin, token_calls
from tests.sandboxes import Running


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.fault(3)
def test_an_answer_after_a_quarter_of_an_hour_is_refused_and_used_up(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    attempt = Authorization.objects.get()
    attempt.created_at -= timedelta(minutes=15, seconds=1)
    attempt.save()
    with pytest.raises(connections.StateRejected, match="longer than 15 minutes"):
        connections.finish(service.key, back, user=admin, session_key=SESSION)
    with pytest.raises(connections.StateRejected, match="used already"):
        connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert token_calls(vendor) == 0
    assert Authorization.objects.get().verifier == ""
    assert actions() == ["consent_begun", "consent_failed", "consent_rejected", "consent_rejected"]


@pytest.mark.fault(5)
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host"])
def test_a_forged_host_never_gets_into_the_redirect_address(
    header: str, as_admin: Client, vendor: Running, service: Service, settings: Any
) -> None:
    path = f"/services/{service.key}/authorize/"
    answer = as_admin.post(path, headers={header: "evil.example"})
    if header == "Host":
        assert answer.status_code == 400
        return
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert asked["redirect_uri"] == [f"{settings.BASE_URL}/oauth/pagerduty/callback/"]


@pytest.mark.fault(5)
def test_the_vendor_refuses_another_redirect_address(
    vendor: Running, service: Service, admin: User
) -> None:
    url = begin(service, admin).replace("%2Foauth%2F", "%2Fevil%2F")
    page = vendor.http.get(url)
    assert page.status_code != 200 or "Authorize" not in page.text
    assert "evil" not in page.headers.get("location", "")


@pytest.mark.fault(7)
def test_an_answer_in_another_issuers_name_makes_no_token_call(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    forged = back | {"iss": "https://identity.evil.example"}
    with pytest.raises(connections.StateRejected, match="did not come from PagerDuty"):
        connections.finish(service.key, forged, user=admin, session_key=SESSION)
    attempt = Authorization.objects.get()
    assert attempt.outcome == "failed"
    assert "did not come from PagerDuty" in attempt.message
    with pytest.raises(connections.StateRejected, match="used already"):
        connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert token_calls(vendor) == 0
    assert "consent_rejected" in actions()


@pytest.mark.fault(7)
def test_an_answer_in_the_vendors_own_name_is_taken(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    assert service.connector is not None
    (issuer, *_) = sorted(
        service.connector.oauth_app(connections.config(service.connector)).issuers
    )
    attempt = connections.finish(
        service.key, back | {"iss": issuer}, user=admin, session_key=SESSION
    )
    assert attempt.outcome == "connected"


@pytest.fixture
def other(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service of another vendor, whose connector happens to know the same answers."""
    known = dict(all_connectors())
    twin = type("Twin", (type(known[service.key]),), {"key": "twin", "name": "Twin"})
    with_twin = {**known, "twin": twin()}
    monkeypatch.setattr(base, "all_connectors", lambda: with_twin)
    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"SEATWISE_TWIN_{name}", "of-the-twin")
    return Service.objects.create(key="twin", name="Twin")


@pytest.mark.fault(7)
def test_a_code_of_one_vendor_is_not_taken_at_the_door_of_another(
    vendor: Running, service: Service, other: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    with pytest.raises(connections.StateRejected, match="not begun in this browser"):
        connections.finish(other.key, back, user=admin, session_key=SESSION)
    assert token_calls(vendor) == 0
    assert AuditEvent.objects.get(action="consent_rejected").service == "twin"
    attempt = connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert attempt.outcome == "connected"


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "reset", "perform": True}, {"kind": "html"}],
)
def test_a_code_whose_fate_is_unknown_is_never_sent_again(
    fault: dict[str, Any], vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(path="/oauth/token", times=10, **fault)
    attempt = authorize(vendor, service, admin)
    assert attempt.outcome == "failed"
    assert attempt.remedy.startswith("Press Integrate to start again")
    assert token_calls(vendor) == 1
    assert not Connection.objects.exists()
    assert actions() == ["consent_begun", "consent_failed"]


LIVES: some.SearchStrategy[object] = some.one_of(
    some.integers(-(10**13), 10**13),
    some.floats(allow_nan=False, allow_infinity=False),
    some.sampled_from([None, "", "3600", "x", [], {}, True, 10**12]),
)


@pytest.mark.fault(12)
@how(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(life=LIVES, refresh=some.sampled_from([None, "", 7, "pdus+_other"]))
def test_an_odd_token_answer_connects_with_what_is_sure_and_names_its_limits(
    life: object, refresh: object, connection: Connection, vendor: Running, admin: User
) -> None:
    token = connections.fresh_token(connection.pk)
    answer = {"access_token": token, "expires_in": life, "refresh_token": refresh}
    answer |= {"token_type": "bearer", "scope": "openid users.read"}
    vendor.fault(path="/oauth/token", kind="json", body=answer)
    attempt = authorize(vendor, connection.service, admin)
    kept = attempt.connection
    assert kept is not None, attempt.message
    assert kept.scopes == ["openid", "users.read"]
    assert kept.expires_at is not None
    assert kept.granted_at is not None
    assert timedelta(0) < kept.expires_at - kept.granted_at <= timedelta(days=3660)
    lasting = [each for each in kept.checks if each["key"] == "lasting"]
    if refresh == "pdus+_other":
        assert not lasting
        assert kept.unseal("refresh_token") == refresh
    else:
        assert kept.unseal("refresh_token") == "", "the old one's life is over"
        assert lasting[0]["remedy"]
        assert kept.ends_at == kept.expires_at


@pytest.mark.fault(12)
def test_an_answer_without_an_access_token_is_refused_with_a_reason(
    vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(path="/oauth/token", kind="json", body={"refresh_token": "pdus+_x"})
    attempt = authorize(vendor, service, admin)
    assert attempt.outcome == "failed"
    assert "without an access token" in attempt.message


@pytest.mark.fault(15)
@pytest.mark.parametrize(
    ("withheld", "unreadable"),
    [
        (["users.read"], "members"),
        (["incidents.read", "users:notifications.read"], "usage"),
        (["licenses.read", "abilities.read"], "licences"),
    ],
)
def test_each_permission_that_is_not_granted_is_named_with_a_remedy(
    withheld: list[str], unreadable: str, vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(withhold_scopes=withheld)
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None, attempt.message
    assert attempt.connection.state == "limited"
    assert not set(withheld) & set(attempt.connection.scopes)
    assert unreadable in attempt.connection.unreadable
    assert all(gap["remedy"] for gap in attempt.connection.gaps)
    words = str(attempt.connection.checks)
    assert all(name in words for name in withheld)


@pytest.mark.fault(15)
def test_what_an_admin_left_out_is_told_and_is_no_limit_before_and_after_a_sync(
    vendor: Running, service: Service, admin: User
) -> None:
    asked = ["openid", "users.read", "users:notifications.read", "abilities.read"]
    attempt = authorize(vendor, service, admin, scopes=asked)
    connection = attempt.connection
    assert connection is not None, attempt.message
    assert connection.state == "active"
    assert {"licences", "usage"} <= connection.unreadable
    assert all("was not asked for" in gap["why"] for gap in connection.gaps)
    read(connection)
    assert connection.state == "active", connection.gaps
    assert {"licences", "usage", "activity"} <= connection.unreadable


@pytest.mark.fault(15)
def test_only_known_permissions_are_asked_for_and_the_required_ones_always(
    service: Service, vendor: Running, admin: User
) -> None:
    chosen = ["incidents.read", "analytics.write", "users.write", "openid evil"]
    url = connections.begin(service, user=admin, session_key=SESSION, scopes=chosen)
    (asked,) = parse_qs(urlsplit(url).query)["scope"]
    assert set(asked.split()) == {"openid", "users.read", "incidents.read", "analytics.write"}


@pytest.mark.fault(16)
def test_a_token_of_the_other_region_finds_its_own(
    vendor: Running, service: Service, admin: User
) -> None:
    attempt = authorize(vendor, service, admin, account="harbor-eu")
    assert attempt.connection is not None, attempt.message
    assert attempt.connection.api_url == vendor.settings["API_URL_EU"]
    keyed = connections.let_in_by_key(service, user=admin, api_key=vendor.api_key("harbor-eu"))
    assert keyed.connection == attempt.connection, keyed.message
    assert keyed.connection is not None
    assert keyed.connection.api_url == vendor.settings["API_URL_EU"]
