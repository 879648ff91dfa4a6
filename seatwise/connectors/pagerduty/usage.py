"""Usage month by month: incidents, the alerts under them, notifications by channel.

There is no account-wide list of alerts, so a month's incidents are all read; who acknowledged
and who last changed them is kept on the way as evidence of activity.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.errors import (
    REFUSALS,
    AccessDenied,
    NotFound,
    NotOnThisPlan,
    VendorError,
)
from seatwise.connectors.months import borders
from seatwise.connectors.pagerduty.api import Api, PageDoc, stamp
from seatwise.connectors.pagerduty.facts import CHANNELS, THE_LONG_WAY
from seatwise.connectors.pagerduty.fields import (
    Count,
    Doc,
    Id,
    Link,
    Moment,
    Perhaps,
    ReferenceDoc,
    Several,
    Word,
)
from seatwise.connectors.pagerduty.notified import LOG, Untold, count_notified
from seatwise.connectors.pagerduty.paging import Page, together, whole_window
from seatwise.connectors.records import Batch, Gap, Record, SignalRecord, UsageRecord

INCIDENTS, NOTIFICATIONS = "GET /incidents", "GET /notifications"  # where numbers are read
NOT_FOR_US = (AccessDenied, NotOnThisPlan, NotFound)  # there may be another way

Refused = dict[str, VendorError]  # by their sources: a channel, INCIDENTS or LOG


async def read_usage(api: Api, plan: ReadPlan) -> AsyncIterator[Batch]:
    """A batch a month, in the plan's order: numbers, and newer evidence than earlier batches had.

    What may not be read is named in one gap and its metrics are left out: unknown is not 0.
    Notifications that may not be listed are counted from the log instead, and a gap says so.
    The last batch is complete all the same, for every month was asked.
    """
    newest: dict[tuple[str, str], datetime] = {}
    refused: Refused = {}
    told: set[Gap] = set()
    for done, month in enumerate(plan.months, start=1):
        start, end = borders(month, plan.zone)
        tally = _Tally(over=end <= plan.now)
        if start < plan.now:
            await _read_month(api, start, min(end, plan.now), tally, refused)
        gaps = tuple(gap for gap in dict.fromkeys(tally.gaps) if gap not in told)
        told.update(gaps)
        records: list[Record] = [*_usage(month, tally), *_newer(tally.signals, newest)]
        last = done == len(plan.months)
        yield Batch("usage", tuple(records), done, len(plan.months), "months", last, gaps, last)
    if not plan.months:
        yield Batch("usage", total=0, unit="months", complete=True, ended=True)


@dataclass(slots=True)
class _Tally:
    over: bool
    incidents: int | None = None
    alerts: int | None = None
    any_open: bool = False
    notifications: dict[str, int] = field(default_factory=dict)  # by channel
    source: str = NOTIFICATIONS  # of the notifications
    signals: list[SignalRecord] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


async def _read_month(
    api: Api, start: datetime, end: datetime, tally: _Tally, refused: Refused
) -> None:
    channels = [channel for channel in CHANNELS if channel not in refused]
    jobs = [_count_channel(api, channel, start, end, tally, refused) for channel in channels]
    if INCIDENTS not in refused:
        jobs.append(_count_incidents(api, start, end, tally, refused))
    await together(jobs)
    why = next((refused[channel] for channel in CHANNELS if channel in refused), None)
    if isinstance(why, NOT_FOR_US) and LOG not in refused:
        await _count_from_the_log(api, start, end, tally, refused)
    if why is not None:
        tally.gaps.append(_notifications_gap(why, refused.get(LOG)))


class AcknowledgementDoc(Doc):
    at: Moment = None
    acknowledger: Annotated[ReferenceDoc | None, Perhaps] = None


class AlertCountsDoc(Doc):
    all: Count = None


class IncidentDoc(Doc):
    """https://developer.pagerduty.com/api-reference/ → Incidents → List incidents."""

    id: Id
    incident_number: Count = None
    created_at: Moment = None
    status: Word = ""
    html_url: Link = ""
    acknowledgements: Annotated[list[AcknowledgementDoc], Several] = []
    last_status_change_at: Moment = None
    last_status_change_by: Annotated[ReferenceDoc | None, Perhaps] = None
    alert_counts: Annotated[AlertCountsDoc | None, Perhaps] = None


class IncidentsDoc(PageDoc):
    incidents: list[IncidentDoc]


