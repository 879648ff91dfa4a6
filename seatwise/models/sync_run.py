"""One reading of an account: its stages, its progress, and how it ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, Self

from django.db import models

STAGES = ("members", "licences", "usage", "activity")


class RunState(models.TextChoices):
    QUEUED = "queued", "Waiting to start"
    RUNNING = "running", "Reading"
    DONE = "done", "Done"
    DONE_WITH_NOTES = "done_with_notes", "Done, with notes"
    RETRY_AT = "retry_at", "Trying again"
    ACTION_NEEDED = "action_needed", "Action needed"
    CANCELLED = "cancelled", "Cancelled"
    SUPERSEDED = "superseded", "Superseded"  # something newer took its place


OPEN = (RunState.QUEUED, RunState.RUNNING, RunState.RETRY_AT)


class Shows(Protocol):
    """A service, as far as runs need to know it."""

    @property
    def shown_connections(self) -> Sequence[models.Model]: ...


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def of(self, service: Shows) -> Self:
        """Of the accounts that are shown."""
        return self.filter(connection__in=service.shown_connections).select_related("connection")

    def of_connection(self, connection: object) -> Self:
        return self.filter(connection=connection)

    def open(self) -> Self:
        """Not ended yet: waiting, reading, or waiting to try again."""
        return self.filter(state__in=OPEN)

    def ended(self) -> Self:
        return self.exclude(state__in=OPEN)

    def forgotten(self, before: datetime) -> Self:
        """Open, not waiting for a person or a later time, and untouched since `before`."""
        waits_for_a_person = models.Q(connection__state="by_file")
        return (
            self.open()
            .filter(touched_at__lt=before)
            .exclude(retry_at__gte=before)
            .exclude(waits_for_a_person)
        )

    def newest(self) -> "SyncRun | None":
        return self.order_by("-pk").first()

    def foremost(self) -> "SyncRun | None":
        """One that is going on, else the newest."""
        going_on = models.Q(state__in=OPEN)
        return self.order_by(models.Case(models.When(going_on, then=0), default=1), "-pk").first()

    def cancel(self, reason: str, now: datetime) -> int:
        """Ends what is open; a running sync notices at its next page."""
        return self.open().update(state=RunState.CANCELLED, reason=reason, finished_at=now)


class SyncRun(models.Model):
    connection = models.ForeignKey("Connection", on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=20, choices=RunState, default=RunState.QUEUED)
    attempt = models.IntegerField(default=0)  # a write of an older attempt is refused
    # {"members": {"done", "total", "unit", "state", "began", "seconds"}}
    stages = models.JSONField(default=dict)
    # From where another attempt goes on, see `sync.checkpoint`.
    checkpoint = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # Who tried: [{"number", "worker", "began", "ended", "how"}], see `sync.claim`.
    attempts = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    failures = models.SmallIntegerField(default=0, db_default=0)  # of the vendor, in a row
    # An unusual drop that is held: {"stage", "before", "now", "at", "believed_by"}.
    doubt = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    requests = models.JSONField(default=dict)  # made at the vendor, by endpoint
    gaps = models.JSONField(default=list)
    counts = models.JSONField(default=dict)  # {"joined": 3, "left": 1, "changed": 2}
    reason = models.TextField(blank=True)  # how it ended, in words
    remedy = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+"
    )  # None: the schedule
    ended_by = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+"
    )  # who stopped it; None: nobody
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(auto_now=True)  # of a running one, at each page
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state__in=OPEN),
                name="one_open_run_a_connection",
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.connection}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def progress(self) -> list[dict[str, Any]]:
        """The stages in order, each with `name`, `state`, `done`, `total`, `unit`."""
        waiting = {"state": "waiting", "done": 0, "total": None, "unit": ""}
        return [{"name": name, **waiting, **self.stages.get(name, {})} for name in STAGES]

    @property
    def done_stages(self) -> int:
        """How many stages are complete, be it with something that cannot be read."""
        return sum(stage["state"] in {"done", "limited"} for stage in self.progress)
