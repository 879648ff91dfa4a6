"""Who may write: the newest attempt at a run that nobody has ended."""

import pytest
from django.db import transaction
from django.utils import timezone

from seatwise import connections, sync
from seatwise.models import Connection, Member, StagedRecord, SyncRun, UsagePoint, User
from seatwise.sync.claim import Superseded, start
from tests.sandboxes import Running


@pytest.mark.fault(74)
def test_a_worker_that_goes_down_hands_its_run_over_at_the_next_page(
    connection: Connection,
) -> None:
    run, _ = sync.open_run(connection, by=None)
    again_at = sync.run(run.pk, stopping=lambda: True)
    assert again_at is not None
    assert again_at <= timezone.now()
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("queued", 1)
    assert sync.run(run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("done", 2)
    assert Member.objects.current().count() == 40


@pytest.mark.fault(79)
def test_a_frozen_worker_that_comes_back_cannot_write(connection: Connection) -> None:
    run, _ = sync.open_run(connection, by=None)
    frozen, newer = start(run.pk, "a"), start(run.pk, "b")
    assert frozen is not None
    assert newer is not None
    with transaction.atomic(), pytest.raises(Superseded):
        frozen.hold()
    with transaction.atomic():
        assert newer.hold() == run


def test_a_run_that_has_ended_is_not_begun_again(connection: Connection) -> None:
    run, _ = sync.open_run(connection, by=None)
    sync.run(run.pk)
    assert start(run.pk, "a") is None
    assert start(run.pk + 1, "a") is None
    again, is_new = sync.open_run(connection, by=None)
    assert is_new
    assert SyncRun.objects.count() == 2
    assert again != run


@pytest.mark.fault(83)
@pytest.mark.django_db(transaction=True)
def test_a_sync_that_is_revoked_in_the_middle_stops_and_writes_nothing_more(
    connection: Connection, admin: User, vendor: Running
) -> None:
    run, _ = sync.open_run(connection, by=None)
    seen: list[int] = []

    def revoke_after_the_first_page() -> bool:
        if not seen:
            seen.append(Member.objects.count())
            connections.revoke(connection, by=admin, erase=True)
            vendor.forget_requests()
        return False

    assert sync.run(run.pk, stopping=revoke_after_the_first_page) is None
    assert seen == [40]
    assert not Member.objects.exists()
    assert not UsagePoint.objects.exists()
    used = [request for request in vendor.requests() if request["status"] == 200]
    assert used == []


def test_what_an_earlier_attempt_had_read_does_not_count(connection: Connection) -> None:
    run, _ = sync.open_run(connection, by=None)
    assert start(run.pk, "a") is not None
    ghost = {"external_id": "P0GHOST", "email": "", "name": "", "role": "user", "invited": False}
    StagedRecord.objects.create(run=run, kind="member", key="P0GHOST", data=ghost)
    sync.run(run.pk)
    assert not Member.objects.filter(external_id="P0GHOST").exists()


@pytest.mark.fault(75)
def test_an_attempt_of_which_nobody_knew_whether_it_was_noted_is_begun_once(
    connection: Connection,
) -> None:
    run, _ = sync.open_run(connection, by=None)
    first, again = start(run.pk, "a"), start(run.pk, "a")  # the answer to COMMIT was lost
    assert first is not None
    assert again is not None
    assert first.attempt == again.attempt == 1
    run.refresh_from_db()
    assert (run.deaths, len(run.attempts)) == (0, 1)
    with transaction.atomic():
        assert again.hold() == run
