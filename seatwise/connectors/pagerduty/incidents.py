"""A month's incidents and the alerts under them: read whole, or from where it was left.

Whoever acknowledged or last changed an incident is told on the way, as evidence of activity.
"""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from seatwise.connectors.errors import REFUSALS
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.counted import Stretch
from seatwise.connectors.pagerduty.fields import (
    Count,
    Doc,
    Id,
    Link,
    Moment,
    Perhaps,
    ReferenceDoc,
    Several,
    Word,
)
from seatwise.connectors.pagerduty.paging import LIMIT, Page, overlapping, windowed
from seatwise.connectors.pagerduty.tally import MOST_OPEN, Known, Tally
from seatwise.connectors.records import SignalRecord

MOST_SERVICES = 1_000  # as many as a question to analytics may name
A_SECOND = timedelta(seconds=1)
MARGIN = 1.1  # for stretches with more incidents than most
OPEN = (("date_range", "all"), ("statuses[]", "triggered"), ("statuses[]", "acknowledged"))

Span = tuple[datetime, datetime]


class AcknowledgementDoc(Doc):
    at: Moment = None
    acknowledger: Annotated[ReferenceDoc | None, Perhaps] = None


class AlertCountsDoc(Doc):
    all: Count = None


class IncidentDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Incidents → List incidents."""

    id: Id
    incident_number: Count = None
    created_at: Moment = None
    status: Word = ""
    html_url: Link = ""
    service: Annotated[ReferenceDoc | None, Perhaps] = None
    acknowledgements: Annotated[list[AcknowledgementDoc], Several] = []
    last_status_change_at: Moment = None
    last_status_change_by: Annotated[ReferenceDoc | None, Perhaps] = None
    alert_counts: Annotated[AlertCountsDoc | None, Perhaps] = None

    @property
    def is_open(self) -> bool:
        """Whether it may still gain alerts."""
        return self.status != "resolved"

    @property
    def alerts(self) -> int | None:
        """How many alerts are grouped under it."""
        return self.alert_counts.all if self.alert_counts else None


class IncidentsDoc(PageDoc):
    incidents: list[IncidentDoc]


class Openings:
    """All incidents of the account that are open now, listed once and only when needed."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._asked = False
        self.rows: dict[str, IncidentDoc] | None = None

    async def listed(self) -> dict[str, IncidentDoc] | None:
        """By their ids; None where there are too many, or they may not be listed."""
        if not self._asked:
            self._asked = True
            try:
                self.rows = await self._read()
            except REFUSALS:
                self.rows = None  # the month's own list tells whether it is a refusal
        return self.rows

    async def _read(self) -> dict[str, IncidentDoc] | None:
        async def fetch(offset: int, limit: int) -> Page[IncidentDoc]:
            return await _page(self._api, OPEN, offset, limit)

        rows: dict[str, IncidentDoc] = {}
        async with aclosing(overlapping(fetch, lambda row: row.id)) as chunks:
            async for chunk in chunks:
                rows |= {row.id: row for row in chunk.rows}
                if len(rows) > 2 * MOST_OPEN or chunk.cut:
                    return None
        return rows


