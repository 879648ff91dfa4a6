"""Keeping a grant alive."""

import threading
from datetime import timedelta

import pytest
from django.db import connections as databases
from django.utils import timezone

from seatwise import connections
from seatwise.connectors.errors import AppRejected, CredentialsRejected, TryAgainLater
from seatwise.models import Connection
from tests.sandboxes import Running


def expire(connection: Connection) -> None:
    Connection.objects.filter(pk=connection.pk).update(expires_at=timezone.now())


def test_a_valid_token_is_handed_out_without_a_call(
    connection: Connection, vendor: Running
) -> None:
    vendor.forget_requests()
    assert connections.fresh_token(connection.pk) == connections.fresh_token(connection.pk)
    assert vendor.requests("/identity/oauth/token") == []


@pytest.mark.fault(17)
def test_a_rejected_token_is_refreshed_once(connection: Connection, vendor: Running) -> None:
    old = connections.fresh_token(connection.pk)
    new = connections.fresh_token(connection.pk, rejected=old)
    assert new != old
    assert connections.fresh_token(connection.pk, rejected=old) == new


@pytest.mark.fault(18)
@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_refresh(connection: Connection, vendor: Running) -> None:
    expire(connection)
    vendor.forget_requests()
    tokens: list[str] = []

    def ask() -> None:
        try:
            tokens.append(connections.fresh_token(connection.pk))
        finally:
            databases.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(tokens) == 8
    assert len(set(tokens)) == 1
    assert len(vendor.requests("/identity/oauth/token")) == 1


@pytest.mark.fault(22)
def test_a_vendor_that_cannot_answer_does_not_cost_the_grant(
    connection: Connection, vendor: Running
) -> None:
    expire(connection)
    vendor.fault(path="/oauth/token", kind="status", status=503, times=1)
    with pytest.raises(TryAgainLater):
        connections.fresh_token(connection.pk)
    connection.refresh_from_db()
    assert connection.state == "active"
    assert connections.fresh_token(connection.pk)


@pytest.mark.fault(23)
def test_a_grant_that_is_gone_asks_for_a_person_and_makes_no_more_calls(
    connection: Connection, vendor: Running
) -> None:
    connection.seal("refresh_token", "pdus+_dead")
    connection.expires_at = timezone.now() - timedelta(hours=1)
    connection.save()
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(connection.pk)
    connection.refresh_from_db()
    assert connection.state == "needs_reconnect"
    assert connection.attention
    assert connection.remedy
    vendor.forget_requests()
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(connection.pk)
    assert vendor.requests() == []


@pytest.mark.fault(24)
def test_a_wrong_client_secret_is_the_operators_matter(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(connection)
    monkeypatch.setenv("SEATWISE_PAGERDUTY_CLIENT_SECRET", "changed")
    with pytest.raises(AppRejected) as caught:
        connections.fresh_token(connection.pk)
    assert "operator" in caught.value.remedy
    connection.refresh_from_db()
    assert connection.state == "active"


@pytest.mark.fault(87)
def test_a_token_moved_from_another_row_is_not_used(
    connection: Connection, vendor: Running
) -> None:
    Connection.objects.filter(pk=connection.pk).update(access_token=connection.refresh_token)
    vendor.forget_requests()
    with pytest.raises(CredentialsRejected, match="altered or moved"):
        connections.fresh_token(connection.pk)
    assert vendor.requests() == []
