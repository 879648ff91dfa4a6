"""The Usage page: month by month, what the service was used for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from seatwise.connectors.base import Connector, MetricInfo, find
from seatwise.connectors.months import last_months
from seatwise.models import Connection, UsagePoint
from seatwise.templatetags.seatwise import at
from seatwise.views import usage_export
from seatwise.views.export import download, menu, wanted
from seatwise.views.member_choice import month_of
from seatwise.views.shell import one_account

RANGES = (3, 6, 12, 24)
USUAL_RANGE = 12
# Tokens, for series of each kind in their order; any of them may stand in one chart.
COLOURS: Mapping[str, Sequence[str]] = {
    "bar": ("chart-2", "chart-1", "chart-4", "chart-6"),
    "line": ("chart-3", "chart-5"),
}
CHANNELS = "notifications_"  # how the keys begin of what was sent, one for each channel
CHANNEL_NAME = " notifications"  # how their names end
# Why a number is not final yet. A connector says of no month more than whether it is.
NOT_OVER = "This month is not over."
STILL_OPEN = (
    "Something in it is still open, such as an incident, or it was not read since it ended."
)

Points = Mapping[date, Mapping[str, UsagePoint]]


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponseBase:
    """The page, with `?months=` 3, 6, 12 or 24 and `?month=2026-10` opened, or a file."""
    service = one_account(request, key)
    connection = service.connection
    months = _range(request)
    this_month = current_month()
    points = UsagePoint.objects.of(service).since(last_months(this_month, months)[-1]).by_month()
    metrics = metrics_of(find(service.key), points)
    if wanted(request):
        file = usage_export.export(service, metrics, points, this_month, months)
        return download(request, file)
    table = month_rows(metrics, points, this_month, connection)
    opened = _opened(request, table)
    context = {
        "service": service,
        "connection": connection,
        "connector": find(service.key),
        "tab": "usage",
        "months": months,
        "ranges": RANGES,
        "metrics": metrics,
        "heads": [Head(metric) for metric in metrics],
        "table": table,
        "hatched": hatched(table),
        "tiles": tiles(find(service.key), metrics, points, this_month),
        "chart": chart(find(service.key), metrics, table),
        "opened": opened,
        "counted": [value for value in opened.values if not is_channel(value.metric)]
        if opened
        else [],
        "channels": channels(opened) if opened else [],
        "readings": readings(opened) if opened else [],
        "gaps": usage_gaps(connection, metrics),
        "exports": menu(at(service, "usage", months=months)),
    }
    return render(request, "usage.html", context)


def current_month() -> date:
    """The first day of this month in the billing zone."""
    return timezone.now().astimezone(settings.BILLING_ZONE).date().replace(day=1)


def metrics_of(connector: Connector | None, points: Points) -> list[MetricInfo]:
    """What the connector counts, in its order; then what was kept of a metric it dropped.

    What is told by the home country's code alone is there once it was told.
    """
    found = dict.fromkeys(metric for row in points.values() for metric in row)
    counted = connector.metrics if connector else ()
    known = [metric for metric in counted if not metric.by_home or metric.key in found]
    words = {metric.key for metric in known}
    lost = [MetricInfo(key, key, "No definition is known any more.", "") for key in found]
    return known + [metric for metric in lost if metric.key not in words]


@dataclass(frozen=True, slots=True)
class Value:
    """One cell: a number, or None with the reason why it is unknown."""

    metric: MetricInfo
    value: int | None
    final: bool
    source: str
    as_of: datetime | None
    reason: str
    before: int | None  # the month before, for comparison


@dataclass(frozen=True, slots=True)
class Month:
    """One row of the table."""

    month: date
    provisional: bool
    values: list[Value]

    @property
    def is_over(self) -> bool:
        return self.month < current_month()

    @property
    def mark(self) -> str:
        """That its numbers are not final, in a word or three; "" where they are."""
        if not self.provisional:
            return ""
        return "can still change" if self.is_over else "provisional"

    @property
    def why(self) -> str:
        """Why they are not."""
        if not self.provisional:
            return ""
        return STILL_OPEN if self.is_over else NOT_OVER

    @property
    def previous(self) -> date:
        return last_months(self.month, 2)[-1]

    @property
    def slug(self) -> str:
        return f"{self.month:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Tile:
    """This month's number, and last month's in words."""

    metric: MetricInfo
    value: int | None
    final: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Channel:
    """What went out by one channel in a month, and its part of what went out by all."""

    value: Value
    share: int | None  # per cent; None where not every channel is known

    @property
    def name(self) -> str:
        return short_name(self.value.metric)


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: its short name, and the rest of the whole one."""

    metric: MetricInfo

    @property
    def name(self) -> str:
        return short_name(self.metric)

    @property
    def rest(self) -> str:
        return self.metric.name.removeprefix(self.name)


