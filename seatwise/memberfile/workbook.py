"""Excel workbooks as rows, read by a process of its own that has little memory and little time."""

import json
import os
import subprocess
import sys
import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.table import LOOKED_THROUGH, MOST_ROWS, Cell, Row, Table, tabled

MOST_ENTRIES = 200  # files in the workbook
MOST_UNPACKED = 60 * 1024 * 1024  # bytes
MOST_RATIO = 200  # times as large unpacked, from SMALL on
SMALL = 1024 * 1024  # bytes
PIECE = 64 * 1024  # bytes
SECONDS = 30.0  # until its process is ended
PROGRAM = Path(__file__).with_name("sheetreader.py")
HANDED_ON = ("PATH", "LANG", "LC_ALL", "TZ")  # of the environment, which holds secrets

ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
NEW_ONE = "Save it as an Excel workbook (.xlsx) without a password, or as “CSV UTF-8”."
FEWER = "Copy the rows of the members into a new workbook, and save that one."


def is_one(data: bytes) -> bool:
    """Whether it must be read as a workbook: be it one of ours or one to be saved anew."""
    return data.startswith((ZIP, OLD_EXCEL))


def read(data: bytes, sheet: int) -> tuple[list[str], Table]:
    """The names of its visible sheets, and the table on one of them (0: the first).

    Raises MendFirst: for what is no workbook, is unreasonably large inside, or holds no table.
    """
    _look_inside(data)
    told = _asked(data, sheet)
    rows = [Row(number, tuple(map(_cell, cells))) for number, cells in told["rows"]]
    return told["sheets"], tabled(rows)


def _look_inside(data: bytes) -> None:
    """Before any parser sees it. What an archive says of its own sizes is not believed."""
    if data.startswith(OLD_EXCEL):
        _refuse("This is an old Excel workbook (.xls) or one with a password.", NEW_ONE)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                _refuse(f"The workbook has more than {MOST_ENTRIES} parts.", FEWER)
            if "xl/workbook.xml" not in archive.namelist():
                _refuse("This is no Excel workbook (.xlsx).", NEW_ONE)
            if any(entry.flag_bits & 1 for entry in entries):
                _refuse("The workbook has a password.", NEW_ONE)
            most = min(MOST_UNPACKED, max(SMALL, MOST_RATIO * len(data)))
            if sum(entry.file_size for entry in entries) > most or _unpacked(archive) > most:
                _refuse("The workbook is far larger than it seems when it is unpacked.", FEWER)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError):
        _refuse("The workbook is damaged.", NEW_ONE)
    except (ValueError, RuntimeError, zipfile.zlib.error):  # type: ignore[attr-defined]
        _refuse("The workbook is damaged.", NEW_ONE)


def _unpacked(archive: zipfile.ZipFile) -> int:
    """Bytes, really unpacked, as far as the bound; whatever is damaged raises."""
    size = 0
    for entry in archive.infolist():
        with archive.open(entry) as part:
            while piece := part.read(PIECE):
                size += len(piece)
                if size > MOST_UNPACKED:
                    return size
    return size


def _asked(data: bytes, sheet: int) -> dict[str, Any]:
    # `-I`: neither the environment nor the folder it is started in has a say in what it imports.
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", str(PROGRAM), str(sheet), str(MOST_ROWS + LOOKED_THROUGH + 1)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in HANDED_ON if name in os.environ},
        start_new_session=True,
    ) as process:
        try:
            answer, _ = process.communicate(data, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            answer = b""
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        if process.returncode < 0:  # out of memory or of time
            _refuse("The workbook takes too much memory or time to read.", FEWER)
        _refuse("The workbook cannot be read: it is damaged, or too large inside.", NEW_ONE)
    told: dict[str, Any] = json.loads(answer)
    return told


def _cell(told: object) -> Cell:
    if isinstance(told, dict):
        text = told["at"]
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return str(told)


def _refuse(what: str, remedy: str) -> None:
    raise MendFirst([Mistake(None, what, remedy)])
