"""Figures of many incidents added up: by service or team, by day, week or month."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ..company.account import Account
from ..company.codes import DAY
from ..company.world import Company
from .answers import Body
from .figures import FIELDS, MEASURED, Sheet, sheet
from .questions import Question

UNITS: Final = ("day", "week", "month")
ACKED, RESOLVED = FIELDS.index("seconds_to_first_ack"), FIELDS.index("seconds_to_resolve")
PERCENTILES: Final = (50, 75, 90, 95)
TOTALS: Final = {  # column of the answer: column of the figures
    "total_engaged_seconds": "engaged_seconds",
    "total_user_defined_engaged_seconds": "engaged_seconds",
    "total_escalation_count": "timeout_escalation_count",
    "total_incidents_acknowledged": "acknowledged",
    "total_incidents_auto_resolved": "auto_resolved",
    "total_incidents_reassigned": "reassigned",
    "total_incidents_timeout_escalated": "timeout_escalated",
    "total_notifications": "total_notifications",
    "total_business_hour_interruptions": "business_hour_interruptions",
    "total_off_hour_interruptions": "off_hour_interruptions",
    "total_sleep_hour_interruptions": "sleep_hour_interruptions",
}
MEANS: Final = {
    "mean_assignment_count": "assignment_count",
    "mean_engaged_seconds": "engaged_seconds",
    "mean_user_defined_engaged_seconds": "engaged_seconds",
    "mean_engaged_user_count": "engaged_user_count",
    "mean_seconds_to_engage": "seconds_to_engage",
    "mean_seconds_to_first_ack": "seconds_to_first_ack",
    "mean_seconds_to_mobilize": "seconds_to_mobilize",
    "mean_seconds_to_resolve": "seconds_to_resolve",
}
NEVER: Final = (  # nothing of the kind happens in the simulation
    *("total_incidents_manual_escalated", "total_snoozed_seconds"),
)
ORDERS: Final = ("total_incident_count", "range_start", "total_interruptions", *TOTALS, *MEANS)
FILTERS: Final = (
    *("created_at_start", "created_at_end", "urgency", "major", "team_ids", "service_ids"),
    *("escalation_policy_ids", "priority_ids", "priority_names", "incident_type_ids"),
    *("min_ackowledgements", "min_acknowledgements", "min_timeout_escalations"),  # sic
    *("min_manual_escalations", "pd_advance_used"),
)
Group = tuple[str, ...]  # the range it begins, then what it is grouped by


@dataclass(frozen=True)
class Wanted:
    """Which incidents are counted. `services` are places in the account's list, None for all."""

    services: frozenset[int] | None = None
    high: bool | None = None
    acknowledgements: int = 0
    escalations: int = 0
    nothing: bool = False

    @property
    def everything(self) -> bool:
        """Whether no incident is left out."""
        return self == Wanted()

    def places(self, day: Sheet, low: int, high: int) -> Sequence[int]:
        """Which of a day's incidents between two places are counted."""
        if self.everything or self.nothing:
            return range(low, low if self.nothing else high)
        acked = day.columns[FIELDS.index("acknowledgement_count")]
        raised = day.columns[FIELDS.index("timeout_escalation_count")]
        return [
            n
            for n in range(low, high)
            if (self.services is None or day.services[n] in self.services)
            and (self.high is None or day.high[n] == self.high)
            and acked[n] >= self.acknowledgements
            and raised[n] >= self.escalations
        ]


def wanted(question: Question) -> Wanted:
    """The filters of a question about incidents."""
    account = question.call.account
    services, teams = question.words("service_ids"), question.words("team_ids")
    policies, urgency = question.words("escalation_policy_ids"), None
    places = None
    if services or teams or policies:
        places = frozenset(
            n
            for n, service in enumerate(account.services)
            if (services is None or service.id in services)
            and (teams is None or service.team.id in teams)
            and (policies is None or service.policy.id in policies)
        )
    urgency = question.word("urgency", ("high", "low"))
    kinds = question.words("incident_type_ids")
    impossible = (
        question.switch("major"),
        question.switch("pd_advance_used"),
        question.words("priority_ids"),
        question.words("priority_names"),
        question.least("min_manual_escalations") > 0,
        kinds is not None and kind_of(account) not in kinds,
    )
    least = max(question.least(f"min_{word}") for word in ("ackowledgements", "acknowledgements"))
    return Wanted(
        services=places,
        high=None if urgency is None else urgency == "high",
        acknowledgements=max(0, least),
        escalations=max(0, question.least("min_timeout_escalations")),
        nothing=any(impossible),
    )


def kind_of(account: Account) -> str:
    """The id of the only type of incident there is."""
    return f"P{account.id[1:]}TYPE"


