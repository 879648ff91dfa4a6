"""Handing out tokens: which will do, which are renewed, and what comes of an answer."""

import json
from datetime import datetime, timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from seatwise import connections
from seatwise.connectors.errors import CredentialsRejected, KeptBack
from seatwise.models import AuditEvent, Connection, Installation, Service
from tests.connections.granting import expire, grant_to, token_calls, works
from tests.sandboxes import Running

real_now = timezone.now


def clock(monkeypatch: pytest.MonkeyPatch, off: timedelta) -> None:
    """From here on this machine's clock is wrong."""
    monkeypatch.setattr(timezone, "now", lambda: real_now() + off)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_a_valid_token_is_handed_out_without_a_call(living: Connection, vendor: Running) -> None:
    assert connections.fresh_token(living.pk) == connections.fresh_token(living.pk)
    assert token_calls(vendor) == 0


@pytest.mark.fault(17)
def test_a_rejected_token_is_refreshed_once(living: Connection, vendor: Running) -> None:
    old = connections.fresh_token(living.pk)
    new = connections.fresh_token(living.pk, rejected=old)
    assert new != old
    assert connections.fresh_token(living.pk, rejected=old) == new
    assert token_calls(vendor) == 1


@pytest.mark.fault(17)
def test_tokens_of_a_second_are_renewed_each_time_they_are_refused(
    living: Connection, vendor: Running
) -> None:
    vendor.fault(token_ttl=1)
    tokens = [connections.fresh_token(living.pk)]
    for _ in range(3):
        tokens.append(connections.fresh_token(living.pk, rejected=tokens[-1]))
    assert len(set(tokens)) == 4


@pytest.mark.fault(25)
def test_a_vendor_that_refuses_what_it_has_just_given_is_not_asked_again_and_again(
    living: Connection, vendor: Running
) -> None:
    new = connections.fresh_token(living.pk, rejected=connections.fresh_token(living.pk))
    for _ in range(5):
        with pytest.raises(CredentialsRejected, match="a moment ago"):
            connections.fresh_token(living.pk, rejected=new)
    assert token_calls(vendor) == 1


@pytest.mark.fault(25)
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_ten_minutes_off_makes_no_storm(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    vendor.fault(token_ttl=900)
    connections.fresh_token(living.pk, rejected=connections.fresh_token(living.pk))
    clock(monkeypatch, timedelta(minutes=minutes))
    vendor.forget_requests()
    for _ in range(10):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) <= 1


@pytest.mark.fault(25)
def test_a_clock_that_jumped_back_a_day_costs_one_refresh(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, -timedelta(days=1))
    for _ in range(5):
        assert works(vendor, connections.fresh_token(living.pk))
    assert token_calls(vendor) == 1


