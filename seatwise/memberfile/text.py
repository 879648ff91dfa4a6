"""Text files as rows: in which letters they are written, and what stands between the columns."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Mapping
from itertools import islice

from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.table import LOOKED_THROUGH, MOST_ROWS, Row, Table, tabled

ENCODINGS: Mapping[str, str] = {
    "utf-8": "UTF-8",
    "windows-1252": "Windows-1252",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16, big-endian",
}
DELIMITERS: Mapping[str, str] = {",": "Comma", ";": "Semicolon", "\t": "Tab"}
MARKS: Mapping[bytes, str] = {  # that a file begins with
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
SAVE_AS = "Save it as “CSV UTF-8” or as an Excel workbook (.xlsx) in your spreadsheet program."
SAMPLE = 60  # characters around the first letters that tell encodings apart
SNIFFED = 64 * 1024  # characters
SNIFFED_ROWS = 20
_SEP = re.compile(r"sep=([,;\t])\r?\n?", re.IGNORECASE)  # for Excel, before the first row


def readable_in(data: bytes) -> dict[str, str]:
    """The encodings it can be written in, the likeliest first, each with how it then looks.

    One where there is no doubt: it says so itself, or every letter is the same in all. Raises
    MendFirst where there is none.
    """
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return {encoding: ""}
    likely = ["utf-8", "windows-1252"]
    if wide := _wide(data):
        likely = [wide]
    found = {name: text for name in likely if (text := _tried(data, name)) is not None}
    if not found or _is_no_text(next(iter(found.values()))):
        what = "This is no text: neither CSV nor an Excel workbook (.xlsx)."
        raise MendFirst([Mistake(None, what, SAVE_AS)])
    if len(set(found.values())) == 1:
        found = dict(islice(found.items(), 1))
    return {name: _sample(text) for name, text in found.items()}


def decoded(data: bytes, encoding: str) -> str:
    """The text without a mark at its beginning. Raises MendFirst."""
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        what = f"This row is not in {ENCODINGS[encoding]}."
        raise MendFirst([Mistake(row, what, SAVE_AS)]) from None


def delimiter_of(text: str) -> str:
    """What parts the header, and the rows below it, into the most columns of the same number."""
    if told := _SEP.match(text):
        return told[1]
    return max(DELIMITERS, key=lambda mark: _columns(text[:SNIFFED], mark))


def read(text: str, delimiter: str) -> Table:
    """Rows are counted as a spreadsheet program shows them. Raises MendFirst for an empty file."""
    if told := _SEP.match(text):
        text = text[told.end() :]
    rows: list[Row] = []
    broken: Mistake | None = None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            if any(cell.strip() for cell in cells):
                rows.append(Row(number, tuple(cells)))
            if len(rows) > MOST_ROWS + LOOKED_THROUGH:
                break
    except csv.Error:
        what = "A quotation mark is not closed, stands alone, or encloses a far too long cell."
        remedy = 'Enclose the cell in " and write each " inside of it twice.'
        broken = Mistake(number + 1, what, f"{remedy} Below it nothing was checked.")
    return tabled(rows, broken)


def _wide(data: bytes) -> str:
    """UTF-16 by its zeros, where no mark says so."""
    start = data[:SNIFFED]
    if len(data) % 2 or len(start) < 4:
        return ""
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if zeros.count(0) * 2 > len(zeros) > 0:
            return encoding
    return ""


def _tried(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_no_text(text: str) -> bool:
    start = text[:SNIFFED]
    odd = sum(unicodedata.category(mark) == "Cc" and mark not in "\t\r\n" for mark in start)
    return odd * 20 > len(start)


def _sample(text: str) -> str:
    """A piece with letters by which one sees whether it is read rightly; "" where all are plain."""
    at = next((at for at, mark in enumerate(text) if ord(mark) > 127), None)
    if at is None:
        return ""
    start = max(0, at - SAMPLE // 3)
    piece = text[start : start + SAMPLE]
    parts = (part for part in piece.splitlines() if any(ord(mark) > 127 for mark in part))
    line = next(parts, "")  # the letter itself may end a line
    return " ".join(line.split())


def _columns(text: str, delimiter: str) -> float:
    widths: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                widths.append(len(cells))
            if len(widths) == SNIFFED_ROWS:
                break
    except csv.Error:
        pass
    if not widths:
        return 0
    usual = max(set(widths), key=widths.count)
    return (usual - 1) * widths.count(usual) / len(widths)