def days(
    company: Company, since: int, until: int, as_of: int, which: Wanted
) -> Iterator[tuple[Sheet, Sequence[int]]]:
    """The days of a window, each with the places of the incidents that count."""
    since, until = max(since, company.start), min(until, as_of)
    for day in range(since // DAY, (until - 1) // DAY + 1 if until > since else 0):
        found = sheet(company, day, as_of)
        low, high = 0, len(found.times)
        if day * DAY < since or day * DAY + DAY > until:
            low, high = bisect_left(found.times, since), bisect_left(found.times, until)
        yield found, which.places(found, low, high)


class Sums:
    """Figures of some incidents, added up."""

    def __init__(self) -> None:
        self.count = 0
        self.totals = [0] * len(FIELDS)
        self.known = [0] * MEASURED  # how many incidents have that figure at all
        self.waits: dict[int, list[int]] = {ACKED: [], RESOLVED: []}

    def add(self, day: Sheet, places: Sequence[int]) -> None:
        """Adds the incidents of a day at those places."""
        self.count += len(places)
        for n, column in enumerate(day.columns):
            if isinstance(places, range):
                values: Sequence[int] = column[places.start : places.stop]
            else:
                values = [column[place] for place in places]
            if n < MEASURED:
                values = [value for value in values if value >= 0]
                self.known[n] += len(values)
                if n in self.waits:
                    self.waits[n] += values
            self.totals[n] += sum(values)

    def row(self, whole: bool) -> Body:
        """Totals and means as the API shows them; null where nothing is known.

        Percentiles come only with the rows about the whole account.
        """
        shown: Body = {"total_incident_count": self.count}
        shown |= {name: self.totals[FIELDS.index(field)] for name, field in TOTALS.items()}
        shown["total_interruptions"] = sum(self.totals[-3:])
        shown |= dict.fromkeys(NEVER, 0)
        for name, field in MEANS.items():
            shown[name] = self._mean(FIELDS.index(field))
        for n, what in ((ACKED, "first_ack"), (RESOLVED, "resolve")) if whole else ():
            waits = sorted(self.waits[n])
            for percent in PERCENTILES:
                place = -(-len(waits) * percent // 100) - 1  # the nearest rank
                shown[f"p{percent}_seconds_to_{what}"] = waits[place] if waits else None
        return shown | {"up_time_pct": 100.0}

    def _mean(self, n: int) -> int | None:
        count = self.known[n] if n < MEASURED else self.count
        return round(self.totals[n] / count) if count else None


def metrics(question: Question, by: str) -> list[Body]:
    """A row for each group with incidents; `by` is "" for all together, "service" or "team"."""
    unit = question.posted.get("aggregate_unit")
    company, which = question.call.company, wanted(question)
    since, until = question.window("created_at_start", "created_at_end")
    as_of, groups = question.as_of, dict[Group, Sums]()
    names = _names(company.account, by)
    if not unit and not by:
        groups["",] = Sums()
    for begins, low, high in _spans(since, until, unit, question.zone):
        for day, places in days(company, low, high, as_of, which):
            if not by:
                if places:
                    groups.setdefault((begins,), Sums()).add(day, places)
                continue
            parts: dict[str, list[int]] = {}
            for place in places:
                parts.setdefault(names[day.services[place]], []).append(place)
            for name, part in parts.items():
                groups.setdefault((begins, name), Sums()).add(day, part)
    about = _about(company.account, by)
    rows = [
        sums.row(not by) | ({"range_start": group[0]} if unit else {}) | about.get(group[-1], {})
        for group, sums in sorted(groups.items())
    ]
    column, down = question.order_by, question.order == "desc"
    return sorted(
        rows, key=lambda row: (row.get(column) is not None, row.get(column)), reverse=down
    )


def _names(account: Account, by: str) -> list[str]:
    """What each service is counted under, by its place in the list."""
    if by == "team":
        return [service.team.id for service in account.services]
    return [service.id for service in account.services]


def _about(account: Account, by: str) -> dict[str, Body]:
    """What the row of a group says of it."""
    about: dict[str, Body] = {}
    for service in account.services if by else ():
        team = {"team_id": service.team.id, "team_name": service.team.name}
        about[service.team.id] = team
        about[service.id] = team | {"service_id": service.id, "service_name": service.name}
    return about


def _spans(
    since: int, until: int, unit: str | None, zone: ZoneInfo
) -> Iterator[tuple[str, int, int]]:
    """The days, weeks or months of a window by the clock of the zone: name, since, until."""
    if not unit:
        yield "", since, until
        return
    begin = datetime.fromtimestamp(since, zone).date()
    begin -= timedelta(days={"day": 0, "week": begin.weekday(), "month": begin.day - 1}[unit])
    low = since
    while low < until:
        following = _next(begin, unit)
        high = min(until, int(datetime(*following.timetuple()[:3], tzinfo=zone).timestamp()))
        yield f"{begin.isoformat()}T00:00:00", low, high
        begin, low = following, high


def _next(begin: date, unit: str) -> date:
    if unit == "month":
        return date(begin.year + begin.month // 12, begin.month % 12 + 1, 1)
    return begin + timedelta(days=7 if unit == "week" else 1)
