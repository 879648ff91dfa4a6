"""What people decide about findings, one finding's page, the limits and the letter."""

import re
from datetime import timedelta
from urllib.parse import unquote

import pytest
from django.test import Client
from django.utils import timezone

from seatwise.models import AuditEvent, Finding, Threshold, User
from tests.insights.wasteful import Wasteful, contract, wasteful

SAVINGS = "/services/pagerduty/savings/"
DECIDE = f"{SAVINGS}decide/"


@pytest.fixture
def wastes(db: None) -> Wasteful:
    found = wasteful()
    contract(found.service)
    found.looked()
    return found


def html(client: Client, path: str = SAVINGS) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def idle(wastes: Wasteful) -> list[Finding]:
    return list(Finding.objects.of(wastes.service).of_rule("idle_full_seat").order_by("text"))


def told(client: Client, path: str, **given: object) -> str:
    """What the page says after a form was sent."""
    return client.post(path, given, follow=True).content.decode()


def soon() -> str:
    return f"{timezone.now().date() + timedelta(days=30)}"


def test_many_are_assigned_at_once_and_it_is_noted(
    as_admin: Client, viewer: User, wastes: Wasteful
) -> None:
    both = [each.pk for each in idle(wastes)]
    said = told(as_admin, DECIDE, pick=both, what="assigned", to=viewer.pk)
    assert "2 findings are assigned now" in said
    assert {each.assigned_to for each in idle(wastes)} == {viewer}
    assert AuditEvent.objects.filter(action="finding_decided").count() == 1
    assert len(re.findall(r'id="finding-', html(as_admin, f"{SAVINGS}?who={viewer.pk}"))) == 2
    page = html(as_admin, f"{SAVINGS}{both[0]}/")
    assert "Assigned." in page
    assert "Ada Admin" in page


def test_an_exempted_finding_leaves_the_figures_and_says_why(
    as_admin: Client, wastes: Wasteful
) -> None:
    before = html(as_admin)
    ivo = idle(wastes)[1]
    said = told(
        as_admin, DECIDE, pick=ivo.pk, what="exempted", until=soon(), reason="Parental leave"
    )
    assert "1 finding is exempted now" in said
    assert "US$123" in before
    assert "US$82" in html(as_admin)
    assert "Exempted, so it is in no figure" not in html(as_admin)
    assert "Parental leave" in html(as_admin, f"{SAVINGS}{ivo.pk}/")
    told(as_admin, DECIDE, pick=ivo.pk, what="open")
    assert "US$123" in html(as_admin)


def test_all_that_the_filters_leave_can_be_decided_about(
    as_admin: Client, wastes: Wasteful
) -> None:
    told(as_admin, DECIDE, all="yes", rule="idle_full_seat", what="snoozed", until=soon())
    assert {each.state for each in idle(wastes)} == {"snoozed"}
    others = Finding.objects.of(wastes.service).exclude(rule="idle_full_seat")
    assert {each.state for each in others} == {"open"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"what": "exempted", "until": "2999-01-01", "reason": "x"}, "within two years"),
        ({"what": "exempted", "until": soon()}, "Say why"),
        ({"what": "snoozed", "until": "nonsense"}, "Choose a last day"),
        ({"what": "snoozed", "until": "2026-02-31"}, "Choose a last day"),
        ({"what": "assigned", "to": "99999999999999999999"}, "Choose who"),
        ({"what": "realised"}, "Choose what is to become of them"),
        ({}, "Choose what is to become of them"),
    ],
)
def test_what_cannot_be_decided_changes_nothing_and_says_why(
    as_admin: Client, wastes: Wasteful, given: dict[str, str], said: str
) -> None:
    page = told(as_admin, DECIDE, pick=idle(wastes)[0].pk, **given)
    assert said in page
    assert "Nothing was changed" in page
    assert {each.state for each in idle(wastes)} == {"open"}


def test_without_a_tick_nothing_is_decided(as_admin: Client, wastes: Wasteful) -> None:
    assert "Tick the findings" in told(as_admin, DECIDE, what="done")
    assert {each.state for each in idle(wastes)} == {"open"}


def test_a_finding_of_another_service_is_not_decided_about(
    as_admin: Client, wastes: Wasteful
) -> None:
    told(as_admin, DECIDE.replace("pagerduty", "other"), pick=idle(wastes)[0].pk, what="done")
    assert {each.state for each in idle(wastes)} == {"open"}


