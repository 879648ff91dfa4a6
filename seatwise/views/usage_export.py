"""The Usage page as a file: a line for each month and metric that is known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.utils.text import slugify

from seatwise.connectors.base import MetricInfo
from seatwise.models import Service, UsagePoint
from seatwise.spreadsheet import Cell, Column
from seatwise.views.export import Export

MONTH = Column("month", "Month", "text", "A month of the billing zone.")
COLUMNS = (
    Column("value", "Value", "number", "How many there were in that month."),
    Column("final", "Final", "yes/no", "Whether the month is over and was read after its end."),
    Column("source", "Source", "text", "Where it was read."),
    Column("as_of", "As of", "time", "When it was read."),
    Column("account", "Account", "text", "The account of the service that it was counted for."),
)


def export(
    service: Service,
    metrics: Sequence[MetricInfo],
    points: Mapping[date, Mapping[str, UsagePoint]],
    this_month: date,
    months: int,
) -> Export:
    """The months in their order, each with its metrics; what is unknown has no line."""
    account = service.connection.account_name if service.connection else ""
    whose = f"-{slugify(account)}" if service.has_several else ""
    rows = list(_rows(metrics, points, account))
    return Export(
        file=f"{service.key}{whose}-usage-{this_month:%Y-%m}",
        what="usage",
        title="Usage",
        says="One row for each month and metric. A number that is not known has no row.",
        columns=[MONTH, _metric_column(metrics), *COLUMNS],
        rows=rows,
        count=len(rows),
        service=service,
        readings=("usage",),
        filters=[f"The last {months} months"],
    )


def _metric_column(metrics: Sequence[MetricInfo]) -> Column:
    """With the definition of each metric."""
    words = [f"{metric.key}: {metric.name}. {metric.definition}" for metric in metrics]
    return Column("metric", "Metric", "text", "\n".join(["What was counted.", *words]))


def _rows(
    metrics: Sequence[MetricInfo],
    points: Mapping[date, Mapping[str, UsagePoint]],
    account: str,
) -> Iterator[list[Cell]]:
    for month, row in points.items():
        for metric in metrics:
            if point := row.get(metric.key):
                slug = f"{month:%Y-%m}"
                cells: list[Cell] = [slug, metric.key, point.value, point.final]
                yield [*cells, point.source, point.as_of, account]
