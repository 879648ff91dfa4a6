"""A file with members: what is read of it, and what must be mended first."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise import memberfile
from seatwise.memberfile import MendFirst, read

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


def mistakes(data: bytes) -> list[tuple[int | None, str]]:
    with pytest.raises(MendFirst) as caught:
        read(data)
    assert all(each.remedy for each in caught.value.mistakes)
    return [(each.line, each.what) for each in caught.value.mistakes]


def the_mistake(data: bytes) -> tuple[int | None, str]:
    (found,) = mistakes(data)
    return found


@given(
    rows=ROWS,
    columns=st.permutations(["name", "email", "role", "license", "team"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_what_a_spreadsheet_writes_is_read_as_it_was(
    rows: list[dict[str, str]], columns: list[str], ending: str, quoting: int, mark: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator=ending, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow({name: name.upper() for name in columns})
    writer.writerows({**row, "team": f"two{ending}lines"} for row in rows)
    found = read((mark + text.getvalue()).encode())
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
    for given_ in (data, b"email,name\n" + data):
        with suppress(MendFirst):
            assert read(given_).members


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


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", None, "is empty"),
        (b"\n \n,\n", None, "is empty"),
        (b"email,name\n", None, "lists nobody"),
        (b"Ada,ada@x.example\n", 1, "No column is called email"),
        (b"email;name\na@x.example;Ada\n", 1, "No column is called email"),
        (b"email,Email\na@x.example,\n", 1, "email is there twice"),
        (b"license,email,licence\n,a@x.example,\n", 1, "license is there twice"),
        ("email\na@x.example\n".encode("utf-16"), None, "UTF-16"),
        (b"email,name\na@x.example,Zo\xeb\n", 2, "not in UTF-8"),
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
        (b"email\na@x.example\n\nA@X.example \n", 4, "on line 2 already"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(data: bytes, line: int | None, words: str) -> None:
    found, what = the_mistake(data)
    assert found == line
    assert words in what


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines() -> None:
    data = b'email,name\nada,Ada\nb@x.example,a,b\n,Nobody\nb@x.example,Bob\nc@x.example,"x\n'
    assert [line for line, _what in mistakes(data)] == [2, 3, 4, 5, 6]


def test_a_line_number_counts_the_lines_of_the_cells_before_it() -> None:
    data = b'email,notes\r\na@x.example,"one\r\ntwo\r\nthree"\r\nbroken,\r\n'
    assert the_mistake(data)[0] == 5


def test_a_file_may_be_as_large_as_allowed_and_no_larger() -> None:
    lines = [f"user{number}@x.example" for number in range(memberfile.MOST_ROWS)]
    assert len(read("\n".join(["email", *lines]).encode()).members) == memberfile.MOST_ROWS
    line, what = the_mistake("\n".join(["email", *lines, "one@more.example"]).encode())
    assert (line, what) == (memberfile.MOST_ROWS + 2, "There are more than 20,000 members.")
    full = b"email\na@x.example\n".ljust(memberfile.MOST_BYTES, b"\n")
    assert len(read(full).members) == 1
    assert the_mistake(full + b"\n") == (None, "The file is larger than 5 MB.")
