"""Who may write for a run: the newest attempt, while nobody has ended the run."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from seatwise.models import Connection, SyncRun
from seatwise.models.sync_run import RunState


class Superseded(Exception):
    """The run was cancelled, or a newer attempt has taken it over: write nothing more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at one run."""

    run_id: int
    attempt: int
    connection: Connection
    started_at: datetime

    def hold(self) -> SyncRun:
        """The run, locked for the transaction one is in. Raises Superseded."""
        run = (
            SyncRun.objects.select_related("connection__service")
            .select_for_update(of=("self",))
            .filter(pk=self.run_id)
            .first()
        )
        if run is None or run.attempt != self.attempt or run.state != RunState.RUNNING:
            raise Superseded(f"attempt {self.attempt} is not the one that may write")
        return run


@transaction.atomic
def start(run_id: int) -> Claim | None:
    """Begins the next attempt at a run; None where the run has ended already."""
    run = (
        SyncRun.objects.select_related("connection__service")
        .select_for_update(of=("self",))
        .filter(pk=run_id)
        .first()
    )
    if run is None or not run.is_open:
        return None
    now = timezone.now()
    run.attempt += 1
    run.state, run.reason, run.remedy, run.retry_at = RunState.RUNNING, "", "", None
    run.stages, run.counts = {}, {}
    run.started_at = run.started_at or now
    run.save()
    run.staged.all().delete()  # an enumeration counts only if one attempt read all of it
    return Claim(run.pk, run.attempt, run.connection, now)