def test_the_owner_decides_and_a_viewer_sees_who_may(
    as_viewer: Client, viewer: User, wastes: Wasteful
) -> None:
    given = {"pick": idle(wastes)[0].pk, "what": "done"}
    refused = as_viewer.post(DECIDE, given)
    assert refused.status_code == 403
    assert "Only an admin or the owner" in refused.content.decode()
    assert "can decide about findings: ask" in html(as_viewer)
    wastes.service.owner = viewer
    wastes.service.save()
    assert "Seatwise removes nothing at PagerDuty" in told(as_viewer, DECIDE, **given)


def test_a_findings_page_tells_evidence_money_and_where_to_do_it(
    as_viewer: Client, wastes: Wasteful
) -> None:
    ida = wastes.idle[0]
    ida.url = "https://acme.example/users/1"
    ida.save()
    page = html(as_viewer, f"{SAVINGS}{idle(wastes)[0].pk}/")
    assert "Last seen" in page
    assert "US$41 a month" in page
    assert "Seatwise removes nothing at PagerDuty" in page
    assert 'href="https://acme.example/users/1"' in page
    assert "Also found of" in page
    assert as_viewer.get(f"{SAVINGS}999999/").status_code == 404


def test_a_limit_is_set_with_its_history_and_the_rules_look_anew(
    as_admin: Client, wastes: Wasteful
) -> None:
    page = told(as_admin, f"{SAVINGS}rules/", rule="idle_full_seat", days="60")
    assert "looks with the new limit now" in page
    assert "Ada Admin" in page
    standing = Finding.objects.of(wastes.service).of_rule("idle_full_seat").standing()
    assert [each.text for each in standing] == ["Ida Idle was not seen for 100 days."]
    again = told(as_admin, f"{SAVINGS}rules/", rule="idle_full_seat", days="60")
    assert "so already" in again
    assert Threshold.objects.count() == 1


def test_a_limit_that_cannot_be_is_refused_where_it_was_typed(
    as_admin: Client, as_viewer: Client, wastes: Wasteful
) -> None:
    answer = as_admin.post(f"{SAVINGS}rules/", {"rule": "idle_full_seat", "days": "1,5"})
    assert answer.status_code == 400
    assert "A whole number from 30 to 365." in answer.content.decode()
    assert 'value="1,5"' in answer.content.decode()
    assert as_viewer.post(f"{SAVINGS}rules/", {"rule": "idle_full_seat"}).status_code == 403
    assert "can change these: ask" in html(as_viewer, f"{SAVINGS}rules/")
    assert "no such rule" in told(as_admin, f"{SAVINGS}rules/", rule="nonsense")


def test_the_letter_is_read_mailed_and_taken_along(as_viewer: Client, wastes: Wasteful) -> None:
    page = html(as_viewer, f"{SAVINGS}letter/?to=renewals@vendor.example")
    assert "10 paid seats today, 7 wanted" in page
    assert "Ida" not in page
    link = re.search(r'href="(mailto:[^"]+)"', page)
    assert link is not None
    assert link[1].startswith("mailto:renewals%40vendor.example?subject=PagerDuty%3A%20fewer")
    assert "7 wanted" in unquote(link[1])
    answer = as_viewer.get(f"{SAVINGS}letter/?seats=yes&download=txt")
    assert answer["Content-Type"].startswith("text/plain")
    assert "Ida Idle" in answer.content.decode()
    event = AuditEvent.objects.filter(action="exported").latest("at")
    assert event.said == "With the list of seats."


def test_the_letter_of_a_choice_is_about_that_choice(as_viewer: Client, wastes: Wasteful) -> None:
    page = html(as_viewer, f"{SAVINGS}letter/?pick={idle(wastes)[0].pk}")
    assert "10 paid seats today, 9 wanted" in page


def test_an_address_that_is_none_is_told(as_viewer: Client, wastes: Wasteful) -> None:
    answer = as_viewer.get(f"{SAVINGS}letter/?to=nonsense")
    assert answer.status_code == 400
    assert "no e-mail address" in answer.content.decode()


def test_a_letter_with_nothing_to_ask_for_leads_on(as_viewer: Client, db: None) -> None:
    wasteful().looked()
    assert "There is nothing to ask for yet" in html(as_viewer, f"{SAVINGS}letter/")
