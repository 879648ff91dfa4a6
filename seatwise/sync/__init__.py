"""Reads an account and brings our tables up to date, so that half an answer never shows.

Each page's records, its progress and the check "this attempt is still mine" are one
transaction. A complete enumeration is applied in one transaction; until then the last
complete data stays on screen. Network and database never mix inside a transaction.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from seatwise import installation
from seatwise.connectors.errors import KeptBack, VendorError
from seatwise.connectors.records import Batch, Gap, Stage
from seatwise.connectors.state import StateRefused
from seatwise.models import Connection, SyncRun, User
from seatwise.sync import byfile, ending, stages
from seatwise.sync.bridge import read
from seatwise.sync.claim import Claim, Superseded, start
from seatwise.sync.plan import anew, plan_now

log = logging.getLogger(__name__)

__all__ = ["byfile", "open_run", "run"]


def run(run_id: int, *, stopping: Callable[[], bool] = lambda: False) -> datetime | None:
    """Carries out one sync; how it ended is on the SyncRun.

    Returns when to try again: where the vendor could not answer, or at once where this
    process is `stopping`, which is asked after each page. Never raises for what a vendor does.
    """
    claim = start(run_id)
    if claim is None:
        return None
    connection = claim.connection
    gaps: dict[Stage, list[Gap]] = {}
    ended: set[Stage] = set()
    try:
        for batch, requests in _batches(connection):
            if batch.stage in ended:  # it is read anew
                ended.remove(batch.stage)
                gaps[batch.stage] = []
            gaps.setdefault(batch.stage, []).extend(batch.gaps)
            if batch.ended:
                ended.add(batch.stage)
            _take(claim, batch, requests, in_part=_in_part(gaps[batch.stage]))
            if hindrance := installation.hindrance(connection):
                raise KeptBack(hindrance)
            if stopping():
                return ending.handed_over(claim)
        ending.finished(claim, [gap for found in gaps.values() for gap in found])
        return None
    except Superseded as reason:
        log.info("run %s stopped: %s", run_id, reason)
        return None
    except VendorError as error:
        return ending.stopped(claim, error)
    except Exception as error:
        ending.broken(claim, error)
        raise


def _batches(connection: Connection) -> Iterator[tuple[Batch, Counter[str]]]:
    """What the account gives; from the start where the connector refuses what was kept."""
    plan = plan_now(connection)
    made: Counter[str] = Counter()
    try:
        for batch, made in read(connection, plan):
            yield batch, made
    except StateRefused as reason:
        if not plan.state:
            raise
        for batch, requests in read(connection, anew(plan, connection, reason)):
            yield batch, made + requests


def _in_part(gaps: list[Gap]) -> bool:
    return any(not gap.minor for gap in gaps)


@transaction.atomic
def _take(claim: Claim, batch: Batch, requests: Counter[str], *, in_part: bool) -> None:
    """One page: its records, how far we are, and the check that we may still write.

    What a later sync may pass over is noted together with the records that make it so.
    """
    run = claim.hold()
    stages.stage(run, batch)
    if batch.state is not None:
        run.connection.remember(batch.state)
    ended = batch.complete or batch.ended
    if ended:
        insist = run.attempt > ending.LOOKS
        stages.apply(run, batch.stage, whole=batch.complete, insist=insist)
    run.stages[batch.stage] = {
        "done": batch.done,
        "total": batch.total,
        "unit": batch.unit,
        "state": ("limited" if in_part else "done") if ended else "running",
    }
    run.requests = dict(requests)
    run.save(update_fields=["stages", "requests", "counts", "touched_at"])


def open_run(connection: Connection, *, by: User | None) -> tuple[SyncRun, bool]:
    """The run that is open for this connection, or a new one; and whether it is new.

    However many ask at once, there is one: the database allows no second.
    """
    runs = SyncRun.objects.of_connection(connection).open()
    return runs.get_or_create(
        connection=connection,
        defaults={"requested_by": by, "created_at": timezone.now()},
    )
