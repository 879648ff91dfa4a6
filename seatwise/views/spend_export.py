"""The Spend page's table of services as a file."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from seatwise.models.connection import State
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export
from seatwise.views.export import download as send
from seatwise.views.spend_rows import NOT_CONNECTED, Row

COLUMNS = (
    Column("key", "Key", "text", "How addresses of Seatwise name the service."),
    Column("service", "Service", "text", "Its name."),
    Column("vendor", "Vendor", "text", "Who sells it."),
    Column("category", "Category", "text", "What it is for."),
    Column("owner", "Owner", "text", "Who answers for it in the company; empty: nobody is named."),
    Column("connection", "Connection", "text", "How each account of it is connected."),
    Column("accounts", "Accounts", "number", "How many accounts of it Seatwise knows."),
    Column(
        "seats",
        "Seats",
        "number",
        "Everybody the service lists, whatever the role, pending invitations included; "
        "accounts that were never read are left out; empty: none was read.",
    ),
    Column("active", "Active", "number", "Seen within the last 30 days."),
    Column(
        "active_percent",
        "Active, per cent",
        "number",
        "Of those whose last seen is known; empty: of nobody.",
    ),
    Column("idle", "Idle", "number", "Last seen more than 30 days ago."),
    Column("idle_90", "Idle for 90 days", "number", "Last seen more than 90 days ago."),
    Column("never", "Never seen", "number", "Never seen, by the service’s own word."),
    Column(
        "unknown",
        "Unknown",
        "number",
        "Nothing is known about their last activity; they are not counted as idle.",
    ),
    Column("savable", "Could be saved", "number", "Seats that are idle or never seen."),
    Column(
        "cost",
        "Cost a month",
        "number",
        "Of the present month, by contract, else by invoice; empty: no price is known.",
    ),
    Column(
        "realisable",
        "Savable a month",
        "number",
        "What can truly be saved by contract, notice and packs; empty: no price is known.",
    ),
    Column("currency", "Currency", "text", "Of the amounts; those of different ones never add up."),
    Column("ends", "Term ends", "date", "The last day of the term; empty: not known, or no end."),
    Column("notice_by", "Notice by", "date", "The last day to give notice; empty: not known."),
    Column("as_of", "Members as of", "time", "When the oldest of its lists of members was read."),
)


def download(
    request: HttpRequest, rows: Sequence[Row], filters: Sequence[str] = ()
) -> HttpResponseBase:
    """The file that `export.wanted` says, of the rows that are filtered, in their order.

    `filters`: those that are on, in words.
    """
    day = timezone.now().astimezone(settings.BILLING_ZONE).date()
    table = Export(
        file=f"services-{day}",
        what="services",
        title="Services",
        says="One row for each service that the filters leave.",
        columns=COLUMNS,
        rows=_rows(rows),
        count=len(rows),
        filters=filters,
    )
    return send(request, table)


def _rows(rows: Sequence[Row]) -> Iterator[list[Cell]]:
    for row in rows:
        service, seats = row.service, row.seats
        is_read = seats.total is not None
        counts = (seats.active, seats.active_percent, *_idle(row), seats.unknown, seats.savable)
        yield [
            service.key,
            service.name,
            service.vendor,
            service.category,
            row.owner or None,
            ", ".join(sorted(_state(state) for state in row.states)),
            len(service.accounts),
            seats.total,
            *(count if is_read else None for count in counts),
            row.money.cost,
            row.money.savable,
            row.money.currency or None,
            row.money.ends,
            row.money.notice_by,
            service.members_as_of,
        ]


def _idle(row: Row) -> tuple[int, int, int]:
    return row.seats.idle, row.seats.idle_90, row.seats.never


def _state(state: str) -> str:
    return "Not connected" if state == NOT_CONNECTED else str(State(state).label)
