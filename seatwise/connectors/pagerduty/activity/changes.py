"""Configuration changes: what people did to users, schedules and services, by the audit trail."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from seatwise.connectors.pagerduty.activity.endless import Endless
from seatwise.connectors.pagerduty.api import Api, stamp
from seatwise.connectors.pagerduty.fields import (
    Doc,
    IdOrNone,
    Moment,
    Perhaps,
    ReferenceDoc,
    Several,
    Word,
    uncut,
)
from seatwise.connectors.pagerduty.paging import LIMIT
from seatwise.connectors.records import SignalRecord

SOURCE = "configured"
A_SECOND = timedelta(seconds=1)
LONGEST = timedelta(days=31) - A_SECOND  # of a window; with its border the most PagerDuty takes

KINDS = {  # what was changed, in the proof's words
    "user_reference": "a user",
    "team_reference": "a team",
    "schedule_reference": "a schedule",
    "escalation_policy_reference": "an escalation policy",
    "service_reference": "a service",
}


class ChangeDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Audit → List audit records."""

    id: IdOrNone = ""
    execution_time: Moment = None
    actors: Annotated[list[ReferenceDoc], Several] = []
    action: Word = ""
    root_resource: Annotated[ReferenceDoc | None, Perhaps] = None


class ChangesDoc(Doc):
    records: list[ChangeDoc]
    next_cursor: Annotated[str, BeforeValidator(uncut(4000))] = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """A page: what people did. Nothing is missing from `reached` on."""

    signals: list[SignalRecord]
    reached: datetime


async def read_changes(api: Api, since: datetime, until: datetime) -> AsyncGenerator[Changes, None]:
    """The newest changes first, from `since` until before `until`, at least one page a month.

    Where they do not come in that order `reached` stays until their window was read whole.

    Raises VendorError; BrokenAnswer where more is promised and does not come.
    """
    while since < until:
        start = max(since, until - LONGEST)
        endless = Endless("PagerDuty's audit trail promised more changes")
        cursor, reached = "", until
        last: datetime | None = None  # None: nothing came yet
        in_order = True
        while True:
            page = await _page(api, start, until, cursor)
            times = [r.execution_time for r in page.records if r.execution_time is not None]
            known = times if last is None else [last, *times]
            in_order = in_order and known == sorted(known, reverse=True)
            if times and in_order:
                last = times[-1]
                reached = min(reached, last + A_SECOND)
            cursor = page.next_cursor
            if cursor:
                endless.check(cursor, page.records[0].id if page.records else None)
            signals = [signal for record in page.records for signal in _signals(record)]
            within = [signal for signal in signals if start <= signal.at < until]
            yield Changes(within, max(reached, start) if cursor else start)
            if not cursor:
                break
        until = start


async def _page(api: Api, since: datetime, until: datetime, cursor: str) -> ChangesDoc:
    # A time is sent in whole seconds: one more, and nothing falls between two windows.
    border = stamp(until + A_SECOND)
    params = [("since", stamp(since)), ("until", border), ("limit", str(LIMIT))]
    if cursor:
        params.append(("cursor", cursor))
    return await api.get("/audit/records", ChangesDoc, params)


def _signals(record: ChangeDoc) -> list[SignalRecord]:
    if record.execution_time is None:
        return []
    did = {"create": "created", "delete": "deleted"}.get(record.action, "changed")
    kind = record.root_resource.type if record.root_resource else ""
    proof = f"{did} {KINDS.get(kind, 'the configuration')}"
    return [
        SignalRecord(actor.user_id, SOURCE, record.execution_time, proof)
        for actor in record.actors
        if actor.user_id
    ]
