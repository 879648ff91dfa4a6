"""Whoever was seen until the reading stopped does not grow idle because nobody looks any more."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from seatwise import tallies
from seatwise.models import Connection, Member, Service
from tests.pages import rows
from tests.pages.test_members import ADDRESS, exported, names, page

STOPPED = 100  # days ago


@pytest.fixture(params=["needs_reconnect", "disconnected", "by_file"])
def account(request: pytest.FixtureRequest, db: None) -> Connection:
    """Last read long ago, when Ann was there the day before and Ida had not been for long."""
    then = timezone.now() - timedelta(days=STOPPED)
    read = {"members_as_of": then, "activity_as_of": then}
    account = rows.connection(rows.service(), state=request.param, **read)
    rows.member(account, "Ann Active", seen=STOPPED + 1)
    rows.member(account, "Ida Idle", seen=STOPPED + 70)
    rows.member(account, "Ivo Invited", invited=True)
    return account


def test_ages_are_counted_from_the_last_reading(as_viewer: Client, account: Connection) -> None:
    found = {line["name"]: line["status"] for line in exported(as_viewer)}
    assert found == {"Ann Active": "active", "Ida Idle": "idle_60", "Ivo Invited": "invited"}
    assert names(as_viewer, seen="7") == ["Ann Active"]
    assert names(as_viewer, seen="90") == ["Ida Idle"]
    assert names(as_viewer, status="idle_90") == []


def test_what_was_counted_ends_with_the_last_reading_too(account: Connection) -> None:
    services = list(Service.objects.for_table())
    counts = tallies.by_service(services, tallies.moment())[account.service_id]
    assert counts == {"active": 1, "idle_60": 1, "invited": 1}
    ages = {tally.age: tally.members for tally in tallies.of_members(services[0], tallies.moment())}
    assert ages == {"7": 1, "90": 1, "invited": 1}


def test_each_account_counts_from_its_own_last_reading(account: Connection) -> None:
    other = rows.connection(account.service, account_id="P2", account_name="acme-test")
    rows.member(other, "Olaf Old", seen=STOPPED + 1)
    members = Member.objects.with_status(timezone.now()).with_age(timezone.now())
    found = {tuple(getattr(each, of) for of in ("name", "status", "age")) for each in members}
    assert {("Ann Active", "active", "7"), ("Olaf Old", "idle_90", "older")} <= found


def test_nobody_who_was_read_ahead_of_the_moment_is_in_its_future(account: Connection) -> None:
    members = Member.objects.with_status(timezone.now() - timedelta(days=STOPPED + 10))
    assert members.get(name="Ida Idle").status == "idle_60"  # type: ignore[attr-defined]


def test_where_activity_was_only_read_in_part_the_list_of_members_tells_when(
    account: Connection,
) -> None:
    Connection.objects.update(activity_as_of=None)
    members = Member.objects.with_status(timezone.now())
    assert members.get(name="Ann Active").status == "active"  # type: ignore[attr-defined]


def test_where_nothing_was_read_to_its_end_the_moment_itself_counts(account: Connection) -> None:
    Connection.objects.update(activity_as_of=None, members_as_of=None)
    members = Member.objects.with_status(timezone.now())
    assert members.get(name="Ann Active").status == "idle_90"  # type: ignore[attr-defined]


def test_both_pages_say_as_of_when_a_status_is(as_viewer: Client, account: Connection) -> None:
    html = page(as_viewer)
    assert html.count('class="muted small status-as-of"') == 2  # an invitation needs no activity
    assert "last seen and status as of" in html
    ann = Member.objects.get(name="Ann Active")
    assert "status-as-of" in as_viewer.get(f"{ADDRESS}{ann.pk}/").content.decode()
    Connection.objects.update(activity_as_of=timezone.now() - timedelta(days=1))
    assert "status-as-of" not in page(as_viewer)
    assert "status-as-of" not in as_viewer.get(f"{ADDRESS}{ann.pk}/").content.decode()
