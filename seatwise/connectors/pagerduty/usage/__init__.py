"""Usage month by month: incidents, the alerts under them, notifications by channel.

There is no account-wide list of alerts, so a month's incidents are all read; who acknowledged
and who last changed them is told on the way as evidence of activity.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.errors import REFUSALS, AccessDenied, VendorError
from seatwise.connectors.months import borders
from seatwise.connectors.pagerduty.api import Api
from seatwise.connectors.pagerduty.facts import CHANNELS, THE_LONG_WAY
from seatwise.connectors.pagerduty.usage.changed import Changed
from seatwise.connectors.pagerduty.usage.counted import Stretch
from seatwise.connectors.pagerduty.usage.incidents import MonthOfIncidents
from seatwise.connectors.pagerduty.usage.notifications import (
    NOT_FOR_US,
    NOTIFICATIONS,
    WHERE_TO,
    MonthOfNotifications,
    Refused,
)
from seatwise.connectors.pagerduty.usage.notified import LOG
from seatwise.connectors.pagerduty.usage.state import Month, Months
from seatwise.connectors.pagerduty.usage.tally import Known, Tally
from seatwise.connectors.records import Batch, Gap, SignalRecord, UsageRecord

INCIDENTS = "GET /incidents"  # where their numbers are read
MOST_SIGNALS = 1_000  # a batch


async def read_usage(
    api: Api, plan: ReadPlan, services: set[str] | None = None
) -> AsyncGenerator[Batch, None]:
    """A batch a month at its end, in the plan's order, with its numbers; evidence on the way.

    What an earlier reading settled is not asked again: the months' batches carry the state from
    which the next one may go on. What may not be read is named in one gap and its metrics are
    left out: unknown is not 0. Notifications that may not be listed are counted from the log
    instead, and a gap says so. The last batch is complete all the same, for every month was
    asked. The ids of the services of incidents that were met, now or by the readings before, are
    added to `services`, up to a thousand of them.
    """
    services = set() if services is None else services
    usage = _Usage(api, plan, services)
    total = len(plan.months)
    for done, month in enumerate(plan.months, start=1):
        records: Sequence[UsageRecord] = ()
        async with aclosing(usage.read(month)) as found:
            async for signals in found:
                yield Batch("usage", signals, done - 1, total, "months")
            records = usage.records
        last = done == total
        yield Batch(
            "usage",
            (*records, *usage.evidence.handed_over()),
            done,
            total,
            "months",
            last,
            usage.new_gaps(),
            last,
            usage.remembered.as_part(services),
        )
    if not plan.months:
        yield Batch("usage", total=0, unit="months", complete=True, ended=True)


class _Usage:
    """A reading of usage: what holds for all of its months."""

    def __init__(self, api: Api, plan: ReadPlan, services: set[str]) -> None:
        self.evidence = _Evidence()
        self.remembered = Months(plan)
        self.records: tuple[UsageRecord, ...] = ()  # of the month that was read last
        self._api, self._plan, self._services = api, plan, services
        services.update(self.remembered.services)
        self._changed = Changed(api, self._counted_on(), plan.now)
        self._refused: Refused = {}
        self._gaps: list[Gap] = []
        self._told: set[Gap] = set()

    async def read(self, month: date) -> AsyncGenerator[tuple[SignalRecord, ...], None]:
        """Reads a month, and hands over evidence whenever there is much of it."""
        self.records = ()
        known = self.remembered.of(month)
        plan = self._plan
        stretch = Stretch(*borders(month, plan.zone), plan.now, plan.read_at or plan.now)
        if known.final or stretch.start >= stretch.now:
            return
        incidents = MonthOfIncidents(
            self._api,
            stretch,
            known.incidents,
            self._changed,
            self._services,
        )
        notifications = MonthOfNotifications(
            self._api,
            stretch,
            self._plan.home_code,
            self._refused,
            known.totals,
            known.listed,
            known.logged,
        )
        async with _meanwhile(notifications):
            if INCIDENTS not in self._refused:
                try:
                    async with aclosing(incidents.read()) as pages:
                        async for signals in pages:
                            self.evidence.add(signals)
                            if len(self.evidence) >= MOST_SIGNALS:
                                yield self.evidence.handed_over()
                except REFUSALS as error:
                    self._refused[INCIDENTS] = error
        self._conclude(month, incidents, notifications)

    def _counted_on(self) -> list[Known]:
        """The months that are not read from their beginning."""
        known = [self.remembered.of(month).incidents for month in self._plan.months]
        return [month for month in known if month is not None]

    def new_gaps(self) -> tuple[Gap, ...]:
        """What could not be read, as far as nobody has said so before."""
        new = tuple(gap for gap in dict.fromkeys(self._gaps) if gap not in self._told)
        self._told.update(new)
        self._gaps.clear()
        return new

    def _conclude(
        self, month: date, incidents: MonthOfIncidents, notifications: MonthOfNotifications
    ) -> None:
        stretch, tally, refused = incidents.stretch, incidents.tally, self._refused
        readable = INCIDENTS not in refused
        self._gaps += _gaps(month, tally if readable else None, notifications, refused)
        sure = not (tally.lacking or notifications.lacking or notifications.doubtful)
        final = stretch.settled and not tally.any_open and sure
        self.records = tuple(_records(month, tally if readable else None, notifications, final))
        settled = final and readable and incidents.whole and not tally.blank
        self.remembered.learn(
            month,
            Month(
                settled and notifications.is_known,
                tally.kept() if readable else incidents.known,
                notifications.totals,
                notifications.listed,
                notifications.logged,
            ),
        )


@asynccontextmanager
async def _meanwhile(notifications: MonthOfNotifications) -> AsyncGenerator[None, None]:
    """Notifications are counted beside the block, and are when it has been left."""
    counting = asyncio.ensure_future(notifications.read())
    try:
        yield
        await counting
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)


@dataclass(slots=True)
class _Evidence:
    """What members did, as far as it is newer than what was handed over before."""

    newest: dict[str, dict[str, float]] = field(default_factory=dict)  # by source, by member
    waiting: dict[tuple[str, str], SignalRecord] = field(default_factory=dict)

    def add(self, signals: Sequence[SignalRecord]) -> None:
        for signal in signals:
            known = self.newest.setdefault(signal.source, {})
            at = signal.at.timestamp()
            if at > known.get(signal.member_id, float("-inf")):
                known[signal.member_id] = at
                self.waiting[signal.source, signal.member_id] = signal

    def handed_over(self) -> tuple[SignalRecord, ...]:
        signals = tuple(self.waiting.values())
        self.waiting.clear()
        return signals

    def __len__(self) -> int:
        return len(self.waiting)


def _records(
    month: date, tally: Tally | None, notifications: MonthOfNotifications, final: bool
) -> Iterator[UsageRecord]:
    """The month's numbers, as far as they are known."""
    sent = notifications.sent
    values = [
        ("incidents", tally.count if tally else None, INCIDENTS),
        ("alerts", tally.alerts if tally else None, INCIDENTS),
        *(
            (f"notifications_{channel}", sent.get(channel), notifications.source)
            for channel in CHANNELS
        ),
        ("billable_alerts", notifications.called, notifications.source),
        ("billable_alerts_home", notifications.at_home, notifications.source),
        ("billable_alerts_abroad", notifications.abroad, notifications.source),
    ]
    for metric, value, source in values:
        if value is not None:
            yield UsageRecord(month, metric, value, final, source)


