"""An open PagerDuty account: members, licences, usage and activity."""

from collections import Counter
from collections.abc import AsyncIterator

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.pagerduty.activity import read_activity
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.facts import SIGN_INS
from seatwise.connectors.pagerduty.licenses import read_licenses
from seatwise.connectors.pagerduty.members import read_members
from seatwise.connectors.pagerduty.signins import LATELY, read_sign_ins, recently
from seatwise.connectors.pagerduty.usage import read_usage
from seatwise.connectors.records import Batch, MemberRecord


class PagerDutyReader:
    """Reads one account; `requests` counts what was asked, by endpoint."""

    def __init__(self, api: Api, scopes: frozenset[str] = frozenset()) -> None:
        self.requests: Counter[str] = api.http.requests
        self._api = api
        self._scopes = scopes
        self._awaited: frozenset[str] | None = None  # members who can have acted, once known

    async def members(self) -> AsyncIterator[Batch]:
        """Everybody who holds a seat or an invitation."""
        awaited: set[str] = set()
        async for batch in read_members(self._api):
            awaited.update(
                record.external_id
                for record in batch.records
                if isinstance(record, MemberRecord) and not record.invited
            )
            if batch.complete:
                self._awaited = frozenset(awaited)
            yield batch

    def licenses(self) -> AsyncIterator[Batch]:
        """Licences, and who holds which."""
        return read_licenses(self._api)

    def usage(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        """The plan's months, each with the evidence found on the way."""
        return read_usage(self._api, plan)

    async def activity(self, plan: ReadPlan) -> AsyncIterator[Batch]:
        """Last sign-ins, where they may be read, then the newest logged action of each member.

        The log is read until everybody has been met who did not sign in lately; when they all
        did it is not read at all, for nothing it says would make anybody less idle.
        """
        awaited = self._awaited
        if self._scopes & SIGN_INS or await self._api.has_key():
            async for batch in read_sign_ins(self._api):
                yield batch
                if awaited:
                    awaited -= recently(batch, plan.now - LATELY)
        if self._awaited and not awaited:
            yield Batch("activity", complete=True, ended=True)
            return
        async for batch in read_activity(self._api, plan, awaited):
            yield batch
