"""One small question about each thing that Seatwise reads: whether it may be read, and how much."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from seatwise.connectors.errors import NotFound
from seatwise.connectors.http import Params
from seatwise.connectors.pagerduty.activity.analytics import AnswerDoc
from seatwise.connectors.pagerduty.activity.visits import by_delegations, by_sessions
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.facts import DELEGATIONS
from seatwise.connectors.pagerduty.fields import Doc, Id, Word
from seatwise.connectors.pagerduty.person import MeDoc, read_me

_ONE = ("limit", "1")
_ALL_COUNTED = ("total", "true")
SHORTLY = timedelta(hours=1)


class Probes:
    """The questions to one account, a request each; what is refused raises VendorError."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def me(self) -> MeDoc:
        return await read_me(self._api)

    async def abilities(self) -> frozenset[str]:
        return frozenset((await self._api.get("/abilities", AbilitiesDoc)).abilities)

    async def members(self) -> "MembersDoc":
        return await self._api.get("/users", MembersDoc, (_ONE, _ALL_COUNTED))

    async def licenses(self) -> int:
        """How many there are."""
        return len((await self._api.get("/licenses", LicensesDoc)).licenses)

    async def incidents(self) -> None:
        await self._api.get("/incidents", IncidentsDoc, (*_lately(), _ONE))

    async def notifications(self) -> None:
        filter_ = ("filter", "sms_notification")
        await self._api.get("/notifications", NotificationsDoc, (*_lately(), filter_, _ONE))

    async def log(self) -> None:
        await self._api.get("/log_entries", LogDoc, (*_lately(), _ONE))

    async def sign_ins(self) -> None:
        await self._api.query("/analytics/raw/users", {"limit": 1}, AnswerDoc)

    async def changes(self) -> None:
        await self._api.get("/audit/records", ChangesDoc, (*_lately(), _ONE))

    async def duty(self) -> None:
        """By the schedules: of on-calls PagerDuty lets few questions through."""
        await self._api.get("/schedules", SchedulesDoc, (_ONE,))

    async def visits(self, scope: str, member: str) -> None:
        """What one member signed in with, by that scope."""
        ask = by_delegations if scope == DELEGATIONS else by_sessions
        try:
            await ask(self._api, member)
        except NotFound:  # they were deleted just now
            return


class AbilitiesDoc(Doc):
    abilities: list[Word]


class MemberDoc(Doc):
    id: Id


class MembersDoc(PageDoc):
    users: Sequence[MemberDoc]


class LicensesDoc(Doc):
    licenses: list[object]


class IncidentsDoc(PageDoc):
    incidents: list[object]


class NotificationsDoc(PageDoc):
    notifications: list[object]


class LogDoc(PageDoc):
    log_entries: list[object]


class SchedulesDoc(PageDoc):
    schedules: list[object]


class ChangesDoc(Doc):
    records: list[object]


def _lately() -> Params:
    now = datetime.now(UTC)
    return (("since", stamp(now - SHORTLY)), ("until", stamp(now)))
