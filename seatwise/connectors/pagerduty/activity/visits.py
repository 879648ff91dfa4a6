"""When one person signed in last, asked for each of them: delegations, or else sessions."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from seatwise.connectors.errors import REFUSALS, NotFound, VendorError
from seatwise.connectors.pagerduty.activity.signins import SOURCE
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.fields import Doc, Moment, Several
from seatwise.connectors.pagerduty.paging import LIMIT, together
from seatwise.connectors.records import SignalRecord

Ask = Callable[[Api, str], Coroutine[object, object, SignalRecord | None]]


class VisitDoc(Doc):
    created_at: Moment = None


class DelegationsDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Users → List a user's delegations."""

    oauth_delegations: Annotated[list[VisitDoc], Several]


class SessionsDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Users → List a user's sessions."""

    user_sessions: Annotated[list[VisitDoc], Several]


async def by_delegations(api: Api, member: str) -> SignalRecord | None:
    """The newest sign-in on the website or in the mobile app, of ended sessions too."""
    params = (
        ("delegation_type", "web,mobile"),
        ("status", "issued,revoked"),
        ("limit", str(LIMIT)),
    )
    path = f"/users/{quote(member, safe='')}/oauth_delegations"
    doc = await api.get(path, DelegationsDoc, params, "/users/{id}/oauth_delegations")
    return _newest(member, doc.oauth_delegations, "signed in, says PagerDuty's list of delegations")


async def by_sessions(api: Api, member: str) -> SignalRecord | None:
    """The beginning of the newest session that has not ended."""
    path = f"/users/{quote(member, safe='')}/sessions"
    doc = await api.get(path, SessionsDoc, (), "/users/{id}/sessions")
    return _newest(member, doc.user_sessions, "signed in, says PagerDuty's list of sessions")


async def read_visits(api: Api, ask: Ask, members: Sequence[str]) -> list[SignalRecord]:
    """When those members signed in last; who is gone has no answer. Raises VendorError.

    Refused for the first of them, it is refused; for another, that one has no answer.
    """

    async def one(member: str, no_answer: tuple[type[VendorError], ...]) -> SignalRecord | None:
        try:
            return await ask(api, member)
        except no_answer:
            return None

    # The first alone: where that is refused the others need not be sent.
    first = [await one(member, (NotFound,)) for member in members[:1]]
    found = first + await together(one(member, REFUSALS) for member in members[1:])
    return [signal for signal in found if signal is not None]


def _newest(member: str, visits: Sequence[VisitDoc], proof: str) -> SignalRecord | None:
    times: list[datetime] = [visit.created_at for visit in visits if visit.created_at is not None]
    return SignalRecord(member, SOURCE, max(times), proof) if times else None
