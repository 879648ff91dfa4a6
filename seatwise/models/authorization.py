"""One attempt to connect: from Integrate to the answer the vendor sent back."""

import hashlib
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

LIFETIME = timedelta(minutes=15)


class Outcome(models.TextChoices):
    PENDING = "pending", "Waiting for consent"
    CONNECTED = "connected", "Connected"
    REFUSED = "refused", "Not allowed"
    FAILED = "failed", "Did not work"


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def with_state(self, state: str) -> Self:
        return self.filter(state_hash=fingerprint(state))

    def of(self, service: object) -> Self:
        return self.filter(service=service)

    def ended(self) -> Self:
        return self.exclude(outcome=Outcome.PENDING)

    def begun_by(self, user: object) -> Self:
        return self.filter(user=user)

    def numbered(self, pk: int) -> "Authorization | None":
        return self.select_related("connection__service").filter(pk=pk).first()


class Authorization(models.Model):
    """Bound to the service, the person and the browser session that began it; used once."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE)
    user = models.ForeignKey("User", on_delete=models.CASCADE)
    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    verifier = models.TextField()  # sealed; erased when used
    asked = ArrayField(models.CharField(max_length=200))
    popup = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.PENDING)
    message = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    connection = models.ForeignKey("Connection", null=True, on_delete=models.SET_NULL)

    objects = AuthorizationQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} by {self.user}: {self.outcome}"

    def is_too_old(self, now: datetime) -> bool:
        return now - self.created_at > LIFETIME

    def seal_verifier(self, verifier: str) -> None:
        self.verifier = settings.ENCRYPTION_KEYS.seal(verifier, self._place())

    def unseal_verifier(self) -> str:
        """The PKCE verifier. Raises vault.CannotOpen."""
        opened: str = settings.ENCRYPTION_KEYS.open(self.verifier, self._place())
        return opened

    def _place(self) -> str:
        return f"authorization:{self.state_hash}:verifier"


def fingerprint(secret: str) -> str:
    """A hash that can be looked up without the secret being stored."""
    return hashlib.sha256(secret.encode()).hexdigest()
