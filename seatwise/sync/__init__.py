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
from seatwise.sync.drops import UnusualDrop
from seatwise.sync.lasting import DatabaseAway, lasting, trouble_of
from seatwise.sync.plan import agree_on_terms, anew, plan_now
from seatwise.sync.wishes import believe, stop

log = logging.getLogger(__name__)

__all__ = ["believe", "byfile", "open_run", "run", "stop"]


def run(
    run_id: int,
    *,
    stopping: Callable[[], bool] = lambda: False,
    is_ours: Callable[[], bool] = lambda: True,
) -> datetime | None:
    """Carries out one attempt at a sync; how it ended is on the SyncRun.

    `is_ours` is asked in the transaction that begins it: somebody else may have been given what
    this process was asked to do, while it was frozen.

    Returns when to try again: where the vendor could not answer, or at once where this process is
    `stopping`, which is asked after each page and, while one takes long, before its end. Never
    raises for what a vendor does.
    """
    claim = lasting(partial(start, run_id, secrets.token_hex(8), is_ours))
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
    except Superseded:
        raise
    except Exception as error:
        if trouble := trouble_of(error):
            log.error("run %s: %s", claim.run_id, DatabaseAway(trouble))
            return ending.interrupted(claim, DatabaseAway(trouble))
        ending.broken(claim, error)
        raise


def _attempted(claim: Claim, stopping: Callable[[], bool]) -> datetime | None:
    """Reads to the end, or until this process is to stop."""
    kept = checkpoint.kept(SyncRun.objects.get(pk=claim.run_id))
    gaps: dict[Stage, list[Gap]] = {part.stage: list(part.gaps) for part in kept}
    ended: set[Stage] = set()
    claim.meter.lap()
    for batch in _batches(claim, gaps, stopping):
        if batch.stage in ended or batch.anew:
            ended.discard(batch.stage)
            gaps[batch.stage] = []
        gaps.setdefault(batch.stage, []).extend(batch.gaps)
        if batch.ended:
            ended.add(batch.stage)
        took = partial(_take, claim, batch, gaps[batch.stage], claim.meter.lap())
        if drop := lasting(took, stopping=stopping):
            raise drop
        if hindrance := installation.hindrance(claim.connection):
            raise KeptBack(hindrance)
        if stopping():
            return lasting(partial(ending.handed_over, claim))
    everything = [gap for found in gaps.values() for gap in found]
    lasting(partial(ending.finished, claim, everything))
    return None


def _batches(
    claim: Claim, gaps: dict[Stage, list[Gap]], stopping: Callable[[], bool]
) -> Iterator[Batch]:
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
            gaps.clear()
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
def _take(claim: Claim, batch: Batch, gaps: list[Gap], seconds: float) -> UnusualDrop | None:
    """One page: its records, how far we are, and the check that we may still write.

    What a later attempt or a later sync may pass over is noted together with the records that
    make it so. Returns a drop that is not believed: it is remembered, and nothing was applied.
    """
    run = claim.hold()
    if batch.anew:  # rows of two readings must not pass for one
        checkpoint.forget(run, batch.stage)
    stages.stage(run, batch)
    if batch.state is not None:
        run.connection.remember(batch.state)
    ended = batch.complete or batch.ended
    if ended and (drop := _applied(run, batch)):
        return drop
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
    return None


def _applied(run: SyncRun, batch: Batch) -> UnusualDrop | None:
    """Makes a stage visible, unless too much of it is suddenly missing to be believed yet."""
    try:
        stages.apply(run, batch.stage, whole=batch.complete)
    except UnusualDrop as drop:
        drops.doubt(run, drop, timezone.now())
        checkpoint.forget(run, drop.stage)  # to be looked at again, not remembered
        run.save()
        return drop
    return None
