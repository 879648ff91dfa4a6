"""What a worker meets that kills it every time, and what is taken away under its hands."""

import time
from typing import Any

from tests.chaos.site import Site, steady, until

PATIENCE = 90.0  # seconds; what is promised is that it happens, not how soon


def poison(there: Site, account: str, patience: float = PATIENCE) -> dict[str, Any]:
    """The reading of one account ends its process, each time; the others must not suffer."""
    from seatwise.models import SyncRun

    for pid in list(there.workers.alive):
        there.workers.kill(pid)
    ((before,),) = steady(lambda: [(SyncRun.objects.count(),)])
    there.ask_for_all()
    began = time.monotonic()

    def over() -> bool:
        lacking = 2 - len(there.workers.alive)
        if lacking > 0:
            there.workers.more(lacking, poison=account)
        return there.all_ended()

    with there.giving_away():
        in_time = until(over, patience, every=0.05)
    for pid in list(there.workers.alive):
        there.workers.kill(pid)
    runs = list(SyncRun.objects.select_related("connection").order_by("-pk"))
    fresh = runs[: len(runs) - before]
    bitten = [run for run in fresh if run.connection.account_name == account]
    return {
        "in time": in_time,
        "seconds": round(time.monotonic() - began, 1),
        "poisoned": [_told(run) for run in bitten],
        "innocent": [_told(run) for run in fresh if run not in bitten],
    }


def hunger(there: Site, account: str, patience: float = PATIENCE) -> dict[str, Any]:
    """The first worker that reads one account runs out of memory; the next does not."""
    from seatwise.models import SyncRun

    for pid in list(there.workers.alive):
        there.workers.kill(pid)
    there.workers.more(1, hunger=account)
    there.ask_for_all()
    of_account = SyncRun.objects.filter(connection__account_name=account)

    def tried() -> bool:
        run = steady(lambda: of_account.newest())
        return run is not None and any(each["how"] for each in run.attempts)

    with there.giving_away():
        noticed = until(tried, patience, every=0.05)
        first = _told(steady(lambda: of_account.newest()))
        for pid in list(there.workers.alive):
            there.workers.kill(pid)
        there.workers.more(2)
        in_time = there.settle(patience)
    return {
        "noticed": noticed,
        "first": first,
        "in time": in_time,
        "run": _told(of_account.newest()),
    }


def deletion(there: Site, connection_id: int, patience: float = PATIENCE) -> dict[str, Any]:
    """All of an account is erased in the middle of its sync, and then its worker is killed."""
    from seatwise import connections
    from seatwise.models import Connection, Member, MemberEvent, StagedRecord, SyncRun, UsagePoint
    from tests.chaos.invariants import _execute
    from tests.chaos.syncs import BUSY

    there.workers.fill_up(2)
    there.ask_for_all()
    of_it = SyncRun.objects.filter(connection=connection_id)

    def reading() -> bool:
        run = steady(lambda: of_it.newest())
        return run is not None and run.state == "running" and bool(run.stages)

    in_the_middle = until(reading, patience, every=0.01)
    busy = dict(steady(lambda: _execute(BUSY)))
    erased = steady(lambda: Connection.objects.get(pk=connection_id))
    connections.revoke(erased, by=there.admin, erase=True)
    for pid in list(busy):
        if pid in there.workers.alive:
            there.workers.kill(pid)
    there.workers.more(2)
    with there.giving_away():
        in_time = there.settle(patience)
    steady(erased.delete)
    models = (Member, SyncRun, UsagePoint)
    return {
        "in the middle": in_the_middle,
        "in time": in_time,
        "left over": sum(m.objects.filter(connection=connection_id).count() for m in models)
        + MemberEvent.objects.filter(member__connection=connection_id).count()
        + StagedRecord.objects.count(),
        "others": [_told(run) for run in SyncRun.objects.select_related("connection")][-3:],
    }


def _told(run: Any) -> dict[str, Any]:
    return {
        "account": run.connection.account_name,
        "state": run.state,
        "reason": run.reason,
        "attempts": [each["how"] for each in run.attempts],
    }
