"""Erasing a person: who it was goes, that a seat was held stays; and history only grows."""

import json
import time
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import DatabaseError, connections, transaction
from django.db import connection as database
from django.utils import timezone

from seatwise import history
from seatwise.history.erasing import Woven, without
from seatwise.models import (
    AuditEvent,
    Connection,
    Member,
    MemberEvent,
    Notice,
    Signal,
    StagedRecord,
    SyncRun,
    User,
)
from seatwise.models.connection import State
from seatwise.sync import stages
from tests.pages import rows

WHO = ("Vera Canary", "vera@canary.example", "PCANARY", "Canary Officer", "canary-team")


@pytest.fixture
def account(db: None) -> Connection:
    activity = {"awaited": ["PA", "PCANARY"], "due": {"PCANARY": 7, "PB": 8}}
    whole = {"version": 1, "stages": {"usage": {"until": "2026-11"}, "activity": activity}}
    return rows.connection(rows.service(), reading_state=whole)


@pytest.fixture
def vera(account: Connection) -> Member:
    """Has left, with everything on her that can be known."""
    now = timezone.now()
    vera = rows.member(
        account, WHO[0], "user", email=WHO[1], external_id=WHO[2], job_title=WHO[3],
        teams=[WHO[4]], url="https://x.example/PCANARY", seen=3,
        first_listed_at=now - timedelta(days=50), left_at=now - timedelta(days=2),
    )  # fmt: skip
    Signal.objects.update(proof="Vera Canary resolved #1")
    told = {"email": WHO[1], "name": WHO[0], "role": "user", "invited": False}
    rows.event(vera, "listed", at=now - timedelta(days=50), facts=told)
    old = {"field": "name", "before": "V. Canary", "after": WHO[0]}
    rows.event(vera, "changed", at=now - timedelta(days=40), **old)
    role = {"field": "role", "before": "admin", "after": "user"}
    rows.event(vera, "changed", at=now - timedelta(days=30), **role)
    rows.event(vera, "left", at=now - timedelta(days=2))
    return vera


def everything() -> str:
    """All that the application keeps, of every model, as text."""
    kinds = apps.get_app_config("seatwise").get_models()
    return "".join(serializers.serialize("json", kind._base_manager.all()) for kind in kinds)


@pytest.fixture
def in_the_middle(account: Connection) -> SyncRun:
    """Reading her, and from where another attempt would go on."""
    place = {"after": "PCANARY", "tail": ["PA", "PCANARY"]}
    part = {"at": timezone.now().isoformat(), "ended": False, "place": place, "gaps": []}
    point = {"version": 1, "stages": {"members": part}}
    now = timezone.now()
    run = SyncRun.objects.create(
        connection=account, state="running", created_at=now, checkpoint=point
    )
    for kind, key in (("member", "PCANARY"), ("seat", "PCANARY"), ("member", "PA")):
        StagedRecord.objects.create(run=run, kind=kind, key=key, data={"external_id": key})
    Notice.objects.create(
        connection=account, run=run, kind="reconnect", what="It ended.", began_at=now, last_at=now
    )
    rows.usage(account, rows.this_month(), incidents=7)
    return run


@pytest.mark.parametrize("state", State)
def test_nothing_is_left_of_who_it_was(
    vera: Member, admin: User, in_the_middle: SyncRun, state: State
) -> None:
    """However the account is doing, and also where a run is open that nobody goes on with."""
    Connection.objects.update(state=state)
    if state == State.BY_FILE:  # what waits and lists them is asked about first
        in_the_middle.staged.all().delete()
    assert everything().lower().count("canary") > 8
    history.erase(vera, by=admin)
    assert "canary" not in everything().lower()
    vera.refresh_from_db()
    assert (vera.name, vera.external_id) == ("Erased person", f"erased-{vera.pk}")
    assert MemberEvent.objects.get(kind="listed").facts == {"role": "user", "invited": False}
    assert Connection.objects.get().reading_state["stages"] == {
        "usage": {"until": "2026-11"},
        "activity": {"awaited": ["PA"], "due": {"PB": 8}},
    }


