"""The months of a service's Spend tab: what its columns say, and as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from seatwise import spending
from seatwise.models import Service
from seatwise.spending import MonthOfSpend
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export

COLUMNS = (
    Column("month", "Month", "date", "The month’s first day, in the billing zone."),
    Column("currency", "Currency", "text", "Of all amounts of the row, by ISO 4217."),
    Column(
        "held",
        "Held",
        "number",
        "The most seats that were held at one moment of the month, each line by itself. From the"
        " list of members and its past; unknown where nobody looked.",
    ),
    Column(
        "billed",
        "Billed",
        "number",
        "Seats that the contract makes one pay for: what was held, what is committed, what packs"
        " hold, or the highest number of a month before where that stays billed.",
    ),
    Column(
        "expected",
        "Expected",
        "number",
        "What the billed seats cost by the contract of that month, without tax. Unknown as long as"
        " one line’s price or seats are.",
    ),
    Column(
        "invoiced",
        "Invoiced",
        "number",
        "The month’s part of every invoice, without tax: an invoice is shared out over the days of"
        " its period, to the cent.",
    ),
    Column(
        "difference",
        "Difference",
        "number",
        "Invoiced less expected: above 0 more was charged than the contract says.",
    ),
    Column("budget", "Budget", "number", "What was planned for the month, by an admin."),
    Column("note", "Note", "text", "Why something of the month is missing or can still change."),
)


@dataclass(frozen=True, slots=True)
class Sums:
    """The seats of a month's lines together. None: of one of them it is not known."""

    held: int | None
    billed: int | None

    @classmethod
    def of(cls, month: MonthOfSpend) -> "Sums":
        seats = [cost for cost in month.costs if cost.line != spending.ALERTS]
        return cls(_sum([cost.held for cost in seats]), _sum([cost.seats for cost in seats]))


def of(service: Service, months: Sequence[MonthOfSpend], today: date) -> Export:
    """The months as a file, as they are today."""
    return Export(
        file=f"{service.key}-spend-{today}",
        what="spend by month",
        title="Spend",
        says="One row for each month of which a cost or an invoice is known.",
        columns=COLUMNS,
        rows=map(_line, months),
        count=len(months),
        service=service,
        readings=("members", "licenses"),
    )


def _line(month: MonthOfSpend) -> list[Cell]:
    sums = Sums.of(month)
    return [
        month.month,
        month.currency,
        sums.held,
        sums.billed,
        month.expected,
        month.invoiced,
        month.difference,
        month.budget,
        month.partial,
    ]


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None
