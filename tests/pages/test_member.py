"""A member's page: who it is, the timeline, the evidence, and erasing the person."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import AuditEvent, Connection, Member, MemberEvent, Signal
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
    steps = ["E-mail changed", "a@x.io → b@x.io", "Role changed", "Held a licence", "Was there at"]
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
