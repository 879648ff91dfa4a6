"""A file with members: what is read of it, and what must be mended first."""

import csv
import io
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise import memberfile
from seatwise.memberfile import Manner, MemberFile, MendFirst, Reading, opened

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
CELLS = st.text(st.characters(exclude_categories=["Cc", "Cs"], codec="utf-8"), max_size=30).map(
    str.strip
)
NAMES = st.text("abcdefgh.-+_ä", min_size=1, max_size=20)
EMAILS = st.builds("{}@{}.example".format, NAMES, NAMES)
ROWS = st.lists(
    st.fixed_dictionaries({"name": CELLS, "email": EMAILS, "role": CELLS, "license": CELLS}),
    min_size=1,
    max_size=15,
    unique_by=lambda row: row["email"].casefold(),
)
BY_NAME = {"licence": "license", "e-mail": "email", "last seen": "seen"}


def read(data: bytes, manner: Manner = Manner(), **reading: object) -> MemberFile:  # noqa: B008
    """With each column as it is called."""
    table = opened(data, manner).table
    names = [name.casefold() for name in table.names]
    columns = [BY_NAME.get(name, name) for name in names]
    known = [name if name in memberfile.MEANINGS else "" for name in columns]
    return memberfile.read(
        table,
        Reading(known, **{"zone": UTC, "now": NOW, **reading}),  # type: ignore[arg-type]
    )


def guessed(data: bytes) -> tuple[str, ...]:
    return memberfile.guessed(opened(data).table)


def mistakes(data: bytes, **reading: object) -> list[tuple[int | None, str]]:
    with pytest.raises(MendFirst) as caught:
        read(data, **reading)  # type: ignore[arg-type]
    assert all(each.remedy for each in caught.value.mistakes)
    return [(each.row, each.what) for each in caught.value.mistakes]


def the_mistake(data: bytes, **reading: object) -> tuple[int | None, str]:
    (found,) = mistakes(data, **reading)
    return found


