"""Workbooks written and opened again, without a page around them."""

import io
import re
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from seatwise.spreadsheet import Cell, Column, Kind, Table
from seatwise.spreadsheet.workbook import CUT, LONGEST, sheet_text, write


def column(kind: Kind = "text", key: str = "what") -> Column:
    return Column(key, key.title(), kind, "What it means.")


def opened(table: Table, **given: int) -> CalamineWorkbook:
    file = io.BytesIO()
    write(table, file, **given)
    file.seek(0)
    return CalamineWorkbook.from_filelike(file)


def cell(kind: Kind, value: Cell) -> object:
    """What a workbook gives back of one cell."""
    found = opened(Table("Cells", [column(kind)], [[value]]))
    return found.get_sheet_by_index(0).to_python()[1][0]


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("number", 0, 0),
        ("number", -12, -12),
        ("number", 10**15, "1000000000000000"),  # as a number it would lose digits
        ("number", True, "true"),
        ("yes/no", True, True),
        ("date", date(2026, 11, 23), date(2026, 11, 23)),
        ("date", date(1899, 12, 31), "1899-12-31"),  # before the first day of a spreadsheet
        (
            "time",
            datetime(2026, 11, 23, 1, 30, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 11, 22, 23, 30),  # noqa: DTZ001 (a workbook knows no zone)
        ),
        ("time", datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        ("text", "007", "007"),
    ],
)
def test_a_cell_has_its_kind_or_is_text(kind: Kind, value: Cell, read: object) -> None:
    found = cell(kind, value)
    assert (type(found), found) == (type(read), read) or found == read


@given(st.text(max_size=60))
def test_any_text_makes_a_workbook_that_opens_with_this_text_in_it(text: str) -> None:
    file = io.BytesIO()
    write(Table("Texts", [column()], [[f"{text}|"]]), file)
    with ZipFile(file) as archive:
        ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    file.seek(0)
    found = CalamineWorkbook.from_filelike(file).get_sheet_by_index(0).to_python()
    assert found[1] == [f"{sheet_text(text)}|"]


def test_what_xml_cannot_hold_is_left_out() -> None:
    assert cell("text", "a\x00b\x1fc\ufffed\r\ne\rf") == "abcd\ne\nf"


@pytest.mark.parametrize("letter", ["a", "é", "😀"])
def test_a_text_too_long_for_a_cell_is_cut_with_a_mark(letter: str) -> None:
    found = sheet_text(letter * 40_000)
    assert found.endswith(CUT)
    assert LONGEST - 1 <= len(found.encode("utf-16-le")) // 2 <= LONGEST
    assert cell("text", letter * 40_000) == found
    whole = letter * (LONGEST // len(letter.encode("utf-16-le")) * 2)
    assert sheet_text(whole) == whole


def test_more_rows_than_a_sheet_holds_go_on_in_the_next_one() -> None:
    table = Table("Members", [column("number")], [[n] for n in range(5)])
    book = opened(table, most_rows=2)
    assert book.sheet_names == ["Members", "Members 2", "Members 3", "About this file"]
    read = [book.get_sheet_by_index(at).to_python() for at in range(3)]
    assert read == [[["What"], [0], [1]], [["What"], [2], [3]], [["What"], [4]]]
    facts = book.get_sheet_by_name("About this file").to_python()
    assert ["Rows", 5] in [line[:2] for line in facts]


def test_rows_that_just_fill_a_sheet_leave_no_empty_one_behind() -> None:
    table = Table("Members", [column("number")], [[1], [2]])
    assert opened(table, most_rows=2).sheet_names == ["Members", "About this file"]


def test_a_table_without_rows_still_has_its_header() -> None:
    book = opened(Table("Nothing", [column()], []))
    assert book.get_sheet_by_index(0).to_python() == [["What"]]


def test_the_header_is_bold_stays_in_sight_and_filters() -> None:
    file = io.BytesIO()
    write(Table("Members", [column(), column("time", "seen")], [["a", datetime.now(UTC)]]), file)
    with ZipFile(file) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A1:B2"/>' in sheet
    assert "<b/>" in styles
    assert "yyyy-mm-dd hh:mm:ss" in styles


@pytest.mark.parametrize(
    "name", ["a/b[c]:d*e?f\\g", "'quoted'", "x" * 40, "", "History", "About this file"]
)
def test_any_name_makes_a_sheet(name: str) -> None:
    names = opened(Table(name, [column()], [["a"]])).sheet_names
    assert len(set(names)) == 2
    assert all(0 < len(each) <= 31 for each in names)
    assert "history" not in {each.lower() for each in names}  # which Excel keeps for itself


def test_rows_that_fail_leave_no_file_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows() -> Iterator[Sequence[Cell]]:
        yield ["a"]
        raise LookupError

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(LookupError):
        write(Table("Broken", [column()], rows()), io.BytesIO())
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_rows() -> None:
    columns = [column(key=f"column {n}") for n in range(5)]

    def peak(count: int) -> int:
        rows = ([f"row {n} column {at}" for at in range(5)] for n in range(count))
        tracemalloc.start()
        try:
            with io.BytesIO() as file:
                write(Table("Large", columns, rows), file)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(4000) < peak(400) + 1_000_000


def test_a_text_like_a_formula_stays_text_where_somebody_edits_its_cell() -> None:
    file = io.BytesIO()
    write(Table("Members", [column()], [["plain"], ["=1+1"]]), file)
    with ZipFile(file) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = ET.fromstring(archive.read("xl/styles.xml"))
    [style] = re.findall(r'<c r="A3" s="(\d+)" t="inlineStr">', sheet)
    formats = styles.find("{*}cellXfs")
    assert formats is not None
    assert formats[int(style)].get("quotePrefix") == "1"
    assert '<c r="A2" t="inlineStr">' in sheet