@dataclass(frozen=True, slots=True)
class Reading:
    """Where some of a month's numbers were read, and when."""

    names: list[str]
    source: str
    as_of: datetime


def short_name(metric: MetricInfo) -> str:
    """What it is called where all around it are notifications: "SMS"."""
    return metric.name.removesuffix(CHANNEL_NAME) if is_channel(metric) else metric.name


def readings(month: Month) -> list[Reading]:
    """The sources of a month's known numbers, each once."""
    found: dict[tuple[str, datetime], list[str]] = {}
    for value in month.values:
        if value.as_of:
            found.setdefault((value.source, value.as_of), []).append(short_name(value.metric))
    return [Reading(names, source, as_of) for (source, as_of), names in found.items()]


def hatched(table: Sequence[Month]) -> str:
    """What the hatched months of a chart are, in a sentence; "" where there is none."""
    open_months = [row for row in table if row.provisional]
    if not open_months:
        return ""
    reasons = ["this month is not over"] if not all(row.is_over for row in open_months) else []
    if any(row.is_over for row in open_months):
        reasons.append(
            "in an earlier one something is still open, such as an incident, or it was not read"
            " since it ended"
        )
    return f"Hatched months can still change: {'; '.join(reasons)}."


def is_channel(metric: MetricInfo) -> bool:
    return metric.key.startswith(CHANNELS)


def channels(month: Month) -> list[Channel]:
    """The notifications of a month by channel, in the connector's order."""
    found = [value for value in month.values if is_channel(value.metric)]
    known = [value.value for value in found if value.value is not None]
    total = sum(known) if len(known) == len(found) else 0
    return [
        Channel(
            value, round(100 * value.value / total) if total and value.value is not None else None
        )
        for value in found
    ]


def month_rows(
    metrics: Sequence[MetricInfo],
    points: Points,
    this_month: date,
    connection: Connection | None,
) -> list[Month]:
    """Newest first, without holes between this month and the oldest that is known."""
    reasons = {gap["capability"]: gap["what"] for gap in (connection.gaps if connection else [])}
    rows = []
    for month in _down_to(min(points, default=None), this_month):
        known, earlier = points.get(month, {}), points.get(last_months(month, 2)[-1], {})
        values = [
            _value(metric, known.get(metric.key), earlier.get(metric.key), reasons)
            for metric in metrics
        ]
        open_month = month >= this_month or any(not point.final for point in known.values())
        rows.append(Month(month, open_month, values))
    return rows


