"""What a month costs by contract and history, worked out once so that pages need not."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Self

from django.db import models


class CostQuerySet(models.QuerySet["Cost"]):
    def of(self, service: models.Model) -> Self:
        """The oldest month first, each month's lines in the contract's order."""
        return self.filter(service=service.pk).order_by("month", "place")

    def in_services(self, services: Iterable[models.Model]) -> Self:
        asked = [service.pk for service in services]
        return self.filter(service__in=asked).order_by("service", "month", "place")

    def between(self, first: date, last: date) -> Self:
        """Of the months that begin on one of these days or between."""
        return self.filter(month__gte=first, month__lte=last)

    def months(self) -> list[date]:
        """Each month once, by its first day, the newest first."""
        return list(self.order_by("-month").values_list("month", flat=True).distinct())

    def worked_out(self) -> dict[int, datetime]:
        """{service id: when the newest of its costs was worked out}."""
        told = self.order_by().values_list("service").annotate(models.Max("made_at"))
        return dict(told)


class Cost(models.Model):
    """One line of a contract in one month. `spending.refresh` writes all of a service's anew."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="costs")
    month = models.DateField()  # its first day, in the billing zone
    place = models.PositiveSmallIntegerField()  # of the line in the contract
    line = models.CharField(max_length=60)  # the key of a pricing.Line; "alerts": beyond seats
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)  # connectors.records.SeatKind, or "alerts"
    held = models.IntegerField(null=True)  # the most at one moment of the month; None: not known
    seats = models.IntegerField(null=True)  # that are paid for; of alerts: those beyond
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # None: no price
    currency = models.CharField(max_length=3)
    why = models.TextField(blank=True)  # how it came about, or why it is not known
    made_at = models.DateTimeField()

    objects = CostQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "month", "line"], name="one_cost_a_line")
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.month:%Y-%m} {self.name}"
