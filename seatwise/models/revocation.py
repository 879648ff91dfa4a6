"""A token that the vendor is to be told to forget: sealed, and retried until it is."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models

from seatwise.models.sealed import Sealed

if TYPE_CHECKING:
    from seatwise.models.service import Service


class RevocationState(models.TextChoices):
    WAITING = "waiting", "The vendor is being told"
    CONFIRMED = "confirmed", "Confirmed by the vendor"
    UNCONFIRMED = "unconfirmed", "Not confirmed by the vendor"


class RevocationQuerySet(models.QuerySet["Revocation"]):
    def waiting(self) -> Self:
        return self.filter(state=RevocationState.WAITING)

    def due(self, now: datetime) -> Self:
        return self.waiting().filter(next_at__lte=now).order_by("next_at")

    def concerning(self, service: "Service") -> Self:
        """Of the accounts that are shown, and of what no page shows any more, newest first."""
        shown = models.Q(connection__in=service.shown_connections)
        hidden = models.Q(connection=None) | models.Q(connection__replaced_at__isnull=False)
        found = self.filter(shown | hidden, service=service)
        return found.select_related("connection").order_by("-pk")

    def of_connection(self, connection: object) -> Self:
        return self.filter(connection=connection).order_by("-pk")


class Revocation(Sealed):
    """One grant to end at the vendor. The token leaves this row as soon as that is settled."""

    SEALED_AS = "revocation"
    SEALED_BY = "key"
    SEALED_FIELDS: ClassVar[tuple[str, ...]] = ("secret",)

    key = models.UUIDField(unique=True, default=uuid.uuid4)
    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="revocations")
    connection = models.ForeignKey(
        "Connection", null=True, on_delete=models.SET_NULL, related_name="revocations"
    )  # None: a grant that never became a connection
    secret = models.TextField(blank=True)  # sealed JSON: {"token", "client_id", "client_secret"}
    state = models.CharField(
        max_length=20, choices=RevocationState, default=RevocationState.WAITING
    )
    why = models.TextField()  # "The authorization was revoked.", for a person
    told = models.TextField(blank=True)  # what came of it, and what to do, for a person
    tries = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, db_index=True)  # None: settled
    ended_at = models.DateTimeField(null=True)

    objects = RevocationQuerySet.as_manager()

    @property
    def is_settled(self) -> bool:
        return self.state != RevocationState.WAITING

    def __str__(self) -> str:
        return f"revocation {self.pk}: {self.state}"
