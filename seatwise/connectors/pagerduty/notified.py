"""Notifications counted from the log, where the list of notifications may not be read.

The log is the long way: it has a line for each notification and for all else that happened, a
hundred of them a request, where the list says its length in one.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.fields import Doc, Id, Moment, Perhaps, Word
from seatwise.connectors.pagerduty.paging import Page, together, whole_window


class Untold(BrokenAnswer):
    """The log leaves out what is needed to count from it; asking again would not help."""


LOG = "GET /log_entries"
STRETCH = timedelta(days=7)


class NotificationDoc(Doc):
    type: Word = ""


class ChannelDoc(Doc):
    notification: Annotated[NotificationDoc | None, Perhaps] = None


class NotifiedDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Log Entries → List log entries."""

    id: Id
    type: Word = ""
    created_at: Moment = None
    channel: Annotated[ChannelDoc | None, Perhaps] = None


class NotifiedPageDoc(PageDoc):
    log_entries: list[NotifiedDoc]


async def count_notified(api: Api, start: datetime, end: datetime) -> Counter[str]:
    """How many notifications were sent from `start` until before `end`, by channel.

    Channels that nobody knows yet are counted by their own word. Raises VendorError,
    and Untold where a line lacks its time or its channel.
    """
    days = range(0, max((end - start).days, 0) + 1, STRETCH.days)
    starts = [at for day in days if (at := start + timedelta(days=day)) < end]
    stretches = zip(starts, [*starts[1:], end], strict=True)
    found: Counter[str] = Counter()
    for counted in await together(_count(api, since, until) for since, until in stretches):
        found += counted
    return found


async def _count(api: Api, since: datetime, until: datetime) -> Counter[str]:
    async def fetch(since: datetime, until: datetime, offset: int, limit: int) -> Page[NotifiedDoc]:
        params = (
            ("since", stamp(since)),
            ("until", stamp(until)),
            ("include[]", "channels"),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("total", "true"),
        )
        doc = await api.get("/log_entries", NotifiedPageDoc, params)
        return Page(doc.log_entries, doc.more, doc.total)

    listed = await whole_window(fetch, lambda row: row.id, since, until)
    return Counter(
        _channel(entry)
        for entry in listed
        if entry.type.startswith("notify_") and since <= _sent(entry) < until
    )


def _sent(entry: NotifiedDoc) -> datetime:
    # One that cannot be placed would make every count a little too small.
    if entry.created_at is None:
        raise Untold("PagerDuty's log does not say when a notification was sent.")
    return entry.created_at


def _channel(entry: NotifiedDoc) -> str:
    notification = entry.channel.notification if entry.channel else None
    if notification is None or not notification.type:
        raise Untold("PagerDuty's log does not say how a notification was sent.")
    return notification.type.removesuffix("_notification")
