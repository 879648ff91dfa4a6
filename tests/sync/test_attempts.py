"""Who may write: the newest attempt at a run that nobody has ended."""

import pytest
from django.db import transaction
from django.utils import timezone

from seatwise import sync
from seatwise.models import Connection, Member, SyncRun
from seatwise.sync.claim import Superseded, start


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
    frozen, newer = start(run.pk), start(run.pk)
    assert frozen is not None
    assert newer is not None
    with transaction.atomic(), pytest.raises(Superseded):
        frozen.hold()
    with transaction.atomic():
        assert newer.hold() == run


def test_a_run_that_has_ended_is_not_begun_again(connection: Connection) -> None:
    run, _ = sync.open_run(connection, by=None)
    sync.run(run.pk)
    assert start(run.pk) is None
    assert start(run.pk + 1) is None
    again, is_new = sync.open_run(connection, by=None)
    assert is_new
    assert SyncRun.objects.count() == 2
    assert again != run
