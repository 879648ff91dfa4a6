"""Files of what a page shows, opened again: the same rows, typed, and nothing runs in them."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from seatwise import audit
from seatwise.models import AuditEvent, Connection, User
from seatwise.models.audit_event import Action
from tests.pages import rows, runs

ROOT = Path(__file__).parents[2]
MEMBERS = "/services/pagerduty/members/"
PATHS = (
    "/",
    "/services/pagerduty/history/",
    MEMBERS,
    "/services/pagerduty/usage/",
    "/services/pagerduty/seats/",
    "/services/pagerduty/seats/changes/",
    "/services/pagerduty/seats/months/",
)
TROUBLESOME = (
    "=HYPERLINK(1)",
    "+1+1",
    "-1",
    "@SUM(A1)",
    "＝1",
    " =1+1",
    "<r><t>no markup</t></r>",
    "<b>&amp;</b>",
    "_x0041_ is no A",
    "https://example.com/is-no-link",
    "00123",
    "مريم العبد الله",
    "א" * 200,
    "😀" * 100,
    "two\nlines",
)


@pytest.fixture
def account(db: None) -> Connection:
    return rows.connection(rows.service())


def workbook(client: Client, path: str) -> CalamineWorkbook:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"].endswith("spreadsheetml.sheet")
    return CalamineWorkbook.from_filelike(io.BytesIO(b"".join(answer)))


def sheet(client: Client, path: str) -> list[dict[str, Any]]:
    """The rows of the first sheet, by their titles."""
    title, *lines = workbook(client, path).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, title), line, strict=True)) for line in lines]


def about(client: Client, path: str) -> list[tuple[Any, Any]]:
    """What the sheet says above the columns' definitions."""
    found = workbook(client, path).get_sheet_by_name("About this file").to_python()
    facts = [(line[0], line[1]) for line in found]
    return facts[: facts.index(("", ""))]


def table(client: Client, path: str) -> list[list[str]]:
    text = b"".join(client.get(path)).decode()
    return list(csv.reader(io.StringIO(text, newline="")))


def lines(client: Client, path: str) -> list[dict[str, str]]:
    header, *found = table(client, path)
    return [dict(zip(header, line, strict=True)) for line in found]


@pytest.mark.parametrize("path", [*PATHS, "/audit/"])
def test_every_table_is_offered_as_both_files_and_each_opens(
    as_admin: Client, account: Connection, path: str
) -> None:
    first_look = timezone.now() - timedelta(days=3)  # what changed needs two days
    ada = rows.member(account, "Ada", seen=1, first_listed_at=first_look)
    rows.event(ada, "listed", at=first_look)
    rows.usage(account, rows.last_month(), incidents=3)
    runs.run_of(account)
    audit.record(Action.CHECKED, about="acme-prod")
    page = as_admin.get(path).content.decode()
    for kind in ("csv", "xlsx"):
        assert f"format={kind}" in page
    assert as_admin.get(f"{path}?format=pdf").content.decode().startswith("<!doctype html>")
    header, *told = table(as_admin, f"{path}?format=csv")
    book = workbook(as_admin, f"{path}?format=xlsx")
    assert book.sheet_names[1:] == ["About this file"]
    same = book.get_sheet_by_index(0).to_python()
    if path != "/audit/":  # where the first file is itself a row of the second
        assert len(same) == len(told) + 1
    documented = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    assert " | " + ", ".join(f"`{key}`" for key in header) + " |" in documented
    meanings = book.get_sheet_by_name("About this file").to_python()[-len(header) :]
    assert [line[1] for line in meanings] == header
    assert all(line[2] for line in meanings)


def test_both_files_hold_the_rows_of_the_page_in_its_order(
    as_viewer: Client, account: Connection
) -> None:
    for name in ("Cyd Roe", "Ada Roe", "Bob Roe"):
        rows.member(account, name, seen=1)
    rows.member(account, "Zoe")
    query = "?status=active&sort=-name"
    page = as_viewer.get(f"{MEMBERS}{query}").content.decode()
    names = ["Cyd Roe", "Bob Roe", "Ada Roe"]
    assert sorted(names, key=page.index) == names
    assert [line["name"] for line in lines(as_viewer, f"{MEMBERS}{query}&format=csv")] == names
    assert [line["Name"] for line in sheet(as_viewer, f"{MEMBERS}{query}&format=xlsx")] == names


@pytest.mark.parametrize("name", TROUBLESOME)
def test_a_workbooks_text_stays_exactly_this_text(
    as_viewer: Client, account: Connection, name: str
) -> None:
    rows.member(account, name)
    assert [line["Name"] for line in sheet(as_viewer, f"{MEMBERS}?format=xlsx")] == [name]


@pytest.mark.parametrize("name", TROUBLESOME)
def test_no_text_becomes_a_formula_or_a_link(
    as_viewer: Client, account: Connection, name: str
) -> None:
    rows.member(account, name)
    answer = as_viewer.get(f"{MEMBERS}?format=xlsx")
    xml = unzipped(b"".join(answer))
    assert "<f>" not in xml
    assert "<hyperlink" not in xml


