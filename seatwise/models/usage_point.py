"""One number of one month: what the service was used for."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Self

from django.db import models

from seatwise.connectors.records import UsageRecord

if TYPE_CHECKING:
    from seatwise.models.service import Service


class UsagePointQuerySet(models.QuerySet["UsagePoint"]):
    def record(
        self, connection: models.Model, records: Iterable[UsageRecord], as_of: datetime
    ) -> None:
        """Keeps the newest reading of each number; what was not read stays as it was.

        A final number is history and is not replaced, whatever the vendor says later.
        """
        settled = set(
            self.filter(connection_id=connection.pk, final=True).values_list("month", "metric")
        )
        self.bulk_create(
            [
                UsagePoint(
                    connection_id=connection.pk,
                    month=record.month,
                    metric=record.metric,
                    value=record.value,
                    final=record.final,
                    source=record.source,
                    as_of=as_of,
                )
                for record in records
                if (record.month, record.metric) not in settled
            ],
            update_conflicts=True,
            unique_fields=["connection", "month", "metric"],
            update_fields=["value", "final", "source", "as_of"],
        )

    def reopen(self, months: Iterable[date], dropping: Iterable[str]) -> None:
        """Lets these months' numbers be read anew, and drops those of these metrics.

        For when what a number means has changed: another zone's month, another home's calls.
        """
        asked = self.filter(month__in=list(months))
        asked.filter(metric__in=list(dropping)).delete()
        asked.update(final=False)

    def of(self, service: "Service") -> Self:
        """Of the accounts that are shown; months of several are not to be added up blindly."""
        return self.filter(connection__in=service.shown_connections)

    def since(self, month: date) -> Self:
        return self.filter(month__gte=month)

    def sums(self, accounts: Iterable[models.Model], metric: str) -> dict[date, int]:
        """{month: the number of all these accounts together}, where it is known of each."""
        asked = [account.pk for account in accounts]
        found: dict[date, list[int]] = {}
        rows = self.filter(connection__in=asked, metric=metric).values_list("month", "value")
        for month, value in rows:
            found.setdefault(month, []).append(value)
        return {month: sum(each) for month, each in found.items() if len(each) == len(asked)}

    def of_month(self, accounts: Iterable[int], month: date) -> dict[str, dict[int, int]]:
        """{metric: {number of an account: its number of that month}}; what is unknown is absent."""
        found: dict[str, dict[int, int]] = {}
        rows = self.filter(connection__in=list(accounts), month=month)
        for account, metric, value in rows.values_list("connection", "metric", "value"):
            found.setdefault(metric, {})[account] = value
        return found

    def months_until(
        self, accounts: Iterable[models.Model], day: date
    ) -> tuple[dict[date, dict[str, int]], frozenset[date]]:
        """{month: {metric: number}} of all these accounts together, where it is known of each, and
        the months of which all numbers are final; of months that began by that day."""
        asked = [account.pk for account in accounts]
        told: dict[date, dict[str, list[int]]] = {}
        open_: set[date] = set()
        rows = self.filter(connection__in=asked, month__lte=day).values_list(
            "month", "metric", "value", "final"
        )
        for month, metric, value, final in rows:
            told.setdefault(month, {}).setdefault(metric, []).append(value)
            if not final:
                open_.add(month)
        sums = {
            month: {key: sum(each) for key, each in metrics.items() if len(each) == len(asked)}
            for month, metrics in told.items()
        }
        return sums, frozenset(sums) - open_

    def by_month(self) -> dict[date, dict[str, "UsagePoint"]]:
        """Months, newest first, each with its points by metric. Absent means unknown."""
        months: dict[date, dict[str, UsagePoint]] = {}
        for point in self.order_by("-month"):
            months.setdefault(point.month, {})[point.metric] = point
        return months


class UsagePoint(models.Model):
    connection = models.ForeignKey(
        "Connection", on_delete=models.CASCADE, related_name="usage_points"
    )
    month = models.DateField()  # its first day, in the billing zone
    metric = models.CharField(max_length=60)
    value = models.BigIntegerField()
    final = models.BooleanField()  # the month is over and nothing in it can change
    source = models.CharField(max_length=200)
    as_of = models.DateTimeField()

    objects = UsagePointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "month", "metric"], name="one_number_a_month"
            )
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.metric}: {self.value}"
