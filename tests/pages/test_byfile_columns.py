"""Which column of a file is what: proposed, chosen, remembered; and last seen by file."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from seatwise import sync
from seatwise.models import (
    Connection,
    LicensePool,
    Member,
    Service,
    Signal,
    StagedRecord,
    SyncRun,
    Upload,
    User,
)
from seatwise.models.connection import State
from tests.pages import rows
from tests.pages.files import COLUMNS, FILE, SETTINGS, choose, proposed, put, upload, words
from tests.test_memberfile_workbooks import book

REVIEW, MEMBERS = FILE + "review/", "/services/zoom/members/"
GERMAN = "E-Mail-Adresse;Anzeigename;Rolle;Lizenz;Letzte Anmeldung;Team\n"


@pytest.fixture
def zoom(db: None) -> Service:
    return rows.service("zoom", "Zoom")


def apply(client: Client) -> None:
    run = SyncRun.objects.open().get()
    assert client.post(FILE + "apply/", {"file": run.pk})["Location"] == MEMBERS


def bring_in(client: Client, data: bytes, name: str = "team.csv", **chosen: str) -> None:
    assert upload(client, data, name, **chosen)["Location"] == REVIEW
    apply(client)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seen() -> dict[str, datetime | None]:
    return dict(Member.objects.values_list("email", "last_seen_at"))


def test_what_each_column_is_is_proposed_with_its_first_values(
    as_admin: Client, zoom: Service
) -> None:
    data = f"{GERMAN}ada@x.de;Ada Müller;Chef;Pro;31.12.2025;<b>Ops</b>\n".encode("cp1252")
    assert put(as_admin, data, "Zoë.csv")["Location"] == COLUMNS
    page = words(as_admin, COLUMNS)
    assert "Zoë.csv, uploaded just now : 1 row below row 1" in page
    assert "Read as Windows-1252, columns separated by semicolons" in page
    assert "B Anzeigename Ada Müller" in page
    assert "<b>Ops" not in as_admin.get(COLUMNS).content.decode()
    chosen = [proposed(as_admin)[f"column-{at}"] for at in range(6)]
    assert chosen == ["email", "name", "role", "license", "seen", ""]
    assert choose(as_admin)["Location"] == REVIEW
    assert "Columns that are not used: Team." in words(as_admin, REVIEW)
    assert not Upload.objects.exists()
    apply(as_admin)
    (member,) = Member.objects.for_table()
    assert (member.name, member.role, str(member.license)) == ("Ada Müller", "Chef", "Pro")


def test_nothing_is_written_before_somebody_chose(as_admin: Client, zoom: Service) -> None:
    put(as_admin, b"email,name\na@x.example,Ada\n")
    assert not Connection.objects.exists()
    assert not StagedRecord.objects.exists()
    assert "team.csv, uploaded just now, waits. Say which column is what" in words(
        as_admin, SETTINGS
    )


def test_the_choice_is_the_admins_and_is_proposed_for_the_next_file_of_its_kind(
    as_admin: Client, zoom: Service
) -> None:
    data = b"email,Team,name\na@x.example,Ops,Ada\n"
    bring_in(as_admin, data, **{"column-1": "role", "column-2": ""})
    assert (Member.objects.get().role, Member.objects.get().name) == ("Ops", "")
    put(as_admin, data)
    assert [proposed(as_admin)[f"column-{at}"] for at in range(3)] == ["email", "role", ""]
    put(as_admin, data.replace(b"Team", b"Unit"))
    assert [proposed(as_admin)[f"column-{at}"] for at in range(3)] == ["email", "", "name"]


def test_a_choice_that_cannot_be_read_is_asked_again_and_kept(
    as_admin: Client, zoom: Service
) -> None:
    put(as_admin, b"email,name,team\na@x.example,Ada,Ops\n")
    answer = choose(as_admin, **{"column-0": ""})
    assert answer.status_code == 400
    assert "Say which column is the e-mail" in answer.content.decode()
    answer = choose(as_admin, **{"column-1": "role", "column-2": "role"})
    assert "Role can be one column only" in answer.content.decode()
    assert answer.content.decode().count('value="role" selected') == 2
    assert not SyncRun.objects.exists()


def test_the_letters_the_separator_and_the_sheet_can_be_chosen(
    as_admin: Client, zoom: Service
) -> None:
    put(as_admin, "email;name\na@x.example;Zoë\n".encode())
    assert "ZoÃ«" in words(as_admin, COLUMNS + "?encoding=windows-1252&delimiter=%3B")
    page = words(as_admin, COLUMNS + "?delimiter=,")
    assert "A email;name a@x.example;Zoë" in page
    one, two = [["email"], ["a@x.example"]], [["email", "Name"], ["b@x.example", "Bob"]]
    put(as_admin, book(One=one, Two=two), "team.xlsx")
    assert "Read from the sheet One" in words(as_admin, COLUMNS)
    chosen = proposed(as_admin, "?sheet=1")
    assert as_admin.post(COLUMNS, chosen)["Location"] == REVIEW
    apply(as_admin)
    assert Member.objects.get().email == "b@x.example"


def test_nonsense_in_the_address_or_the_form_is_passed_over(
    as_admin: Client, zoom: Service
) -> None:
    put(as_admin, b"email,name\na@x.example,Ada\n")
    for query in ("?sheet=x", "?sheet=99999999999999999999", "?encoding=utf-7&delimiter=xx",
                  "?columns=a,b", "?columns=,", "?columns=" + "," * 5000, "?order=x"):  # fmt: skip
        assert as_admin.get(COLUMNS + query).status_code == 200, query
    assert choose(as_admin, **{"column-1": "<b>", "order": "x", "column-99": "name"}).status_code
    assert "name" in words(as_admin, REVIEW)


def test_mistakes_are_told_by_row_and_column_as_a_page_and_as_a_file(
    as_admin: Client, zoom: Service
) -> None:
    data = b"Email,Seen,Invited\nada,2026-02-30,perhaps\nb@x.example,,\n=1@x.example,,\n,,\n"
    data = data.replace(b"Seen", b"Last seen") + b"=b @x,,no\n"
    put(as_admin, data)
    chosen = proposed(as_admin) | {f"column-{n}": m for n, m in enumerate(["email", "seen"])}
    chosen["column-2"] = "invited"
    answer = as_admin.post(COLUMNS, chosen)
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "4 things to mend first" in page
    assert "the file waits for a day" in page
    assert f'href="{COLUMNS}?encoding=utf-8&amp;delimiter=%2C&amp;columns=email%2C' in page
    file = as_admin.post(COLUMNS, chosen | {"format": "csv"})
    assert file["Content-Type"] == "text/csv; charset=utf-8; header=present"
    header, *found = csv.reader(io.StringIO(file.content.decode()))
    assert header == ["row", "column", "what is wrong", "how to mend it"]
    assert [(row, column) for row, column, _what, _how in found] == [
        ("2", "Email"),
        ("2", "Last seen"),
        ("2", "Invited"),
        ("6", "Email"),
    ]
    assert not Connection.objects.exists()
    assert Upload.objects.exists()


def test_a_day_that_can_be_two_is_asked_about(as_admin: Client, zoom: Service) -> None:
    put(as_admin, b"email,Last seen\na@x.example,03/04/2025\n")
    page = words(as_admin, COLUMNS)
    assert "Day first 03/04/2025 is 3 April 2025" in page
    assert "Month first 03/04/2025 is 4 March 2025" in page
    chosen = proposed(as_admin)
    assert as_admin.post(COLUMNS, chosen).status_code == 400
    assert as_admin.post(COLUMNS, chosen | {"order": "month"})["Location"] == REVIEW
    apply(as_admin)
    assert seen() == {"a@x.example": day("2025-03-04")}
    put(as_admin, b"email,Last seen\na@x.example,31/03/2025\n")
    assert "What comes first" not in words(as_admin, COLUMNS)


def test_last_seen_by_file_is_evidence_and_an_empty_cell_is_unknown(
    as_admin: Client, as_viewer: Client, zoom: Service
) -> None:
    long_ago = f"{timezone.now() - timedelta(days=45):%Y-%m-%d}"
    lately = f"{timezone.now() - timedelta(days=2):%Y-%m-%d}"
    data = f"email,name,Last seen\na@x.example,Ada,{lately}\nb@x.example,Bob,{long_ago}\n"
    put(as_admin, f"{data}c@x.example,Cyd,\nd@x.example,Dan,Never\n".encode())
    choose(as_admin)
    assert "Last seen told 2 Ada (a@x.example): unknown →" in words(as_admin, REVIEW)
    assert not Signal.objects.exists()
    apply(as_admin)
    assert {s.source for s in Signal.objects.all()} == {"file"}
    assert {s.proof for s in Signal.objects.all()} == {"as the file team.csv says"}
    members = words(as_viewer, MEMBERS)
    assert "as the file team.csv says" in members
    assert members.count("The file does not say. Unknown is not the same as idle") == 2
    assert "3 of 3" not in members
    assert "1 of 4" in words(as_viewer, f"{MEMBERS}?status=idle_30")
    assert "2 of 4" in words(as_viewer, f"{MEMBERS}?status=unknown")
    assert "Last seen is what the file says" in words(as_viewer, "/services/zoom/members/")
    run = SyncRun.objects.get()
    assert run.stages["activity"]["done"] == 2
    page = words(as_viewer, f"/services/zoom/history/{run.pk}/")
    assert "Activity Read 2 of 4 members" in page


def test_a_corrected_file_takes_the_place_of_what_the_last_one_said(
    as_admin: Client, zoom: Service
) -> None:
    head = b"email,Last seen\n"
    bring_in(as_admin, head + b"a@x.example,2025-05-04\nb@x.example,2025-05-04\nc@x.example,\n")
    assert upload(as_admin, head + b"a@x.example,2025-04-05\nb@x.example,\nc@x.example,\n")
    page = words(as_admin, REVIEW)
    assert "Last seen changed 2" in page
    assert "a@x.example: 4 May 2025 → 5 Apr 2025, b@x.example: 4 May 2025 → unknown" in page
    apply(as_admin)
    expected = {"a@x.example": day("2025-04-05"), "b@x.example": None, "c@x.example": None}
    assert seen() == expected
    assert Signal.objects.count() == 1
    bring_in(as_admin, b"email\na@x.example\nb@x.example\nc@x.example\n")  # it has no such column
    assert seen() == expected


def test_an_upload_goes_when_it_is_put_aside_replaced_or_a_day_old(
    as_admin: Client, zoom: Service
) -> None:
    put(as_admin, b"email\na@x.example\n")
    older = proposed(as_admin)
    put(as_admin, b"email\nb@x.example\n")
    answer = as_admin.post(COLUMNS, older, follow=True)
    assert "discarded or replaced" in answer.content.decode()
    assert not SyncRun.objects.exists()
    as_admin.post(FILE + "aside/", {"upload": Upload.objects.get().pk})
    assert not Upload.objects.exists()
    assert as_admin.get(COLUMNS)["Location"] == SETTINGS
    put(as_admin, b"email\nb@x.example\n")
    now = timezone.now()
    assert sync.byfile.forget_old(now) == 0
    assert sync.byfile.forget_old(now + timedelta(days=1, seconds=1)) == 1
    assert not Upload.objects.exists()


def test_a_viewer_neither_sees_nor_chooses(
    as_admin: Client, as_viewer: Client, zoom: Service
) -> None:
    put(as_admin, b"email\na@x.example\n")
    assert as_viewer.get(COLUMNS).status_code == 403
    assert as_viewer.post(COLUMNS, proposed(as_admin)).status_code == 403
    assert "waits" not in words(as_viewer, SETTINGS)


def test_a_service_with_a_connector_takes_files_until_it_is_connected(
    as_admin: Client, service: Service
) -> None:
    path = f"/services/{service.key}/"
    page = words(as_admin, f"{path}settings/")
    assert "Or: members by file" in page
    file = io.BytesIO(b"email,Last seen\na@x.example,2025-05-04\n")
    file.name = "team.csv"
    assert as_admin.post(f"{path}file/", {"file": file})["Location"] == f"{path}file/columns/"
    told = {"file": Upload.objects.get().pk, "column-0": "email", "column-1": "seen"}
    as_admin.post(f"{path}file/columns/", told)
    as_admin.post(f"{path}file/apply/", {"file": SyncRun.objects.get().pk})
    assert "a@x.example" in words(as_admin, f"{path}members/")
    page = words(as_admin, f"{path}settings/")
    assert "Integrate" in page
    assert "Members as of" in page
    assert "any more" not in page
    for tab in ("", "usage/", "history/", "seats/"):
        assert as_admin.get(path + tab).status_code == 200


def test_a_file_is_taken_again_where_an_account_was_revoked_and_erased(
    as_admin: Client, zoom: Service, admin: User
) -> None:
    bring_in(as_admin, b"email\na@x.example\n")
    by_file = Connection.objects.get()
    Connection.objects.update(replaced_at=timezone.now())
    account = rows.connection(zoom, state=State.DISCONNECTED)
    assert "Erase it first" in sync.byfile.hindrance(Service.objects.get())
    account.erase_collected()
    account.save()
    bring_in(as_admin, b"email,license\na@x.example,Pro\n")
    shown = Service.objects.get()
    assert [each.pk for each in shown.accounts] == [by_file.pk]
    assert LicensePool.objects.get().connection_id == by_file.pk
