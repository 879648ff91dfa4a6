"""What a vendor charged, and what was planned to be spent."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Self

from django.db import models


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def of(self, service: models.Model) -> Self:
        """The newest period first."""
        return self.filter(service=service.pk).order_by("-starts", "-pk")

    def in_services(self, services: Iterable[models.Model]) -> Self:
        return self.filter(service__in=[service.pk for service in services]).order_by("starts")

    def touching(self, month: date) -> Self:
        """Whose period has a day of the month that begins on that day."""
        following = (month.replace(day=1) + timedelta(days=31)).replace(day=1)
        return self.filter(starts__lt=following, ends__gte=month)

    def numbered(self, service: models.Model, pk: int) -> "Invoice | None":
        return self.of(service).filter(pk=pk).first()

    def numbers(self, service: models.Model, asked: Iterable[str]) -> set[str]:
        """Those of the numbers that are there already."""
        return set(self.of(service).filter(number__in=list(asked)).values_list("number", flat=True))

    def of_number(self, service: models.Model, number: str) -> "Invoice | None":
        """The one that has this number on it."""
        return self.of(service).filter(number=number).first()


class Invoice(models.Model):
    """One invoice for a period of days, both of them included."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="invoices")
    number = models.CharField(max_length=100)  # as the vendor wrote it
    issued = models.DateField(null=True)
    starts = models.DateField()
    ends = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)  # without tax; less than 0: back
    tax = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # None: not told
    currency = models.CharField(max_length=3)
    note = models.TextField(blank=True)
    source = models.CharField(max_length=100, blank=True)  # a file's name; "": typed in
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "number"], name="one_invoice_a_number"),
            models.CheckConstraint(
                condition=models.Q(ends__gte=models.F("starts")), name="invoice_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.number}"


class BudgetQuerySet(models.QuerySet["Budget"]):
    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk).select_related("made_by").order_by("-since", "-pk")

    def in_force(self, service: models.Model, day: date) -> "Budget | None":
        return self.of(service).filter(since__lte=day).first()

    def by_service(self, services: Iterable[models.Model]) -> dict[int, list["Budget"]]:
        """{service id: every one, the newest first}, in one query."""
        found: dict[int, list[Budget]] = {}
        asked = [service.pk for service in services]
        for budget in self.filter(service__in=asked).order_by("-since", "-pk"):
            found.setdefault(budget.service_id, []).append(budget)
        return found


class Budget(models.Model):
    """What may be spent on a service in a month, from a month on. Rows are never altered."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="budgets")
    since = models.DateField()  # a month's first day
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # None: none any more
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = BudgetQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} {self.amount} {self.currency} from {self.since}"
