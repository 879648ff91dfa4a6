"""A month's incidents and the alerts under them: read whole, or from where it was left.

Whoever acknowledged or last changed an incident is told on the way, as evidence of activity.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from seatwise.connectors.pagerduty.api import Api, stamp
from seatwise.connectors.pagerduty.paging import Page, windowed
from seatwise.connectors.pagerduty.usage.changed import Changed, Incidents
from seatwise.connectors.pagerduty.usage.counted import Stretch
from seatwise.connectors.pagerduty.usage.incident import IncidentDoc, page_of, signals
from seatwise.connectors.pagerduty.usage.tally import Known, Tally
from seatwise.connectors.records import SignalRecord

MOST_SERVICES = 1_000  # as many as a question to analytics may name


@dataclass(slots=True)
class MonthOfIncidents:
    """One month's incidents while they are read, and then their numbers in `tally`."""

    api: Api
    stretch: Stretch
    known: Known | None
    changed: Changed
    services: set[str]
    tally: Tally = field(init=False)
    whole: bool = False  # whether the numbers are of one reading

    def __post_init__(self) -> None:
        self.tally = Tally(self.stretch.cut)

    async def read(self) -> AsyncGenerator[list[SignalRecord], None]:
        """Evidence, page by page. Raises VendorError."""
        if self.known is not None and self.known.helps(self.stretch):
            changed = await self.changed.listed()
            if changed is not None:
                self.tally = Tally(self.stretch.cut, self.known)
                news = self._go_on(self.known, changed)
                if not self.tally.torn:
                    yield self._evidence(news)
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

    def _go_on(self, known: Known, changed: Incidents) -> list[IncidentDoc]:
        """Adds what was created since and what has become of those that were open; returns them.

        Where that does not fit together, or is the last word on a month, it is read whole.
        """
        for name in known.open:
            if name in changed:
                self.tally.settle(name, changed[name].alerts, changed[name].is_open)
            else:
                self.tally.torn = True
        news = []
        for row in changed.values():
            at = row.created_at
            if row.id in known.open:
                news.append(row)
            elif at is None:
                self.tally.torn = True
            elif known.until <= at < self.stretch.until:
                self.tally.take(row.id, at, row.alerts, row.is_open)
                news.append(row)
            elif self.stretch.start <= at < self.stretch.until:
                self.tally.torn |= row.is_open  # opened again, or shown very late
        self.tally.torn |= self.stretch.over and not self.tally.any_open
        return news

    def _evidence(self, rows: Sequence[IncidentDoc]) -> list[SignalRecord]:
        for row in rows:
            if row.service and row.service.id and len(self.services) < MOST_SERVICES:
                self.services.add(row.service.id)
        return [signal for row in rows for signal in signals(row)]

    async def _fetch(
        self, since: datetime, until: datetime, offset: int, limit: int
    ) -> Page[IncidentDoc]:
        window = (("since", stamp(since)), ("until", stamp(until)))
        return await page_of(self.api, (*window, ("sort_by", "created_at:desc")), offset, limit)


def _id(row: IncidentDoc) -> str:
    return row.id


def _created(row: IncidentDoc) -> datetime | None:
    return row.created_at