def test_every_number_stays(vera: Member, admin: User, account: Connection) -> None:
    then = timezone.now() - timedelta(days=35)

    def numbers() -> list[object]:
        members = Member.objects.of(account.service).as_of(then)
        return [members.tally_then(), history.months(account.service)]

    before = numbers()
    assert before[0] == {("admin", ""): 1}
    history.erase(vera, by=admin)
    assert numbers() == before
    assert Member.objects.of(account.service).as_of(then).get().name_then == "Erased person"  # type: ignore[attr-defined]


def test_who_is_still_listed_is_not_erased(vera: Member, admin: User) -> None:
    Member.objects.update(left_at=None)
    with pytest.raises(history.StillThere, match="PagerDuty still lists this person"):
        history.erase(vera, by=admin)
    assert Member.objects.get().name == WHO[0]
    assert not AuditEvent.objects.exists()


def test_the_trail_does_not_name_the_person_and_twice_is_once(vera: Member, admin: User) -> None:
    history.erase(vera, by=admin)
    history.erase(vera, by=admin)
    event = AuditEvent.objects.get()
    assert (event.action, event.about) == ("person_erased", f"member {vera.pk}")
    assert event.actor == "Ada Admin <ada@example.com>"


def test_an_open_sync_begins_anew_for_it_could_bring_them_back(
    vera: Member, admin: User, account: Connection, in_the_middle: SyncRun
) -> None:
    history.erase(vera, by=admin)
    in_the_middle.refresh_from_db()
    account.refresh_from_db()
    assert in_the_middle.state == "cancelled"
    assert not StagedRecord.objects.filter(key="PCANARY").exists()
    assert account.next_sync_at is not None
    assert account.next_sync_at <= timezone.now()


@pytest.mark.parametrize("state", [State.DISCONNECTED, State.NEEDS_RECONNECT])
def test_an_open_run_of_an_account_that_nobody_reads_is_ended_and_not_begun_anew(
    vera: Member, admin: User, account: Connection, in_the_middle: SyncRun, state: State
) -> None:
    Connection.objects.update(state=state)
    history.erase(vera, by=admin)
    in_the_middle.refresh_from_db()
    account.refresh_from_db()
    assert (in_the_middle.state, account.next_sync_at) == ("cancelled", None)


@pytest.mark.parametrize(
    ("state", "replaced"),
    [
        (State.DISCONNECTED, False),
        (State.NEEDS_RECONNECT, False),
        (State.DISCONNECTED, True),
        (State.BY_FILE, True),
    ],
)
def test_whom_nobody_lists_any_more_is_erased_though_no_look_found_that_they_left(
    vera: Member, admin: User, account: Connection, state: State, replaced: bool
) -> None:
    Member.objects.update(left_at=None)
    Connection.objects.update(state=state, replaced_at=timezone.now() if replaced else None)
    history.erase(vera, by=admin)
    vera.refresh_from_db()
    assert (vera.name, vera.left_at) == ("Erased person", None)


def test_a_new_list_does_not_bring_back_whom_it_lists_but_takes_in_somebody_new(
    vera: Member, admin: User, account: Connection
) -> None:
    """Of an account that was reconnected after the erasing."""
    Member.objects.update(left_at=None)
    Connection.objects.update(state=State.NEEDS_RECONNECT)
    history.erase(vera, by=admin)
    Connection.objects.update(state=State.ACTIVE)
    run = SyncRun.objects.create(connection=account, created_at=timezone.now())
    told = {"external_id": WHO[2], "email": WHO[1], "name": WHO[0], "role": "user"}
    more = {"invited": False, "url": "", "job_title": "", "teams": []}
    StagedRecord.objects.create(run=run, kind="member", key=WHO[2], data=told | more)
    stages.apply(run, "members", insist=True)
    found = {member.name: member.left_at is None for member in Member.objects.all()}
    assert found == {"Erased person": False, WHO[0]: True}


