"""Activity: each member's newest action in the log of all incidents."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from seatwise.connectors.base import ReadPlan
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
from seatwise.connectors.pagerduty.paging import Page, whole_window
from seatwise.connectors.records import Batch, SignalRecord

WINDOW = timedelta(days=7)
A_DAY = timedelta(days=1)

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


async def read_activity(
    api: Api, plan: ReadPlan, awaited: frozenset[str] | None
) -> AsyncIterator[Batch]:
    """A batch a week, newest first, with the newest action of each member not met before.

    Ends early once everybody in `awaited` has been met; None when nobody knows who they are.
    """
    met: set[str] = set()
    days = max(-(-(plan.now - plan.activity_since) // A_DAY), 0)
    until = plan.now
    while until > plan.activity_since:
        since = max(until - WINDOW, plan.activity_since)
        signals = [s for s in await _read_window(api, since, until) if s.member_id not in met]
        met.update(signal.member_id for signal in signals)
        until = since
        everybody = bool(awaited) and met >= (awaited or frozenset())
        last = everybody or until <= plan.activity_since
        done = days if last else (plan.now - until) // A_DAY
        yield Batch("activity", tuple(signals), done, days, "days", complete=last, ended=last)
        if last:
            return
    yield Batch("activity", (), days, days, "days", complete=True, ended=True)


async def _read_window(api: Api, since: datetime, until: datetime) -> list[SignalRecord]:
    async def fetch(since: datetime, until: datetime, offset: int, limit: int) -> Page[LogEntryDoc]:
        params = (
            ("since", stamp(since)),
            ("until", stamp(until)),
            ("is_overview", "true"),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("total", "true"),
        )
        doc = await api.get("/log_entries", LogEntriesDoc, params)
        return Page(doc.log_entries, doc.more, doc.total)

    newest: dict[str, SignalRecord] = {}
    for entry in await whole_window(fetch, lambda row: row.id, since, until):
        signal = _signal(entry)
        if signal is None:
            continue
        known = newest.get(signal.member_id)
        if known is None or signal.at > known.at:
            newest[signal.member_id] = signal
    return list(newest.values())


def _signal(entry: LogEntryDoc) -> SignalRecord | None:
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
