"""Excel workbooks with members: what spreadsheets save, and what bad people make."""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import xlsxwriter

from seatwise import memberfile
from seatwise.memberfile import Manner, MendFirst, Reading, opened, workbook

FAR = (3000, 1_048_576)  # rows, whose widest cell is the 16,384th
NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',  # noqa: E501
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',  # noqa: E501
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',  # noqa: E501
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',  # noqa: E501
}
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def book(**sheets: Sequence[Sequence[object]]) -> bytes:
    """A workbook as a spreadsheet program saves it; a sheet whose name begins with _ is hidden."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as written:
        day = written.add_format({"num_format": "dd/mm/yyyy"})
        moment = written.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, rows in sheets.items():
            sheet = written.add_worksheet(name)
            for at, row in enumerate(rows):
                for place, cell in enumerate(row):
                    looks = moment if isinstance(cell, datetime) else day
                    if isinstance(cell, date):
                        sheet.write_datetime(at, place, cell, looks)
                    elif cell is not None:
                        sheet.write(at, place, cell)
            if name.startswith("_"):
                sheet.hide()
    return made.getvalue()


def raw(sheet: str, packed: int = zipfile.ZIP_DEFLATED, /, **more: bytes) -> bytes:
    """A workbook with exactly this XML on its only sheet."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packed) as archive:
        for name, text in {**PARTS, "xl/worksheets/sheet1.xml": SHEET.format(sheet)}.items():
            archive.writestr(name, text)
        for name, data in more.items():
            archive.writestr(name, data)
    return made.getvalue()


def repeated(text: str, rows: int, columns: int) -> bytes:
    """A workbook with one text, which each of its cells is."""
    row = "<row>" + '<c t="s"><v>0</v></c>' * columns + "</row>"
    shared = f"<sst><si><t>{text}</t></si></sst>".encode()
    return raw(row * rows, **{"xl/sharedStrings.xml": shared})


def the_mistake(data: bytes) -> str:
    with pytest.raises(MendFirst) as caught:
        opened(data)
    (found,) = caught.value.mistakes
    assert found.remedy
    return found.what


def test_a_workbook_is_read_with_its_days_as_days_and_its_rows_as_they_are_numbered() -> None:
    data = book(
        People=[
            ["Members of Acme"],
            [],
            [None, "E-mail", "Name", "Last seen", "Number", "Invited"],
            [None, "a@x.example", "Ada", date(2026, 3, 4), 1.0, True],
            [],
            [None, "b@x.example", "Bob", datetime.fromisoformat("2026-03-04T05:06"), 2.5, False],
            [None, "c@x.example", "=1+1", None, None, None],
        ]
    )
    found = opened(data)
    table = found.table
    assert (table.header, [row.number for row in table.rows]) == (3, [4, 6, 7])
    assert memberfile.guessed(table) == ("", "email", "name", "seen", "", "invited")
    assert table.examples(4) == ["1", "2.5"]
    file = memberfile.read(table, Reading(memberfile.guessed(table), UTC, NOW))
    assert file.seen == {
        "a@x.example": datetime(2026, 3, 4, tzinfo=UTC),
        "b@x.example": datetime(2026, 3, 4, 5, 6, tzinfo=UTC),
        "c@x.example": None,
    }
    assert [member.invited for member in file.members] == [True, False, False]


def test_one_sheet_of_several_is_read_and_hidden_ones_are_not_offered() -> None:
    one, two = [["email"], ["a@x.example"]], [["email"], ["b@x.example"]]
    data = book(One=one, _hidden=one, Two=two)
    assert opened(data).sheets == ("One", "Two")
    assert opened(data).table.examples(0) == ["a@x.example"]
    assert opened(data, Manner(sheet=1)).table.examples(0) == ["b@x.example"]
    assert opened(data, Manner(sheet=7)).manner.sheet == 0
    assert the_mistake(book(One=[], Two=two)) == "The file is empty."


def test_a_workbook_may_list_as_many_as_allowed_and_no_more() -> None:
    rows = [[f"u{at}@x.example"] for at in range(memberfile.MOST_ROWS)]
    table = opened(book(A=[["email"], *rows])).table
    assert (len(table.rows), table.broken) == (memberfile.MOST_ROWS, None)
    more = opened(book(A=[["email"], *rows, ["one@more.example"]])).table
    assert more.broken is not None
    assert more.broken.row == memberfile.MOST_ROWS + 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", "old Excel workbook (.xls)"),
        (b"PK\x03\x04 and nothing of it", "damaged"),
        (book(A=[["email"]])[:-200], "damaged"),
        (book(A=[["email"]]).replace(b"xl/workbook.xml", b"xl/nothing!.xml"), "damaged|no Excel"),
        (raw("", **{f"part{at}": b"" for at in range(200)}), "more than 200 parts"),
        (raw("<row><c t='s'><v>999</v></c>"), "cannot be read"),
    ],
)
def test_what_is_no_good_workbook_is_told_in_words(data: bytes, words: str) -> None:
    assert any(word in the_mistake(data) for word in words.split("|"))


def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked() -> None:
    for zeros in (2 * workbook.SMALL, workbook.MOST_UNPACKED + 1):
        bomb = raw("", bomb=b"\0" * zeros)
        assert len(bomb) < 200_000
        if zeros > workbook.MOST_UNPACKED or zeros > workbook.MOST_RATIO * len(bomb):
            assert "far larger" in the_mistake(bomb)
        lying = bomb.replace(zeros.to_bytes(4, "little"), (5).to_bytes(4, "little"))
        assert lying != bomb
        assert the_mistake(lying)


