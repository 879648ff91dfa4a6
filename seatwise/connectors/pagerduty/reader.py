"""An open PagerDuty account: members, licences, usage and activity."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.pagerduty.activity import read_activity
from seatwise.connectors.pagerduty.activity.presence import Presence
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.licenses import read_licenses
from seatwise.connectors.pagerduty.members import read_members
from seatwise.connectors.pagerduty.usage import read_usage
from seatwise.connectors.records import Batch, SignalRecord


class PagerDutyReader:
    """Reads one account; `requests` counts what was asked, by endpoint."""

    def __init__(self, api: Api, scopes: frozenset[str] | None = None) -> None:
        self.requests: Counter[str] = api.http.requests
        self._api = api
        self._scopes = scopes
        self._presence = Presence()
        self._services: set[str] = set()  # of the incidents that were met
        self._knows_services = False  # whether those are of all incidents that usage met

    async def members(self) -> AsyncIterator[Batch]:
        """Everybody who holds a seat or an invitation."""
        async with aclosing(read_members(self._api)) as batches:
            async for batch in batches:
                self._presence.enlist(batch)
                yield batch

    def licenses(self) -> AsyncIterator[Batch]:
        """Licences, and who holds which."""
        return read_licenses(self._api)

    async def usage(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        """The plan's months, each with the evidence found on the way, which activity builds on."""
        async with aclosing(read_usage(self._api, plan, self._services)) as batches:
            async for batch in batches:
                signals = [r for r in batch.records if isinstance(r, SignalRecord)]
                self._presence.note(signals, plan.now)
                self._knows_services = self._knows_services or batch.complete
                yield batch

    async def activity(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        """The newest evidence of each member, as far as it is not known from the incidents."""
        services = self._services if self._knows_services else None
        reading = read_activity(self._api, plan, self._presence, self._scopes, services)
        async with aclosing(reading) as batches:
            async for batch in batches:
                yield batch
