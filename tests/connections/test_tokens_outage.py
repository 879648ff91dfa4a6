"""A token endpoint that is down: syncs wait for it, and nobody is asked to do anything."""

from datetime import timedelta

import pytest
from django.utils import timezone

from seatwise import sync
from seatwise.models import AuditEvent, Connection, Member, Notice, SyncRun
from seatwise.sync.ending import PAUSES
from tests.conftest import configure
from tests.connections.granting import expire, token_calls
from tests.journey.programs import free_port
from tests.sandboxes import Running


def go_down(vendor: Running, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "refused":
        address = f"http://127.0.0.1:{free_port()}"  # nobody listens there
        monkeypatch.setenv("SEATWISE_PAGERDUTY_IDENTITY_URL", address)
    else:
        vendor.fault(path="/oauth/token", status=503, times=None)


def come_back(vendor: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor.clear_faults()
    vendor.fault(rate_limit=1_000_000)
    configure(vendor, monkeypatch)


def attempt(run: SyncRun, connection: Connection) -> timedelta | None:
    """The next attempt at a run, whose time has come; how long the one after that waits."""
    now = timezone.now()
    again_at = sync.run(run.pk)
    run.refresh_from_db()
    connection.refresh_from_db()
    assert run.retry_at == again_at
    return again_at - now if again_at else None


def nobody_is_asked_for_anything(connection: Connection) -> bool:
    asked = AuditEvent.objects.filter(action="reconnect_needed").exists()
    return connection.is_alive and not asked and "Integrate" not in connection.remedy


@pytest.mark.fault(22)
@pytest.mark.parametrize("how", ["503", "refused"])
def test_a_sync_waits_longer_and_longer_and_goes_on_by_itself(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    expire(living)
    go_down(vendor, monkeypatch, how)
    run, _ = sync.open_run(living, by=None)
    for longest in (*PAUSES, PAUSES[-1]):
        pause = attempt(run, living)
        assert pause is not None
        assert (
            timedelta() < pause <= longest + timedelta(seconds=5)
        )  # at random within, so that not all come back at once
        assert (run.state, living.state) == ("retry_at", "retrying")
        assert run.reason == living.attention != ""
        assert nobody_is_asked_for_anything(living)
    come_back(vendor, monkeypatch)
    assert attempt(run, living) is None
    assert (run.state, living.state) == ("done", "active")
    assert living.attention == ""
    assert Member.objects.current().count() == 40


@pytest.mark.fault(22)
@pytest.mark.fault(48)
def test_an_outage_of_a_day_is_told_once_and_ends_by_itself(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    expire(living)
    go_down(vendor, monkeypatch, "503")
    run, _ = sync.open_run(living, by=None)
    for number in range(1, 25):
        pause = attempt(run, living)
        assert pause is not None
        assert pause <= timedelta(hours=1, seconds=5)
        assert living.state == "retrying"
        assert Notice.objects.count() == (number >= len(PAUSES))
    assert AuditEvent.objects.filter(action="attention_needed").count() == 1
    assert token_calls(vendor) == 24
    come_back(vendor, monkeypatch)
    assert attempt(run, living) is None
    assert (run.state, living.state, living.attention) == ("done", "active", "")
    assert not Notice.objects.open().exists()
