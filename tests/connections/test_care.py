"""Looking after connections that nobody asks for."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from seatwise import connections, tasks
from seatwise.connections import care
from seatwise.connections.tokens.stored import store
from seatwise.connectors.records import Grant
from seatwise.models import AuditEvent, Connection, Installation
from tests.connections.granting import token_calls, works
from tests.sandboxes import Running

DAY = timedelta(days=1)


def idle(connection: Connection, since: datetime) -> None:
    """Nobody has used it since, and its access token would last all the same."""
    Connection.objects.filter(pk=connection.pk).update(
        refreshed_at=since, granted_at=since, expires_at=timezone.now() + 9 * DAY
    )


def told(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action))


@pytest.mark.fault(28)
def test_a_grant_that_nobody_uses_is_renewed_long_before_it_dies(
    living: Connection, vendor: Running
) -> None:
    now = timezone.now()
    idle(living, now - 8 * DAY)  # of the 30 days after which an unused one dies
    care.look_after(now)
    care.look_after(now)
    assert token_calls(vendor) == 1
    living.refresh_from_db()
    assert living.refreshed_at is not None
    assert living.refreshed_at >= now
    assert works(vendor, connections.fresh_token(living.pk))


@pytest.mark.fault(28)
def test_a_grant_that_is_used_or_waits_for_its_vendor_is_kept_alive_alike(
    living: Connection, vendor: Running
) -> None:
    now = timezone.now()
    idle(living, now - 3 * DAY)
    care.look_after(now)
    assert token_calls(vendor) == 0
    Connection.objects.update(state="retrying")
    care.look_after(now + 5 * DAY)
    assert token_calls(vendor) == 1


@pytest.mark.fault(28)
def test_the_hard_end_is_announced_fourteen_days_before_and_once(
    living: Connection, vendor: Running
) -> None:
    assert living.granted_at is not None
    assert living.ends_at == living.granted_at + 365 * DAY
    care.look_after(living.ends_at - 15 * DAY)
    assert told("grant_ending") == []
    for _ in range(3):
        care.look_after(living.ends_at - 13 * DAY)
    (event,) = told("grant_ending")
    assert f"{living.ends_at:%Y-%m-%d}" in event.said
    living.refresh_from_db()
    assert living.end_told_at == living.ends_at - 13 * DAY


@pytest.mark.fault(28)
def test_a_connection_says_by_itself_that_it_ends_soon(living: Connection) -> None:
    assert not living.ends_soon
    living.ends_at = timezone.now() + 13 * DAY
    assert living.ends_soon
    living.ends_at = None
    assert not living.ends_soon


def test_a_refresh_does_not_move_the_hard_end(living: Connection) -> None:
    end = living.ends_at
    store(living, Grant("a", "r", 3600, frozenset()), timezone.now() + 99 * DAY)
    assert living.ends_at == end


@pytest.mark.fault(22)
def test_trouble_of_one_connection_is_noted_and_never_raised(
    living: Connection, vendor: Running
) -> None:
    idle(living, timezone.now() - 20 * DAY)
    vendor.fault(path="/oauth/token", status=503, times=None)
    vendor.forget_requests()
    goes_on = SimpleNamespace(should_abort=lambda: False)
    for _ in range(3):
        tasks.look_after(goes_on, 0)  # type: ignore[arg-type]
    assert token_calls(vendor) == 1  # what failed a moment ago is not tried again
    (event,) = told("refresh_failed")
    assert event.origin == "worker"
    assert event.about == "harbor-prod"
    living.refresh_from_db()
    assert living.state == "active"
    care.look_after(timezone.now() + care.RESTS)
    assert token_calls(vendor) == 2


def test_a_worker_that_is_told_to_stop_looks_after_nobody_else(
    living: Connection, vendor: Running
) -> None:
    idle(living, timezone.now() - 20 * DAY)
    vendor.forget_requests()
    care.look_after(timezone.now(), stopping=lambda: True)
    assert token_calls(vendor) == 0


@pytest.mark.fault(32)
def test_a_paused_copy_keeps_nothing_alive(living: Connection, vendor: Running) -> None:
    idle(living, timezone.now() - 20 * DAY)
    Installation.objects.update_or_create(
        defaults={"paused_at": timezone.now(), "paused_why": "It is a copy."}
    )
    care.look_after(timezone.now())
    assert vendor.requests() == []
