"""What pages count is kept, and never for longer than it is true."""

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from seatwise import history, tallies
from seatwise.models import Connection, Member, Service, SyncRun, User
from seatwise.models.sync_run import RunState
from tests.pages import rows


@pytest.fixture
def account(db: None) -> Connection:
    account = rows.connection(rows.service())
    for number in range(3):
        rows.member(account, f"Member {number}", seen=1)
    return account


def active(account: Connection) -> tuple[int, int]:
    """By both ways of counting."""
    service = Service.objects.for_table().get(pk=account.service_id)
    now = tallies.moment()
    members = sum(t.members for t in tallies.of_members(service, now) if t.status == "active")
    return members, tallies.by_service([service], now)[service.pk].get("active", 0)


def forget_last_seen(account: Connection) -> None:
    member = Member.objects.filter(connection=account, last_seen_at__isnull=False).first()
    assert member is not None
    member.last_seen_at = None
    member.save()


def test_what_was_counted_is_kept_until_a_sync_writes(account: Connection) -> None:
    assert active(account) == (3, 3)
    forget_last_seen(account)
    assert active(account) == (3, 3)
    SyncRun.objects.create(connection=account, created_at=timezone.now(), state=RunState.DONE)
    assert active(account) == (2, 2)


def test_nothing_of_an_account_is_kept_while_it_is_read(account: Connection) -> None:
    SyncRun.objects.create(connection=account, created_at=timezone.now(), state=RunState.RUNNING)
    assert active(account) == (3, 3)
    forget_last_seen(account)
    assert active(account) == (2, 2)


def test_one_account_that_is_read_does_not_make_the_others_counted_anew(
    account: Connection,
) -> None:
    other = rows.connection(rows.service("github", "GitHub"), account_id="G1")
    rows.member(other, "Grace", seen=1)
    SyncRun.objects.create(connection=other, created_at=timezone.now(), state=RunState.RUNNING)
    services = list(Service.objects.for_table())
    now = tallies.moment()
    before = tallies.by_service(services, now)
    forget_last_seen(account)
    forget_last_seen(other)
    after = tallies.by_service(services, now)
    assert (before[account.service_id]["active"], before[other.service_id]["active"]) == (3, 1)
    assert (after[account.service_id]["active"], after[other.service_id].get("active")) == (3, None)


def test_who_is_erased_is_counted_anew_at_once(
    account: Connection,
    admin: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    account.state = "disconnected"
    account.access_token = account.refresh_token = ""
    account.save()
    assert active(account) == (3, 3)
    member = Member.objects.filter(connection=account).first()
    assert member is not None
    with django_capture_on_commit_callbacks(execute=True):
        history.erase(member, by=admin)
    assert active(account) == (2, 2)
