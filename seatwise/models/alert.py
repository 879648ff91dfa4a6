"""Usage alerts: what is watched, who is told, and each delivery of it."""

from typing import ClassVar, Self
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models

from seatwise.models.sealed import Sealed


class ChannelQuerySet(models.QuerySet["Channel"]):
    def by_name(self) -> Self:
        return self.order_by("name", "pk")


class Channel(Sealed):
    """Where messages go besides the people's mail: a Slack channel, a webhook."""

    SEALED_AS = "channel"
    SEALED_FIELDS: ClassVar[tuple[str, ...]] = ("address", "secret")

    class Kind(models.TextChoices):
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=100, unique=True)
    address = models.TextField(blank=True)  # sealed: whoever knows it can write there
    secret = models.TextField(blank=True)  # sealed: what a webhook is signed with
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ChannelQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class AlertQuerySet(models.QuerySet["Alert"]):
    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk).order_by("pk")

    def switched_on(self) -> Self:
        return self.filter(is_on=True).select_related("service").order_by("pk")

    def firing(self) -> Self:
        return self.switched_on().exclude(firing_since=None)


class Alert(models.Model):
    """Tells people when a number of a service passes a limit, once until it is back."""

    class Way(models.TextChoices):
        ABOVE = "above", "is above"
        BELOW = "below", "is below"

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="alerts")
    unit = models.CharField(max_length=80)  # "metric:incidents", "seats_left", "idle_share", …
    way = models.CharField(max_length=10, choices=Way, default=Way.ABOVE)
    limit = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # None: of no number
    to_owner = models.BooleanField(default=True)
    people: "models.ManyToManyField[models.Model, models.Model]" = models.ManyToManyField(
        "User", related_name="+"
    )
    addresses = ArrayField(models.CharField(max_length=320), default=list)  # further e-mails
    channels = models.ManyToManyField(Channel, related_name="alerts")
    is_on = models.BooleanField(default=True)
    firing_since = models.DateTimeField(null=True)  # None: within the limit, or unknown
    value = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # None: unknown
    looked_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = AlertQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} {self.unit} {self.way} {self.limit}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def newest_first(self) -> Self:
        return self.select_related("alert", "channel").order_by("-made_at", "-pk")


class Delivery(models.Model):
    """One message to one address: what was said, how often it was tried, what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    number = models.UUIDField(default=uuid4, unique=True)  # the same at each try
    alert = models.ForeignKey("Alert", null=True, on_delete=models.SET_NULL, related_name="+")
    channel = models.ForeignKey("Channel", null=True, on_delete=models.SET_NULL, related_name="+")
    email = models.CharField(max_length=320, blank=True)  # of a mail
    kind = models.CharField(max_length=20)  # "alert", "over", "digest", "test"
    subject = models.CharField(max_length=300)
    text = models.TextField()
    payload = models.JSONField(default=dict)  # what a webhook gets
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)  # None: not tried again
    error = models.TextField(blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], name="deliveries_due", condition=models.Q(state="waiting")
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.channel or self.email}"
