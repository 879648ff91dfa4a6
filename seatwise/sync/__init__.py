"""Reads an account and brings our tables up to date, so that half an answer never shows.

Each page's records, its progress and the check "this attempt is still mine" are one
transaction; an attempt that is cut off is gone on with from there, under the same run. A complete
enumeration is applied in one transaction; until then the last complete data stays on screen.
Network and database never mix inside a transaction.
"""

import logging
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone

from seatwise import installation
from seatwise.connectors.errors import KeptBack, VendorError
from seatwise.connectors.records import Batch, Gap, Stage
from seatwise.connectors.state import StateRefused
from seatwise.models import Connection, SyncRun, User
from seatwise.sync import byfile, checkpoint, drops, ending, stages
from seatwise.sync.bridge import CannotGoOn, HandedOver, read
from seatwise.sync.claim import Claim, Superseded, start
from seatwise.sync.lasting import DatabaseAway, lasting
from seatwise.sync.plan import agree_on_terms, anew, plan_now
from seatwise.sync.wishes import believe, stop

log = logging.getLogger(__name__)

__all__ = ["believe", "byfile", "open_run", "run", "stop"]


def run(run_id: int, *, stopping: Callable[[], bool] = lambda: False) -> datetime | None:
    """Carries out one attempt at a sync; how it ended is on the SyncRun.

    Returns when to try again: where the vendor could not answer, or at once where this process is
    `stopping`, which is asked after each page and, while one takes long, before its end. Never
    raises for what a vendor does.
    """
    claim = lasting(partial(start, run_id, secrets.token_hex(8)))
    if claim is None:
        return None
    try:
        return _carried_out(claim, stopping)
    except Superseded as reason:
        log.info("run %s stopped: %s", run_id, reason)
        return None


def open_run(connection: Connection, *, by: User | None) -> tuple[SyncRun, bool]:
    """The run that is open for this connection, or a new one; and whether it is new.

    However many ask at once, there is one: the database allows no second.
    """
    runs = SyncRun.objects.of_connection(connection).open()
    return runs.get_or_create(
        connection=connection,
        defaults={"requested_by": by, "created_at": timezone.now()},
    )


def _carried_out(claim: Claim, stopping: Callable[[], bool]) -> datetime | None:
    """One attempt and its end. Raises Superseded, and what is a defect of ours."""
    if claim.deaths >= ending.MOST_DEATHS:
        lasting(partial(ending.parked, claim))
        return None
    try:
        return _attempted(claim, stopping)
    except HandedOver:
        return lasting(partial(ending.handed_over, claim))
    except VendorError as error:
        return lasting(partial(ending.stopped, claim, error))
    except MemoryError:
        return lasting(partial(ending.exhausted, claim))
    except DatabaseAway as error:
        log.error("run %s: %s", claim.run_id, error)
        return ending.interrupted(claim, error)
    except Superseded:
        raise
    except Exception as error:
        ending.broken(claim, error)
        raise


def _attempted(claim: Claim, stopping: Callable[[], bool]) -> datetime | None:
    """Reads to the end, or until this process is to stop."""
    kept = checkpoint.kept(SyncRun.objects.get(pk=claim.run_id))
    gaps: dict[Stage, list[Gap]] = {part.stage: list(part.gaps) for part in kept}
    ended: set[Stage] = set()
    claim.meter.lap()
    for batch in _batches(claim, stopping):
        if batch.stage in ended:  # it is read anew
            ended.remove(batch.stage)
            gaps[batch.stage] = []
        gaps.setdefault(batch.stage, []).extend(batch.gaps)
        if batch.ended:
            ended.add(batch.stage)
        lasting(partial(_take, claim, batch, gaps[batch.stage], claim.meter.lap()))
        if hindrance := installation.hindrance(claim.connection):
            raise KeptBack(hindrance)
        if stopping():
            return lasting(partial(ending.handed_over, claim))
    everything = [gap for found in gaps.values() for gap in found]
    lasting(partial(ending.finished, claim, everything))
    return None


def _batches(claim: Claim, stopping: Callable[[], bool]) -> Iterator[Batch]:
    """What the account gives; from the start where the connector refuses what was kept."""
    connection = claim.connection
    plan = plan_now(connection)
    lasting(partial(agree_on_terms, claim, plan))
    while True:  # the lists and the state may each be refused once: then nothing is left of them
        try:
            yield from read(claim, SyncRun.objects.get(pk=claim.run_id), plan, stopping)
        except CannotGoOn as reason:
            log.info("run %s reads its lists anew: %s", claim.run_id, reason)
            lasting(partial(_forget_lists, claim))
        except StateRefused as reason:
            if not plan.state:
                raise
            plan = anew(plan, connection, reason)
        else:
            return


@transaction.atomic
def _forget_lists(claim: Claim) -> None:
    run = claim.hold()
    checkpoint.forget(run, *checkpoint.KINDS)
    run.save()


@transaction.atomic
def _take(claim: Claim, batch: Batch, gaps: list[Gap], seconds: float) -> None:
    """One page: its records, how far we are, and the check that we may still write.

    What a later attempt or a later sync may pass over is noted together with the records that
    make it so.
    """
    run = claim.hold()
    stages.stage(run, batch)
    if batch.state is not None:
        run.connection.remember(batch.state)
    ended = batch.complete or batch.ended
    if ended:
        _apply(run, batch)
    checkpoint.note(run, batch, gaps, timezone.now())
    in_part = any(not gap.minor for gap in gaps)
    before = run.stages.get(batch.stage, {})
    run.stages[batch.stage] = {
        "done": batch.done,
        "total": batch.total,
        "unit": batch.unit,
        "state": ("limited" if in_part else "done") if ended else "running",
        "seconds": round(before.get("seconds", 0.0) + seconds, 3),
    }
    run.save()


def _apply(run: SyncRun, batch: Batch) -> None:
    """Makes a stage visible, unless too much of it is suddenly missing to be believed yet."""
    doubted = drops.STAGE_OF.get(run.doubt.get("what", "")) == batch.stage
    try:
        stages.apply(run, batch.stage, whole=batch.complete)
        settled = "over"
    except drops.UnusualDrop as drop:
        settled = drops.belief(run.doubt, drop, timezone.now())
        if not settled:
            raise
        stages.apply(run, batch.stage, whole=batch.complete, insist=True)
    if doubted and not run.doubt.get("settled"):
        run.doubt = {**run.doubt, "settled": settled}
