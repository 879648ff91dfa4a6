"""A connection that needs a person is told of once, and the notice goes when it is well again."""

import pytest
from django.utils import timezone

from seatwise import connections
from seatwise.connections.tokens import refreshing, verdicts
from seatwise.models import AuditEvent, Connection, Notice, Service, User
from seatwise.models.connection import Every
from tests.conftest import authorize
from tests.pages import rows
from tests.sandboxes import Running


@pytest.fixture
def lost(service: Service) -> Connection:
    connection = rows.connection(service)
    verdicts.lost(connection, "The authorization has ended.")
    return connection


def test_a_lost_authorization_is_one_notice_however_often_it_is_found(lost: Connection) -> None:
    verdicts.lost(lost, "The authorization has ended.")
    notice = Notice.objects.open().get()
    assert (notice.what, notice.times) == ("The authorization has ended.", 2)
    assert notice.remedy == verdicts.REMEDY
    assert not AuditEvent.objects.filter(action="attention_needed").exists()  # it is told already


def test_an_answer_that_comes_late_closes_the_notice(lost: Connection) -> None:
    refreshing._heal(lost, timezone.now())
    assert not Notice.objects.open().exists()


def test_a_late_answer_begins_no_sync_where_only_a_person_starts_one(lost: Connection) -> None:
    refreshing._heal(lost, timezone.now())
    assert lost.next_sync_at is not None
    lost.sync_every = Every.NEVER
    refreshing._heal(lost, timezone.now())
    assert lost.next_sync_at is None


def test_integrating_again_closes_the_notice(
    vendor: Running, service: Service, admin: User
) -> None:
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None
    verdicts.lost(attempt.connection, "The authorization has ended.")
    authorize(vendor, service, admin)
    assert Notice.objects.count() == 1
    assert not Notice.objects.open().exists()


def test_revoking_closes_the_notice(lost: Connection, admin: User) -> None:
    connections.revoke(lost, by=admin, erase=False)
    assert not Notice.objects.open().exists()
