"""Connecting: every answer a vendor can give, and every way an answer can be wrong."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from seatwise import connections, installation
from seatwise.connections import checking
from seatwise.connections.entry import accounts
from seatwise.connectors.errors import KeptBack
from seatwise.models import Authorization, Connection, Revocation, Service, User
from tests.conftest import SESSION, authorize
from tests.sandboxes import Running


def begin(service: Service, user: User) -> str:
    return connections.begin(service, user=user, session_key=SESSION)


def answer_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def token_calls(vendor: Running) -> int:
    return len(vendor.requests("/identity/oauth/token"))


def test_an_owner_connects_and_the_account_is_named(connection: Connection) -> None:
    assert connection.state == "active"
    assert (connection.account_name, connection.region) == ("harbor-prod", "US")
    assert connection.granted_role == "owner"
    assert connection.gaps == []
    assert connection.connected_by is not None
    assert "users.read" in connection.scopes


def test_the_other_regions_account_is_found_without_asking(
    vendor: Running, service: Service, admin: User
) -> None:
    attempt = authorize(vendor, service, admin, account="harbor-eu")
    assert attempt.connection is not None, attempt.message
    assert attempt.connection.region == "EU"
    assert attempt.connection.api_url == vendor.settings["API_URL_EU"]


@pytest.mark.fault(1)
def test_deny_connects_nothing_and_says_so(vendor: Running, service: Service, admin: User) -> None:
    attempt = authorize(vendor, service, admin, decision="deny")
    assert attempt.outcome == "refused"
    assert attempt.message == "You did not allow access. Nothing was connected."
    assert attempt.remedy
    assert not Connection.objects.exists()
    assert token_calls(vendor) == 0


@pytest.mark.fault(2)
@pytest.mark.parametrize("state", ["", "made-up", "x" * 5000])
def test_a_state_that_is_not_ours_makes_no_token_call(
    state: str, vendor: Running, service: Service, admin: User
) -> None:
    begin(service, admin)
    with pytest.raises(connections.StateRejected, match="Nothing was connected"):
        connections.finish(
            service.key, {"state": state, "code": "x"}, user=admin, session_key=SESSION
        )
    assert token_calls(vendor) == 0


@pytest.mark.fault(2)
@pytest.mark.fault(9)
def test_an_answer_in_another_browser_or_for_another_person_is_refused(
    vendor: Running, service: Service, admin: User, viewer: User
) -> None:
    back = vendor.decide(begin(service, admin), vendor.someone())
    with pytest.raises(connections.StateRejected):
        connections.finish(service.key, answer_of(back), user=admin, session_key="another")
    with pytest.raises(connections.StateRejected):
        connections.finish(service.key, answer_of(back), user=viewer, session_key=SESSION)
    assert token_calls(vendor) == 0
    attempt = connections.finish(service.key, answer_of(back), user=admin, session_key=SESSION)
    assert attempt.outcome == "connected"


@pytest.mark.fault(3)
def test_an_answer_is_used_once_and_the_first_connection_stays(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    connections.finish(service.key, back, user=admin, session_key=SESSION)
    with pytest.raises(connections.StateRejected, match="used already") as caught:
        connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert caught.value.used
    assert token_calls(vendor) == 1
    assert Connection.objects.get().state == "active"


@pytest.mark.fault(4)
def test_a_code_that_is_too_old_says_to_start_again_and_is_not_sent_again(
    vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(code_ttl=0)
    attempt = authorize(vendor, service, admin)
    assert attempt.outcome == "refused"
    assert "too long" in attempt.message
    assert "again" in attempt.remedy
    assert token_calls(vendor) == 1
    assert not Connection.objects.exists()


@pytest.mark.fault(11)
def test_a_token_endpoint_that_fails_is_asked_once(
    vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(path="/oauth/token", kind="status", status=503, times=10)
    attempt = authorize(vendor, service, admin)
    assert attempt.outcome == "failed"
    assert "Nothing was connected." in attempt.message
    assert token_calls(vendor) == 1


@pytest.mark.fault(15)
def test_a_smaller_grant_connects_and_names_what_cannot_be_read(
    vendor: Running, service: Service, admin: User
) -> None:
    vendor.fault(withhold_scopes=["licenses.read"])
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None
    assert attempt.connection.state == "limited"
    (gap,) = attempt.connection.gaps
    assert "licenses.read" in gap["why"]
    assert gap["remedy"]


def test_somebody_who_is_no_admin_there_connects_with_clear_limits(
    vendor: Running, service: Service, admin: User
) -> None:
    attempt = authorize(vendor, service, admin, role="limited_user")
    assert attempt.connection is not None, attempt.message
    assert attempt.connection.state == "limited"
    assert any("Responder" in gap["why"] + gap["what"] for gap in attempt.connection.gaps)
    assert any("Global Admin" in gap["remedy"] for gap in attempt.connection.gaps)


def test_a_missing_ability_is_named(vendor: Running, service: Service, admin: User) -> None:
    vendor.fault(lack_ability=["read_only_users"])
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None
    assert any("stakeholders" in gap["what"] for gap in attempt.connection.gaps)


@pytest.mark.fault(10)
def test_somebody_who_lost_the_right_while_away_connects_nothing(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    User.objects.filter(pk=admin.pk).update(role="viewer")
    attempt = connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert attempt.outcome == "refused"
    assert "no longer an admin" in attempt.message
    assert not Connection.objects.exists()
    assert token_calls(vendor) == 0, "the code is dropped, unused"


@pytest.mark.fault(10)
def test_a_right_that_is_lost_during_the_token_call_costs_the_grant(
    vendor: Running, service: Service, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    asked = checking.prove

    def then_demoted(*given: Any) -> checking.Proved:
        proved = asked(*given)
        User.objects.filter(pk=admin.pk).update(role="viewer")
        return proved

    monkeypatch.setattr(accounts, "prove", then_demoted)
    attempt = connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert attempt.outcome == "refused"
    assert not Connection.objects.exists()
    assert Revocation.objects.get().state == "confirmed"
    assert vendor.requests("/identity/oauth/revoke")


@pytest.mark.fault(6)
def test_a_verifier_that_is_gone_fails_closed(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    Authorization.objects.update(verifier="v1.gone.AAAA")
    attempt = connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert attempt.outcome == "refused"
    assert token_calls(vendor) == 0


@pytest.mark.fault(6)
def test_an_attempt_that_is_gone_fails_closed(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    Authorization.objects.all().delete()
    with pytest.raises(connections.StateRejected):
        connections.finish(service.key, back, user=admin, session_key=SESSION)
    assert token_calls(vendor) == 0


@pytest.mark.fault(32)
def test_a_copy_lets_nobody_in_and_sends_nobody_out(
    vendor: Running, service: Service, admin: User
) -> None:
    back = answer_of(vendor.decide(begin(service, admin), vendor.someone()))
    installation.check()
    installation.pause("A copy, to be looked at only.")
    vendor.forget_requests()
    with pytest.raises(KeptBack, match="A copy"):
        begin(service, admin)
    attempt = connections.finish(service.key, back, user=admin, session_key=SESSION)
    keyed = connections.let_in_by_key(service, user=admin, api_key=vendor.api_key())
    assert [attempt.outcome, keyed.outcome] == ["failed", "failed"]
    assert "A copy" in attempt.message
    assert vendor.requests() == []
    assert not Connection.objects.exists()


def test_missing_settings_are_named_before_anybody_leaves(
    service: Service, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEATWISE_PAGERDUTY_CLIENT_ID", raising=False)
    monkeypatch.delenv("SEATWISE_PAGERDUTY_CLIENT_SECRET", raising=False)
    with pytest.raises(connections.NotConfigured, match="SEATWISE_PAGERDUTY_CLIENT_ID"):
        begin(service, admin)


def test_no_token_and_no_secret_is_ever_logged_or_stored_in_plain(
    connection: Connection,
    vendor: Running,
    service: Service,
    admin: User,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    token = connections.fresh_token(connection.pk)
    renewed = connections.fresh_token(connection.pk, rejected=token)
    vendor.fault(path="/oauth/token", kind="html", times=1)
    authorize(vendor, service, admin)
    connections.revoke(connection, by=admin, erase=False)
    for secret in (token, renewed, vendor.settings["CLIENT_SECRET"]):
        assert secret not in caplog.text
        for row in [*Connection.objects.values(), *Authorization.objects.values()]:
            assert secret not in str(row)
