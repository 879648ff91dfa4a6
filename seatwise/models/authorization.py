"""One attempt to connect: from Integrate to the answer the vendor sent back."""

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from seatwise.models.sealed import Sealed

LIFETIME = timedelta(minutes=15)


class Outcome(models.TextChoices):
    PENDING = "pending", "Waiting for consent"
    CONNECTED = "connected", "Connected"
    REFUSED = "refused", "Not allowed"
    FAILED = "failed", "Did not work"
    ASKS = "asks", "Waiting for your choice"


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def with_state(self, state: str) -> Self:
        return self.filter(state_hash=fingerprint(state))

    def of(self, service: object) -> Self:
        return self.filter(service=service)

    def ended(self) -> Self:
        return self.exclude(outcome=Outcome.PENDING)

    def begun_by(self, user: object) -> Self:
        return self.filter(user=user)

    def held(self) -> Self:
        """Those whose grant waits for somebody to say what is to become of it."""
        return self.filter(outcome=Outcome.ASKS)

    def held_too_long(self, now: datetime) -> Self:
        return self.held().filter(used_at__lte=now - LIFETIME)

    def asked_for(self, connection_id: int) -> list[str]:
        """The scopes that the connection's newest authorization asked for; [] if nobody knows."""
        connected = self.filter(connection_id=connection_id, outcome=Outcome.CONNECTED)
        newest = connected.order_by("-pk").first()
        return newest.asked if newest else []

    def numbered(self, pk: int) -> "Authorization | None":
        known = self.select_related("connection__service", "renews")
        return known.filter(pk=pk).first()


class Authorization(Sealed):
    """Bound to the service, the person and the browser session that began it; used once."""

    SEALED_AS = "authorization"
    SEALED_BY = "state_hash"
    SEALED_FIELDS: ClassVar[tuple[str, ...]] = ("verifier", "held")

    service = models.ForeignKey("Service", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE)
    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    verifier = models.TextField(blank=True)  # sealed; erased when used
    way = models.CharField(max_length=20, blank=True, db_default="")  # of the connector's ways
    # The connection whose authorization is to be renewed; None: an account is to be added.
    renews = models.ForeignKey(
        "Connection", null=True, on_delete=models.SET_NULL, related_name="renewals"
    )
    held = models.TextField(blank=True, db_default="")  # sealed: the grant, until somebody chose
    account = models.JSONField(null=True)  # the account that was found, while it is held
    asked = ArrayField(models.CharField(max_length=200))
    popup = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.PENDING)
    message = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    connection = models.ForeignKey(
        "Connection", null=True, on_delete=models.SET_NULL, related_name="authorizations"
    )

    objects = AuthorizationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} by {self.user}: {self.outcome}"

    def is_too_old(self, now: datetime) -> bool:
        return now - self.created_at > LIFETIME

    def waited_too_long(self, now: datetime) -> bool:
        """Whether the grant that is held must be given up."""
        return self.used_at is None or now - self.used_at >= LIFETIME


def fingerprint(secret: str) -> str:
    """A hash that can be looked up without the secret being stored."""
    return hashlib.sha256(secret.encode()).hexdigest()
