"""The named ways in which a run ends, and what each leaves on the connection."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.connectors.errors import (
    BrokenAnswer,
    CredentialsRejected,
    KeptBack,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.records import Gap
from seatwise.models import Connection, SyncRun
from seatwise.models.audit_event import Action
from seatwise.models.connection import State
from seatwise.models.sync_run import RunState
from seatwise.sync.claim import Claim, Superseded
from seatwise.sync.plan import next_daily

log = logging.getLogger(__name__)

PAUSES = [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1)]
LOOKS = len(PAUSES)  # so many attempts, over more than an hour, may be doubted
LONGEST_PAUSE = timedelta(hours=1)
KEPT_BACK = timedelta(minutes=5)  # until it is looked again whether the grant may be used


@transaction.atomic
def finished(claim: Claim, gaps: Sequence[Gap]) -> None:
    """Everything that is readable was read."""
    run = claim.hold()
    run.gaps = [asdict(gap) for gap in gaps]
    connection = _locked(run)
    connection.sync_gaps = run.gaps
    if connection.is_alive:  # else its grant was lost meanwhile, and that stays said
        connection.attention = connection.remedy = ""
        connection.state = connection.state_when_well
        connection.next_sync_at = next_daily(connection, timezone.now())
    connection.save(update_fields=["sync_gaps", "attention", "remedy", "state", "next_sync_at"])
    _close(run, RunState.DONE_WITH_NOTES if connection.is_limited else RunState.DONE)


@transaction.atomic
def handed_over(claim: Claim) -> datetime:
    """This worker is going down: the run waits for another, which takes it from here."""
    run = claim.hold()
    run.state = RunState.QUEUED
    run.save(update_fields=["state", "touched_at"])
    return timezone.now()


def stopped(claim: Claim, error: VendorError) -> datetime | None:
    """The vendor stood in the way; says whether and when another attempt makes sense."""
    try:
        return _stopped(claim, error)
    except Superseded:
        return None


def broken(claim: Claim, error: Exception) -> None:
    """A defect of ours: named as such, and nothing of the unfinished reading is kept."""
    sentence = f"Seatwise could not finish because of a defect of its own ({type(error).__name__})."
    remedy = "The last complete data stays. The operator finds the details in the worker's log."
    try:
        with transaction.atomic():
            run = claim.hold()
            connection = _locked(run)
            _give_up(run, connection, sentence, remedy)
            connection.save()
    except Superseded:
        log.info("run %s was taken over before its defect could be noted", claim.run_id)


@transaction.atomic
def _stopped(claim: Claim, error: VendorError) -> datetime | None:
    run = claim.hold()
    connection = _locked(run)
    if not connection.is_alive:  # noted already, by the refresh that found the grant gone
        _close(run, RunState.ACTION_NEEDED, str(error), error.remedy)
        return None
    if isinstance(error, KeptBack):
        return _held_back(run, connection, error)
    pause = _pause(run, error)
    if pause is not None:
        run.state, run.retry_at = RunState.RETRY_AT, timezone.now() + pause
        run.reason, run.remedy = str(error), error.remedy
        run.save()
        connection.state = State.RETRYING
        connection.attention, connection.remedy = str(error), error.remedy
    elif isinstance(error, CredentialsRejected):
        _close(run, RunState.ACTION_NEEDED, str(error), error.remedy)
        connection.state, connection.next_sync_at = State.NEEDS_RECONNECT, None
        connection.attention, connection.remedy = str(error), error.remedy
        audit.record(
            Action.RECONNECT_NEEDED,
            service=connection.service.key,
            about=connection.account_name,
            said=str(error),
            detail={"connection": connection.pk, "run": run.pk},
        )
    else:
        _give_up(run, connection, str(error), error.remedy)
    connection.save(update_fields=["state", "attention", "remedy", "next_sync_at"])
    log.warning("run %s: %s", run.pk, error)
    return run.retry_at


def _held_back(run: SyncRun, connection: Connection, error: KeptBack) -> datetime:
    """Seatwise itself is in the way, not the vendor: nothing was tried, so nothing is counted."""
    run.state, run.retry_at = RunState.RETRY_AT, timezone.now() + KEPT_BACK
    run.reason, run.remedy = str(error), error.remedy
    run.attempt -= 1
    run.save()
    connection.attention, connection.remedy = str(error), error.remedy
    connection.save(update_fields=["attention", "remedy"])
    return run.retry_at


def _pause(run: SyncRun, error: VendorError) -> timedelta | None:
    """How long to wait before the next attempt; None where waiting mends nothing."""
    if not isinstance(error, TryAgainLater | BrokenAnswer) or run.attempt > LOOKS:
        return None
    asked = getattr(error, "after", None)
    wanted = timedelta(seconds=asked) if asked else PAUSES[run.attempt - 1]
    return min(max(wanted, timedelta(seconds=1)), LONGEST_PAUSE)


def _give_up(run: SyncRun, connection: Connection, sentence: str, remedy: str) -> None:
    """Until the next day's sync; what we have stays."""
    _close(run, RunState.ACTION_NEEDED, sentence, remedy)
    if connection.is_alive:  # else what ended it stays said
        connection.state = State.LIMITED
        connection.attention, connection.remedy = sentence, remedy
        connection.next_sync_at = next_daily(connection, timezone.now())


def _locked(run: SyncRun) -> Connection:
    found = Connection.objects.select_related("service")
    return found.select_for_update(of=("self",), no_key=True).get(pk=run.connection_id)


def _close(run: SyncRun, state: RunState, reason: str = "", remedy: str = "") -> None:
    run.state, run.reason, run.remedy = state, reason, remedy
    run.finished_at = timezone.now()
    run.staged.all().delete()
    run.save()
