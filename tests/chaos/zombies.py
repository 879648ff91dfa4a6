"""Workers that freeze in the middle of a sync and wake up when others have finished it."""

import os
import random
import time
from collections import Counter
from functools import partial
from typing import Any

from tests.chaos.invariants import Invariants, _execute
from tests.chaos.site import site, steady, wait
from tests.chaos.syncs import IDLE, LATENCY, SIZE, Harness

AT_ONCE = 3  # frozen together
AWAKE = 3.0  # seconds that the woken get to do harm: their answers are there at once
TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND (table_name LIKE 'seatwise%%' OR table_name = 'chaos_applied')
  AND table_type = 'BASE TABLE' ORDER BY table_name
"""

REFUSED = "is not the one that may write"


def zombies(seed: int, count: int) -> int:
    """Prints figures; returns how many writes were accepted, and what else was wrong."""
    dice, woken, where = random.Random(seed), 0, Counter[str]()
    accepted, bad = Counter[str](), 0
    os.environ["SEATWISE_LOG_LEVEL"] = "INFO"  # where a refused write is told
    with site(seed=seed, latency_ms=LATENCY, **SIZE) as there:
        harness, invariants = Harness(there, dice), Invariants(there)
        give_up = time.monotonic() + 60 + 20 * count
        while woken < count and time.monotonic() < give_up:
            there.vendor.fault(churn=0.7)
            frozen = _frozen(harness, min(AT_ONCE, count - woken), where)
            if not frozen:
                continue
            there.workers.more(2)
            with there.giving_away():
                bad += not there.settle()
            there.vendor.fault(churn=0)
            for pid in [pid for pid in there.workers.alive if pid not in frozen]:
                there.workers.kill(pid)  # from here on any write is a zombie's
            before = contents()
            for pid in frozen:
                there.workers.thaw(pid)
            wait(AWAKE)
            for table, rows in contents().items():
                if rows != before[table]:
                    accepted[table] += 1
                    print(f"{table} was written to: {_differences(before[table], rows)}")
            for pid in frozen:
                there.workers.kill(pid)
            woken += len(frozen)
            print(f"{woken} woken, {sum(accepted.values())} writes accepted", flush=True)
        there.workers.more(2)
        there.ask_for_all()
        with there.giving_away():
            bad += not there.settle()
        wrong = invariants.wrong()
        print(*wrong, sep="\n")
        refused = there.log.read_text(errors="replace").count(REFUSED)
    bad += len(wrong) + sum(accepted.values()) + (woken < count) + (refused < count / 2)
    print(f"{woken} zombies, frozen {', '.join(f'{n} {name}' for name, n in where.most_common())}")
    print(f"{sum(accepted.values())} of their writes were accepted, {refused} refused, {bad} bad")
    return bad


def contents() -> dict[str, set[tuple[Any, ...]]]:
    """Every row of every table of ours with the transaction that wrote it: any rewrite shows."""
    tables = [name for (name,) in steady(lambda: _execute(TABLES, []))]
    return {
        name: {*steady(partial(_execute, f'SELECT xmin::text, t::text FROM "{name}" t'))}
        for name in tables
    }


def _frozen(harness: Harness, count: int, where: Counter[str]) -> list[int]:
    """Freezes so many workers at random moments of their syncs."""
    there, found = harness.site, list[int]()
    fresh = there.workers.more(count)
    there.ask_for_all()
    give_up = time.monotonic() + 15
    for pid in fresh:
        wait(harness.dice.uniform(0.05, 0.8))
        while pid not in harness._busy() and time.monotonic() < give_up:
            there.ask_for_all()
            wait(0.02)
        wait(harness.dice.uniform(0, 2))  # into its later stages
        if there.workers.freeze(pid):
            place = harness._where(pid)
            if place == IDLE:
                there.workers.kill(pid)
                continue
            where[place] += 1
            found.append(pid)
        wait(0.1)
    return found


def _differences(before: set[tuple[Any, ...]], after: set[tuple[Any, ...]]) -> str:
    return f"{sorted(after - before)[:2]} where {sorted(before - after)[:2]}"[:1500]
