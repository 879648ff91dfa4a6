"""Members by file: uploaded, reviewed, applied, with the history that a sync would write."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections as databases
from django.test import Client
from django.utils import timezone

from seatwise import memberfile
from seatwise.models import (
    Connection,
    Member,
    MemberEvent,
    Service,
    StagedRecord,
    SyncRun,
    Upload,
    User,
)
from seatwise.models.connection import State
from seatwise.models.sync_run import RunState
from tests.conftest import authorize
from tests.pages import rows
from tests.pages.files import FILE, SETTINGS, upload, words
from tests.sandboxes import Running

FIRST = b"""name,email,role,license,Team
Ada,ada@x.example,admin,Business,A
Bob,bob@x.example,member,Business,A
Cyd,cyd@x.example,member,Free,B
"""
SECOND = b"""email,name,role,license
ADA@x.example,Ada,owner,Business
cyd@x.example,Cyd,member,Business
dan@x.example,Dan,,
"""
Kind = MemberEvent.Kind


@pytest.fixture
def zoom(db: None) -> Service:
    return rows.service("zoom", "Zoom")


def waiting() -> SyncRun:
    return SyncRun.objects.open().get()


def apply(client: Client, run: int | None = None) -> Any:
    return client.post(FILE + "apply/", {"file": waiting().pk if run is None else run})


def bring_in(client: Client, data: bytes) -> None:
    assert upload(client, data)["Location"] == FILE + "review/"
    assert apply(client)["Location"] == "/services/zoom/members/"


def events() -> set[tuple[str, str, str, str, str]]:
    return {
        (event.member.email, event.kind, event.field, event.before, event.after)
        for event in MemberEvent.objects.newest_first()
    }


def test_a_file_is_reviewed_before_anything_is_written(as_admin: Client, zoom: Service) -> None:
    assert upload(as_admin, FIRST)["Location"] == FILE + "review/"
    page = words(as_admin, FILE + "review/")
    assert "From the file team.csv. Columns that are not used: Team." in page
    assert "Listed 3 Ada (ada@x.example), Bob (bob@x.example), Cyd (cyd@x.example)" in page
    assert not Member.objects.exists()
    assert "Review and apply it" in words(as_admin, SETTINGS)
    assert "its members come from a file" in words(as_admin, "/services/zoom/members/")


def test_the_first_file_is_where_the_history_begins(
    as_admin: Client, zoom: Service, admin: User
) -> None:
    bring_in(as_admin, FIRST)
    assert {event[1] for event in events()} == {Kind.LISTED}
    assert {member.joined_at for member in Member.objects.of(zoom)} == {None}
    run, connection = SyncRun.objects.get(), Connection.objects.get()
    assert (run.state, run.requested_by, run.counts) == (RunState.DONE, admin, {"joined": 3})
    assert not StagedRecord.objects.exists()
    assert (connection.account_id, connection.account_name, connection.region) == (
        "file",
        "By file",
        "",
    )
    assert connection.members_as_of is not None
    assert not Connection.objects.due(timezone.now()).exists()
    assert not Connection.objects.alive_for("zoom").exists()


def test_the_next_file_tells_who_joined_left_and_changed_and_then_does_so(
    as_admin: Client, zoom: Service
) -> None:
    bring_in(as_admin, FIRST)
    MemberEvent.objects.all().delete()
    upload(as_admin, SECOND)
    page = words(as_admin, FILE + "review/")
    assert "Joined 1 Dan (dan@x.example) Came back 0 nobody Left 1 bob@x.example" in page
    assert "Changed 1 Ada (ada@x.example): role admin → owner" in page
    assert "Licence changed 1 Cyd (cyd@x.example)" in page
    apply(as_admin)
    assert events() == {
        ("dan@x.example", Kind.JOINED, "", "", ""),
        ("bob@x.example", Kind.LEFT, "", "", ""),
        ("ada@x.example", Kind.CHANGED, "role", "admin", "owner"),
        ("cyd@x.example", Kind.CHANGED, "license", "Free", "Business"),
    }
    assert SyncRun.objects.newest().counts == {"joined": 1, "left": 1, "changed": 1}  # type: ignore[union-attr]
    upload(as_admin, FIRST)
    assert "Came back 1 Bob (bob@x.example)" in words(as_admin, FILE + "review/")


def test_the_same_file_again_changes_nobody(as_admin: Client, zoom: Service) -> None:
    bring_in(as_admin, FIRST)
    before = events()
    upload(as_admin, FIRST.upper().replace(b"ADA,", b"Ada,").replace(b"BOB,", b"Bob,"))
    upload(as_admin, FIRST)
    page = words(as_admin, FILE + "review/")
    assert page.count("0 nobody") == 5
    apply(as_admin)
    assert events() == before


def test_a_file_with_mistakes_is_refused_with_every_line_and_nothing_is_kept(
    as_admin: Client, zoom: Service
) -> None:
    bring_in(as_admin, FIRST)
    bad = b"email,name\nada,<b>Ada</b>\n,Bob\ncyd@x.example,Cyd\nCYD@x.example,Cyd\n"
    answer = upload(as_admin, bad)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "3 things to mend first" in page
    for line, what in ((2, "“ada” is no e-mail"), (3, "is missing"), (5, "in row 4 already")):
        assert re.search(rf'data-label="Row">{line}</td>.*{what}', page), line
    assert not SyncRun.objects.open().exists()
    assert not StagedRecord.objects.exists()
    assert Member.objects.current().count() == 3


def test_words_of_a_file_are_never_markup(as_admin: Client, zoom: Service) -> None:
    page = upload(as_admin, b"email\n<script>alert(1)</script>\n").content.decode()
    assert "<script>alert" not in page
    data = b"email,name,role,license,<i>\na@x.example,<b>A</b>,<u>r</u>,=<s>1</s>,\n"
    upload(as_admin, data, "<em>.csv")
    apply(as_admin)
    for path in ("members/", "", "settings/"):
        page = as_admin.get(f"/services/zoom/{path}").content.decode()
        assert not re.search(r"<(b|u|s|i|em)>", page), path
    assert Member.objects.get().name == "<b>A</b>"


def test_no_file_and_a_file_that_is_too_large_are_told_apart(
    as_admin: Client, zoom: Service
) -> None:
    assert "No file was chosen" in as_admin.post(FILE).content.decode()
    assert (
        "larger than 5 MB" in upload(as_admin, b"x" * (memberfile.MOST_BYTES + 1)).content.decode()
    )
    assert not SyncRun.objects.exists()


def test_a_newer_file_takes_the_place_of_one_that_waits(as_admin: Client, zoom: Service) -> None:
    upload(as_admin, FIRST)
    older = waiting().pk
    upload(as_admin, SECOND)
    assert apply(as_admin, older)["Location"] == SETTINGS
    assert "replaced by a newer one" in words(as_admin, SETTINGS)
    assert not Member.objects.exists()
    newer = waiting().pk
    apply(as_admin)
    assert Member.objects.count() == 3
    apply(as_admin, newer)
    assert "it was applied" in words(as_admin, SETTINGS)


def test_of_a_file_put_aside_nothing_is_kept_but_that_it_was(
    as_admin: Client, zoom: Service
) -> None:
    upload(as_admin, FIRST)
    as_admin.post(FILE + "aside/", {"file": waiting().pk})
    run = SyncRun.objects.get()
    assert (run.state, run.is_open) == (RunState.CANCELLED, False)
    assert run.reason.endswith("It was discarded.")
    assert not StagedRecord.objects.exists()
    assert as_admin.get(FILE + "review/")["Location"] == SETTINGS


@pytest.mark.django_db(transaction=True)
def test_of_many_who_apply_at_once_one_does(as_admin: Client, zoom: Service) -> None:
    upload(as_admin, FIRST)
    run = waiting().pk

    def press(_number: int) -> str:
        try:
            return str(apply(as_admin, run)["Location"])
        finally:
            databases.close_all()

    with ThreadPoolExecutor(4) as pool:
        led_to = sorted(pool.map(press, range(4)))
    assert led_to == ["/services/zoom/members/", SETTINGS, SETTINGS, SETTINGS]
    assert MemberEvent.objects.filter(field="").count() == Member.objects.count() == 3


def test_nonsense_instead_of_a_files_number_applies_nothing(
    as_admin: Client, zoom: Service
) -> None:
    upload(as_admin, FIRST)
    for given in ("", "x", "²", "9" * 30, "0"):
        as_admin.post(FILE + "apply/", {"file": given})
    assert not Member.objects.exists()


def test_leaving_most_out_is_warned_of(as_admin: Client, zoom: Service) -> None:
    bring_in(as_admin, FIRST)
    upload(as_admin, b"email\nada@x.example\n")
    assert "More than half of the members" in words(as_admin, FILE + "review/")
    upload(as_admin, b"email\nada@x.example\nbob@x.example\n")
    assert "More than half of the members" not in words(as_admin, FILE + "review/")


def test_a_viewer_is_told_who_can_upload(as_viewer: Client, zoom: Service, admin: User) -> None:
    assert "Only an admin can upload a file: ask Ada Admin" in words(as_viewer, SETTINGS)
    assert 'type="file"' not in as_viewer.get(SETTINGS).content.decode()
    assert as_viewer.get(FILE + "review/").status_code == 403


def test_nobody_is_active_or_idle_by_a_file_and_there_is_no_usage(
    as_admin: Client, as_viewer: Client, zoom: Service
) -> None:
    bring_in(as_admin, FIRST)
    members = words(as_viewer, "/services/zoom/members/")
    assert "3 of 3 members" in members
    assert members.count("A file tells nobody’s activity. Unknown is not the same as idle") == 3
    assert "paged" not in members
    info = words(as_viewer, "/services/zoom/")
    assert "A file tells nobody’s activity, so everybody’s last seen is unknown." in info
    assert "Paid full seats" not in info
    assert "There is no usage in a file" in words(as_viewer, "/services/zoom/usage/")
    assert "/services/zoom/usage/" not in as_viewer.get("/services/zoom/").content.decode()


def test_there_is_nothing_to_sync_integrate_or_revoke(as_admin: Client, zoom: Service) -> None:
    bring_in(as_admin, FIRST)
    upload(as_admin, SECOND)
    for path in ("", "members/", "settings/"):
        page = words(as_admin, f"/services/zoom/{path}")
        assert "By file" in page, path
        for button in ("Sync now", "Integrate", "Revoke", "Waiting to start", "Syncing"):
            assert button not in page, (path, button)
    as_admin.post("/services/zoom/revoke/")
    as_admin.post("/services/zoom/sync/")
    assert Connection.objects.get().state == State.BY_FILE
    assert SyncRun.objects.count() == 2


def test_a_service_that_is_connected_takes_no_file(as_admin: Client, service: Service) -> None:
    rows.connection(service)
    path = f"/services/{service.key}/file/"
    answer = as_admin.post(path, {"file": SimpleUploadedFile("a.csv", FIRST)}, follow=True)
    assert "a file must not mix" in answer.content.decode()
    assert 'type="file"' not in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_file_never_mixes_with_what_an_account_told(as_admin: Client, zoom: Service) -> None:
    rows.member(rows.connection(zoom), "Ann")
    assert 'type="file"' not in as_admin.get(SETTINGS).content.decode()
    upload(as_admin, FIRST)
    assert "must not mix" in words(as_admin, SETTINGS)
    assert not SyncRun.objects.exists()


def test_an_account_that_is_integrated_takes_the_place_of_the_file(
    vendor: Running, service: Service, admin: User, as_admin: Client
) -> None:
    by_file = rows.connection(
        service, account_id="file", account_name="By file", state=State.BY_FILE
    )
    rows.member(by_file, "Ann From File")
    assert "Integrate" in words(as_admin, f"/services/{service.key}/settings/")
    attempt = authorize(vendor, service, admin)
    assert attempt.connection is not None, attempt.message
    assert not Member.objects.of(service).exists()
    assert "harbor-prod" in words(as_admin, f"/services/{service.key}/settings/")


def test_the_sample_is_a_good_file(as_admin: Client, as_viewer: Client, zoom: Service) -> None:
    data = as_viewer.get(FILE + "sample/").content
    assert upload(as_admin, data)["Location"] == FILE + "review/"
    page = words(as_admin, FILE + "review/")
    assert "Listed 3" in page
    assert "Last seen told 2" in page
    assert "not used" not in page


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_can_be_uploaded_again(as_admin: Client, zoom: Service, form: str) -> None:
    data = FIRST.replace(b",Team", b",Last seen").replace(b",A\n", b",2025-05-04 10:20:30\n")
    bring_in(as_admin, data.replace(b",B\n", b",\n"))
    answer = as_admin.get(f"/services/zoom/members/?format={form}")
    upload(as_admin, b"".join(answer.streaming_content), f"members.{form}")  # type: ignore[attr-defined]
    page = words(as_admin, FILE + "review/")
    assert page.count("0 nobody") == 6
    assert "E-mail" not in page.partition("not used:")[2]


def test_the_catalogue_offers_members_by_file(as_admin: Client) -> None:
    assert "Members by file" in as_admin.get("/services/add/?q=zoom").content.decode()
    answer = as_admin.post("/services/add/zoom/", follow=True)
    assert "upload a file with its members" in answer.content.decode()