async def _count_incidents(
    api: Api, start: datetime, end: datetime, tally: _Tally, refused: Refused
) -> None:
    async def fetch(since: datetime, until: datetime, offset: int, limit: int) -> Page[IncidentDoc]:
        params = (
            ("since", stamp(since)),
            ("until", stamp(until)),
            ("sort_by", "created_at:asc"),
            ("limit", str(limit)),
            ("offset", str(offset)),
            ("total", "true"),
        )
        doc = await api.get("/incidents", IncidentsDoc, params)
        return Page(doc.incidents, doc.more, doc.total)

    try:
        listed = await whole_window(fetch, lambda row: row.id, start, end)
    except REFUSALS as error:
        refused[INCIDENTS] = error
        tally.gaps.append(_unknown("Incidents and alerts", "incidents.read", error))
        return
    found = [
        incident
        for incident in listed
        if incident.created_at is None or start <= incident.created_at < end
    ]
    counts = [incident.alert_counts.all for incident in found if incident.alert_counts]
    known = [number for number in counts if number is not None]
    tally.incidents = len(found)
    if len(known) == len(found):
        tally.alerts = sum(known)
    else:
        tally.gaps.append(_ALERTS_UNKNOWN)
    tally.any_open = any(incident.status != "resolved" for incident in found)
    tally.signals = [signal for incident in found for signal in _signals(incident)]


def _signals(incident: IncidentDoc) -> list[SignalRecord]:
    name = f"incident #{incident.incident_number}" if incident.incident_number else "an incident"
    acts = [("acknowledged", entry.acknowledger, entry.at) for entry in incident.acknowledgements]
    source = incident.status if incident.status in ("acknowledged", "resolved") else "other_action"
    acts.append((source, incident.last_status_change_by, incident.last_status_change_at))
    return [
        SignalRecord(
            who.user_id,
            source,
            at,
            f"{'changed' if source == 'other_action' else source} {name}",
            incident.html_url,
        )
        for source, who, at in acts
        if who and who.user_id and at
    ]


class NotificationsDoc(PageDoc):
    """https://developer.pagerduty.com/api-reference/ → Notifications. Only the count is used."""

    notifications: list[object]


async def _count_channel(
    api: Api, channel: str, start: datetime, end: datetime, tally: _Tally, refused: Refused
) -> None:
    params = (
        ("since", stamp(start)),
        ("until", stamp(end)),
        ("filter", f"{channel}_notification"),
        ("limit", "1"),
        ("total", "true"),
    )
    try:
        doc = await api.get("/notifications", NotificationsDoc, params)
    except REFUSALS as error:
        refused[channel] = error
        return
    if doc.total is not None:
        tally.notifications[channel] = doc.total
    elif not doc.notifications and not doc.more:
        tally.notifications[channel] = 0


async def _count_from_the_log(
    api: Api, start: datetime, end: datetime, tally: _Tally, refused: Refused
) -> None:
    try:
        found = await count_notified(api, start, end)
    except (*REFUSALS, Untold) as error:
        refused[LOG] = error
        return
    tally.notifications = {channel: found[channel] for channel in CHANNELS}
    tally.source = LOG


def _usage(month: date, tally: _Tally) -> list[UsageRecord]:
    sent = tally.notifications
    billable = sent["sms"] + sent["phone"] if {"sms", "phone"} <= sent.keys() else None
    values = [
        ("incidents", tally.incidents, INCIDENTS),
        ("alerts", tally.alerts, INCIDENTS),
        *((f"notifications_{channel}", sent.get(channel), tally.source) for channel in CHANNELS),
        ("billable_alerts", billable, tally.source),
    ]
    final = tally.over and not tally.any_open
    return [
        UsageRecord(month, metric, value, final, source)
        for metric, value, source in values
        if value is not None
    ]


def _newer(
    signals: list[SignalRecord], newest: dict[tuple[str, str], datetime]
) -> list[SignalRecord]:
    best: dict[tuple[str, str], SignalRecord] = {}
    for signal in signals:
        of = (signal.member_id, signal.source)
        if of not in newest or signal.at > newest[of]:
            newest[of] = signal.at
            best[of] = signal
    return list(best.values())


_ALERTS_UNKNOWN = Gap(
    "alerts",
    "Alerts of some months are not known.",
    "PagerDuty gave incidents without the number of their alerts.",
    "Nothing to do: incidents are counted, and Seatwise asks again with the next sync.",
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
