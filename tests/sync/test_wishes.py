"""What a person asks of a run: to stop it."""

import pytest
from django.utils import timezone

from seatwise import sync
from seatwise.models import AuditEvent, Connection, Member, Notice, StagedRecord, SyncRun, User
from seatwise.models.notice import Kind
from tests.sandboxes import Running


def test_a_run_that_is_stopped_ends_at_its_next_page(
    connection: Connection, vendor: Running, admin: User
) -> None:
    run, _ = sync.open_run(connection, by=None)
    pages: list[int] = []

    def stop_at_the_second() -> bool:
        pages.append(1)
        if len(pages) == 2:
            assert sync.stop(SyncRun.objects.get(pk=run.pk), by=admin)
            vendor.forget_requests()
        return False

    assert sync.run(run.pk, stopping=stop_at_the_second) is None
    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, run.reason, run.ended_by) == ("cancelled", "Ada Admin stopped it.", admin)
    assert len(pages) == 2
    assert len(vendor.requests()) <= 16  # what had been asked for ahead
    assert Member.objects.current().count() == 40  # what was complete stays
    assert not StagedRecord.objects.exists()
    assert connection.next_sync_at is not None
    assert connection.next_sync_at > timezone.now()  # the schedule does not begin it at once again
    assert AuditEvent.objects.get(action="sync_stopped").actor.startswith("Ada Admin")
    assert not sync.stop(run, by=admin)


def test_a_run_that_waits_for_the_vendor_is_stopped_and_its_trouble_is_over(
    connection: Connection, admin: User
) -> None:
    run, _ = sync.open_run(connection, by=None)
    run.state, run.retry_at = "retry_at", timezone.now()
    run.save()
    connection.state, connection.attention = "retrying", "The vendor is away."
    connection.save()
    Notice.objects.tell(connection, Kind.AWAY, timezone.now(), run)
    assert sync.stop(run, by=admin)
    connection.refresh_from_db()
    assert (connection.state, connection.attention) == ("active", "")
    assert not Notice.objects.open().exists()
    assert sync.run(run.pk) is None  # its job finds it ended


@pytest.mark.usefixtures("vendor")
def test_a_file_that_waits_is_not_stopped_but_put_aside(
    connection: Connection, admin: User
) -> None:
    run, _ = sync.open_run(connection, by=None)
    Connection.objects.update(state="by_file")
    run.refresh_from_db()
    assert not sync.stop(run, by=admin)
