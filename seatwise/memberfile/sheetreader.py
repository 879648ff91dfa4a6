"""A program of its own: reads one sheet of the workbook at its standard input, and ends.

It knows nothing of Seatwise and has no secrets. What a workbook does to it - take all memory, take
for ever, crash the parser - happens to this process alone, which has little of everything.

Asked as `sheetreader.py SHEET ROWS`, it writes {"sheets": […], "rows": [[NUMBER, […]]]} in JSON:
of that sheet at most so many rows that are not blank; a text is a string, a day {"at": …}. A long
text is cut, and empty cells at the end of a row are left out. Where that comes to more than its
reader can use, it writes nothing and exits with TOO_LARGE.
"""

import json
import resource
import sys
from datetime import date, datetime
from io import BytesIO

MEMORY = 768 * 1024 * 1024  # bytes of addresses, the interpreter's own included
PROCESSOR = 15  # seconds
WIDEST = 1000  # cells of a row
LONGEST = 1000  # characters of a cell; what is longer than any cell may be shows that by its mark
CUT = "…"
MOST_TOLD = 20 * 1024 * 1024  # bytes; a file of five megabytes with members tells less
TOO_LARGE = 3


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    asked, most = int(sys.argv[1]), int(sys.argv[2])
    book = CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read()))
    seen = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    rows: list[bytes] = []
    start = b'{"sheets": %b, "rows": [' % _json([_cut(name) for name in seen])
    size = len(start)
    if seen:
        sheet = book.get_sheet_by_name(seen[asked if asked < len(seen) else 0])
        left = [""] * min(sheet.start[1], WIDEST) if sheet.start else []  # it begins further right
        for number, row in enumerate(sheet.iter_rows(), start=1):
            cells = [*left, *map(_told, row[:WIDEST])]
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                rows.append(_json([number, cells]))
                size += len(rows[-1]) + len(b", ")
            if len(rows) >= most or size > MOST_TOLD:
                break
    if size > MOST_TOLD:
        sys.exit(TOO_LARGE)
    sys.stdout.buffer.write(start + b", ".join(rows) + b"]}")


def _told(cell: object) -> object:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, date | datetime):
        return {"at": cell.isoformat()}
    return _cut(str(cell))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + CUT


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode()


if __name__ == "__main__":
    main()