@given(
    rows=ROWS,
    columns=st.permutations(["name", "email", "role", "license", "team"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_spreadsheet_writes_is_read_as_it_was(
    rows: list[dict[str, str]],
    columns: list[str],
    ending: str,
    quoting: int,
    delimiter: str,
    encoding: str,
) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text,
        columns,
        lineterminator=ending,
        quoting=quoting,  # type: ignore[arg-type]
        delimiter=delimiter,
    )
    writer.writerow({name: name.upper() for name in columns})
    writer.writerows({**row, "team": f"two{ending}lines"} for row in rows)
    manner = Manner("utf-8" if encoding == "utf-8" else "", delimiter)
    found = read(text.getvalue().encode(encoding), manner)
    assert found.ignored == ("TEAM",)
    assert [(m.name, m.email, m.role) for m in found.members] == [
        (row["name"], row["email"].lower(), row["role"]) for row in rows
    ]
    assert [m.external_id for m in found.members] == [row["email"].casefold() for row in rows]
    holders = {seat.member_id: seat.license_id for seat in found.seats}
    assert holders == {
        row["email"].casefold(): row["license"].casefold() for row in rows if row["license"]
    }
    assert sum(each.used or 0 for each in found.licenses) == len(found.seats)


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_members_or_mistakes(data: bytes) -> None:
    for given_ in (data, b"email,name,last seen,invited\n" + data, b"\xff\xfe" + data):
        with suppress(MendFirst):
            table = opened(given_).table
            assert len(memberfile.guessed(table)) == len(table.names)
            columns = ["email", *([""] * (len(table.names) - 1))]
            assert memberfile.read(table, Reading(columns, UTC, NOW)).members


def test_the_address_is_the_same_one_in_capitals_and_with_spaces_around() -> None:
    (member,) = read(b"Email , NAME\n  Ada@Example.COM , Ada \n").members
    assert (member.external_id, member.email, member.name) == (
        "ada@example.com",
        "ada@example.com",
        "Ada",
    )
    assert not member.invited


def test_a_licence_is_one_however_it_is_written() -> None:
    found = read(b"email,licence\na@x.example,Business\nb@x.example,BUSINESS\nc@x.example,\n")
    (license_,) = found.licenses
    assert (license_.name, license_.used, license_.available) == ("Business", 2, None)
    assert len(found.seats) == 2


def test_what_looks_like_a_formula_is_kept_as_text() -> None:
    (member,) = read(b'email,name,role\na@x.example,"=1+1",@admin\n').members
    assert (member.name, member.role) == ("=1+1", "@admin")


def test_quotes_and_commas_inside_of_a_cell_belong_to_it() -> None:
    (member,) = read(b'email,name\na@x.example,"Lovelace, ""Ada"""\n').members
    assert member.name == 'Lovelace, "Ada"'


def test_blank_lines_and_cells_left_out_at_the_end_do_no_harm() -> None:
    (member,) = read(b"email,name,role\n\na@x.example\n,,\n").members
    assert (member.name, member.role) == ("", "")


def test_a_first_and_a_last_name_are_joined_as_they_stand() -> None:
    table = opened(b"Last name,Mail,First name\nLovelace,a@x.example,Ada\n,b@x.example,Bob\n").table
    assert memberfile.guessed(table) == ("name", "email", "name")
    found = memberfile.read(table, Reading(["name", "email", "name"], UTC, NOW))
    assert [member.name for member in found.members] == ["Lovelace Ada", "Bob"]


def test_who_is_invited_is_told_in_many_words() -> None:
    told = ["yes", "No", "JA", "pending", "Active", "", "x", "0"]
    rows = "".join(f"u{at}@x.example,{word}\n" for at, word in enumerate(told))
    found = read(f"email,invited\n{rows}".encode())
    assert [m.invited for m in found.members] == [
        True,
        False,
        True,
        True,
        False,
        False,
        True,
        False,
    ]
    assert "does not say" in the_mistake(b"email,invited\na@x.example,deactivated\n")[1]


@pytest.mark.parametrize(
    ("data", "row", "words"),
    [
        (b"", None, "is empty"),
        (b"\xef\xbb\xbf \n", None, "is empty"),
        (b"\n \n,\n", None, "is empty"),
        (b"email,name\n", None, "lists nobody"),
        (b"%PDF-1.7\n\x00\x01\x02\x03\x04\x05\x06\x07", None, "no text"),
        (b"\x89PNG\r\n\x1a\n\x81\x8d", None, "no text"),
        ("\ufeffemail\nZoë@x.example\n".encode("utf-16-le") + b"\x00\xd8", 3, "not in UTF-16"),
        (b"\xef\xbb\xbfemail,name\na@x.example,Zo\xeb\n", 2, "not in UTF-8"),
        (b"email\na@x.example\n\x00b@x.example\n", 3, "control character"),
        (b'email,name\na@x.example,"two\nlines"\n', 2, "line break"),
        (b'email,name\na@x.example,"Ada\nb@x.example,Bob\n', 2, "quotation mark"),
        (b'email,name\na@x.example,"Ada" Lovelace\n', 2, "quotation mark"),
        (b"email,name\na@x.example," + b"x" * 200_000 + b"\n", 2, "far too long"),
        (b"email,name\na@x.example," + b"x" * 501 + b"\n", 2, "longer than 500"),
        (b"email\n" + b"x" * 95 + b"@x.example\n", 2, "longer than 100"),
        (b"email,name\na@x.example,Lovelace, Ada\n", 2, "3 cells, and the header names 2"),
        (b"name,email\nAda,\n", 2, "is missing"),
        (b"email\nada\n", 2, "is no e-mail address"),
        (b"email\na b@x.example\n", 2, "is no e-mail address"),
        (b"email\na@x.example\n\nA@X.example \n", 4, "in row 2 already"),
        (b"email," + b"c," * 120 + b"\na@x.example\n", 1, "more than 100 columns"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(data: bytes, row: int | None, words: str) -> None:
    found, what = the_mistake(data)
    assert found == row
    assert words in what


def test_every_mistake_is_told_at_once_in_the_order_of_the_rows() -> None:
    data = b'email,name\nada,Ada\nb@x.example,a,b\n,Nobody\nb@x.example,Bob\nc@x.example,"x\n'
    assert [row for row, _what in mistakes(data)] == [2, 3, 4, 5, 6]


def test_a_row_is_counted_as_a_spreadsheet_shows_it() -> None:
    data = b'email,notes\r\na@x.example,"one\r\ntwo\r\nthree"\r\n\r\nbroken,\r\n'
    assert the_mistake(data)[0] == 4
    assert the_mistake(b"sep=;\r\nemail;name\r\nbroken;\r\n")[0] == 2


def test_a_file_may_be_as_large_as_allowed_and_no_larger() -> None:
    lines = [f"user{number}@x.example" for number in range(memberfile.MOST_ROWS)]
    assert len(read("\n".join(["email", *lines]).encode()).members) == memberfile.MOST_ROWS
    row, what = the_mistake("\n".join(["email", *lines, "one@more.example"]).encode())
    assert (row, what) == (memberfile.MOST_ROWS + 2, "There are more than 20,000 members.")
    full = b"email\na@x.example\n".ljust(memberfile.MOST_BYTES, b"\n")
    assert len(read(full).members) == 1
    assert the_mistake(full + b"\n") == (None, "The file is larger than 5 MB.")


def test_what_parts_the_columns_is_found_out() -> None:
    for mark in ",;\t":
        lines = [["Email", "Name", "Role"], ["a@x.example", "Ada", "a"], ["b@x.example", "B", "c"]]
        data = "\n".join(mark.join(line) for line in lines).encode()
        assert opened(data).manner.delimiter == mark
    commas_in_names = b"email;name\na@x.example;Lovelace, Ada\nb@x.example;Hopper, Grace\n"
    assert opened(commas_in_names).manner.delimiter == ";"
    assert opened(b"sep=\t\nemail,x\tname\n").table.names == ("email,x", "name")


def test_letters_that_two_encodings_write_alike_are_shown_in_both() -> None:
    found = opened("email,name\na@x.example,Zoë\n".encode())
    assert found.manner.encoding == "utf-8"
    assert "Zoë" in found.encodings["utf-8"]
    assert "ZoÃ«" in found.encodings["windows-1252"]
    other = opened("email,name\na@x.example,Zoë\n".encode("cp1252"))
    assert list(other.encodings) == ["windows-1252"]
    assert read("email,name\na@x.example,Zoë\n".encode("cp1252")).members[0].name == "Zoë"
    assert opened("email\na@x.example\n".encode("utf-16-le")).manner.encoding == "utf-16-le"
    assert list(opened(b"email\na@x.example\n").encodings) == ["utf-8"]


@pytest.mark.parametrize(
    ("header", "values", "meanings"),
    [
        ("E-Mail-Adresse;Anzeigename;Rolle", "a@x.de;Ada;Chef", ("email", "name", "role")),
        ("Nom;Courriel;Dernière connexion", "Ada;a@x.fr;31/12/2025", ("name", "email", "seen")),
        ("Username;Status;Plan", "a@x.es;Active;Pro", ("email", "invited", "license")),
        ("Username;Status;Plan", "ada;Suspended;Pro", ("email", "", "license")),
        ("Login;Email;User Name", "ada;a@x.com;Ada", ("", "email", "name")),
        ("Contact;Team", "a@x.com;Ops", ("email", "")),
        ("email;name;Last active", "a@x.com;Ada;soon", ("email", "name", "")),
        ("email;Name;First name;Last name", "a@x.com;Ada L;Ada;L", ("email", "name", "", "")),
        ("メールアドレス;x", "a@x.jp;1", ("email", "")),
        ("email;Last seen", "a@x.com;Never", ("email", "seen")),
    ],
)
def test_what_a_column_is_shows_in_its_name_and_its_values(
    header: str, values: str, meanings: tuple[str, ...]
) -> None:
    assert guessed(f"{header}\n{values}\n".encode()) == meanings


def test_titles_above_the_header_are_passed_over() -> None:
    table = opened(b"Users of Acme\nMade on Monday\n\nEmail,Role\na@x.example,admin\n").table
    assert (table.header, table.names, table.rows[0].number) == (4, ("Email", "Role"), 5)


def test_a_file_without_a_header_loses_nobody() -> None:
    table = opened(b"Ada,ada@x.example\nBob,bob@x.example\n").table
    assert (table.header, len(table.rows), table.label(1)) == (None, 2, "column B")
    assert memberfile.guessed(table) == ("", "email")
    assert memberfile.letters(26 * 27) == "AAA"


def test_a_choice_is_proposed_again_for_the_same_columns_only() -> None:
    table = opened(b"Contact,Team\na@x.example,Ops\n").table
    assert memberfile.remembered(table, ["Contact", "Team"], ["email", "role"]) == ("email", "role")
    assert memberfile.remembered(table, ["Contact", "Unit"], ["email", "role"]) == ()
    assert memberfile.remembered(table, ["Contact", "Team"], ["email", "gone"]) == ()


def test_a_choice_without_an_address_or_with_two_is_refused() -> None:
    assert "e-mail" in memberfile.hindrance(["name", ""])
    assert "Role can be one column only" in memberfile.hindrance(["email", "role", "role"])
    assert memberfile.hindrance(["email", "name", "name", "", ""]) == ""


def test_last_seen_is_a_moment_or_unknown_and_never_in_the_future() -> None:
    head = "email,last seen\n"
    told = read(f"{head}a@x.example,2026-11-04\nb@x.example,\nc@x.example,Never\n".encode()).seen
    day = datetime(2026, 11, 4, tzinfo=UTC)
    assert told == {"a@x.example": day, "b@x.example": None, "c@x.example": None}
    assert read(b"email\na@x.example\n").seen is None
    for cell, words in {
        "2026-11-07": "in the future",
        "2026-11-05 12:00:01": "in the future",
        "1970-01-01": "before 2000",
        "31.02.2026": "no day",
        "soon": "no day",
        "46331": "no day",
    }.items():
        assert words in the_mistake(f"{head}a@x.example,{cell}\n".encode())[1], cell
    ahead = read(f"{head}a@x.example,2026-11-06\n".encode()).seen  # where it is tomorrow already
    assert ahead == {"a@x.example": NOW}


def test_a_time_without_a_zone_is_of_the_zone_that_is_said() -> None:
    data = b"email,last seen\na@x.example,2026-07-01 10:00\nb@x.example,2026-07-01T10:00:00Z\n"
    seen = read(data, zone=ZoneInfo("Europe/Berlin")).seen
    assert seen is not None
    assert [at and at.hour for at in seen.values()] == [8, 10]


def test_a_column_that_says_utc_is_in_utc() -> None:
    table = opened(b"Email,Last seen (UTC)\na@x.example,2026-07-01 10:00\n").table
    assert memberfile.guessed(table) == ("email", "seen")
    reading = Reading(["email", "seen"], ZoneInfo("Europe/Berlin"), NOW)
    assert memberfile.read(table, reading).seen == {
        "a@x.example": datetime(2026, 7, 1, 10, tzinfo=UTC)
    }
