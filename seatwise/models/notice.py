"""One trouble of a connection that needs a person, told once, however often it comes back."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models, transaction

if TYPE_CHECKING:
    from seatwise.models.connection import Connection
    from seatwise.models.sync_run import SyncRun
    from seatwise.models.user import User


class Kind(models.TextChoices):
    """What is the matter, as far as it matters whether it is the same again."""

    RECONNECT = "reconnect", "Somebody must authorize again"
    AWAY = "away", "The vendor does not answer"
    DROP = "drop", "An unusual drop is held"
    DATABASE = "database", "The database does not let a sync go on"
    GIVEN_UP = "given_up", "A sync was given up"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def open(self) -> Self:
        """Of what is still so."""
        return self.filter(over_at=None)

    @transaction.atomic
    def tell(
        self,
        connection: "Connection",
        kind: Kind,
        now: datetime,
        run: "SyncRun | None" = None,
    ) -> bool:
        """Notes what the connection's attention says; whether it is news.

        A trouble of the same kind is counted, whatever its words; another takes its place. Whoever
        calls holds the connection's row, so that two do not tell at once.
        """
        told = {"what": connection.attention, "remedy": connection.remedy, "last_at": now}
        known = self.open().filter(connection=connection, kind=kind)
        if known.update(**told, times=models.F("times") + 1):
            return False
        self.close(connection, now)
        self.create(connection=connection, run=run, kind=kind, began_at=now, **told)
        return True

    def close(self, connection: "Connection", now: datetime) -> None:
        """It is so no more."""
        self.open().filter(connection=connection).update(over_at=now)

    def told_to(self, user: "User") -> Self:
        """All that is still so, newest first, each with `is_aside`: whether this person put it
        aside. In one query, with the service and no secret."""
        aside = Notice.objects.filter(pk=models.OuterRef("pk"), seen_by=user)
        return (
            self.open()
            .filter(connection__replaced_at=None)
            .annotate(is_aside=models.Exists(aside))
            .select_related("connection__service")
            .only(
                "what",
                "remedy",
                "began_at",
                "last_at",
                "times",
                "run_id",
                "connection__account_name",
                "connection__service__key",
                "connection__service__name",
            )
            .order_by("-pk")
        )


class Notice(models.Model):
    connection = models.ForeignKey("Connection", on_delete=models.CASCADE, related_name="notices")
    run = models.ForeignKey("SyncRun", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    what = models.TextField()
    remedy = models.TextField(blank=True)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()  # when it was so again
    times = models.IntegerField(default=1)
    over_at = models.DateTimeField(null=True)  # None: it is still so
    seen_by: "models.ManyToManyField[User, models.Model]" = models.ManyToManyField(
        "User", related_name="+"
    )  # who has put it aside
    is_aside: bool  # where `told_to` asked

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(over_at=None),
                name="one_open_notice_a_connection",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection}: {self.what}"
