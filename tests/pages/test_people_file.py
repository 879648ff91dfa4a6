"""The people file: guessed, looked at with every mistake, applied whole, and who counts as left."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from seatwise import history, sync
from seatwise.models import AuditEvent, Member, PeopleUpload, Person, User
from tests.pages import rows
from tests.pages.test_spend_money import in_days
from tests.pages.test_spend_needs import words

PAGE, FILE, REVIEW = "/people/", "/people/file/", "/people/file/review/"
HEADER = "E-mail;Name;Department;Cost centre;Left on\n"
ADA = "ada@acme.example;Ada Lovelace;Engineering;4100;\n"
GRACE = "Grace@acme.example;Grace Hopper;Operations;4200;2026-01-31\n"


def put(client: Client, text: str, name: str = "people.csv") -> Any:
    return client.post(FILE, {"file": SimpleUploadedFile(name, text.encode())})


def form(client: Client, address: str = REVIEW) -> dict[str, str]:
    """What the button Apply would send."""
    page = client.get(address).content.decode()
    part = page[page.index('action="/people/file/apply/"') :]
    part = part[: part.index("</form>")]
    found = dict(re.findall(r'name="([\w-]+)" value="([^"]*)"', part))
    found.pop("csrfmiddlewaretoken", None)
    return found


def take_in(client: Client, text: str) -> Any:
    """As somebody does who agrees with what is proposed."""
    assert put(client, text).status_code == 302
    return client.post(f"{FILE}apply/", form(client))


def columns(client: Client, address: str = REVIEW) -> list[str]:
    """What each column is taken for."""
    page = client.get(address).content.decode()
    selects = re.findall(r"<select .*?</select>", page, re.DOTALL)
    return [
        told[1] if (told := re.search(r'value="([^"]*)" selected', select)) else ""
        for select in selects
    ]


def person(email: str, **fields: object) -> Person:
    return Person.objects.create(email=email, as_of=timezone.now(), **fields)


def test_a_file_is_guessed_looked_at_and_applied(as_admin: Client) -> None:
    put(as_admin, HEADER + ADA + GRACE)
    assert columns(as_admin) == ["email", "name", "department", "cost_centre", "left_on"]
    page = words(as_admin, REVIEW)
    assert "It lists 2 people" in page
    assert "Left 1 Grace Hopper" in page
    assert not Person.objects.exists()
    as_admin.post(f"{FILE}apply/", form(as_admin))
    grace = Person.objects.get(email="grace@acme.example")
    assert (grace.name, grace.department, grace.cost_centre) == (
        "Grace Hopper", "Operations", "4200",
    )  # fmt: skip
    assert grace.left_on is not None
    assert grace.left_on.isoformat() == "2026-01-31"
    assert not PeopleUpload.objects.exists()
    event = AuditEvent.objects.get(action="people_applied")
    assert event.said == "2 people. people.csv"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("Work e-mail,First name,Last name,Org unit", ["email", "name", "name", "department"]),
        ("E-Mail-Adresse,Kostenstelle,Austrittsdatum,Abteilung",
         ["email", "cost_centre", "left_on", "department"]),
        ("mail,salary,termination date,team", ["email", "", "left_on", "department"]),
    ],
)  # fmt: skip
def test_columns_are_known_by_many_names(as_admin: Client, header: str, told: list[str]) -> None:
    values = {"left_on": "2026-01-31"}
    put(as_admin, f"{header}\nada@acme.example,{','.join(values.get(t, 'x') for t in told[1:])}\n")
    assert columns(as_admin) == told


def test_the_next_file_takes_the_place_of_the_one_before(as_admin: Client) -> None:
    take_in(as_admin, HEADER + ADA + GRACE)
    put(as_admin, HEADER + ADA.replace("Engineering", "Research") + "new@acme.example;New;;;\n")
    page = words(as_admin, REVIEW)
    assert "2 are known now" in page
    for said in ("New 1 New", "Changed 1 Ada Lovelace", "Not in it any more 1 Grace Hopper"):
        assert said in page
    as_admin.post(f"{FILE}apply/", form(as_admin))
    assert sorted(Person.objects.values_list("email", flat=True)) == [
        "ada@acme.example", "new@acme.example",
    ]  # fmt: skip
    assert Person.objects.departments() == {"ada@acme.example": "Research"}


def test_every_mistake_is_told_with_its_row_and_nothing_is_applied(as_admin: Client) -> None:
    take_in(as_admin, HEADER + ADA)
    put(as_admin, HEADER + "no address;Eve;;;\n" + ADA + ADA + "bob@acme.example;Bob;;;soon\n"
        + "cy@acme.example;Cy;;;2026-02-01\n" + "di@acme.example;Di;;;2026-02-02\n")  # fmt: skip
    page = words(as_admin, REVIEW)
    assert "3 things to mend first." in page
    assert "2 E-mail “no address” is no e-mail address." in page
    assert "4 E-mail ada@acme.example stands in row 3 already." in page
    assert "5 Left on “soon” is no day that Seatwise can read." in page
    assert 'action="/people/file/apply/"' not in as_admin.get(REVIEW).content.decode()
    upload = PeopleUpload.objects.get()
    fields = dict(zip([f"column-{n}" for n in range(5)], columns(as_admin), strict=True))
    answer = as_admin.post(f"{FILE}apply/", {"file": upload.pk, **fields})
    assert answer.status_code == 400
    assert Person.objects.count() == 1


def test_the_rules_look_anew_at_every_service_that_was_read(as_admin: Client) -> None:
    read, never = rows.service(), rows.service("zoom", "Zoom")
    rows.connection(read)
    rows.connection(never, account_id="Z", members_as_of=None)
    take_in(as_admin, HEADER + ADA)
    asked = ProcrastinateJob.objects.filter(task_name="seatwise.look")
    assert [job.args for job in asked] == [{"service_id": read.pk}]


def test_a_row_without_an_address_is_left_out_and_said(as_admin: Client) -> None:
    put(as_admin, HEADER + ADA + ";Fay;Warehouse;;\n")
    assert "1 row without an e-mail is left out, the first one row 3" in words(as_admin, REVIEW)
    as_admin.post(f"{FILE}apply/", form(as_admin))
    assert Person.objects.count() == 1


def test_days_that_can_be_two_are_asked_for(as_admin: Client) -> None:
    put(as_admin, HEADER + "ada@acme.example;Ada;;;03/04/2026\n")
    page = as_admin.get(REVIEW).content.decode()
    assert "Say whether the day or the month comes first" in page
    assert "What comes first in the days of leaving?" in page
    chosen = "?" + "&".join(f"column-{n}={m}" for n, m in enumerate(columns(as_admin)))
    as_admin.post(f"{FILE}apply/", form(as_admin, f"{REVIEW}{chosen}&order=month"))
    left = Person.objects.get().left_on
    assert left is not None
    assert left.isoformat() == "2026-03-04"


def test_a_year_from_nine_thousand_on_means_that_nobody_left(as_admin: Client) -> None:
    take_in(as_admin, HEADER + "ada@acme.example;Ada;;;9999-12-31\n")
    assert Person.objects.get().left_on is None


def test_other_columns_are_not_kept(as_admin: Client) -> None:
    put(as_admin, "E-mail,Name,Salary\nada@acme.example,Ada,90000\n")
    assert columns(as_admin) == ["email", "name", ""]
    as_admin.post(f"{FILE}apply/", form(as_admin))
    person = Person.objects.values().get()
    assert "90000" not in str(person)
    assert not PeopleUpload.objects.exists()


def test_a_column_can_be_chosen_otherwise(as_admin: Client) -> None:
    put(as_admin, "E-mail,Name,Chapter\nada@acme.example,Ada,Compilers\n")
    chosen = "?column-0=email&column-1=name&column-2=department"
    as_admin.post(f"{FILE}apply/", form(as_admin, REVIEW + chosen))
    assert Person.objects.get().department == "Compilers"
    put(as_admin, HEADER + ADA)
    page = words(as_admin, f"{REVIEW}?column-1=name")
    assert "Say which column is the e-mail" in page


@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02\xff", b"name\n"])
def test_what_is_no_list_is_refused_and_kept_nowhere(as_admin: Client, data: bytes) -> None:
    answer = as_admin.post(FILE, {"file": SimpleUploadedFile("x.csv", data)})
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert "Say which column is the e-mail" in words(as_admin, REVIEW)
    else:
        assert not PeopleUpload.objects.exists()


def test_how_many_seats_the_file_knows_is_told(as_admin: Client) -> None:
    account = rows.connection(rows.service())
    rows.member(account, "Ada", email="ADA@acme.example")
    rows.member(account, "Grace", email="grace@acme.example")
    rows.member(account, "Other", email="other@acme.example")
    put(as_admin, HEADER + ADA + GRACE)
    page = words(as_admin, REVIEW).replace(" ,", ",")
    said = "Of the 3 addresses that hold a seat anywhere, 2 are in it, and 1 of these has left"
    assert said in page


def test_a_replaced_or_discarded_file_is_not_applied(as_admin: Client) -> None:
    put(as_admin, HEADER + ADA)
    first = form(as_admin)
    put(as_admin, HEADER + GRACE)
    answer = as_admin.post(f"{FILE}apply/", first, follow=True)
    assert "waits no more" in answer.content.decode()
    assert not Person.objects.exists()
    as_admin.post(f"{FILE}aside/", {"file": form(as_admin)["file"]})
    assert not PeopleUpload.objects.exists()
    assert as_admin.get(REVIEW).status_code == 302


def test_a_file_that_nobody_applies_is_gone_after_a_day(as_admin: Client) -> None:
    put(as_admin, HEADER + ADA)
    now = timezone.now()
    assert sync.byfile.forget_old(now) == 0
    assert sync.byfile.forget_old(now + timedelta(days=1, minutes=1)) == 1
    assert not PeopleUpload.objects.exists()


def test_whoever_has_a_day_counts_as_left_from_that_day_on(as_admin: Client) -> None:
    person("a@acme.example", name="Yesterday", left_on=in_days(-1))
    person("b@acme.example", name="Today", left_on=in_days(0))
    person("c@acme.example", name="Tomorrow", left_on=in_days(1))
    person("d@acme.example", name="Stays")
    left = as_admin.get(f"{PAGE}?state=left").content.decode()
    there = as_admin.get(f"{PAGE}?state=there").content.decode()
    assert ("Yesterday" in left, "Today</bdi>" in left) == (True, True)
    assert ("Tomorrow" in there, "Stays" in there) == (True, True)
    assert "Tomorrow" not in left
    assert "Yesterday" not in there


def test_the_list_is_searched_by_name_address_and_department(as_admin: Client) -> None:
    take_in(as_admin, HEADER + ADA + GRACE + "x@acme.example;Xu;;;\n")
    for query, found in (
        ("q=love", ["Ada"]), ("q=operations", ["Grace"]), ("q=4100+ada", ["Ada"]),
        ("department=Engineering", ["Ada"]), ("department=-", ["Xu"]),
    ):  # fmt: skip
        page = as_admin.get(f"{PAGE}?{query}").content.decode()
        names = re.findall(r'<bdi class="strong">(\w+)', page[page.index("<main") :])
        assert names == found, query
    assert "Nobody matches these filters" in words(as_admin, f"{PAGE}?q=nobody")


def test_a_viewer_sees_the_list_and_who_can_replace_it(as_viewer: Client, admin: User) -> None:
    assert "ask Ada Admin" in words(as_viewer, PAGE).replace("Ask", "ask")
    person("a@acme.example", name="Somebody")
    page = words(as_viewer, PAGE)
    assert "Somebody" in page
    assert "Only an admin can replace the people file: ask Ada Admin." in page
    assert put(as_viewer, HEADER + ADA).status_code == 403


# ---- erasing -----------------------------------------------------------------------------------


def gone(email: str, account_id: str = "P1") -> Member:
    account = rows.connection(rows.service(account_id.lower(), account_id), account_id=account_id)
    return rows.member(account, "Gone", email=email, left_at=timezone.now())


def test_with_somebody_who_is_erased_their_line_goes_too(admin: User) -> None:
    member = gone("Ada@acme.example")
    person("ada@acme.example", name="Ada Lovelace")
    person("grace@acme.example", name="Grace Hopper")
    history.erase(member, by=admin)
    assert list(Person.objects.values_list("name", flat=True)) == ["Grace Hopper"]


def test_the_line_stays_as_long_as_another_account_tells_of_them(admin: User) -> None:
    first, second = gone("ada@acme.example"), gone("ada@acme.example", "P2")
    person("ada@acme.example", name="Ada Lovelace")
    history.erase(first, by=admin)
    assert Person.objects.count() == 1
    history.erase(second, by=admin)
    assert Person.objects.count() == 0


def test_nobody_is_erased_while_a_people_file_waits(as_admin: Client, admin: User) -> None:
    member = gone("ada@acme.example")
    put(as_admin, HEADER + ADA)
    with pytest.raises(history.NotErased, match="A people file waits"):
        history.erase(member, by=admin)
    member.refresh_from_db()
    assert member.erased_at is None


def test_members_without_an_address_take_nobody_along(admin: User) -> None:
    person("", name="Odd")
    history.erase(gone(""), by=admin)
    assert Person.objects.count() == 1
