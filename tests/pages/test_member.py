"""A member's page: who it is, the timeline, the evidence, and erasing the person."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from seatwise.models import (
    AuditEvent,
    Connection,
    Member,
    MemberEvent,
    Signal,
    StagedRecord,
    SyncRun,
)
from seatwise.models.connection import State
from tests.pages import rows


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def ada(account: Connection, **fields: object) -> Member:
    """Found at the first look, an admin since ten days ago, seen yesterday."""
    at = timezone.now() - timedelta(days=40)
    given = {"first_listed_at": at, "license": rows.license_pool(account, "Pro"), "seen": 1}
    member = rows.member(account, "Ada Quay", "admin", **{**given, **fields})
    rows.event(member, "listed", at=at, facts={"name": "Ada Quay", "role": "user"})
    rows.event(member, "listed", at=at, field="license", after="Pro")
    day = timedelta(days=1)
    rows.event(member, "changed", at=at + 30 * day, field="role", before="user", after="admin")
    rows.event(member, "changed", at=at + 31 * day, field="email", before="a@x.io", after="b@x.io")
    return member


def path(member: Member, more: str = "") -> str:
    return f"/services/pagerduty/members/{member.pk}/{more}"


def html(client: Client, member: Member, more: str = "") -> str:
    response = client.get(path(member, more))
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_tells_who_it_is_and_everything_that_happened_newest_first(
    as_viewer: Client, account: Connection
) -> None:
    shown = html(as_viewer, ada(account))
    # Of one moment who was there comes first, and then with which licence.
    steps = ["E-mail changed", "a@x.io → b@x.io", "Role changed", "Was there at", "Held a licence"]
    places = [shown.index(step) for step in steps]
    assert places == sorted(places)
    assert ", the first look" in shown


def test_every_evidence_stands_there_with_proof_source_and_link(
    as_viewer: Client, account: Connection
) -> None:
    member = ada(account)
    now = timezone.now()
    Signal.objects.create(
        member=member, source="noted", at=now, proof="noted on #7",
        url="https://x.example/7", read_at=now,
    )  # fmt: skip
    Signal.objects.create(
        member=member, source="bent", at=now, proof="bent", url="javascript:alert(1)", read_at=now
    )
    shown = html(as_viewer, member)
    assert 'href="https://x.example/7"' in shown
    assert "noted on #7" in shown
    assert "acknowledged incident" in shown
    assert "javascript:" not in shown


def test_a_licence_of_the_first_look_is_told_behind_it_though_read_a_moment_later(
    as_viewer: Client, account: Connection
) -> None:
    at = timezone.now() - timedelta(days=4)
    member = rows.member(account, "Bo", first_listed_at=at)
    rows.event(member, "listed", at=at, facts={"role": "user"})
    rows.event(member, "listed", at=at + timedelta(minutes=2), field="license", after="Pro")
    shown = html(as_viewer, member)
    assert shown.index("Was there at the first look") < shown.index("Held a licence")


def test_an_evidence_is_told_once_and_its_reading_only_where_it_was_earlier(
    as_viewer: Client, account: Connection
) -> None:
    member = ada(account)
    now = timezone.now()
    for source, proof, back in (("noted", "noted on #7", 0), ("wrote", "as a file says", 5)):
        read = now - timedelta(days=back)
        Signal.objects.create(member=member, source=source, at=read, proof=proof, read_at=read)
    shown = html(as_viewer, member).partition('id="evidence"')[2]
    assert shown.count("The newest of each kind is kept") == 1
    assert "<span>Noted:</span>" not in shown  # its proof begins with the same word
    assert "<span>Wrote:</span>" in shown
    assert shown.count(", read <time") == 1


def test_who_had_the_licence_before_the_first_look_was_a_member_since_then_at_least(
    as_viewer: Client, account: Connection
) -> None:
    since = datetime(2014, 4, 5, 12, tzinfo=UTC)
    shown = html(as_viewer, ada(account, license_since=since))
    assert "at least since 5 April 2014, by the licence" in shown
    assert ", the first look" not in shown
    now = timezone.now()
    late = rows.member(account, "Bo", first_listed_at=now, license_since=now)
    assert ", the first look" in html(as_viewer, late)


def test_when_somebody_was_last_seen_is_a_fact_and_unknown_is_said(
    as_viewer: Client, account: Connection
) -> None:
    seen = html(as_viewer, ada(account))
    assert "yesterday</time>" in seen.partition("<dt>Last seen</dt>")[2].partition("</dd>")[0]
    never = html(as_viewer, rows.member(account, "Bo"))
    assert "unknown" in never.partition("<dt>Last seen</dt>")[2].partition("</dd>")[0]
    assert 'href="/services/pagerduty/members/">All members' in seen


def test_the_members_table_leads_there(as_viewer: Client, account: Connection) -> None:
    member = ada(account)
    assert path(member) in as_viewer.get("/services/pagerduty/members/").content.decode()


def test_a_member_of_another_service_is_not_found(as_viewer: Client, account: Connection) -> None:
    other = rows.member(rows.connection(rows.service("figma", "Figma")), "Bo")
    assert as_viewer.get(path(other)).status_code == 404


def test_who_may_not_erase_or_cannot_be_erased_is_told_why(
    as_viewer: Client, as_admin: Client, account: Connection
) -> None:
    member = ada(account)
    assert "Only an admin" in html(as_viewer, member)
    shown = html(as_admin, member)
    assert "still lists this person" in shown
    assert "<dialog" not in shown


def test_the_dialog_says_what_goes_and_what_stays(as_admin: Client, account: Connection) -> None:
    member = ada(account, left_at=timezone.now())
    assert "data-modal" not in html(as_admin, member)
    shown = html(as_admin, member, "?erase=1")
    assert "data-modal" in shown
    assert "What goes:" in shown
    assert "What stays:" in shown


def test_an_admin_erases_who_has_left_and_the_page_stays_without_the_name(
    as_admin: Client, account: Connection
) -> None:
    member = ada(account, left_at=timezone.now())
    email = member.email
    answer = as_admin.post(path(member, "erase/"), follow=True).content.decode()
    assert "The person is erased" in answer
    for gone in ("Ada Quay", email, "a@x.io", "b@x.io", "acknowledged incident"):
        assert gone not in answer
    assert "Erased person" in answer
    assert "Role changed" in answer
    event = AuditEvent.objects.get(action="person_erased")
    assert event.about == f"member {member.pk}"
    assert "Ada" not in event.said + event.about + event.detail_text


def test_nobody_who_is_still_listed_is_erased(as_admin: Client, account: Connection) -> None:
    member = ada(account)
    assert (
        "Nothing was erased" in as_admin.post(path(member, "erase/"), follow=True).content.decode()
    )
    assert Member.objects.get().name == "Ada Quay"
    assert MemberEvent.objects.filter(after="b@x.io").exists()


@pytest.mark.parametrize("state", [State.DISCONNECTED, State.NEEDS_RECONNECT])
def test_whom_nobody_lists_any_more_can_be_erased(
    as_admin: Client, account: Connection, state: State
) -> None:
    member = ada(account)
    Connection.objects.update(state=state)
    shown = html(as_admin, member)
    assert "nobody reads this list any more: the seat counts up to the last look" in shown
    assert "still lists" not in shown
    assert "The person is erased" in erased(as_admin, member)
    assert Member.objects.get().name == "Erased person"


def test_of_a_replaced_account_the_page_stays_and_the_person_can_be_erased(
    as_admin: Client, account: Connection
) -> None:
    member = ada(account)
    Connection.objects.update(state=State.DISCONNECTED, replaced_at=timezone.now())
    assert "another account took its place" in html(as_admin, member)
    assert "The person is erased" in erased(as_admin, member)


def test_whom_the_newest_file_lists_is_to_be_put_out_of_it_first(
    as_admin: Client, account: Connection
) -> None:
    member = ada(account)
    Connection.objects.update(state=State.BY_FILE)
    assert "The newest file lists this person" in html(as_admin, member)
    assert "Apply a file without them first. Nothing was erased" in erased(as_admin, member)


def test_a_file_that_waits_and_lists_them_is_named(as_admin: Client, account: Connection) -> None:
    member = ada(account, left_at=timezone.now())
    Connection.objects.update(state=State.BY_FILE)
    run = SyncRun.objects.create(connection=account, created_at=timezone.now())
    StagedRecord.objects.create(run=run, kind="member", key=member.external_id, data={})
    assert "apply it or put it aside first. Nothing was erased" in erased(as_admin, member)
    assert run.staged.exists()


def test_the_dialog_says_that_other_accounts_keep_theirs(
    as_admin: Client, account: Connection
) -> None:
    member = ada(account, left_at=timezone.now())
    assert "what another account tells of the same person stays" in html(as_admin, member)


def test_the_file_holds_timeline_and_evidence_and_stands_on_the_trail(
    as_viewer: Client, account: Connection
) -> None:
    member = ada(account)
    response = as_viewer.get(path(member, "?format=csv"))
    assert isinstance(response, StreamingHttpResponse)
    lines = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [line["kind"] for line in lines] == ["timeline"] * 4 + ["evidence"]
    assert lines[0]["detail"] == "a@x.io → b@x.io"
    assert lines[-1]["what"] == "acknowledged an incident"
    event = AuditEvent.objects.get(action="exported")
    assert (event.about, event.said) == (f"member {member.pk}", "5 rows as CSV.")
    assert "?format=csv" in html(as_viewer, member)


def test_days_are_those_of_the_billing_zone(
    as_viewer: Client, account: Connection, settings: Settings
) -> None:
    settings.BILLING_ZONE = ZoneInfo("Pacific/Kiritimati")  # 14 hours ahead
    at = datetime(2026, 3, 10, 12, tzinfo=UTC)
    shown = html(as_viewer, ada(account, joined_at=at, license_since=at))
    assert shown.count("11 March 2026") == 2
    assert "before 11 March 2026" in html(as_viewer, rows.member(account, "Bo", first_listed_at=at))


def erased(client: Client, member: Member) -> str:
    """What is answered to it."""
    return client.post(path(member, "erase/"), follow=True).content.decode()
