"""Excel workbooks as rows, read by a process of its own that has little memory and little time."""

import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from threading import Timer
from typing import Any

from seatwise.memberfile.mending import MendFirst, Mistake
from seatwise.memberfile.sheetreader import MOST_TOLD, TOO_LARGE
from seatwise.memberfile.table import LOOKED_THROUGH, MOST_ROWS, Cell, Row, Table, tabled

MOST_ENTRIES = 200  # files in the workbook
MOST_UNPACKED = 60 * 1024 * 1024  # bytes
MOST_RATIO = 200  # times as large unpacked, from SMALL on
SMALL = 1024 * 1024  # bytes
PIECE = 64 * 1024  # bytes
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # as every spreadsheet program does
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
            if any(entry.compress_type not in PACKED for entry in entries):
                _refuse(
                    "The workbook is packed in a way that no spreadsheet program uses.", NEW_ONE
                )
            most = min(MOST_UNPACKED, max(SMALL, MOST_RATIO * len(data)))
            if sum(entry.file_size for entry in entries) > most:
                _refuse("The workbook is far larger than it seems when it is unpacked.", FEWER)
            for entry in entries:
                archive.open(entry).close()  # looks at the head that stands before its bytes
                _count(data, entry)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError):
        _refuse("The workbook is damaged.", NEW_ONE)
    except (ValueError, RuntimeError, zlib.error, struct.error):
        _refuse("The workbook is damaged.", NEW_ONE)


def _count(data: bytes, entry: zipfile.ZipInfo) -> None:
    """Unpacks it for real, and raises as soon as it is not what it says of itself.

    `archive.open` would stop where the entry says that it ends; who reads it later need not.
    """
    size, check = 0, 0
    for piece in _pieces(data, entry):
        size, check = size + len(piece), zlib.crc32(piece, check)
        if size > entry.file_size:
            break
    if size != entry.file_size or check != entry.CRC:
        raise zipfile.BadZipFile("another size or other bytes than it says")


def _pieces(data: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What it really unpacks to, never much of it at once."""
    name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
    start = entry.header_offset + 30 + name + extra
    packed = memoryview(data)[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        yield bytes(packed)
        return
    inflater = zlib.decompressobj(-15)
    for at in range(0, len(packed), PIECE):
        rest, is_more = bytes(packed[at : at + PIECE]), True
        while is_more and not inflater.eof:
            piece = inflater.decompress(rest, PIECE)
            yield piece
            rest = inflater.unconsumed_tail
            is_more = bool(rest) or len(piece) == PIECE
    if not inflater.eof or inflater.unused_data:
        raise zipfile.BadZipFile("ends too late or too early")


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
        end = Timer(SECONDS, process.kill)
        end.start()
        try:
            answer = _exchanged(process, data)
            process.wait()
        except BaseException:
            process.kill()
            raise
        finally:
            end.cancel()
    if process.returncode == TOO_LARGE or len(answer) > MOST_TOLD:
        _refuse("The workbook is too large inside.", FEWER)
    if process.returncode != 0:
        if process.returncode < 0:  # out of memory or of time
            _refuse("The workbook takes too much memory or time to read.", FEWER)
        _refuse("The workbook cannot be read: it is damaged, or too large inside.", NEW_ONE)
    told: dict[str, Any] = json.loads(answer)
    return told


def _exchanged(process: subprocess.Popen[bytes], data: bytes) -> bytes:
    """What it answers; of one that tells too much, only so much as proves it."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError), process.stdin:  # it may have ended before it read all
        process.stdin.write(data)
    answer = process.stdout.read(MOST_TOLD + 1)
    if len(answer) > MOST_TOLD:
        process.kill()
    return answer


def _cell(told: object) -> Cell:
    if isinstance(told, dict):
        text = told["at"]
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return str(told)


def _refuse(what: str, remedy: str) -> None:
    raise MendFirst([Mistake(None, what, remedy)])