def test_who_stands_in_the_newest_file_is_not_erased(
    vera: Member, admin: User, account: Connection
) -> None:
    Member.objects.update(left_at=None)
    Connection.objects.update(state=State.BY_FILE)
    with pytest.raises(history.StillThere, match="Apply a file without them first"):
        history.erase(vera, by=admin)
    assert Member.objects.get().name == WHO[0]


@pytest.mark.parametrize("left", [True, False])
def test_who_stands_in_a_file_that_waits_is_not_erased_and_the_file_stays_whole(
    vera: Member, admin: User, account: Connection, left: bool
) -> None:
    Connection.objects.update(state=State.BY_FILE)
    Member.objects.update(left_at=timezone.now() if left else None)
    run = SyncRun.objects.create(connection=account, created_at=timezone.now())
    StagedRecord.objects.create(run=run, kind="member", key="PCANARY", data={})
    with pytest.raises(history.FileWaits, match="apply it or put it aside first"):
        history.erase(vera, by=admin)
    assert run.staged.count() == 1
    assert Member.objects.get().name == WHO[0]


def test_a_file_that_waits_without_them_goes_on_waiting(
    vera: Member, admin: User, account: Connection
) -> None:
    Connection.objects.update(state=State.BY_FILE)
    run = SyncRun.objects.create(connection=account, created_at=timezone.now())
    StagedRecord.objects.create(run=run, kind="member", key="PA", data={})
    history.erase(vera, by=admin)
    run.refresh_from_db()
    assert run.is_open
    assert run.staged.count() == 1


def test_a_stage_whose_state_cannot_be_parted_from_the_id_is_read_anew(
    vera: Member, admin: User, account: Connection
) -> None:
    parts = {"usage": {"a": 1}, "activity": {"cursor": "after:PCANARY:7"}}
    Connection.objects.update(reading_state={"version": 1, "stages": parts})
    history.erase(vera, by=admin)
    assert Connection.objects.get().reading_state == {"version": 1, "stages": {"usage": {"a": 1}}}


def test_an_id_is_found_as_a_word_and_not_within_another() -> None:
    assert without({"a": ["P1", "P12"], "P1": 3, "at": "P12"}, "P1") == {"a": ["P12"], "at": "P12"}
    for woven in ({"x": "P1"}, [["-P1-"]], {"on P1": 1}):
        with pytest.raises(Woven):
            without(woven, "P1")


def waits_for_a_lock() -> None:
    """Until the other thread stands before the run's row."""
    deadline = time.monotonic() + 10
    with database.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_a_sync_that_is_writing_is_waited_for(
    vera: Member, admin: User, account: Connection
) -> None:
    """It finds them listed again in that very moment, so nothing is erased."""
    run = SyncRun.objects.create(connection=account, state="running", created_at=timezone.now())
    raised: list[Exception] = []

    def erase() -> None:
        try:
            history.erase(vera, by=admin)
        except history.StillThere as reason:
            raised.append(reason)
        finally:
            connections.close_all()

    other = Thread(target=erase)
    with transaction.atomic():
        SyncRun.objects.select_for_update().get(pk=run.pk)
        other.start()
        waits_for_a_lock()
        Member.objects.update(left_at=None)
    other.join(10)
    assert len(raised) == 1
    assert Member.objects.get().name == WHO[0]


@pytest.mark.parametrize(
    "change",
    [{"kind": "joined"}, {"after": "owner"}, {"before": "", "after": ""}, {"facts": {"x": 1}}],
)
def test_history_is_only_added_to(vera: Member, change: dict[str, Any]) -> None:
    refused = pytest.raises(DatabaseError, match="append-only")
    with refused, transaction.atomic():
        MemberEvent.objects.filter(field="role").update(**change)


def test_a_run_that_is_deleted_is_forgotten_and_what_it_found_stays(
    vera: Member, account: Connection
) -> None:
    run = SyncRun.objects.create(connection=account, state="done", created_at=timezone.now())
    event = rows.event(vera, "returned", run=run)
    run.delete()
    event.refresh_from_db()
    assert event.run_id is None
    assert json.loads(serializers.serialize("json", [event]))[0]["fields"]["kind"] == "returned"
