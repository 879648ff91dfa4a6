"""An open PagerDuty account: members, licences, usage, activity and duty."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.pagerduty import facts
from seatwise.connectors.pagerduty.activity import read_activity
from seatwise.connectors.pagerduty.activity.presence import Presence
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.duty import read_duty
from seatwise.connectors.pagerduty.licenses import key_of, read_licenses
from seatwise.connectors.pagerduty.members import read_members
from seatwise.connectors.pagerduty.places import Begun, opened
from seatwise.connectors.pagerduty.usage import read_usage
from seatwise.connectors.records import (
    Batch,
    MemberRecord,
    Record,
    SeatRecord,
    SignalRecord,
    Stage,
)
from seatwise.connectors.state import StateRefused


class PagerDutyReader:
    """Reads one account; `requests` counts what was asked, by endpoint."""

    def __init__(
        self, api: Api, scopes: frozenset[str] | None = None, oncalls: Api | None = None
    ) -> None:
        self.requests: Counter[str] = api.http.requests
        self._api = api
        self._oncalls = oncalls or api  # asked at a pace of their own
        self._scopes = scopes
        self._presence = Presence()
        self._begun_members: Begun | None = None  # by an earlier attempt
        self._begun_seats: Begun | None = None
        self._services: set[str] = set()  # of the incidents that were met
        self._knows_services = False  # whether those are of all incidents that usage met

    def resume(
        self, stage: Stage, place: Mapping[str, Any], records: Iterable[Record], *, ended: bool
    ) -> None:
        """Takes up a list that an earlier attempt at the same reading has begun or read.

        Licences that were refused have ended without a place. Raises StateRefused for a place that
        says nothing to this version, or that speaks of more people than were kept; then nothing
        is taken up.
        """
        if stage == "licences" and ended and not place:
            return
        told = opened(stage, place, ended=ended)
        if stage == "members":
            presence, ids = Presence(), set()
            for record in records:
                if isinstance(record, MemberRecord):
                    presence.enlist((record,), complete=False)
                    ids.add(record.external_id)
            if len(ids) < told["met"]:
                raise StateRefused("Members that were read have not been kept. Read them anew.")
            presence.is_listed = ended and told["complete"]
            self._presence, self._begun_members = presence, Begun(told, ids)
        elif not ended:
            seats = {key_of(record) for record in records if isinstance(record, SeatRecord)}
            self._begun_seats = Begun(told, seats)

    async def members(self) -> AsyncIterator[Batch]:
        """Everybody who holds a seat or an invitation."""
        async with aclosing(read_members(self._api, begun=self._begun_members)) as batches:
            async for batch in batches:
                if batch.anew:
                    self._presence = Presence()
                self._presence.enlist(batch.records, complete=batch.complete)
                yield batch

    def licenses(self) -> AsyncIterator[Batch]:
        """Licences, and who holds which."""
        return read_licenses(self._api, self._begun_seats)

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

    async def duty(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        """Who is called when something fails; nothing where that was not granted by name."""
        if self._scopes is None or not self._scopes >= facts.DUTY:
            return
        async with aclosing(read_duty(self._api, self._oncalls, plan)) as batches:
            async for batch in batches:
                yield batch
