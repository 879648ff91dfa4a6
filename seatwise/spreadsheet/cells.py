"""Cells that a spreadsheet opens without running anything in them."""

from datetime import UTC, date, datetime
from decimal import Decimal

# The first character by which a spreadsheet takes a cell for a formula, half and full width.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")

Cell = str | int | Decimal | bool | date | datetime | None


def safe_text(value: Cell) -> str:
    """The cell as text that no spreadsheet takes for a formula. Times are UTC; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"  # a sign is no formula: nothing but a number follows it
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    return f"'{value}" if is_risky(value) else value


def is_risky(text: str) -> bool:
    """Whether a spreadsheet that is given this text without its type takes it for a formula."""
    return text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
