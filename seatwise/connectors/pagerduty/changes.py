"""Configuration changes: what people did to users, schedules and services, by the audit trail."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.pagerduty.api import Api, stamp
from seatwise.connectors.pagerduty.fields import (
    Doc,
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
LONGEST = timedelta(days=31)  # of a window, the most PagerDuty takes
A_SECOND = timedelta(seconds=1)

KINDS = {  # what was changed, in the proof's words
    "user_reference": "a user",
    "team_reference": "a team",
    "schedule_reference": "a schedule",
    "escalation_policy_reference": "an escalation policy",
    "service_reference": "a service",
}


class ChangeDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Audit → List audit records."""

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

    Raises VendorError; BrokenAnswer where more is promised and does not come.
    """
    while since < until:
        start = max(since, until - LONGEST)
        cursor, cursors, reached = "", set[str](), until
        while True:
            page = await _page(api, start, until, cursor)
            for record in page.records:
                if record.execution_time is not None:
                    reached = min(reached, record.execution_time + A_SECOND)
            cursor = page.next_cursor
            if cursor and cursor in cursors:
                raise BrokenAnswer("PagerDuty's audit trail promised more changes and sent none.")
            cursors.add(cursor)
            signals = [signal for record in page.records for signal in _signals(record)]
            within = [signal for signal in signals if start <= signal.at < until]
            yield Changes(within, max(reached, start) if cursor else start)
            if not cursor:
                break
        until = start


async def _page(api: Api, since: datetime, until: datetime, cursor: str) -> ChangesDoc:
    params = [("since", stamp(since)), ("until", stamp(until)), ("limit", str(LIMIT))]
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
