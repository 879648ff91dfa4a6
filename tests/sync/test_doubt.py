"""A list that has suddenly lost many is held back until it is confirmed, or still so later."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from seatwise import sync
from seatwise.models import AuditEvent, Connection, Member, MemberEvent, Notice, SyncRun, User
from tests.conftest import read
from tests.sandboxes import Running


def shows(vendor: Running, people: Sequence[dict[str, Any]], total: int | None = None) -> None:
    """From now on the vendor lists only these, and licences as they were."""
    vendor.clear_faults()
    vendor.fault(rate_limit=1_000_000)
    rows = [
        {"id": p["id"], "name": p["name"], "role": p["role"], "email": p["email"]} for p in people
    ]
    body = {"limit": 100, "offset": 0, "more": False, "total": total or len(rows), "users": rows}
    vendor.fault(path="/users", kind="json", body=body, times=None)


def look(run: SyncRun, *, later: timedelta = timedelta()) -> SyncRun:
    """The next attempt, so much later than the one before."""
    if run.doubt and later:
        at = datetime.fromisoformat(run.doubt["at"]) - later
        run.doubt["at"] = at.isoformat()
        run.save()
    sync.run(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def held(connection: Connection, vendor: Running) -> SyncRun:
    """40 people were there, and the vendor lists one."""
    read(connection)
    shows(vendor, vendor.truth()["members"][:1])
    run, _ = sync.open_run(connection, by=None)
    return look(run)


@pytest.mark.fault(54)
def test_an_unusual_drop_is_held_and_said(held: SyncRun, connection: Connection) -> None:
    connection.refresh_from_db()
    assert held.state == "retry_at"
    assert held.retry_at is not None
    assert held.retry_at - timezone.now() > timedelta(minutes=59)
    assert held.is_doubted
    assert (held.doubt["before"], held.doubt["gone"]) == (40, 39)
    assert "no longer lists 39 of 40 members" in connection.attention
    assert Member.objects.current().count() == 40
    assert not MemberEvent.objects.filter(kind="left").exists()
    assert Notice.objects.open().get().what == connection.attention


@pytest.mark.fault(54)
def test_a_second_look_an_hour_later_that_agrees_applies_it(held: SyncRun) -> None:
    look(held, later=timedelta(minutes=58))
    assert (held.state, Member.objects.current().count()) == ("retry_at", 40)
    look(held, later=timedelta(minutes=3))  # 61 minutes after the first look
    assert (held.state, held.doubt["settled"]) == ("done", "agreed")
    assert Member.objects.current().count() == 1
    assert not Notice.objects.open().exists()
    assert Notice.objects.get().times == 2


@pytest.mark.fault(54)
def test_an_admin_who_confirms_it_has_it_applied_at_the_next_look(
    held: SyncRun, admin: User
) -> None:
    assert sync.believe(held, by=admin)
    held.refresh_from_db()
    assert held.retry_at is not None
    assert held.retry_at <= timezone.now()
    assert AuditEvent.objects.get(action="drop_believed").said == "39 of 40 members are gone."
    look(held)
    assert (held.state, held.doubt["settled"]) == ("done", "confirmed")
    assert Member.objects.current().count() == 1
    assert not sync.believe(held, by=admin)


def test_what_shrinks_further_than_was_confirmed_is_doubted_anew(
    connection: Connection, vendor: Running, admin: User
) -> None:
    read(connection)
    people = vendor.truth()["members"]
    shows(vendor, people[:25])
    run, _ = sync.open_run(connection, by=None)
    look(run)
    assert sync.believe(run, by=admin)
    shows(vendor, people[:3])
    look(run)
    assert (run.state, Member.objects.current().count()) == ("retry_at", 40)
    assert not run.doubt.get("believed_by")
    assert run.doubt["gone"] == 37


def test_a_list_that_is_whole_again_is_applied_as_it_is(held: SyncRun, vendor: Running) -> None:
    vendor.clear_faults()
    vendor.fault(rate_limit=1_000_000)
    look(held)
    assert (held.state, held.doubt["settled"]) == ("done", "over")
    assert Member.objects.current().count() == 40


@pytest.mark.fault(54)
def test_a_list_with_nobody_in_it_is_held_even_where_there_were_few(
    connection: Connection, vendor: Running
) -> None:
    people = vendor.truth()["members"]
    shows(vendor, people[:4])
    read(connection)
    shows(vendor, [])
    run, _ = sync.open_run(connection, by=None)
    look(run)
    assert (run.state, Member.objects.current().count()) == ("retry_at", 4)
    look(run, later=timedelta(minutes=61))
    assert (run.state, Member.objects.current().count()) == ("done", 0)


@pytest.mark.fault(54)
def test_a_second_look_agrees_about_people_and_not_about_a_number(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    people = vendor.truth()["members"]
    shows(vendor, people[:20])
    run, _ = sync.open_run(connection, by=None)
    look(run)
    first = run.doubt["at"]
    shows(vendor, people[20:])  # as many, and others
    look(run, later=timedelta(minutes=61))
    assert (run.state, Member.objects.current().count()) == ("retry_at", 40)
    assert run.doubt["at"] > first  # a doubt of its own
    look(run, later=timedelta(minutes=61))
    assert run.state == "done"
    gone = set(Member.objects.filter(left_at__isnull=False).values_list("external_id", flat=True))
    assert gone == {person["id"] for person in people[:20]}


@pytest.mark.fault(54)
def test_small_steps_do_not_add_up_to_what_nobody_saw(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    people = vendor.truth()["members"]
    run, _ = sync.open_run(connection, by=None)
    doubts: list[str] = []
    for left, doubted in ((26, 14), (17, 14), (6, 34)):  # what is beyond the first doubt by itself
        shows(vendor, people[:left])
        look(run)
        assert (run.state, run.doubt["gone"]) == ("retry_at", doubted)
        doubts.append(run.doubt["at"])
    assert doubts[0] == doubts[1] < doubts[2]  # its hour begins anew where it is another doubt
    assert Member.objects.current().count() == 40


def test_an_admins_word_reaches_no_further_than_what_they_were_shown(
    held: SyncRun, admin: User
) -> None:
    assert not sync.believe(held, by=admin, shown="2026-01-01T00:00:00+00:00")
    assert sync.believe(held, by=admin, shown=held.doubt["at"])


def test_seats_of_a_licence_that_is_not_listed_say_nothing(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    vendor.fault(path="/licenses", kind="json", body={"licenses": []}, times=None)
    run, _ = sync.open_run(connection, by=None)
    look(run)
    assert (run.state, run.doubt["stage"], run.doubt["gone"]) == ("retry_at", "licences", 40)
    assert Member.objects.current().filter(license__isnull=False).count() == 40


def test_a_look_with_a_hole_settles_nothing(held: SyncRun, vendor: Running, admin: User) -> None:
    sync.believe(held, by=admin)
    as_of = held.connection.members_as_of
    shows(vendor, vendor.truth()["members"][:1], total=40)
    look(held)
    assert held.state == "done_with_notes"
    assert "settled" not in held.doubt
    assert Member.objects.current().count() == 40
    held.connection.refresh_from_db()
    assert held.connection.members_as_of == as_of  # no complete list since


@pytest.mark.fault(67)
def test_as_many_strangers_in_their_place_hide_nobody(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    people = vendor.truth()["members"]
    shows(vendor, [*people[:20], *({**p, "id": f"PNEW{p['id']}"} for p in people[20:])])
    run, _ = sync.open_run(connection, by=None)
    look(run)
    assert (run.state, run.doubt["gone"]) == ("retry_at", 20)
    look(run, later=timedelta(minutes=61))
    assert (run.state, run.counts["joined"], run.counts["left"]) == ("done", 20, 20)
    assert Member.objects.count() == 60  # new people, with a history of their own


@pytest.mark.fault(67)
def test_an_id_that_is_used_again_is_a_new_person_with_a_history_of_their_own(
    connection: Connection, vendor: Running
) -> None:
    read(connection)
    people = vendor.truth()["members"]
    left, back = people[38], people[39]
    shows(vendor, people[:38])
    read(connection)
    stranger = {**left, "name": "Somebody Else", "email": "else@harbor.example"}
    married = {**back, "name": "Another Name"}
    shows(vendor, [*people[:38], stranger, married])
    read(connection)
    holders = Member.objects.filter(name__in=[left["name"], "Somebody Else"]).order_by("pk")
    assert [(m.name, m.left_at is None) for m in holders] == [
        (left["name"], False),
        ("Somebody Else", True),
    ]
    told = [e.kind for e in MemberEvent.objects.filter(member=holders[1], field="")]
    assert told == ["joined"]
    (again,) = Member.objects.filter(external_id=back["id"])
    assert (again.name, again.left_at) == ("Another Name", None)
