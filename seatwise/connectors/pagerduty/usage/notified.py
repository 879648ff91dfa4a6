"""Notifications counted from the log, where the list of notifications may not be read.

The log is the long way: it has a line for each notification and for all else that happened, a
hundred of them a request, where the list says its length in one.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Annotated

from pydantic import Field

from seatwise.connectors.errors import BrokenAnswer
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.fields import Doc, Id, Moment, Perhaps, Word
from seatwise.connectors.pagerduty.paging import Page, windowed
from seatwise.connectors.pagerduty.usage.abroad import Code, words
from seatwise.connectors.pagerduty.usage.counted import Counting


class Untold(BrokenAnswer):
    """The log leaves out what is needed to count from it; asking again would not help."""


LOG = "GET /log_entries"


class NotificationDoc(Doc):
    type: Word = ""
    code: Annotated[Code, Field(validation_alias="address")] = ""


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


async def count_notified(api: Api, counting: Counting, home: str = "") -> None:
    """Counts what was sent in the stretch, by channel; with a home code also what went abroad.

    Channels that nobody knows yet are counted by their own word. Raises VendorError,
    and Untold where a line lacks its time or its channel.
    """

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

    since, until = counting.since, counting.stretch.until
    if since < until:
        lines = windowed(
            fetch, lambda row: row.id, lambda row: row.created_at, since, until, newest_first=True
        )
        await counting.add(lines, partial(_words, home=home), _sent)


def _words(entry: NotifiedDoc, home: str) -> Iterable[str]:
    if not entry.type.startswith("notify_"):
        return ()
    notification = entry.channel.notification if entry.channel else None
    if notification is None or not notification.type:
        raise Untold("PagerDuty's log does not say how a notification was sent.")
    return words(notification.type.removesuffix("_notification"), notification.code, home)


def _sent(entry: NotifiedDoc) -> datetime | None:
    # One that cannot be placed would make every count a little too small.
    if entry.created_at is None and entry.type.startswith("notify_"):
        raise Untold("PagerDuty's log does not say when a notification was sent.")
    return entry.created_at
