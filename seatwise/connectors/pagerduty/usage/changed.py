"""What became of the account's incidents since an earlier reading: two lists, for all months.

Whatever was open then, or was opened since, is open now or was resolved since.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatwise.connectors.errors import REFUSALS
from seatwise.connectors.pagerduty.api import Api, stamp
from seatwise.connectors.pagerduty.paging import BORDER, LIMIT, Fetch, Page, overlapping
from seatwise.connectors.pagerduty.usage.incident import IncidentDoc, page_of
from seatwise.connectors.pagerduty.usage.tally import MOST_OPEN, Known

MOST_RESOLVED = 3_000  # with more, the months are read whole, and nothing is held
LONGEST = timedelta(days=150)  # of a window, well below the six months that PagerDuty takes
OPEN = (("statuses[]", "triggered"), ("statuses[]", "acknowledged"))
RESOLVED = (("statuses[]", "resolved"), ("sort_by", "resolved_at:desc"))

Incidents = Mapping[str, IncidentDoc]  # by their ids


@dataclass(slots=True)
class Changed:
    """The changes since some months were read, listed once and only when needed."""

    api: Api
    months: Sequence[Known]
    now: datetime
    _asked: bool = False
    _rows: dict[str, IncidentDoc] | None = None

    async def listed(self) -> Incidents | None:
        """None where reading the months whole is the better way, or the only one."""
        if not self._asked:
            self._asked = True
            try:
                self._rows = await self._read()
            except REFUSALS:
                self._rows = None  # the month's own list tells whether it is a refusal
        return self._rows

    async def _read(self) -> dict[str, IncidentDoc] | None:
        # Open ones first: whoever is resolved in between is in both lists, and in the second right.
        rows = await self._open()
        resolved = await self._resolved() if rows is not None else None
        return None if rows is None or resolved is None else rows | resolved

    async def _open(self) -> dict[str, IncidentDoc] | None:
        rows: dict[str, IncidentDoc] = {}
        async with aclosing(overlapping(self._fetch(OPEN), _id)) as chunks:
            async for chunk in chunks:
                rows |= {row.id: row for row in chunk.rows}
                if len(rows) > 2 * MOST_OPEN or chunk.cut:
                    return None
        return rows

    async def _resolved(self) -> dict[str, IncidentDoc] | None:
        """Newest first; None where they do not come in that order, or are too many."""
        since = min(month.until for month in self.months)
        most = min(sum(month.count for month in self.months), MOST_RESOLVED) + LIMIT
        rows: dict[str, IncidentDoc] = {}
        last: datetime | None = None
        async with aclosing(overlapping(self._fetch(RESOLVED), _id, ahead=1)) as chunks:
            async for chunk in chunks:
                for row in chunk.rows:
                    at = row.resolved_at
                    if at is None or (last is not None and at > last):
                        return None
                    last = at
                    rows[row.id] = row
                if last is not None and last < since:
                    return rows
                if len(rows) > most or chunk.cut:
                    return None
        return rows

    def _fetch(self, question: Sequence[tuple[str, str]]) -> Fetch[IncidentDoc]:
        asked = (*self._window(), *question)

        async def fetch(offset: int, limit: int) -> Page[IncidentDoc]:
            return await page_of(self.api, asked, offset, limit)

        return fetch

    def _window(self) -> Sequence[tuple[str, str]]:
        """From the oldest incident that was open then."""
        created = [at for month in self.months for _alerts, at in month.open.values()]
        since = min(*created, *(month.until for month in self.months), self.now)
        if self.now - since > LONGEST:
            return (("date_range", "all"),)
        return (("since", stamp(since - BORDER)), ("until", stamp(self.now + BORDER)))


def _id(row: IncidentDoc) -> str:
    return row.id
