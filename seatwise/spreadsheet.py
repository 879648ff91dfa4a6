"""Cells that a spreadsheet opens without running anything in them. Pure."""

from datetime import UTC, date, datetime

# The first character by which a spreadsheet takes a cell for a formula, half and full width.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")

Cell = str | int | bool | date | datetime | None


def safe_text(value: Cell) -> str:
    """The cell as text that no spreadsheet takes for a formula. Times are UTC; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    risky = value.startswith(FORMULA_STARTS) or value.lstrip().startswith(FORMULA_STARTS)
    return f"'{value}" if risky else value
