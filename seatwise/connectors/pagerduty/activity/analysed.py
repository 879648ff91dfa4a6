"""Incidents as PagerDuty's analytics keep them: who acknowledged and who resolved each.

A thousand incidents a request, where the log has a hundred lines a request and several of them an
incident. What happened since the last midnight (UTC) is not in there yet.
"""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from seatwise.connectors.pagerduty.activity.analytics import AnswerDoc, RowDoc, answers
from seatwise.connectors.pagerduty.api import Api, stamp
from seatwise.connectors.pagerduty.fields import Count, IdOrNone, moment_utc
from seatwise.connectors.records import SignalRecord

Utc = Annotated[datetime | None, BeforeValidator(moment_utc)]


def _texts(value: object) -> list[str]:
    found = value if isinstance(value, list) else []
    return [text for text in found if isinstance(text, str) and 0 < len(text) <= 100]


class AnalysedDoc(RowDoc):
    """https://developer.pagerduty.com/api-reference/ → Analytics → Get raw data, incidents."""

    incident_number: Count = None
    created_at: Utc = None
    resolved_at: Utc = None
    resolved_by_user_id: IdOrNone = ""
    acknowledged_user_ids: Annotated[list[str], BeforeValidator(_texts)] = []
    seconds_to_first_ack: Count = None


class AnalysedPageDoc(AnswerDoc):
    data: list[AnalysedDoc]


@dataclass(frozen=True, slots=True)
class Question:
    """Which incidents to ask for. Tokens of people must name the services, API keys need not."""

    created_since: datetime  # less than a year before created_until
    created_until: datetime
    updated_after: datetime | None = None
    services: Collection[str] | None = None

    def as_json(self) -> dict[str, object]:
        filters: dict[str, object] = {
            "created_at_start": stamp(self.created_since),
            "created_at_end": stamp(self.created_until),
        }
        if self.updated_after is not None:
            filters["updated_after"] = stamp(self.updated_after)
        if self.services is not None:
            filters["service_ids"] = sorted(self.services)
        return {"filters": filters, "order": "desc", "order_by": "created_at"}


@dataclass(frozen=True, slots=True)
class Analysed:
    """A page of incidents. `newest` is when the newest of them was created."""

    signals: list[SignalRecord]
    incidents: int
    newest: datetime | None


async def read_analysed(api: Api, question: Question) -> AsyncGenerator[Analysed, None]:
    """Page after page, the newest incidents first. Raises VendorError."""
    path = "/analytics/raw/incidents"
    async with aclosing(answers(api, path, question.as_json(), AnalysedPageDoc)) as pages:
        async for page in pages:
            created = [row.created_at for row in page.data if row.created_at is not None]
            yield Analysed(
                [signal for row in page.data for signal in _signals(row)],
                len(page.data),
                max(created, default=None),
            )


def _signals(row: AnalysedDoc) -> list[SignalRecord]:
    """Never later than it was: of all who acknowledged only the first one's time is known."""
    name = f"incident #{row.incident_number}" if row.incident_number else "an incident"
    found = []
    if row.created_at is not None:
        acknowledged = row.created_at + timedelta(seconds=row.seconds_to_first_ack or 0)
        found = [
            SignalRecord(who, "acknowledged", acknowledged, f"acknowledged {name}")
            for who in row.acknowledged_user_ids
        ]
    if row.resolved_by_user_id and row.resolved_at is not None:
        who, at = row.resolved_by_user_id, row.resolved_at
        found.append(SignalRecord(who, "resolved", at, f"resolved {name}"))
    return found
