"""The log of all incidents: who did what to one, and when."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.fields import (
    Doc,
    Id,
    Link,
    Moment,
    Name,
    Perhaps,
    ReferenceDoc,
    Word,
)
from seatwise.connectors.pagerduty.paging import AHEAD, Chunk, Page, windowed
from seatwise.connectors.records import SignalRecord

# The type of a log entry, without its ending, to our source and the words of its proof.
ACTIONS: Mapping[str, tuple[str, str]] = {
    "acknowledge": ("acknowledged", "acknowledged"),
    "resolve": ("resolved", "resolved"),
    "trigger": ("triggered", "opened"),
    "assign": ("assigned", "reassigned"),
    "reassign": ("assigned", "reassigned"),
    "escalate": ("escalated", "escalated"),
    "annotate": ("annotated", "wrote a note on"),
}
OTHER_ACTION = ("other_action", "changed")


class IncidentReferenceDoc(Doc):
    summary: Name = ""
    html_url: Link = ""


class LogEntryDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Log Entries → List log entries."""

    id: Id
    type: Word = ""
    created_at: Moment = None
    agent: Annotated[ReferenceDoc | None, Perhaps] = None
    incident: Annotated[IncidentReferenceDoc | None, Perhaps] = None


class LogEntriesDoc(PageDoc):
    log_entries: list[LogEntryDoc]


class Allowance:
    """How many pages of the log may still be asked for."""

    def __init__(self, pages: int | None) -> None:
        self.left = pages  # None: as many as there are

    def take(self) -> None:
        """Takes one of them. Raises UsedUp where none is left."""
        if self.left is None:
            return
        if not self.left:
            raise UsedUp
        self.left -= 1


class UsedUp(Exception):
    """No more pages may be asked for."""


async def read_log(
    api: Api, since: datetime, until: datetime, allowance: Allowance | None = None
) -> AsyncGenerator[Chunk[LogEntryDoc], None]:
    """The important lines of the log, without notifications, newest first, a page at a time.

    Without a last chunk where the allowance ends it.
    """
    allowed = allowance or Allowance(None)

    async def fetch(since: datetime, until: datetime, offset: int, limit: int) -> Page[LogEntryDoc]:
        params = (
            ("since", stamp(since)),
            ("until", stamp(until)),
            ("is_overview", "true"),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("total", "true"),
        )
        allowed.take()
        doc = await api.get("/log_entries", LogEntriesDoc, params)
        return Page(doc.log_entries, doc.more, doc.total)

    ahead = AHEAD if allowed.left is None else max(allowed.left - 1, 0)
    reading = windowed(fetch, _id_of, _at, since, until, newest_first=True, ahead=min(ahead, AHEAD))
    async with aclosing(reading) as chunks:
        try:
            async for chunk in chunks:
                yield chunk
        except UsedUp:
            return


def signal_of(entry: LogEntryDoc) -> SignalRecord | None:
    """The evidence in a line of the log; None where no person did it."""
    kind = entry.type.removesuffix("_log_entry").removesuffix("_reference")
    if entry.agent is None or not entry.agent.user_id or entry.created_at is None:
        return None
    if kind.startswith("notify"):  # being paged is no evidence, whoever is named as agent
        return None
    source, did = ACTIONS.get(kind, OTHER_ACTION)
    incident = entry.incident or IncidentReferenceDoc()
    # Only the number: a title may hold anything, and is none of our business.
    number = re.match(r"\[#(\d{1,15})\]", incident.summary)
    name = f"incident #{number[1]}" if number else "an incident"
    return SignalRecord(
        entry.agent.user_id, source, entry.created_at, f"{did} {name}", incident.html_url
    )


def _id_of(entry: LogEntryDoc) -> str:
    return entry.id


def _at(entry: LogEntryDoc) -> datetime | None:
    return entry.created_at
