"""What was agreed with a vendor: each change is a row, so that past months keep their price."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Self

from django.db import models

from seatwise.pricing import Terms


class ContractQuerySet(models.QuerySet["Contract"]):
    def of(self, service: models.Model) -> Self:
        """Every state it was ever in, the newest first."""
        return self.filter(service=service.pk).select_related("made_by").order_by("-since", "-pk")

    def in_force(self, service: models.Model, day: date) -> "Contract | None":
        """What holds on that day: of what begins on it or before, the newest that was written."""
        return self.of(service).filter(since__lte=day).first()

    def by_service(self, services: Iterable[models.Model]) -> dict[int, list["Contract"]]:
        """{service id: every state, the newest first}, in one query."""
        found: dict[int, list[Contract]] = {}
        asked = [service.pk for service in services]
        for contract in self.filter(service__in=asked).order_by("-since", "-pk"):
            found.setdefault(contract.service_id, []).append(contract)
        return found


class Contract(models.Model):
    """One state of a contract, from a day on until the next state. Rows are never altered."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="contracts")
    since = models.DateField()  # the first day of the month from which it holds
    data = models.JSONField()  # of pricing.Terms
    note = models.TextField(blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ContractQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["service", "-since", "-id"], name="contracts_in_order")]

    def __str__(self) -> str:
        return f"{self.service} from {self.since}"

    @property
    def terms(self) -> Terms:
        data: dict[str, Any] = self.data
        return Terms.from_json(data)


class ReductionQuerySet(models.QuerySet["Reduction"]):
    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk).select_related("made_by").order_by("-since", "-pk")


class Reduction(models.Model):
    """The vendor confirmed that from a month on so many seats of a line are billed, not more."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="reductions")
    line = models.CharField(max_length=60)  # the key of a pricing.Line
    seats = models.PositiveIntegerField()
    since = models.DateField()  # the first day of the month from which it holds
    note = models.TextField(blank=True)  # who confirmed it, a ticket's number
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ReductionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} {self.line}: {self.seats} from {self.since}"
