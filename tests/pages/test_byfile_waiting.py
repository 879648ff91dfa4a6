"""How long a file waits, and what ends the waiting: an account, time, or somebody's word."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connections as databases
from django.db import transaction
from django.test import Client
from django.utils import timezone

from seatwise import sync
from seatwise.models import Connection, Member, Service, StagedRecord, SyncRun, Upload, User
from seatwise.models.connection import State
from seatwise.models.sync_run import RunState
from tests.conftest import authorize
from tests.history.test_erasing import waits_for_a_lock
from tests.pages import rows
from tests.pages.files import FILE, SETTINGS, put, upload, words
from tests.sandboxes import Running

DATA = b"email\na@x.example\n"
WEEK = timedelta(days=7, seconds=1)


@pytest.fixture
def zoom(db: None) -> Service:
    return rows.service("zoom", "Zoom")


@pytest.fixture
def waiting(as_admin: Client, zoom: Service) -> SyncRun:
    assert upload(as_admin, DATA)["Location"] == FILE + "review/"
    return SyncRun.objects.get()


def test_an_account_that_is_connected_ends_the_waiting(
    vendor: Running, service: Service, admin: User
) -> None:
    by_file = rows.connection(service, account_id="file", state=State.BY_FILE)
    run = SyncRun.objects.create(connection=by_file, created_at=timezone.now())
    StagedRecord.objects.create(run=run, kind="member", key="a@x.example", data={})
    sync.byfile.upload(service, DATA, name="team.csv", by=admin)
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None, attempt.message
    run.refresh_from_db()
    by_file.refresh_from_db()
    assert by_file.replaced_at is not None
    assert (run.state, run.reason) == (RunState.CANCELLED, "An account was connected.")
    assert not run.staged.exists()
    assert not Upload.objects.exists()


def test_a_file_can_be_put_aside_though_an_account_took_its_place(
    as_admin: Client, zoom: Service, waiting: SyncRun
) -> None:
    Connection.objects.update(replaced_at=timezone.now())
    rows.connection(zoom)
    as_admin.post(FILE + "aside/", {"file": waiting.pk})
    waiting.refresh_from_db()
    assert waiting.state == RunState.CANCELLED
    assert "discarded" in words(as_admin, SETTINGS)
    as_admin.post(FILE + "aside/", {"file": waiting.pk})
    assert "waits no more" in words(as_admin, SETTINGS)


def test_only_a_file_of_this_service_is_put_aside_and_never_a_sync(
    as_admin: Client, zoom: Service, waiting: SyncRun
) -> None:
    other = rows.service("other", "Other")
    read = SyncRun.objects.create(connection=rows.connection(zoom), created_at=timezone.now())
    as_admin.post(FILE + "aside/", {"file": read.pk})
    as_admin.post(f"/services/{other.key}/file/aside/", {"file": waiting.pk})
    assert SyncRun.objects.open().count() == 2


def test_what_nobody_reviews_within_a_week_is_ended(zoom: Service, waiting: SyncRun) -> None:
    account = rows.connection(rows.service("other", "Other"))
    SyncRun.objects.create(connection=account, created_at=waiting.created_at)  # no file
    assert sync.byfile.forget_old(waiting.created_at + timedelta(days=6, hours=23)) == 0
    Connection.objects.filter(service=zoom).update(replaced_at=timezone.now())  # as well
    assert sync.byfile.forget_old(waiting.created_at + WEEK) == 1
    waiting.refresh_from_db()
    assert waiting.state == RunState.CANCELLED
    assert waiting.reason == "From the file team.csv. Nobody applied it within 7 days."
    assert not StagedRecord.objects.exists()
    assert SyncRun.objects.open().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_being_applied_is_not_ended_meanwhile(
    as_admin: Client, admin: User, zoom: Service, waiting: SyncRun
) -> None:
    ended: list[int] = []

    def forget() -> None:
        try:
            ended.append(sync.byfile.forget_old(timezone.now() + WEEK))
        finally:
            databases.close_all()

    other = Thread(target=forget)
    with transaction.atomic():
        sync.byfile._held(zoom, waiting.pk)
        other.start()
        waits_for_a_lock()
        sync.byfile.apply(zoom, waiting.pk, by=admin)
    other.join(10)
    waiting.refresh_from_db()
    assert (ended, waiting.state, Member.objects.count()) == ([0], RunState.DONE, 1)


def test_an_upload_does_not_wait_for_a_week(as_admin: Client, zoom: Service) -> None:
    put(as_admin, DATA)
    assert sync.byfile.forget_old(timezone.now() + timedelta(days=1, seconds=1)) == 1