def tiles(
    connector: Connector | None,
    metrics: Sequence[MetricInfo],
    points: Points,
    this_month: date,
) -> list[Tile]:
    """The headline metrics this month, against last month in words."""
    last_month = last_months(this_month, 2)[-1]
    now, before = points.get(this_month, {}), points.get(last_month, {})
    found = []
    for metric in sorted(headline(connector, metrics), key=metrics.index):
        point, earlier = now.get(metric.key), before.get(metric.key)
        known = f"{earlier.value:,}" if earlier else "unknown"
        can_change = ", can\u00a0still\u00a0change" if earlier and not earlier.final else ""
        so_far = "so far this month" if point else "not known yet this month"
        found.append(
            Tile(
                metric=metric,
                value=point.value if point else None,
                final=point.final if point else False,
                # By month alone: there is no same day of last month to set it against.
                sentence=f"{so_far} · {last_month:%B}, whole month: {known}{can_change}",
            )
        )
    return found


def headline(connector: Connector | None, metrics: Sequence[MetricInfo]) -> list[MetricInfo]:
    """The metrics of the tiles and the chart, in the order in which a chart lays them over."""
    by_key = {metric.key: metric for metric in metrics}
    keys = connector.usage_headline if connector else tuple(by_key)[:3]
    return [by_key[key] for key in keys if key in by_key]


def chart(
    connector: Connector | None, metrics: Sequence[MetricInfo], table: Sequence[Month]
) -> dict[str, object]:
    """What the chart draws, oldest month first; None where a number is unknown.

    Raises ValueError where the connector names more headline metrics than there are COLOURS.
    """
    oldest_first = list(reversed(table))
    drawn = headline(connector, metrics)
    kinds = ["line" if metric.estimate else "bar" for metric in drawn]
    return {
        "months": [
            {
                "slug": row.slug,
                "short": f"{row.month:%b}" if len(table) <= 12 else f"{row.month:%b %y}",
                "name": f"{row.month:%B %Y}",
                "provisional": row.provisional,
                "mark": row.mark,
                "why": row.why,
            }
            for row in oldest_first
        ],
        "series": [
            {
                "name": f"{metric.name} (estimate)" if metric.estimate else metric.name,
                "kind": kind,
                "colour": colour,
                "values": [
                    value.value
                    for row in oldest_first
                    for value in row.values
                    if value.metric.key == metric.key
                ],
            }
            for metric, kind, colour in zip(drawn, kinds, _colours(kinds), strict=True)
        ],
    }


def _colours(kinds: Sequence[str]) -> list[str]:
    """A colour for each series; two of one chart never share one."""
    left = {kind: iter(colours) for kind, colours in COLOURS.items()}
    found = [next(left[kind], None) for kind in kinds]
    if None in found:
        raise ValueError(f"A chart has no colours for {len(kinds)} series: {', '.join(kinds)}.")
    return [colour for colour in found if colour]


def usage_gaps(
    connection: Connection | None, metrics: Sequence[MetricInfo]
) -> list[dict[str, str]]:
    """What of the usage cannot be read, why, and who can change it."""
    wanted = {"usage", *(metric.key for metric in metrics)}
    gaps = connection.gaps if connection else []
    return [gap for gap in gaps if gap["capability"] in wanted]


def _range(request: HttpRequest) -> int:
    asked = request.GET.get("months", "")
    return int(asked) if asked in {str(months) for months in RANGES} else USUAL_RANGE


def _opened(request: HttpRequest, table: Sequence[Month]) -> Month | None:
    """The month whose breakdown was asked for."""
    asked = month_of(request.GET.get("month", ""))
    return next((row for row in table if row.month == asked), None)


def _down_to(oldest: date | None, newest: date) -> Iterator[date]:
    month = newest
    while oldest and month >= oldest:
        yield month
        month = last_months(month, 2)[-1]


def _value(
    metric: MetricInfo,
    point: UsagePoint | None,
    earlier: UsagePoint | None,
    reasons: Mapping[str, str],
) -> Value:
    before = earlier.value if earlier else None
    if point:
        return Value(metric, point.value, point.final, point.source, point.as_of, "", before)
    unread = "This month's number was not read."
    reason = reasons.get(metric.key) or reasons.get("usage") or unread
    return Value(metric, None, False, metric.source, None, reason, before)
