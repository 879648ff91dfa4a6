"""The audit trail: who did what, when and from where; nobody can change it; no secret in it."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import InternalError, ProgrammingError, connection, transaction
from django.test import Client
from django.utils import timezone

from seatwise import audit
from seatwise.models import AuditEvent, Service, User
from seatwise.models.audit_event import Action
from tests.conftest import PASSWORD
from tests.pages.test_people import NEW_PASSWORD, add, handed_over, set_password

ADA = "Ada Admin <ada@example.com>"


@pytest.fixture(autouse=True)
def _nothing_was_told_yet(db: None) -> None:
    cache.clear()


def newest(action: Action) -> AuditEvent:
    found = AuditEvent.objects.filter(action=action).first()
    assert found is not None, [str(each) for each in AuditEvent.objects.all()]
    return found


def trail(client: Client, **asked: str) -> str:
    answer = client.get("/audit/", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def count(page: str) -> int:
    found = re.search(r"([\d,]+) of [\d,]+ events?<", page)
    assert found is not None
    return int(found[1].replace(",", ""))


def exported(client: Client, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/audit/", {**asked, "format": "csv"})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def many(number: int) -> list[AuditEvent]:
    """Events, oldest first; three of them at the very same time."""
    start = timezone.now() - timedelta(hours=1)
    rows = [
        AuditEvent(
            at=start + timedelta(seconds=index - index % 3),
            action=Action.CHECKED,
            actor="Seatwise",
            about=f"account {index}",
        )
        for index in range(number)
    ]
    return AuditEvent.objects.bulk_create(rows)


# ---- nobody changes what is written --------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE seatwise_auditevent SET actor = 'nobody'",
        "DELETE FROM seatwise_auditevent",
        "UPDATE seatwise_auditevent SET said = said WHERE false OR id > 0",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_event(sql: str) -> None:
    audit.record(Action.CHECKED, about="harbor-prod")
    with (
        pytest.raises((InternalError, ProgrammingError), match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert AuditEvent.objects.get().actor == "Seatwise"


def test_the_program_itself_cannot_change_or_delete_an_event_either() -> None:
    event = audit.record(Action.CHECKED, about="harbor-prod")
    event.about = "something else"
    for change in (
        event.save,
        event.delete,
        AuditEvent.objects.all().delete,
        lambda: AuditEvent.objects.update(actor="nobody"),
    ):
        with (
            pytest.raises((InternalError, ProgrammingError), match="append-only"),
            transaction.atomic(),
        ):
            change()
    assert AuditEvent.objects.get().about == "harbor-prod"


# ---- what is written -----------------------------------------------------------------------


def test_signing_in_and_out_says_who_and_from_where(admin: User) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.post("/login/", {"login": admin.email, "password": PASSWORD})
    assert (newest(Action.SIGNED_IN).actor, newest(Action.SIGNED_IN).origin) == (
        ADA,
        "203.0.113.7",
    )
    client.post("/logout/")
    assert (newest(Action.SIGNED_OUT).actor, newest(Action.SIGNED_OUT).actor_id) == (ADA, admin.pk)


def test_a_password_typed_into_the_field_for_the_address_is_not_written_down(admin: User) -> None:
    for typed in (admin.email, "nobody@example.com", "staple battery horse"):
        Client().post("/login/", {"login": typed, "password": "wrong-and-secret"})
    told = AuditEvent.objects.filter(action=Action.SIGN_IN_FAILED).order_by("pk")
    assert [event.about for event in told] == ["ada@example.com", "an unknown address"]
    assert {event.actor for event in told} == {"Nobody signed in"}
    everything = " ".join(f"{event.about} {event.said} {event.detail}" for event in told)
    assert "horse" not in everything
    assert "secret" not in everything
    assert "nobody@" not in everything


def test_guessing_is_told_and_the_lock_once_a_minute(admin: User) -> None:
    for _ in range(12):
        Client().post("/login/", {"login": admin.email, "password": "wrong"})
    told = [event.said for event in AuditEvent.objects.filter(action=Action.SIGN_IN_FAILED)]
    assert sum("Too many tries" in said for said in told) == 1
    assert 5 <= len(told) <= 7


def test_somebody_deactivated_who_knows_the_password_is_told_as_a_failed_sign_in(
    viewer: User,
) -> None:
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    Client().post("/login/", {"login": viewer.email, "password": PASSWORD})
    assert newest(Action.SIGN_IN_FAILED).about == "vic@example.com"
    assert not AuditEvent.objects.filter(action=Action.SIGNED_IN).exists()


def test_behind_a_proxy_the_visitor_is_told_and_not_what_the_visitor_claims(
    admin: User, settings: object
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1  # type: ignore[attr-defined]
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
    Client().post("/login/", {"login": admin.email, "password": PASSWORD}, headers=headers)
    assert newest(Action.SIGNED_IN).origin == "203.0.113.9"


def test_letting_people_in_and_changing_them_is_told_with_before_and_after(
    as_admin: Client, admin: User
) -> None:
    link = handed_over(add(as_admin))
    assert (newest(Action.PERSON_ADDED).about, newest(Action.PERSON_ADDED).actor) == (
        "grace@example.com",
        ADA,
    )
    assert newest(Action.LINK_MADE).about == "grace@example.com"
    assert set_password(link) == 302
    assert newest(Action.PASSWORD_SET).said == "By a one-time link."
    grace = User.objects.get(email="grace@example.com")
    as_admin.post(f"/users/{grace.pk}/role/", {"role": "admin"})
    as_admin.post(f"/users/{grace.pk}/role/", {"role": "admin"})  # changes nothing
    changed = AuditEvent.objects.get(action=Action.ROLE_CHANGED)
    assert changed.said == "From Viewer to Admin."
    assert changed.detail == {"before": "viewer", "after": "admin"}
    as_admin.post(f"/users/{grace.pk}/active/", {"active": "no"})
    assert newest(Action.ACCESS_CHANGED).detail == {"before": True, "after": False}
    words = " ".join(f"{each.about}{each.said}{each.detail}" for each in AuditEvent.objects.all())
    assert link not in words
    assert link.rstrip("/").rpartition("-")[2] not in words
    assert NEW_PASSWORD not in words


def test_the_last_admin_who_stays_is_no_change(as_admin: Client, admin: User) -> None:
    as_admin.post(f"/users/{admin.pk}/role/", {"role": "viewer"})
    assert not AuditEvent.objects.filter(action=Action.ROLE_CHANGED).exists()


def test_the_first_admin_and_a_changed_password_are_told(db: None) -> None:
    client = Client()
    first = {"name": "Ada", "email": "ada@example.com", "password": "a fine long passphrase"}
    client.post("/setup/", first)
    assert newest(Action.FIRST_ADMIN).actor == "Ada <ada@example.com>"
    changed = {
        "oldpassword": first["password"],
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }
    assert client.post("/password/", changed).status_code == 302
    assert newest(Action.PASSWORD_SET).said == "By the person, who was signed in."


def test_a_service_that_is_added_is_told_once(as_admin: Client) -> None:
    as_admin.post("/services/add/figma/")
    as_admin.post("/services/add/figma/")
    assert AuditEvent.objects.get(action=Action.SERVICE_ADDED).service == "figma"


def test_a_file_is_told_when_it_is_applied(as_admin: Client) -> None:
    as_admin.post("/services/add/figma/")
    file = io.BytesIO(b"name,email,role\nAda,ada@example.com,admin\n")
    file.name = "people.csv"
    page = as_admin.post("/services/figma/file/", {"file": file}, follow=True).content.decode()
    upload = re.search(r'name="file" value="(\d+)"', page)
    assert upload is not None, page
    chosen = {"file": upload[1], "column-0": "name", "column-1": "email", "column-2": "role"}
    page = as_admin.post("/services/figma/file/columns/", chosen, follow=True).content.decode()
    number = re.search(r'name="file" value="(\d+)"', page)
    assert number is not None, page
    as_admin.post("/services/figma/file/apply/", {"file": number[1]})
    assert newest(Action.FILE_APPLIED).said == "1 members. From the file people.csv."


def test_exports_are_told_with_their_filters_and_rows(as_viewer: Client, service: Service) -> None:
    as_viewer.get("/services/pagerduty/members/?q=a%00b&status=active&format=csv")
    told = newest(Action.EXPORTED)
    assert (told.about, told.service, told.actor) == (
        "members",
        "pagerduty",
        "Vic Viewer <vic@example.com>",
    )
    assert told.detail == {"filters": "q=a%00b&status=active", "rows": 0, "format": "csv"}
    as_viewer.head("/services/pagerduty/members/?format=csv")  # takes nothing
    assert AuditEvent.objects.filter(action=Action.EXPORTED).count() == 1
    as_viewer.get("/services/pagerduty/usage/?format=csv")
    assert newest(Action.EXPORTED).about == "usage"


def test_what_was_refused_is_told_once_a_minute_for_each_address(
    as_viewer: Client, admin: User, service: Service
) -> None:
    for _ in range(3):
        as_viewer.post("/services/pagerduty/sync/")
    as_viewer.get("/audit/")
    told = AuditEvent.objects.filter(action=Action.ACCESS_DENIED).order_by("pk")
    assert [event.about for event in told] == ["POST sync_now", "GET audit"]
    assert told[0].service == "pagerduty"
    assert told[0].said == "Only an admin can start a sync."
    assert told[0].actor == "Vic Viewer <vic@example.com>"


def test_a_forged_form_is_told_once_a_minute_for_each_visitor_and_address(
    admin: User, service: Service
) -> None:
    client, stranger = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    client.force_login(admin)
    headers = {"Origin": "https://evil.example"}
    for _ in range(3):
        answer = client.post("/services/pagerduty/sync/", headers=headers)
        assert answer.status_code == 403
        assert "load the page again" in answer.content.decode()
    client.post("/services/pagerduty/revoke/")
    stranger.post("/login/", {"login": admin.email, "password": PASSWORD})
    told = AuditEvent.objects.filter(action=Action.ACCESS_DENIED).order_by("pk")
    assert [event.about for event in told] == ["POST sync_now", "POST revoke", "POST account_login"]
    assert [event.actor for event in told] == [ADA, ADA, "Nobody signed in"]
    assert "form's token" in told[0].said
    assert "evil" not in told[0].said


# ---- the page ------------------------------------------------------------------------------


def test_a_viewer_is_told_who_can_read_the_trail(as_viewer: Client, admin: User) -> None:
    answer = as_viewer.get("/audit/")
    assert answer.status_code == 403
    assert "Ask Ada Admin" in answer.content.decode()
    assert "Audit trail" not in as_viewer.get("/").content.decode()


def test_the_menu_leads_an_admin_to_the_trail(as_admin: Client) -> None:
    assert "Nothing is on the trail yet" in trail(as_admin)
    assert 'href="/audit/" aria-current="page"' in trail(as_admin)


def test_each_filter_finds_what_it_says(as_admin: Client, admin: User) -> None:
    with audit.acting("203.0.113.7", user=admin):
        audit.record(Action.CONNECTED, service="pagerduty", about="harbor-prod")
    with audit.acting("worker"):
        audit.record(Action.SECRET_REFUSED, service="figma", about="other <b>account</b>")
    assert count(trail(as_admin)) == 2
    for asked in (
        {"q": "harbor"},
        {"q": "203.0.113"},
        {"q": "connected ADA"},
        {"action": "connected"},
        {"person": ADA},
        {"service": "pagerduty"},
    ):
        page = trail(as_admin, **asked)
        assert count(page) == 1, asked
        assert "harbor-prod" in page
    page = trail(as_admin, security="1")
    assert count(page) == 1
    assert "other &lt;b&gt;account&lt;/b&gt;" in page
    assert count(trail(as_admin, q="harbor figma")) == 0
    assert "No event matches" in trail(as_admin, q="harbor figma")


def test_a_filter_that_is_chosen_stays_so_also_where_it_is_not_among_those_offered(
    as_admin: Client,
) -> None:
    for number in range(201):
        with audit.acting("command line", who=f"user {number:03}"):
            audit.record(Action.CHECKED)
    page = trail(as_admin, person="user 200", service="gone")
    assert "<option selected>user 200</option>" in page
    assert page.count(">user 199</option>") == 1
    assert '<option value="gone" selected>gone</option>' in page
    assert trail(as_admin, person="user 007").count(">user 007</option>") == 1


def test_the_page_does_not_promise_what_the_databases_owner_could_break(as_admin: Client) -> None:
    page = trail(as_admin)
    assert "Nobody can change" not in page
    assert "only the database’s owner could get round that" in page


def test_days_begin_and_end_in_the_billing_zone(as_admin: Client, settings: object) -> None:
    from zoneinfo import ZoneInfo

    settings.BILLING_ZONE = zone = ZoneInfo("Pacific/Auckland")  # type: ignore[attr-defined]
    audit.record(Action.CHECKED, about="now")
    today = timezone.now().astimezone(zone).date()
    for since, until, found in ((0, 0, 1), (-1, -1, 0), (1, 1, 0), (-1, 1, 1)):
        first, last = (str(today + timedelta(days=days)) for days in (since, until))
        assert count(trail(as_admin, since=first, until=last)) == found, (since, until)


@pytest.mark.parametrize("junk", ["nonsense", "2026-13-45", "9" * 30, "a\x00b", "-1", "9999-12-31"])
def test_an_address_that_makes_no_sense_shows_the_trail(as_admin: Client, junk: str) -> None:
    names = ("action", "security", "since", "until", "before", "after", "page")
    many(2)
    assert count(trail(as_admin, **dict.fromkeys(names, junk))) == 2
    trail(as_admin, q=junk, person=junk, service=junk)


def test_pages_stay_as_they_are_while_events_arrive(as_admin: Client) -> None:
    rows = many(250)
    seen: list[int] = []
    path = "/audit/"
    pages = []
    while path:
        page = as_admin.get(path).content.decode()
        shown = [int(number) for number in re.findall(r'id="event-(\d+)"', page)]
        assert len(shown) <= 100
        pages.append(shown)
        seen += shown
        audit.record(Action.CHECKED, about="arrives meanwhile")
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = "/audit/" + older[1].replace("&amp;", "&") if older else ""
    assert seen == [row.pk for row in sorted(rows, key=lambda row: (row.at, row.pk), reverse=True)]
    back = trail(as_admin, after=str(pages[2][0]))
    assert [int(number) for number in re.findall(r'id="event-(\d+)"', back)] == pages[1]


def test_the_export_holds_what_is_filtered_and_is_itself_told(
    as_admin: Client, admin: User
) -> None:
    many(120)
    with audit.acting("203.0.113.7", user=admin):
        audit.record(Action.CONNECTED, service="pagerduty", about="=cmd()", detail={"b": 1})
    assert len(exported(as_admin, action="checked")) == 120
    told = newest(Action.EXPORTED)
    assert (told.about, told.detail) == (
        "audit trail",
        {"filters": "action=checked", "rows": 120, "format": "csv"},
    )
    [line] = exported(as_admin, action="connected")
    assert line["about"] == "'=cmd()"
    assert (line["who"], line["from"], line["detail"]) == (ADA, "203.0.113.7", '{"b": 1}')
    assert line["action_name"] == "Connected"
    assert len(exported(as_admin)) == 123  # with both exports, without itself


def test_a_page_of_the_trail_takes_few_questions_at_any_length(
    as_admin: Client, django_assert_max_num_queries: object
) -> None:
    many(300)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        trail(as_admin)


def test_a_one_time_link_is_not_logged_with_a_refusal(
    viewer: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.post("/password/set/1-abcdef-0123456789abcdef/")
    assert "/password/set/1-…" in caplog.text
    assert "0123456789abcdef" not in caplog.text
