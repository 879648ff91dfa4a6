"""Refreshes that go wrong: what is lost, what is not, and what is said about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from seatwise import connections
from seatwise.connectors.errors import (
    AppRejected,
    BrokenAnswer,
    CredentialsRejected,
    TryAgainLater,
    VendorError,
)
from seatwise.models import AuditEvent, Connection
from tests.connections.granting import expire, token_calls, works
from tests.sandboxes import Running

OUTAGES: list[dict[str, Any]] = [
    {"status": 500},
    {"status": 503},
    {"kind": "rate_limited"},
    {"kind": "html"},
]
LOST = ["reset", "reset_body", "truncate", "truncate_length", "truncate_close", "empty"]


def lose(vendor: Running, kind: str = "reset") -> None:
    """The next refresh is carried out, and its answer does not arrive whole."""
    performed = {"perform": True} if kind in ("reset", "empty") else {}
    vendor.fault(path="/oauth/token", kind=kind, **performed)


def cut_off(connection: Connection, ago: timedelta) -> None:
    """A process was killed in the middle of a refresh, so long ago."""
    since = timezone.now() - ago
    Connection.objects.filter(pk=connection.pk).update(refreshing_since=since)
    expire(connection)


def state_of(connection: Connection) -> str:
    connection.refresh_from_db()
    return connection.state


def said(action: str) -> list[str]:
    return list(AuditEvent.objects.filter(action=action).values_list("said", flat=True))


@pytest.mark.fault(19)
def test_after_a_kill_in_the_middle_the_reason_is_told_and_no_call_is_made(
    living: Connection, vendor: Running
) -> None:
    cut_off(living, timedelta(minutes=3))
    for _ in range(2):
        with pytest.raises(CredentialsRejected, match="Seatwise was stopped at") as caught:
            connections.fresh_token(living.pk)
    assert state_of(living) == "needs_reconnect"
    assert living.refreshing_since is not None  # it stays: the explanation
    assert "Settings" in caught.value.remedy
    assert "stays" in caught.value.remedy
    assert token_calls(vendor) == 0
    assert len(said("reconnect_needed")) == 1


@pytest.mark.fault(19)
def test_a_process_that_may_still_store_its_answer_is_waited_for(
    living: Connection, vendor: Running
) -> None:
    cut_off(living, timedelta(seconds=5))
    with pytest.raises(TryAgainLater) as caught:
        connections.fresh_token(living.pk)
    assert caught.value.after == pytest.approx(55, abs=5)
    assert state_of(living) == "active"
    assert token_calls(vendor) == 0


@pytest.mark.fault(19)
@pytest.mark.fault(25)
def test_a_marker_from_another_clock_is_no_defect_and_no_grace(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATWISE_PAGERDUTY_REFRESH_GRACE", "30")
    cut_off(living, -timedelta(minutes=5))  # that clock was ahead, or ours is behind
    with pytest.raises(TryAgainLater):
        connections.fresh_token(living.pk)
    cut_off(living, -timedelta(hours=1))
    with pytest.raises(CredentialsRejected, match="Seatwise was stopped at"):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 0


@pytest.mark.fault(19)
def test_within_a_known_grace_period_it_is_tried_once_more(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATWISE_PAGERDUTY_REFRESH_GRACE", "30")
    vendor.fault(rotation_grace=30)
    cut_off(living, timedelta(seconds=5))
    assert works(vendor, connections.fresh_token(living.pk))
    assert state_of(living) == "active"
    assert living.refreshing_since is None


@pytest.mark.fault(19)
def test_after_the_grace_period_nothing_is_tried(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATWISE_PAGERDUTY_REFRESH_GRACE", "30")
    cut_off(living, timedelta(minutes=2))
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 0


@pytest.mark.fault(19)
def test_once_means_once(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATWISE_PAGERDUTY_REFRESH_GRACE", "30")
    cut_off(living, timedelta(seconds=5))
    first = living.refreshing_since
    lose(vendor)
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 1
    assert state_of(living) == "needs_reconnect"
    assert living.refreshing_since == first


@pytest.mark.fault(20)
@pytest.mark.parametrize("kind", LOST)
def test_an_answer_that_is_lost_is_told_as_what_it_is(
    living: Connection, vendor: Running, kind: str
) -> None:
    lose(vendor, kind)
    expire(living)
    with pytest.raises(CredentialsRejected, match="the answer was lost"):
        connections.fresh_token(living.pk)
    assert state_of(living) == "needs_reconnect"
    assert living.refreshing_since is not None
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 1


@pytest.mark.fault(20)
@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_costs_nothing_at_a_vendor_with_a_grace_period(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("SEATWISE_PAGERDUTY_REFRESH_GRACE", "30")
    vendor.fault(rotation_grace=30)
    lose(vendor, kind)
    expire(living)
    with pytest.raises(TryAgainLater):
        connections.fresh_token(living.pk)
    assert works(vendor, connections.fresh_token(living.pk))
    assert state_of(living) == "active"


@pytest.mark.fault(20)
def test_silence_is_tried_again_and_a_refusal_then_names_it(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatwise.connections.tokens.refreshing.DEADLINE", 0.2)
    vendor.fault(path="/oauth/token", kind="hang", perform=True, delay=2)
    expire(living)
    with pytest.raises(TryAgainLater, match="did not finish"):
        connections.fresh_token(living.pk)
    assert state_of(living) == "active"
    monkeypatch.undo()
    vendor_settings(vendor, monkeypatch)
    with pytest.raises(CredentialsRejected, match="the new one never arrived"):
        connections.fresh_token(living.pk)
    assert state_of(living) == "needs_reconnect"


def vendor_settings(vendor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in vendor.settings.items():
        monkeypatch.setenv(f"SEATWISE_PAGERDUTY_{name}", value)


@pytest.mark.fault(21)
@pytest.mark.django_db(transaction=True)
def test_a_refresh_inside_another_transaction_is_refused_before_any_call(
    living: Connection, vendor: Running
) -> None:
    expire(living)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 0
    assert works(vendor, connections.fresh_token(living.pk))


@pytest.mark.fault(22)
@pytest.mark.parametrize("outage", OUTAGES)
def test_a_vendor_that_cannot_answer_does_not_cost_the_grant(
    living: Connection, vendor: Running, outage: dict[str, Any]
) -> None:
    expire(living)
    vendor.fault(**{"path": "/oauth/token", "times": 3, **outage})
    for _ in range(3):
        with pytest.raises((TryAgainLater, BrokenAnswer)):
            connections.fresh_token(living.pk)
        assert state_of(living) == "active"
    assert works(vendor, connections.fresh_token(living.pk))
    assert len(said("refresh_failed")) == 1  # the same trouble is told once


@pytest.mark.fault(22)
@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://nowhere.invalid"])
def test_a_vendor_that_is_not_there_does_not_cost_the_grant(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    expire(living)
    monkeypatch.setenv("SEATWISE_PAGERDUTY_IDENTITY_URL", address)
    with pytest.raises(VendorError):
        connections.fresh_token(living.pk)
    assert state_of(living) == "active"
    vendor_settings(vendor, monkeypatch)
    assert works(vendor, connections.fresh_token(living.pk))


@pytest.mark.fault(23)
def test_a_grant_that_is_gone_asks_for_a_person_and_makes_no_more_calls(
    living: Connection, vendor: Running
) -> None:
    living.seal("refresh_token", "pdus+_dead")
    living.expires_at = timezone.now() - timedelta(hours=1)
    living.save()
    for _ in range(3):
        with pytest.raises(CredentialsRejected, match="refresh token"):
            connections.fresh_token(living.pk)
    assert state_of(living) == "needs_reconnect"
    assert living.attention
    assert living.remedy
    assert living.next_sync_at is None
    assert token_calls(vendor) == 1
    assert len(said("reconnect_needed")) == 1


@pytest.mark.fault(24)
def test_a_wrong_client_secret_is_the_operators_matter(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(living)
    monkeypatch.setenv("SEATWISE_PAGERDUTY_CLIENT_SECRET", "changed")
    with pytest.raises(AppRejected, match="every connection") as caught:
        connections.fresh_token(living.pk)
    assert "operator" in caught.value.remedy
    assert "Integrate" not in f"{caught.value} {caught.value.remedy}"
    assert state_of(living) == "active"
    assert living.refreshing_since is None
    vendor_settings(vendor, monkeypatch)
    assert works(vendor, connections.fresh_token(living.pk))


@pytest.mark.fault(24)
def test_a_missing_client_secret_makes_no_call(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(living)
    monkeypatch.setenv("SEATWISE_PAGERDUTY_CLIENT_SECRET", "")
    with pytest.raises(AppRejected, match="CLIENT_SECRET"):
        connections.fresh_token(living.pk)
    assert token_calls(vendor) == 0
    assert state_of(living) == "active"


@pytest.mark.fault(28)
def test_after_its_hard_end_a_grant_says_so(living: Connection) -> None:
    living.seal("refresh_token", "pdus+_dead")
    living.ends_at = living.expires_at = timezone.now() - timedelta(hours=1)
    living.save()
    with pytest.raises(CredentialsRejected, match="has reached its end"):
        connections.fresh_token(living.pk)


@pytest.mark.fault(31)
@pytest.mark.parametrize("what", ["suspended", "removed"])
def test_an_account_or_person_that_is_gone_at_the_vendor_asks_for_a_person(
    living: Connection, vendor: Running, what: str
) -> None:
    if what == "suspended":
        vendor.fault(suspended=["harbor-prod"])
    else:
        vendor.fault(remove=[vendor.someone("owner")])
    expire(living)
    with pytest.raises(CredentialsRejected):
        connections.fresh_token(living.pk)
    assert state_of(living) == "needs_reconnect"
    assert living.attention
