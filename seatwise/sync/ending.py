"""The named ways in which a run ends, and what each leaves on the connection."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from random import SystemRandom

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
from seatwise.models import Connection, Notice, SyncRun
from seatwise.models.audit_event import Action
from seatwise.models.connection import State
from seatwise.models.notice import Kind
from seatwise.models.sync_run import How, RunState
from seatwise.sync import checkpoint
from seatwise.sync.claim import Claim
from seatwise.sync.drops import UnusualDrop
from seatwise.sync.lasting import DatabaseAway
from seatwise.sync.schedule import next_sync

log = logging.getLogger(__name__)

# The longest pauses before the second try, the third, and so on; the last one repeats.
PAUSES = [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1)]
MOST_BROKEN = 5  # answers in a row that cannot be used; a vendor that is away is asked on
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=1)
KEPT_BACK = timedelta(minutes=5)  # until it is looked again whether the grant may be used
AWAY = timedelta(seconds=30)  # until a run goes on that the database or the memory has stopped
MOST_DEATHS = 3
BY_SCHEDULE = (
    "Seatwise asks again by the schedule, or when somebody presses Sync now; a proxy in between "
    "may be the cause."
)
DICE = SystemRandom()  # so that many who failed at one moment do not come back at one moment


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
        connection.next_sync_at = next_sync(connection, timezone.now())
        Notice.objects.close(connection, timezone.now())
    connection.save(update_fields=["sync_gaps", "attention", "remedy", "state", "next_sync_at"])
    _close(run, RunState.DONE_WITH_NOTES if connection.is_limited else RunState.DONE)


@transaction.atomic
def handed_over(claim: Claim) -> datetime:
    """This worker is going down: the run waits for another, which takes it from here."""
    run = claim.hold()
    run.state = RunState.QUEUED
    run.leave(How.HANDED_OVER, timezone.now())
    run.save()
    return timezone.now()


def broken(claim: Claim, error: Exception) -> None:
    """A defect of ours: named as such, and nothing of the unfinished reading is kept."""
    _given_up(
        claim,
        f"Seatwise could not finish because of a defect of its own ({type(error).__name__}).",
        "The last complete data stays. The operator finds the details in the worker's log.",
    )


@transaction.atomic
def parked(claim: Claim) -> None:
    """Several workers went down with this run: it is put aside, so that no more do."""
    log.error("run %s is put aside: %s workers did not survive it", claim.run_id, claim.deaths)
    run = claim.hold()
    run.attempts = run.attempts[:-1]  # this one was none
    run.save()
    _given_up(
        claim,
        f"Reading {claim.connection} was put aside: {claim.deaths} attempts in a row ended "
        "together with their worker.",
        "The last complete data stays. The operator looks for what ended the workers (memory, a "
        "crash, kill -9) and presses Sync now; else the schedule tries again.",
    )


@transaction.atomic
def exhausted(claim: Claim) -> datetime:
    """This process has no memory left: another goes on, and it counts as a death."""
    run = claim.hold()
    sentence = "The worker ran out of memory in the middle of reading."
    run.state, run.retry_at = RunState.RETRY_AT, timezone.now() + AWAY
    run.reason, run.remedy = sentence, "Seatwise goes on by itself from where it was."
    run.leave(How.NO_MEMORY, timezone.now())
    run.save()
    return run.retry_at


def interrupted(claim: Claim, error: DatabaseAway) -> datetime:
    """The database was away for longer than one waits; goes on as soon as that can be noted.

    Raises what the database raises where it still is away: the run is then found open and
    untouched, and put on the queue again.
    """
    with transaction.atomic():
        run = claim.hold()
        now = timezone.now()
        pause = _pause(run)
        run.state, run.retry_at = RunState.RETRY_AT, now + max(pause, AWAY)
        run.reason, run.remedy = error.sentence, error.remedy
        run.failures += 1
        if run.failures >= len(PAUSES):
            connection = _locked(run)
            connection.attention, connection.remedy = run.reason, run.remedy
            connection.save(update_fields=["attention", "remedy"])
            _tell(run, connection, Kind.DATABASE)
        run.leave(How.DATABASE, timezone.now())
        run.save()
        return run.retry_at


@transaction.atomic
def stopped(claim: Claim, error: VendorError) -> datetime | None:
    """The vendor stood in the way; says whether and when another attempt makes sense."""
    run = claim.hold()
    connection = _locked(run)
    if not connection.is_alive:  # noted already, by the refresh that found the grant gone
        _close(run, RunState.ACTION_NEEDED, str(error), error.remedy)
        return None
    if isinstance(error, KeptBack):
        return _held_back(claim, run, connection, error)
    log.warning("run %s: %s", run.pk, error)
    again = _again_at(run, error)
    if again is not None:
        _wait(run, connection, error, again)
    elif isinstance(error, CredentialsRejected):
        _close(run, RunState.ACTION_NEEDED, str(error), error.remedy)
        connection.state, connection.next_sync_at = State.NEEDS_RECONNECT, None
        connection.attention, connection.remedy = str(error), error.remedy
        Notice.objects.tell(connection, Kind.RECONNECT, timezone.now(), run)
        audit.record(
            Action.RECONNECT_NEEDED,
            service=connection.service.key,
            about=connection.account_name,
            said=str(error),
            detail={"connection": connection.pk, "run": run.pk},
        )
    else:
        _give_up(run, connection, str(error), BY_SCHEDULE if _is_broken(error) else error.remedy)
    connection.save(update_fields=["state", "attention", "remedy", "next_sync_at"])
    return again


def _again_at(run: SyncRun, error: VendorError) -> datetime | None:
    """When to try again; None where waiting mends nothing.

    A vendor that is away is asked for as long as it takes, at last about once an hour; one whose
    answers are broken, a few times. What the vendor itself asks for is the least.
    """
    now = timezone.now()
    if isinstance(error, UnusualDrop) and run.doubted_until:
        return max(run.doubted_until, now + SHORTEST)
    if not isinstance(error, TryAgainLater | BrokenAnswer):
        return None
    if _is_broken(error):
        checkpoint.forget(run, *checkpoint.KINDS)
        if run.in_a_row(How.BROKEN) + 1 >= MOST_BROKEN:
            return None
    pause = _pause(run)
    asked = timedelta(seconds=min(getattr(error, "after", None) or 0, LONGEST.total_seconds()))
    run.failures += 1
    return now + max(asked + min(pause, PAUSES[0]) if asked else pause, SHORTEST)


def _pause(run: SyncRun) -> timedelta:
    return PAUSES[min(run.failures, len(PAUSES) - 1)] * DICE.random()


def _wait(run: SyncRun, connection: Connection, error: VendorError, again: datetime) -> None:
    run.state, run.retry_at = RunState.RETRY_AT, again
    run.reason, run.remedy = str(error), error.remedy
    run.leave(_how(error), timezone.now())
    run.save()
    connection.state = State.RETRYING
    connection.attention, connection.remedy = str(error), error.remedy
    if isinstance(error, UnusualDrop):
        _tell(run, connection, Kind.DROP)
    elif run.failures >= len(PAUSES):
        _tell(run, connection, Kind.AWAY)


def _how(error: VendorError) -> How:
    if isinstance(error, UnusualDrop):
        return How.DOUBTED
    return How.BROKEN if _is_broken(error) else How.AWAY


def _is_broken(error: VendorError) -> bool:
    return isinstance(error, BrokenAnswer) and not isinstance(error, UnusualDrop)


def _held_back(claim: Claim, run: SyncRun, connection: Connection, error: KeptBack) -> datetime:
    """Seatwise itself is in the way, not the vendor; where nothing was tried nothing is told."""
    run.state, run.retry_at = RunState.RETRY_AT, timezone.now() + KEPT_BACK
    run.reason, run.remedy = str(error), error.remedy
    if claim.meter.made:
        run.leave(How.KEPT_BACK, timezone.now())
    else:
        run.attempts = run.attempts[:-1]
    run.save()
    connection.attention, connection.remedy = str(error), error.remedy
    connection.save(update_fields=["attention", "remedy"])
    return run.retry_at


@transaction.atomic
def _given_up(claim: Claim, sentence: str, remedy: str) -> None:
    run = claim.hold()
    connection = _locked(run)
    _give_up(run, connection, sentence, remedy)
    connection.save()


def _give_up(run: SyncRun, connection: Connection, sentence: str, remedy: str) -> None:
    """Until the schedule's next sync; what we have stays."""
    _close(run, RunState.ACTION_NEEDED, sentence, remedy)
    if connection.is_alive:  # else what ended it stays said
        connection.state = State.LIMITED
        connection.attention, connection.remedy = sentence, remedy
        connection.next_sync_at = next_sync(connection, timezone.now())
        _tell(run, connection, Kind.GIVEN_UP)


def _tell(run: SyncRun, connection: Connection, kind: Kind) -> None:
    """Once for one kind of trouble, until it is over."""
    if Notice.objects.tell(connection, kind, timezone.now(), run):
        audit.record(
            Action.ATTENTION_NEEDED,
            service=connection.service.key,
            about=connection.account_name,
            said=connection.attention,
            detail={"connection": connection.pk, "run": run.pk},
        )


def _locked(run: SyncRun) -> Connection:
    found = Connection.objects.select_related("service")
    return found.select_for_update(of=("self",), no_key=True).get(pk=run.connection_id)


def _close(run: SyncRun, state: RunState, reason: str = "", remedy: str = "") -> None:
    how = How.GAVE_UP if state == RunState.ACTION_NEEDED else How.ENDED
    run.end(state, how, timezone.now(), reason, remedy)
