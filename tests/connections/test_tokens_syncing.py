"""What a sync makes of a grant that is refused, reduced, kept back or ended at the vendor."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from seatwise import connections, installation, sync
from seatwise.connections.tokens import verdicts
from seatwise.models import AuditEvent, Connection, Installation, Member, Service
from seatwise.sync.bridge import StoredCredentials
from tests.conftest import configure, read
from tests.connections.granting import expire, grant_to, token_calls
from tests.sandboxes import Running, running


def within_a_day(connection: Connection) -> bool:
    wanted = connection.next_sync_at
    if wanted is None:
        return False
    return timedelta() < wanted - timezone.now() <= timedelta(hours=25)


@pytest.fixture(scope="module")
def larger_vendor() -> Iterator[Running]:
    """With more people than stand on one page."""
    with running(seed=17, users=150, months=1) as there:
        yield there


@pytest.mark.fault(17)
@pytest.mark.django_db(transaction=True)
def test_a_token_that_ends_between_two_pages_costs_one_refresh_and_no_row(
    larger_vendor: Running, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(larger_vendor, monkeypatch)
    larger_vendor.fault(rate_limit=1_000_000)
    connection = grant_to(larger_vendor, service)
    larger_vendor.forget_requests()
    larger_vendor.fault(path="/users", status=401, after=1, times=1)
    run = read(connection)
    assert run.state in ("done", "done_with_notes"), run.reason
    pages = larger_vendor.requests("/us/users")
    first, refused, repeated = pages
    assert [page["status"] for page in pages] == [200, 401, 200]
    assert first["query"] != refused["query"] == repeated["query"]
    assert first["token"] == refused["token"] != repeated["token"]
    assert token_calls(larger_vendor) == 1
    there = {person["id"] for person in larger_vendor.truth()["members"]}
    assert set(Member.objects.current().values_list("external_id", flat=True)) == there


@pytest.mark.fault(17)
@pytest.mark.fault(25)
@pytest.mark.django_db(transaction=True)
def test_several_pages_that_are_refused_at_once_make_one_refresh(
    living: Connection, vendor: Running
) -> None:
    old = connections.fresh_token(living.pk)
    credentials = StoredCredentials(living.pk, old)

    async def everybody() -> list[str]:
        return await asyncio.gather(*(credentials.renew(old) for _ in range(8)))

    (new,) = set(asyncio.run(everybody()))
    assert new != old
    assert token_calls(vendor) == 1


@pytest.mark.fault(23)
def test_a_sync_that_ends_well_does_not_take_back_that_the_grant_was_lost(
    living: Connection,
) -> None:
    run, _ = sync.open_run(living, by=None)
    pages: list[int] = []

    def lose_it_after_the_first_page() -> bool:
        if not pages:
            verdicts.lost(Connection.objects.get(pk=living.pk), "It was lost.")
        pages.append(1)
        return False

    sync.run(run.pk, stopping=lose_it_after_the_first_page)
    living.refresh_from_db()
    assert (living.state, living.attention) == ("needs_reconnect", "It was lost.")
    assert living.next_sync_at is None


@pytest.mark.fault(32)
def test_a_running_sync_stops_within_a_page_once_syncing_is_paused(
    living: Connection, vendor: Running
) -> None:
    run, _ = sync.open_run(living, by=None)
    pages: list[int] = []

    def pause_after_the_first_page() -> bool:
        if not pages:
            installation.pause("Paused by hand.")
            vendor.forget_requests()
        pages.append(1)
        return False

    assert sync.run(run.pk, stopping=pause_after_the_first_page) is not None
    run.refresh_from_db()
    assert (len(pages), run.state) == (1, "retry_at")
    assert len(vendor.requests()) <= 16  # what had been asked for ahead


@pytest.mark.fault(29)
@pytest.mark.fault(30)
def test_after_a_demotion_and_a_lost_permission_the_rest_is_still_read(
    living: Connection, vendor: Running
) -> None:
    vendor.fault(demote={vendor.someone("owner"): "observer"}, revoke_scopes=["incidents.read"])
    run = read(living)
    assert run.state == "done_with_notes"
    assert living.state == "limited"
    assert any("incidents.read" in str(gap) for gap in living.gaps)
    assert any("licences" in str(gap) for gap in living.gaps)
    assert Member.objects.current().count() == 40


@pytest.mark.fault(31)
def test_a_suspended_account_and_then_a_removed_person_are_told_and_the_data_is_kept(
    living: Connection, vendor: Running
) -> None:
    read(living)
    vendor.fault(suspended=["harbor-prod"])
    run = read(living)
    assert (run.state, living.state) == ("action_needed", "limited")
    assert run.reason == living.attention != ""
    assert within_a_day(living)
    vendor.fault(suspended=[], remove=[vendor.someone("owner")])
    run = read(living)
    assert (run.state, living.state) == ("action_needed", "needs_reconnect")
    assert run.reason == living.attention != ""
    assert AuditEvent.objects.filter(action="reconnect_needed").count() == 1
    assert Member.objects.current().count() == 40


@pytest.mark.fault(24)
def test_a_changed_client_secret_is_told_to_the_operator_and_tried_daily(
    living: Connection, vendor: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATWISE_PAGERDUTY_CLIENT_SECRET", "changed")
    expire(living)
    run = read(living)
    assert run.state == "action_needed"
    assert "operator" in run.remedy
    assert living.is_alive
    assert within_a_day(living)


def test_a_grant_that_is_kept_back_waits_and_costs_no_attempt(
    living: Connection, vendor: Running
) -> None:
    installation.check()
    Installation.objects.update(paused_at=timezone.now(), paused_why="It is a copy.")
    vendor.forget_requests()
    run, _ = sync.open_run(living, by=None)
    for _ in range(7):
        again_at = sync.run(run.pk)
        assert again_at is not None
        assert again_at - timezone.now() == pytest.approx(
            timedelta(minutes=5), abs=timedelta(seconds=5)
        )
    run.refresh_from_db()
    living.refresh_from_db()
    assert (run.state, run.attempts, run.failures) == ("retry_at", [], 0)
    assert "copy" in run.reason
    assert (living.state, living.attention) == ("active", run.reason)
    assert vendor.requests() == []
    Installation.objects.update(paused_at=None, paused_why="")
    assert connections.fresh_token(living.pk)