@pytest.mark.fault(25)
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_token_given_while_the_clock_was_wrong_lasts_and_is_replaced_when_refused(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    vendor.fault(token_ttl=3600)
    expire(living, timezone.now() - timedelta(hours=1))
    clock(monkeypatch, timedelta(minutes=minutes))
    given = connections.fresh_token(living.pk)
    clock(monkeypatch, timedelta())  # somebody has set it right
    assert {connections.fresh_token(living.pk) for _ in range(5)} == {given}
    assert token_calls(vendor) == 1
    new = connections.fresh_token(living.pk, rejected=given)
    assert new != given
    assert works(vendor, new)
    assert {connections.fresh_token(living.pk) for _ in range(5)} == {new}
    assert token_calls(vendor) == 2


@pytest.mark.fault(26)
def test_an_answer_without_a_refresh_token_keeps_the_old_one(
    living: Connection, vendor: Running
) -> None:
    old = living.unseal("refresh_token")
    vendor.fault(rotation=False)
    for _ in range(2):
        expire(living)
        assert works(vendor, connections.fresh_token(living.pk))
        living.refresh_from_db()
        assert living.unseal("refresh_token") == old


@pytest.mark.fault(27)
def test_long_tokens_with_unusual_characters_are_stored_whole(
    living: Connection, vendor: Running
) -> None:
    access, refresh = "a+/=" * 1_000, "r+/=%" * 1_000
    answer = {"access_token": access, "refresh_token": refresh, "expires_in": 3600}
    vendor.fault(path="/oauth/token", kind="json", body=answer)
    expire(living)
    assert connections.fresh_token(living.pk) == access
    living.refresh_from_db()
    assert (living.unseal("access_token"), living.unseal("refresh_token")) == (access, refresh)


@pytest.mark.fault(30)
def test_permissions_that_are_missing_after_a_refresh_are_noted(
    living: Connection, vendor: Running
) -> None:
    vendor.fault(revoke_scopes=["licenses.read"])
    expire(living)
    connections.fresh_token(living.pk)
    living.refresh_from_db()
    assert "licenses.read" not in living.scopes
    assert actions() == ["scopes_changed"]


def test_a_paused_copy_gets_no_token_and_the_grant_is_as_it_was(
    living: Connection, vendor: Running
) -> None:
    Installation.objects.update_or_create(
        defaults={"paused_at": timezone.now(), "paused_why": "It is a copy."}
    )
    expire(living)
    with pytest.raises(KeptBack, match="copy"):
        connections.fresh_token(living.pk)
    living.refresh_from_db()
    assert (living.state, living.refreshing_since) == ("active", None)
    assert token_calls(vendor) == 0


def test_a_missing_key_is_the_operators_matter_and_costs_no_grant(
    living: Connection, vendor: Running, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.conf import settings as known

    from seatwise.vault import Ring, new_key

    ring = known.ENCRYPTION_KEYS
    monkeypatch.setattr(known, "ENCRYPTION_KEYS", Ring.parse(new_key()))
    expire(living)
    with pytest.raises(KeptBack):
        connections.fresh_token(living.pk)
    monkeypatch.setattr(known, "ENCRYPTION_KEYS", ring)
    living.refresh_from_db()
    assert living.state == "active"
    assert token_calls(vendor) == 0
    assert connections.fresh_token(living.pk)


@pytest.mark.fault(87)
@pytest.mark.parametrize("field", ["access_token", "refresh_token"])
def test_the_tokens_of_two_accounts_that_were_swapped_are_not_used(
    living: Connection, vendor: Running, service: Service, field: str
) -> None:
    other = grant_to(vendor, service, "harbor-eu")
    both = {"first": living.pk, "second": other.pk}
    with database.cursor() as cursor:
        cursor.execute(
            f"UPDATE seatwise_connection AS here SET {field} = there.{field}"
            " FROM seatwise_connection AS there WHERE here.id <> there.id"
            " AND here.id IN (%(first)s, %(second)s) AND there.id IN (%(first)s, %(second)s)",
            both,
        )
        assert cursor.rowcount == 2
    vendor.forget_requests()
    for connection in (living, other):
        mine = getattr(connection, field)
        if field == "refresh_token":
            expire(connection)
        connection.refresh_from_db()
        assert getattr(connection, field) != mine
        with pytest.raises(CredentialsRejected, match="altered or moved"):
            connections.fresh_token(connection.pk)
        connection.refresh_from_db()
        assert connection.state == "needs_reconnect"
    assert vendor.requests() == []
    assert actions() == ["secret_refused", "reconnect_needed"] * 2


@pytest.mark.fault(87)
@pytest.mark.parametrize("field", ["access_token", "refresh_token"])
def test_a_token_moved_from_another_field_is_not_used(
    living: Connection, vendor: Running, field: str
) -> None:
    other = "refresh_token" if field == "access_token" else "access_token"
    Connection.objects.filter(pk=living.pk).update(**{field: getattr(living, other)})
    if field == "refresh_token":
        expire(living)
    with pytest.raises(CredentialsRejected, match="altered or moved"):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 0
    assert actions() == ["secret_refused", "reconnect_needed"]


def test_an_api_key_is_handed_out_and_never_refreshed(living: Connection, vendor: Running) -> None:
    living.way, living.access_token, living.refresh_token = "key", "", ""
    living.seal("credential", vendor.api_key())
    living.expires_at = None
    living.save()
    token = connections.fresh_token(living.pk)
    assert token.endswith(vendor.api_key())
    with pytest.raises(CredentialsRejected, match="API key"):
        connections.fresh_token(living.pk, rejected=token)
    living.refresh_from_db()
    assert living.state == "needs_reconnect"
    assert vendor.requests() == []


def machine(living: Connection, vendor: Running) -> None:
    names = {"client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET"}
    client = {name: vendor.settings[setting] for name, setting in names.items()}
    living.way, living.refresh_token, living.refreshing_since = "machine", "", None
    living.seal("credential", json.dumps(client))
    living.save()


def test_a_private_app_gets_new_tokens_by_its_own_id_and_secret(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(living, vendor)
    monkeypatch.setenv("SEATWISE_PAGERDUTY_CLIENT_ID", "")
    monkeypatch.setenv("SEATWISE_PAGERDUTY_CLIENT_SECRET", "")
    old = connections.fresh_token(living.pk)
    new = connections.fresh_token(living.pk, rejected=old)
    assert new != old
    users = vendor.http.get("/us/users", headers={"Authorization": f"Bearer {new}"})
    assert users.status_code == 200


def test_a_private_apps_lost_answer_is_asked_for_again(living: Connection, vendor: Running) -> None:
    machine(living, vendor)
    expire(living)
    vendor.fault(path="/oauth/token", kind="reset", perform=True)
    with pytest.raises(Exception, match="broke off"):
        connections.fresh_token(living.pk)
    assert connections.fresh_token(living.pk)


def test_a_private_app_whose_secret_was_changed_asks_for_a_person(
    living: Connection, vendor: Running
) -> None:
    machine(living, vendor)
    living.seal("credential", json.dumps({"client_id": "x", "client_secret": "y"}))
    living.expires_at = datetime.now(tz=timezone.get_default_timezone())
    living.save()
    with pytest.raises(CredentialsRejected, match="private app"):
        connections.fresh_token(living.pk)
    living.refresh_from_db()
    assert living.state == "needs_reconnect"