@dataclass(slots=True)
class MonthOfIncidents:
    """One month's incidents while they are read, and then their numbers in `tally`."""

    api: Api
    stretch: Stretch
    known: Known | None
    openings: Openings
    services: set[str]
    tally: Tally
    whole: bool = False  # whether the numbers are of one reading

    async def read(self) -> AsyncGenerator[list[SignalRecord], None]:
        """Evidence, page by page. Raises VendorError."""
        if self.known is not None and self.known.helps(self.stretch):
            self.tally = Tally(self.stretch.cut, self.known)
            spans = await self._spans(self.known)
            if spans is not None:
                yield [signal for row in self._still_open() for signal in signals(row)]
                async with aclosing(self._go_on(spans, self.known.until)) as found:
                    async for some in found:
                        yield some
                if not self.tally.torn:
                    return
        self.tally, self.whole = Tally(self.stretch.cut), True
        chunks = windowed(
            self._fetch, _id, _created, self.stretch.start, self.stretch.until, newest_first=True
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                self.tally.lacking += chunk.lacking
                for row in chunk.rows:
                    self.tally.take(row.id, row.created_at, row.alerts, row.is_open)
                yield self._evidence(chunk.rows)

    async def _spans(self, known: Known) -> list[Span] | None:
        """What to read in order to go on; None where the month is better read whole."""
        listed = await self.openings.listed() if known.open else {}
        if listed is None or self._reopened(known, listed):
            return None
        for name in known.open.keys() & listed.keys():
            self.tally.settle(name, listed[name].alerts, is_open=True)
        gone = [at for name, (_, at) in known.open.items() if name not in listed]
        if self.stretch.over and len(gone) == len(known.open):
            return None
        spans = [(at, at + A_SECOND) for at in gone]
        if known.until < self.stretch.until:
            spans.append((known.until, self.stretch.until))
        read = min(known.until, self.stretch.end) - self.stretch.start
        a_page = read * LIMIT / max(known.count, 1)  # so much time a page covers, on average
        merged = _merged(sorted(spans), a_page)
        pages = sum(_pages(span, a_page) for span in merged)
        return merged if pages <= known.count / LIMIT + 2 else None

    def _reopened(self, known: Known, listed: dict[str, IncidentDoc]) -> bool:
        return any(
            row.created_at is not None
            and self.stretch.start <= row.created_at < min(known.until, self.stretch.end)
            and name not in known.open
            for name, row in listed.items()
        )

    def _still_open(self) -> list[IncidentDoc]:
        listed = self.openings.rows or {}
        return [listed[name] for name in self.tally.early.open if name in listed]

    async def _go_on(
        self, spans: Sequence[Span], until: datetime
    ) -> AsyncGenerator[list[SignalRecord], None]:
        """Adds what was created since, and what has become of those that were open."""
        gone = set(self.tally.early.open) - (self.openings.rows or {}).keys()
        for since, end in spans:
            chunks = windowed(self._fetch, _id, _created, since, end, newest_first=True)
            async with aclosing(chunks):
                async for chunk in chunks:
                    self.tally.lacking += chunk.lacking
                    rows = [row for row in chunk.rows if self._is_news(row, until, gone)]
                    gone.difference_update(row.id for row in rows)
                    yield self._evidence(rows)
        self.tally.torn |= bool(gone)

    def _is_news(self, row: IncidentDoc, until: datetime, gone: set[str]) -> bool:
        if row.id in gone:
            self.tally.settle(row.id, row.alerts, row.is_open)
        elif row.created_at is None or row.created_at >= until:
            self.tally.take(row.id, row.created_at, row.alerts, row.is_open)
        else:
            self.tally.torn |= row.is_open and row.id not in self.tally.early.open
            return False
        return True

    def _evidence(self, rows: Sequence[IncidentDoc]) -> list[SignalRecord]:
        for row in rows:
            if row.service and row.service.id and len(self.services) < MOST_SERVICES:
                self.services.add(row.service.id)
        return [signal for row in rows for signal in signals(row)]

    async def _fetch(
        self, since: datetime, until: datetime, offset: int, limit: int
    ) -> Page[IncidentDoc]:
        window = (("since", stamp(since)), ("until", stamp(until)))
        return await _page(self.api, (*window, ("sort_by", "created_at:desc")), offset, limit)


def signals(incident: IncidentDoc) -> list[SignalRecord]:
    """Who did what to it, as far as the list of incidents tells."""
    name = f"incident #{incident.incident_number}" if incident.incident_number else "an incident"
    acts = [("acknowledged", entry.acknowledger, entry.at) for entry in incident.acknowledgements]
    source = incident.status if incident.status in ("acknowledged", "resolved") else "other_action"
    acts.append((source, incident.last_status_change_by, incident.last_status_change_at))
    return [
        SignalRecord(
            who.user_id,
            source,
            at,
            f"{'changed' if source == 'other_action' else source} {name}",
            incident.html_url,
        )
        for source, who, at in acts
        if who and who.user_id and at
    ]


def _merged(spans: Sequence[Span], a_page: timedelta) -> list[Span]:
    """Spans in order of time, those together that take fewer pages so."""
    merged: list[Span] = []
    for span in spans:
        if merged:
            both = merged[-1][0], max(span[1], merged[-1][1])
            if _pages(both, a_page) < _pages(merged[-1], a_page) + _pages(span, a_page):
                merged[-1] = both
                continue
        merged.append(span)
    return merged


def _pages(span: Span, a_page: timedelta) -> int:
    return max(math.ceil((span[1] - span[0]) / a_page * MARGIN), 1)


async def _page(
    api: Api, question: Sequence[tuple[str, str]], offset: int, limit: int
) -> Page[IncidentDoc]:
    paging = (("limit", str(limit)), ("offset", str(offset)), ("total", "true"))
    doc = await api.get("/incidents", IncidentsDoc, (*question, *paging))
    return Page(doc.incidents, doc.more, doc.total)


def _id(row: IncidentDoc) -> str:
    return row.id


def _created(row: IncidentDoc) -> datetime | None:
    return row.created_at
