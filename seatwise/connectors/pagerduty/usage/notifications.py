"""How many notifications a month had: four totals, or the log, and where they went to if asked."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import Field

from seatwise.connectors.errors import (
    REFUSALS,
    AccessDenied,
    NotFound,
    NotOnThisPlan,
    VendorError,
)
from seatwise.connectors.http import Params
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.facts import CHANNELS
from seatwise.connectors.pagerduty.fields import Doc, Id, Moment
from seatwise.connectors.pagerduty.paging import Page, together, windowed
from seatwise.connectors.pagerduty.usage.abroad import ABROAD, CALLED, Code, words
from seatwise.connectors.pagerduty.usage.counted import Counted, Counting, Stretch
from seatwise.connectors.pagerduty.usage.notified import LOG, Untold, count_notified

NOTIFICATIONS = "GET /notifications"
WHERE_TO = "where notifications went to"  # refused, it is among what was refused
NOT_FOR_US = (AccessDenied, NotOnThisPlan, NotFound)  # there may be another way

Refused = dict[str, VendorError]  # by a channel, a source or WHERE_TO


@dataclass(slots=True)
class MonthOfNotifications:
    """One month's notifications while they are read, and then their numbers.

    `refused` is of the whole reading: what was refused once is not asked again.
    """

    api: Api
    stretch: Stretch
    home: str  # the country code of home, or "": not asked
    refused: Refused
    totals: Counted | None = None  # what is known of these three from an earlier reading,
    listed: Counted | None = None  # and then what is to be remembered
    logged: Counted | None = None
    sent: dict[str, int] = field(default_factory=dict)  # by channel
    at_home: int | None = None  # SMS and phone calls, if that was asked for
    abroad: int | None = None
    source: str = NOTIFICATIONS
    lacking: int = 0  # that the vendor counts and does not show
    doubtful: set[str] = field(default_factory=set)  # channels whose answers contradict themselves

    async def read(self) -> None:
        """Counts. Raises VendorError, but not what was refused."""
        await self._ask_for_totals()
        if isinstance(self.why, NOT_FOR_US):
            if LOG not in self.refused:
                await self._count_from_the_log()
        elif self.home and WHERE_TO not in self.refused:
            await self._count_abroad()

    @property
    def why(self) -> VendorError | None:
        """Why the totals are not known."""
        return next((self.refused[name] for name in CHANNELS if name in self.refused), None)

    @property
    def called(self) -> int | None:
        """SMS and phone calls together."""
        known = [self.sent[channel] for channel in CALLED if channel in self.sent]
        return sum(known) if len(known) == len(CALLED) else None

    @property
    def is_known(self) -> bool:
        """Whether nothing of what was asked for is missing."""
        abroad = self.abroad is not None or not self.home
        sure = not (self.lacking or self.doubtful)
        return abroad and sure and self.sent.keys() >= set(CHANNELS)

    async def _ask_for_totals(self) -> None:
        totals = self.totals if self.totals and self.totals.helps(self.stretch) else None
        if totals and self.stretch.over and totals.counts.keys() >= set(CHANNELS):
            self.sent = {channel: totals.counts[channel] for channel in CHANNELS}
            return
        self.totals = None
        channels = [channel for channel in CHANNELS if channel not in self.refused]
        await together(self._count_channel(channel) for channel in channels)
        if self.stretch.settled and self.sent.keys() >= set(CHANNELS):
            self.totals = Counted(self.stretch.cut, dict(self.sent))

    async def _count_channel(self, channel: str) -> None:
        try:
            # An answer that contradicts itself is given once more.
            found = await self._total(channel)
            found = await self._total(channel) if found is None else found
        except REFUSALS as error:
            self.refused[channel] = error
            return
        if found is None:
            self.doubtful.add(channel)
        else:
            self.sent[channel] = found

    async def _total(self, channel: str) -> int | None:
        question = self._question(channel, self.stretch.start, self.stretch.until, 0, 1)
        doc = await self.api.get("/notifications", TotalDoc, question)
        seen = len(doc.notifications)
        if doc.total is None:
            return None if seen or doc.more else 0
        return doc.total if doc.total >= seen and doc.more == (doc.total > seen) else None

    async def _count_from_the_log(self) -> None:
        counting = Counting(self.stretch, self.logged)
        try:
            await count_notified(self.api, counting, self.home)
        except (*REFUSALS, Untold) as error:
            self.refused[LOG] = error
            return
        found = counting.total
        self.sent = {channel: found[channel] for channel in CHANNELS}
        self.source = LOG
        self.logged = counting.kept((*CHANNELS, *_ABROAD))
        self._split(found, counting.lacking)

    async def _count_abroad(self) -> None:
        counting = Counting(self.stretch, self.listed)
        try:
            await together(self._list(channel, counting) for channel in CALLED)
            found = counting.total
            for channel in CALLED:
                await self._compare(channel, found[channel])
        except REFUSALS as error:
            self.refused[WHERE_TO] = error
            return
        self.listed = counting.kept((*CALLED, *_ABROAD))
        self._split(found, counting.lacking)

    async def _compare(self, channel: str, shown: int) -> None:
        """The total is older than the list, and asked again where they do not agree."""
        if self.sent.get(channel, shown) == shown:
            return
        self.totals = None
        if await self._total(channel) == shown:
            self.sent[channel] = shown
        else:
            self.doubtful.add(channel)

    def _split(self, found: Counter[str], lacking: int) -> None:
        self.lacking = lacking
        if self.home:
            self.abroad = sum(found[word] for word in _ABROAD)
            self.at_home = sum(found[word] for word in CALLED) - self.abroad

    async def _list(self, channel: str, counting: Counting) -> None:
        async def fetch(since: datetime, until: datetime, offset: int, limit: int) -> Page[SentDoc]:
            question = self._question(channel, since, until, offset, limit)
            doc = await self.api.get("/notifications", NotificationsDoc, question)
            return Page(doc.notifications, doc.more, doc.total)

        def counted_as(row: SentDoc) -> Iterator[str]:
            return words(channel, row.code, self.home)

        since, until = counting.since, counting.stretch.until
        if since < until:
            rows = windowed(fetch, lambda row: row.id, _sent, since, until)
            await counting.add(rows, counted_as, _sent)

    def _question(
        self, channel: str, since: datetime, until: datetime, offset: int, limit: int
    ) -> Params:
        return (
            ("since", stamp(since)),
            ("until", stamp(until)),
            ("filter", f"{channel}_notification"),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("total", "true"),
        )


class TotalDoc(PageDoc):
    """https://developer.pagerduty.com/api-reference/ → Notifications → List notifications."""

    notifications: list[object]


class SentDoc(Doc):
    id: Id
    started_at: Moment = None
    code: Annotated[Code, Field(validation_alias="address")] = ""


class NotificationsDoc(PageDoc):
    notifications: list[SentDoc]


def _sent(row: SentDoc) -> datetime | None:
    return row.started_at


_ABROAD = tuple(channel + ABROAD for channel in CALLED)
