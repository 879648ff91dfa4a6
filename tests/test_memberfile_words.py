"""How a column is known by its name, and an address by its look, however much a cell holds."""

import pytest

from seatwise.memberfile.words import (
    LONGEST_NAME,
    column_words,
    looks_like_address,
    name_of,
    says_utc,
)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Last seen (UTC)", "lastseen"),
        (" Last  seen  [in UTC] ", "lastseen"),
        ("Role (of the) team", "roleoftheteam"),
        ("E-mail (work) (primary)", "emailwork"),
        ("(UTC)", "utc"),
        ("Name ((((", "name"),
        ("Name )", "name"),
    ],
)
def test_a_name_is_read_without_what_stands_behind_it_in_brackets(column: str, name: str) -> None:
    assert name_of(column) == name


def test_of_a_columns_name_no_more_is_looked_at_than_is_kept() -> None:
    long = "x" * LONGEST_NAME
    assert column_words(f"E-mail ({long})") == column_words(f"E-mail {long}") == frozenset()
    assert says_utc("Last seen, UTC")
    assert not says_utc(f"{long} UTC")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("ada@x.example", True),
        (" ada@x.y.example ", True),
        ("a@.x.", False),
        ("ada@example", False),
        ("ada@.example", False),
        ("ada@example.", False),
        ("@x.example", False),
        ("ada@b@x.example", False),
        ("ada lovelace@x.example", False),
        ("ada@x .example", False),
        ("<ada@x.example>", False),
        ("ada@x.exam<ple", False),
        ("a" * 310 + "@x.example", True),
        ("a" * 311 + "@x.example", False),
        ("a@" + "." * 5_000 + "<", False),
    ],
)
def test_an_address_has_somebody_a_host_and_a_length_that_mail_takes(
    text: str, is_one: bool
) -> None:
    assert looks_like_address(text) == is_one
