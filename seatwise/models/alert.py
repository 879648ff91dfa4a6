"""Usage alerts: what is watched, who is told, and each delivery of it."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models

from seatwise.models.sealed import Sealed

if TYPE_CHECKING:
    from seatwise.models.user import User


class ChannelQuerySet(models.QuerySet["Channel"]):
    def by_name(self) -> Self:
        return self.order_by("name", "pk")

    def numbered(self, pk: int) -> "Channel | None":
        return self.filter(pk=pk).first()

    def of_numbers(self, numbers: Iterable[int]) -> Self:
        return self.filter(pk__in=list(numbers))

    def with_use(self) -> Self:
        """With `uses`: how many alerts tell it."""
        return self.by_name().annotate(uses=models.Count("alerts"))


class Channel(Sealed):
    """Where messages go besides the people's mail: a Slack channel, a webhook."""

    SEALED_AS = "channel"
    SEALED_FIELDS: ClassVar[tuple[str, ...]] = ("address", "secret")

    class Kind(models.TextChoices):
        SLACK = "slack", "Slack"
        WEBHOOK = "webhook", "Webhook"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=100, unique=True)
    host = models.CharField(max_length=260)  # of the address: all of it that pages show
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

    def for_list(self) -> Self:
        """With everybody each of them tells, in three queries."""
        return self.prefetch_related("people", "channels")

    def numbered(self, service: models.Model, pk: int) -> "Alert | None":
        return self.of(service).select_related("service__owner").filter(pk=pk).first()

    def locked(self, pk: int) -> "Alert | None":
        """That one with its service, which nobody else changes before this transaction ends."""
        asked = self.select_related("service__owner").select_for_update(of=("self",))
        return asked.filter(pk=pk).first()

    def switched_on(self) -> Self:
        return self.filter(is_on=True).select_related("service").order_by("pk")

    def in_services(self, services: Iterable[models.Model]) -> Self:
        return self.filter(service__in=[service.pk for service in services])

    def firing(self) -> Self:
        return self.switched_on().exclude(firing_since=None)

    def firing_at(self) -> models.Exists:
        """Whether one of a service does, for a question about services."""
        return models.Exists(self.firing().filter(service=models.OuterRef("pk")))


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
    people: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        "User", related_name="+"
    )
    addresses = ArrayField(models.CharField(max_length=320), default=list)  # further e-mails
    channels = models.ManyToManyField(Channel, related_name="alerts")
    is_on = models.BooleanField(default=True)
    firing_since = models.DateTimeField(null=True)  # None: within the limit, or unknown
    value = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # None: unknown
    why = models.TextField(blank=True)  # of the value: why it is unknown, or what is the matter
    looked_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = AlertQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} {self.unit} {self.way} {self.limit}"

    @property
    def fires(self) -> bool:
        return self.is_on and self.firing_since is not None


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def newest_first(self) -> Self:
        return self.select_related("alert", "channel").order_by("-made_at", "-pk")

    def of_service(self, service: models.Model) -> Self:
        """What its alerts said, also those that are deleted since."""
        return self.filter(service=service.pk).newest_first()

    def of_alerts(self, alerts: Iterable[models.Model]) -> Self:
        return self.filter(alert__in=[alert.pk for alert in alerts])

    def of_channels(self, channels: Iterable[models.Model]) -> Self:
        return self.filter(channel__in=[channel.pk for channel in channels])

    def newest_by(self, field: str) -> "dict[int, Delivery]":
        """{number of an alert or a channel: the last delivery of it}, in one query.

        Of those made together one that was given up, if there is one.
        """
        found = self.exclude(**{field: None}).order_by(field, "-made_at", "state", "-pk")
        found = found.distinct(field)
        return {getattr(each, f"{field}_id"): each for each in found.select_related("channel")}

    def waiting(self) -> Self:
        return self.filter(state=Delivery.State.WAITING)

    def waiting_and_given_up(self, since: datetime) -> tuple[int, int]:
        """How many wait, and how many of those made from then on were given up; in one query."""
        waits = models.Q(state=Delivery.State.WAITING)
        failed = models.Q(state=Delivery.State.FAILED, made_at__gte=since)
        counts = {name: models.Count("pk", filter=q) for name, q in (("w", waits), ("f", failed))}
        found = self.filter(waits | failed).aggregate(**counts)
        return found["w"], found["f"]

    def next_due(self, now: datetime, without: Collection[int | None]) -> "Delivery | None":
        """One that is to be sent and that nobody else holds, locked; none to the channels with
        these numbers, of which None is mail."""
        found = self.waiting().filter(next_at__lte=now)
        found = found.exclude(channel__in=[each for each in without if each is not None])
        if None in without:
            found = found.filter(email="")
        free = found.select_for_update(skip_locked=True, of=("self",))
        return free.select_related("channel").order_by("next_at", "pk").first()

    def settle(self, delivery: "Delivery", names: Iterable[str]) -> bool:
        """Writes these fields if the try is still the last one; whether it was."""
        mine = self.waiting().filter(pk=delivery.pk, tries=delivery.tries)
        return bool(mine.update(**{name: getattr(delivery, name) for name in names}))

    def numbered(self, service: models.Model, pk: int) -> "Delivery | None":
        return self.of_service(service).filter(pk=pk).first()

    def older_than(self, moment: datetime) -> Self:
        """Those that are over."""
        return self.exclude(state=Delivery.State.WAITING).filter(made_at__lt=moment)


class Delivery(models.Model):
    """One message to one address: what was said, how often it was tried, what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    number = models.UUIDField(default=uuid4, unique=True)  # the same at each try
    service = models.ForeignKey("Service", null=True, on_delete=models.CASCADE, related_name="+")
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
    log = models.JSONField(default=list)  # of each try: {"at": ISO 8601, "said": a sentence}
    error = models.TextField(blank=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"], name="deliveries_due", condition=models.Q(state="waiting")
            ),
            models.Index(fields=["service", "-made_at"], name="deliveries_of_service"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.channel or self.email}"