def test_a_workbooks_cells_have_their_kinds(as_viewer: Client, account: Connection) -> None:
    member = rows.member(account, "Ada", seen=3, invited=False)
    rows.event(member, "listed", at=account.connected_at)
    ada = sheet(as_viewer, f"{MEMBERS}?format=xlsx")[0]
    assert member.last_seen_at is not None
    seen = member.last_seen_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    assert ada["Last seen (UTC)"] == seen
    assert ada["Invited"] is False
    assert ada["Left (UTC)"] == ""
    on = timezone.now().astimezone(UTC).date()
    held = sheet(as_viewer, "/services/pagerduty/seats/?format=xlsx")
    assert [line["Day"] for line in held] == [on]
    assert isinstance(held[0]["Day"], date)
    rows.usage(account, rows.last_month(), incidents=1234)
    used = sheet(as_viewer, "/services/pagerduty/usage/?format=xlsx")
    assert [(line["Value"], line["Final"]) for line in used] == [(1234, True)]


def test_the_sheet_about_a_file_tells_whose_when_by_whom_and_which_filters(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Ada", role="admin", seen=1)
    rows.member(account, "Bob", role="admin")
    told = about(as_viewer, f"{MEMBERS}?role=admin&status=active&q=a&format=xlsx")
    facts = dict(told)
    assert facts["Service"] == "PagerDuty"
    assert facts["Account"] == "acme-prod (US)"
    assert facts["Made by"] == "Vic Viewer <vic@example.com>"
    assert facts["Rows"] == 1
    for moment in ("Made at (UTC)", "Members as of (UTC)", "Activity as of (UTC)"):
        assert isinstance(facts[moment], datetime)
    assert facts["Licences as of (UTC)"] == "never read"
    filters = [value for title, value in told if title == "Filter"]
    assert filters == ["Search: a", "Role: Global Admin", "Status: Active"]
    assert ("Filter", "none") in about(as_viewer, f"{MEMBERS}?format=xlsx")


def test_the_spend_table_is_taken_along_as_it_is_filtered(
    as_viewer: Client, account: Connection
) -> None:
    rows.service("zoom", "Zoom")
    rows.member(account, "Ada", seen=1)
    rows.member(account, "Bob", seen=40)
    rows.member(account, "Cyd")
    everything = {line["key"]: line for line in lines(as_viewer, "/?format=csv")}
    assert set(everything) == {"pagerduty", "zoom"}
    assert everything["zoom"]["seats"] == ""
    names = ("seats", "active", "active_percent", "idle", "unknown", "savable")
    assert [everything["pagerduty"][name] for name in names] == ["3", "1", "50", "1", "1", "1"]
    filtered = sheet(as_viewer, "/?q=zoom&format=xlsx")
    assert [(line["Service"], line["Seats"]) for line in filtered] == [("Zoom", "")]
    assert ("Filter", "none") not in about(as_viewer, "/?q=zoom&format=xlsx")


SPEND = {  # column: (title, cell)
    "key": ("Key", "pagerduty"),
    "service": ("Service", "PagerDuty"),
    "vendor": ("Vendor", "PagerDuty, Inc."),
    "category": ("Category", "Incidents"),
    "owner": ("Owner", "Vic Viewer"),
    "connection": ("Connection", "Connected, Limited"),
    "accounts": ("Accounts", 2),
    "seats": ("Seats", 16),
    "active": ("Active", 6),
    "active_percent": ("Active, per cent", 55),  # 6 of 11
    "idle": ("Idle", 3),
    "idle_90": ("Idle for 90 days", 1),
    "never": ("Never seen", 2),
    "unknown": ("Unknown", 4),
    "savable": ("Could be saved", 5),
    "cost": ("Cost a month", ""),
    "realisable": ("Savable a month", ""),
    "currency": ("Currency", ""),
    "ends": ("Term ends", ""),
    "notice_by": ("Notice by", ""),
    "as_of": ("Members as of (UTC)", datetime(2026, 3, 4, 5, 6, 7)),  # noqa: DTZ001
}


@pytest.fixture
def spent(viewer: User) -> Connection:
    """A service with two accounts and one of every kind of member, and another service."""
    service = rows.service()
    service.vendor, service.category, service.owner = "PagerDuty, Inc.", "Incidents", viewer
    service.save()
    one = rows.connection(service)
    read = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    two = rows.connection(service, account_id="P2", state="limited", members_as_of=read)
    for number, days in enumerate((0, 1, 5, 10, 20, 29, 40, 70, 100)):
        rows.member((one, two)[number % 2], f"Seen {number}", seen=days)
    for account in (one, two):
        rows.member(account, "Nia Never", never_read_at=timezone.now())
    for number in range(4):
        rows.member((one, two)[number % 2], f"Unknown {number}")
    rows.member(two, "Ivy Invited", invited=True)
    rows.member(two, "Gus Gone", seen=50, left_at=timezone.now())
    rows.connection(rows.service("zoom", "Zoom"), account_id="Z1", members_as_of=None)
    return one


def test_each_cell_of_the_spend_table_is_the_one_that_was_counted_by_hand(
    as_viewer: Client, spent: Connection
) -> None:
    (row,) = sheet(as_viewer, "/?q=pager&format=xlsx")
    assert row == dict(SPEND.values())
    (line,) = lines(as_viewer, "/?q=pager&format=csv")
    written = {key: str(cell) for key, (_title, cell) in SPEND.items()}
    assert line == written | {"as_of": "2026-03-04T05:06:07Z"}
    (never_read,) = lines(as_viewer, "/?q=zoom&format=csv")
    told = {key for key, cell in never_read.items() if cell}
    assert told == {"key", "service", "connection", "accounts"}


def test_the_sheet_about_the_spend_table_names_each_filter(
    as_viewer: Client, spent: Connection, viewer: User
) -> None:
    query = f"?q=pager&category=Incidents&state=limited&state=active&need=idle&owner={viewer.pk}"
    told = about(as_viewer, f"/{query}&format=xlsx")
    assert [value for title, value in told if title == "Filter"] == [
        "“pager”",
        "Category: Incidents",
        "Connection: Limited",
        "Connection: Connected",
        "Attention: Idle seats",
        "Owner: Vic Viewer",
    ]
    assert ("Rows", 1) in told
    nobody = about(as_viewer, "/?owner=nobody&format=xlsx")
    assert [value for title, value in nobody if title == "Filter"] == ["Owner: Nobody yet"]
    every = about(as_viewer, "/?format=xlsx")
    assert [value for title, value in every if title == "Filter"] == ["none"]


def test_the_syncs_are_taken_along_as_they_are_filtered(
    as_viewer: Client, account: Connection
) -> None:
    counts = {"joined": 2, "left": 1}
    done = runs.run_of(account, counts=counts, stages={"members": runs.stage()}, requests={"a": 7})
    failed = runs.run_of(account, "action_needed", reason="Somebody must authorize again.")
    path = "/services/pagerduty/history/"
    assert [line["run"] for line in lines(as_viewer, f"{path}?format=csv")] == [
        str(failed.pk),
        str(done.pk),
    ]
    one = sheet(as_viewer, f"{path}?ending=done&format=xlsx")
    assert [line["Sync"] for line in one] == [done.pk]
    assert (one[0]["Took (seconds)"], one[0]["Requests"]) == (72, 7)
    assert (one[0]["Joined"], one[0]["Left"], one[0]["Changed"]) == (2, 1, 0)
    filters = about(as_viewer, f"{path}?ending=done&format=xlsx")
    assert ("Filter", "How they ended: Done") in filters
    bad = sheet(as_viewer, f"{path}?ending=action_needed&format=xlsx")[0]
    assert (bad["Why"], bad["Joined"]) == ("Somebody must authorize again.", "")


def test_a_members_story_is_taken_along(as_viewer: Client, account: Connection) -> None:
    ada = rows.member(account, "Ada", seen=2)
    rows.event(ada, "joined")
    path = f"{MEMBERS}{ada.pk}/?format="
    head = table(as_viewer, f"{path}csv")[0]
    documented = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    assert " | " + ", ".join(f"`{key}`" for key in head) + " |" in documented
    told = [(line["kind"], line["what"]) for line in lines(as_viewer, f"{path}csv")]
    again = [(line["Kind"], line["What"]) for line in sheet(as_viewer, f"{path}xlsx")]
    assert told == again
    assert [kind for kind, _what in told] == ["timeline", "evidence"]


def test_each_file_is_told_on_the_trail_with_its_kind_and_a_head_takes_nothing(
    as_viewer: Client, account: Connection
) -> None:
    rows.member(account, "Ada")
    head = as_viewer.head(f"{MEMBERS}?format=xlsx")
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Disposition"].endswith('.xlsx"')
    assert not AuditEvent.objects.exists()
    assert sheet(as_viewer, f"{MEMBERS}?q=Ada&format=xlsx")
    event = AuditEvent.objects.get()
    assert (event.about, event.said) == ("members", "1 rows as XLSX.")
    assert event.detail == {"filters": "q=Ada", "rows": 1, "format": "xlsx"}


def test_where_there_is_no_room_for_a_workbook_a_page_says_so_and_offers_csv(
    as_viewer: Client, account: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    answer = as_viewer.get(f"{MEMBERS}?q=a&format=xlsx")
    assert answer.status_code == 503
    page = answer.content.decode()
    assert "no room for a temporary file" in page
    assert 'href="?q=a&amp;format=csv"' in page


def test_only_admins_take_the_trail_along(as_viewer: Client) -> None:
    assert as_viewer.get("/audit/?format=xlsx").status_code == 403


def unzipped(content: bytes) -> str:
    """Everything that a workbook is made of."""
    with ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())
