"""Cells of a CSV file: what was written reads back, and no spreadsheet runs any of it."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwise.pull.formats import opened
from seatwise.pull.tables import LICENSES, Row

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
RISKY = st.builds(str.__add__, st.sampled_from([*"=+-@\t\r\n＝＋－＠'", " =", "\t\t@"]), CELL)


@pytest.mark.fault(63)
@given(name=CELL | RISKY, other=CELL | RISKY)
def test_a_cell_reads_back_and_is_never_a_formula(
    tmp_path_factory: pytest.TempPathFactory, name: str, other: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    row: Row = ("PL", name, other, None, None)
    with opened(path, LICENSES, "csv") as writer:
        writer.write(row)
    with path.open(encoding="utf-8", newline="") as file:
        (cells,) = csv.DictReader(file, strict=True)
    for text, cell in ((name, cells["name"]), (other, cells["kind"])):
        assert cell.removeprefix("'") == text or cell == text
        assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))
        assert not cell.startswith(("\t", "\r", "\n"))