def _gaps(
    month: date, tally: Tally | None, notifications: MonthOfNotifications, refused: Refused
) -> Iterator[Gap]:
    if tally is None:
        yield _unknown("Incidents and alerts", "incidents.read", refused[INCIDENTS])
    else:
        if tally.blank:
            yield _ALERTS_UNKNOWN
        if tally.lacking:
            yield _lacking(month, f"{tally.lacking:,} incidents", INCIDENTS)
    if notifications.why is not None:
        yield _notifications_gap(notifications.why, refused.get(LOG))
    if WHERE_TO in refused:
        what = "Where SMS and phone notifications went to"
        yield _unknown(what, "users:notifications.read", refused[WHERE_TO])
    if notifications.lacking:
        rows = "lines" if notifications.source == LOG else "notifications"
        yield _lacking(month, f"{notifications.lacking:,} {rows}", notifications.source)
    for channel in sorted(notifications.doubtful):
        yield Gap(
            "usage",
            f"How many notifications went out by {channel} in {month:%Y-%m} is not certain.",
            f"PagerDuty's answers to {NOTIFICATIONS} contradict each other, asked again, too.",
            _ASKED_AGAIN,
        )


_ASKED_AGAIN = "Nothing to do: Seatwise asks again with the next sync."
_ALERTS_UNKNOWN = Gap(
    "alerts",
    "Alerts of some months are not known.",
    "PagerDuty gave incidents without the number of their alerts.",
    "Nothing to do: incidents are counted, and Seatwise asks again with the next sync.",
)


def _lacking(month: date, rows: str, source: str) -> Gap:
    return Gap(
        "usage",
        f"PagerDuty counts {rows} of {month:%Y-%m} that it does not show.",
        f"{source} says that there are more than it lists, also when it is read again.",
        _ASKED_AGAIN,
    )


def _notifications_gap(why: VendorError, log: VendorError | None) -> Gap:
    unknown = _unknown(
        "Notifications by channel and billable alerts", "users:notifications.read", why
    )
    if not isinstance(why, NOT_FOR_US) or log is not None:
        return unknown
    return Gap("account", THE_LONG_WAY, unknown.why, unknown.remedy)


def _unknown(what: str, scope: str, error: VendorError) -> Gap:
    return Gap(
        "usage",
        f"{what} cannot be read.",
        str(error),
        f"An Account Owner or Global Admin adds {scope} to the app in PagerDuty,"
        " then an admin of Seatwise presses Integrate again."
        if isinstance(error, AccessDenied)
        else error.remedy,
    )