@pytest.mark.parametrize(("zeros", "said"), [(80_000_000, 1000), (1001, 1000), (999, 1000)])
@pytest.mark.parametrize("part", ["bomb", "xl/styles.xml"])
def test_what_a_part_says_of_its_own_size_is_not_believed(part: str, zeros: int, said: int) -> None:
    real, told = b"\0" * zeros, b"\0" * said
    bomb = raw("<row/>", **{part: real})
    lying = bomb
    for true, false in ((zeros, said), (zlib.crc32(real), zlib.crc32(told))):
        lying = lying.replace(true.to_bytes(4, "little"), false.to_bytes(4, "little"))
    with zipfile.ZipFile(io.BytesIO(lying)) as archive:
        assert archive.getinfo(part).file_size == said
        if zeros > said:
            assert archive.read(part) == told  # which is what the archive alone would tell
    assert the_mistake(lying) == "The workbook is damaged."


def test_a_part_that_is_not_packed_and_says_too_little_is_refused() -> None:
    stored = raw("<row/>", zipfile.ZIP_STORED, part=b"x" * 1234)
    lying = stored.replace((1234).to_bytes(4, "little") * 2, b"\xd2\x04\0\0" + b"\xe8\x03\0\0")
    crc = zlib.crc32(b"x" * 1234).to_bytes(4, "little")
    lying = lying.replace(crc, zlib.crc32(b"x" * 1000).to_bytes(4, "little"))
    assert lying != stored
    assert the_mistake(lying) == "The workbook is damaged."


def test_a_workbook_that_would_take_all_memory_takes_only_its_own_process() -> None:
    cell = '<row r="{0}"><c r="{1}{0}" t="inlineStr"><is><t>x</t></is></c></row>'
    told = [the_mistake(raw(cell.format(1, "A") + cell.format(row, "XFD"))) for row in FAR]
    # One long text, which each of many cells is.
    text = f"<sst><si><t>{'x' * 1_000_000}</t></si></sst>".encode()
    rows = "".join(f'<row><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, 1501))
    told.append(the_mistake(raw(rows, **{"xl/sharedStrings.xml": text})))
    assert all("too much memory or time" in each or "too large inside" in each for each in told)
    assert opened(book(A=[["email"], ["a@x.example"]])).table.rows  # and we go on


def test_of_a_long_cell_no_more_than_a_page_can_use_leaves_the_process() -> None:
    data = repeated("é" * 450_000, 50, 5)
    assert len(data) < 20_000
    found = opened(data).table
    assert {len(cell) for row in found.rows for cell in row.cells} == {1001}  # type: ignore[arg-type]
    assert found.rows[0].text(0) == "é" * 1000 + "…"
    answer = subprocess.run(
        [sys.executable, "-I", str(workbook.PROGRAM), "0", "100"],
        input=data, capture_output=True, check=True,
    )  # fmt: skip
    assert len(answer.stdout) < 250 * 2100  # bytes, of which an é takes two


def test_a_workbook_that_tells_too_much_is_refused_before_it_is_told() -> None:
    assert "too large inside" in the_mistake(repeated("x" * 1000, 220, 100))
    program = [sys.executable, "-I", str(workbook.PROGRAM), "0", "1000"]
    data = repeated("\x7f" * 1000 + '"' * 5, 220, 100)
    answer = subprocess.run(program, input=data, capture_output=True, check=False)
    assert (answer.returncode != 0, answer.stdout) == (True, b"")


def test_cells_that_are_empty_to_the_end_of_a_row_take_no_room() -> None:
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>x</t></is></c></row>'
    far = '<row r="1"><c r="ALL1" t="inlineStr"><is><t>far</t></is></c></row>'
    answer = subprocess.run(
        [sys.executable, "-I", str(workbook.PROGRAM), "0", "10"],
        input=raw(far + row.format(2)), capture_output=True, check=True,
    )  # fmt: skip
    assert [len(cells) for _number, cells in json.loads(answer.stdout)["rows"]] == [1000, 1]


def test_of_a_process_that_was_taken_over_only_so_much_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rogue = tmp_path / "rogue.py"
    told = (
        """print('{"sheets": ["A"], "rows": [[1, ["email"]], [2, ["', "x" * 30_000_000, '"]]]}')"""
    )
    rogue.write_text(told)
    monkeypatch.setattr(workbook, "PROGRAM", rogue)
    assert "too large inside" in the_mistake(book(A=[["email"]]))


@pytest.mark.parametrize("packed", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_no_spreadsheet_program_packs_so_is_not_unpacked(packed: int) -> None:
    data = raw("<row/>", packed)
    at = data.index(b"[Content_Types].xml") + len("[Content_Types].xml")
    damaged = data[: at + 12] + bytes(byte ^ 255 for byte in data[at + 12 : at + 60])
    for each in (data, damaged + data[at + 60 :]):
        assert "packed" in the_mistake(each)


def test_the_process_that_reads_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    real = subprocess.Popen

    def watched(*args: object, **kwargs: object) -> object:
        given.append(kwargs["env"])
        return real(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setenv("SEATWISE_SECRET_KEY", "not-for-everybody")
    monkeypatch.setattr(subprocess, "Popen", watched)
    opened(book(A=[["email"], ["a@x.example"]]))
    assert given
    assert "not-for-everybody" not in str(given)


def test_the_reader_runs_without_seatwise(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-I", str(workbook.PROGRAM), "0", "10"],
        input=book(A=[["email"]]), capture_output=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert answer.stdout == b'{"sheets": ["A"], "rows": [[1, ["email"]]]}'
