"""What a rule found, what became of it, and what was truly saved by it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Self

from django.db import models


class Life(models.TextChoices):
    """What people decided about a finding."""

    OPEN = "open", "Open"
    ASSIGNED = "assigned", "Assigned"
    SNOOZED = "snoozed", "Snoozed"
    EXEMPTED = "exempted", "Exempted"
    DONE = "done", "Done"
    REALISED = "realised", "Realised"


class FindingQuerySet(models.QuerySet["Finding"]):
    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk)

    def in_services(self, services: Iterable[models.Model]) -> Self:
        return self.filter(service__in=[service.pk for service in services])

    def standing(self) -> Self:
        """What the rules still find."""
        return self.filter(over_at=None)

    def money(self) -> dict[int, dict[str, tuple[int, Decimal | None]]]:
        """{service id: {currency: (findings, what they could save a month)}} of those that count
        and wait for somebody; the currency of what has no price is ""."""
        waits = self.standing().filter(counts=True, state__in=[Life.OPEN, Life.ASSIGNED])
        found: dict[int, dict[str, tuple[int, Decimal | None]]] = {}
        rows = waits.order_by().values_list("service", "currency")
        for service, currency, count, amount in rows.annotate(
            n=models.Count("pk"), amount=models.Sum("realisable")
        ):
            found.setdefault(service, {})[currency] = (count, amount)
        return found

    def of_rule(self, rule: str) -> Self:
        return self.filter(rule=rule)

    def numbered(self, service: models.Model, numbers: Iterable[int]) -> Self:
        return self.of(service).filter(pk__in=list(numbers))


class Finding(models.Model):
    """One thing that a rule found about one subject; it stands until the rule finds it no more.

    Money is a month's. None is unknown: no price, no contract, or activity that nobody could read.
    """

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=60)  # a key of rules.RULES
    subject = models.CharField(max_length=200)  # "member:17", "line:full", "account:3"
    member = models.ForeignKey("Member", null=True, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(
        "Connection", null=True, on_delete=models.CASCADE, related_name="+"
    )
    text = models.TextField()
    evidence = models.JSONField(default=list)  # [{"what", "value", "source", "at"}]
    confidence = models.CharField(max_length=10)  # rules.Confidence
    reversible = models.BooleanField()
    line = models.CharField(max_length=60, blank=True)  # the pricing.Line of the seat
    to_line = models.CharField(max_length=60, blank=True)  # where a conversion leads
    counts = models.BooleanField(default=False)  # whether its seats are in the savings figures
    seats = models.PositiveIntegerField(default=0)
    waste = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    realisable = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    realisable_from = models.DateField(null=True)
    why = models.TextField(blank=True)  # of the money: what stands in the way, or why none

    state = models.CharField(max_length=10, choices=Life, default=Life.OPEN)
    assigned_to = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    until = models.DateField(null=True)  # of a snooze or an exemption: the last day
    reason = models.TextField(blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()  # when the rules last said so
    over_at = models.DateTimeField(null=True)  # None: the rules still find it

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "rule", "subject"],
                condition=models.Q(over_at=None),
                name="one_standing_finding",
            )
        ]
        indexes = [models.Index(fields=["service", "rule", "id"], name="findings_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


class FindingEvent(models.Model):
    """What somebody decided about a finding, or what the rules did. Never altered."""

    finding = models.ForeignKey("Finding", on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=Life)
    said = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.finding} {self.state}"


class SavingQuerySet(models.QuerySet["Saving"]):
    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk).order_by("-since", "-pk")


class Saving(models.Model):
    """A saving that was booked: seats are gone at the vendor, and the contract says so, too."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="savings")
    line = models.CharField(max_length=60)
    seats = models.IntegerField()
    monthly = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    since = models.DateField()  # the first day from which it is not billed any more
    findings = models.ManyToManyField(Finding, related_name="savings")
    reduction = models.ForeignKey("Reduction", null=True, on_delete=models.SET_NULL)
    contract = models.ForeignKey("Contract", null=True, on_delete=models.SET_NULL)
    booked_at = models.DateTimeField()
    said = models.TextField()  # how it came about

    objects = SavingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} {self.seats} seats from {self.since}"


class ThresholdQuerySet(models.QuerySet["Threshold"]):
    def newest(self, service: models.Model | None) -> dict[tuple[str, str], int]:
        """{(rule, limit): value} as it was last set: for the service, else for all of them."""
        mine = models.Q(service=None) | models.Q(service=service.pk if service else None)
        rows = self.filter(mine).order_by(models.F("service").asc(nulls_first=True), "pk")
        return {(each.rule, each.name): each.value for each in rows}

    def history(self, rule: str, name: str) -> Self:
        mine = self.filter(rule=rule, name=name)
        return mine.select_related("made_by").order_by("-made_at", "-pk")


class Threshold(models.Model):
    """A limit of a rule as somebody set it, the newest of each counts. Never altered."""

    service = models.ForeignKey(  # None: of all services
        "Service", null=True, on_delete=models.CASCADE, related_name="thresholds"
    )
    rule = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    value = models.IntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ThresholdQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.rule} {self.name} {self.value}"
