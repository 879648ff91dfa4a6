"""Kills of every kind at random moments of real syncs, while people come and go at the vendor."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.invariants import Invariants
from tests.chaos.site import Site, site, steady, until, wait

WORKERS = 4
MOST_TOLD = 20  # sentences a round
ROUND = 25  # kills, then a good sync and a close look
CHURN = 0.7  # people who come, go or change for each page read
PAUSE = 0.9  # seconds between two kills, on average
LONGEST_PAUSE = 2.5
FROZEN = (1.0, 4.0)  # seconds
LATENCY = 60  # milliseconds before every answer
SIZE: dict[str, Any] = {"users": 240, "accounts": 4, "twins": 3, "months": 3, "incidents": 600}
KINDS = {"kill -9": 60, "freeze": 15, "SIGTERM": 15, "database restart": 5, "postmaster kill -9": 5}
IDLE = "between two syncs"
BUSY = """
SELECT split_part(run.attempts -> -1 ->> 'worker', ':', 2)::int, run.stages::text
FROM seatwise_syncrun run WHERE run.state = 'running' AND run.attempts <> '[]'
"""
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = %s AND xact_start IS NOT NULL AND state <> 'idle'
"""


def say_at_once(sentence: str) -> None:
    """To whoever follows it through a pipe, too."""
    print(sentence, flush=True)


@dataclass
class Harness:
    """One site and what was done to it."""

    site: Site
    dice: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    frozen: dict[int, float] = field(default_factory=dict)  # until when
    crashed: int = 0  # workers that ended though nobody had told them to

    def strike(self, kind: str = "") -> None:
        """One kill, of any kind unless one is named; the survivors and newcomers go on."""
        kind = kind or self.dice.choices(list(KINDS), list(KINDS.values()))[0]
        if kind == "database restart":
            self._note(kind, "any worker", Counter(self._where(pid) for pid in self._busy()))
            self.site.cluster.restart()
        elif kind == "postmaster kill -9":
            self._note(kind, "any worker", Counter(self._where(pid) for pid in self._busy()))
            self.site.cluster.kill()
        else:
            self._strike_worker(kind)
        self.keep_staffed()

    def keep_staffed(self) -> None:
        """Thaws who has been frozen for long enough, and replaces the dead."""
        for pid, due in list(self.frozen.items()):
            if time.monotonic() >= due:
                del self.frozen[pid]
                self.site.workers.thaw(pid)
                self.site.workers.ask_to_end(pid)  # once it has seen that its job is gone
        leaving = [pid for pid in self.site.workers.alive if pid in self.site.workers.told_to_end]
        standing = {*self.frozen, *leaving} & {*self.site.workers.alive}
        self.crashed += self.site.workers.fill_up(WORKERS + len(standing))

    def calm_down(self) -> None:
        """Nobody is frozen any more."""
        for pid in list(self.frozen):
            self.frozen[pid] = 0
        self.keep_staffed()

    def _strike_worker(self, kind: str) -> None:
        hands = self.site.workers
        able = [pid for pid in hands.alive if pid not in {*self.frozen, *hands.told_to_end}]
        if not able:
            return
        busy = [pid for pid in able if pid in self._busy()]
        victim = self.dice.choice(busy or able)
        if kind == "SIGTERM":
            self._note(kind, self._where(victim))
            hands.ask_to_end(victim)
        elif hands.freeze(victim):  # so that the look at it and the kill are one moment
            self._note(kind, self._where(victim))
            if kind == "freeze":
                self.frozen[victim] = time.monotonic() + self.dice.uniform(*FROZEN)
            else:
                hands.kill(victim)

    def _note(self, kind: str, where: str, several: Counter[str] | None = None) -> None:
        self.kills[kind] += 1
        self.hit.update(several or {where: 1})

    def _busy(self) -> dict[int, dict[str, Any]]:
        from tests.chaos.invariants import _execute

        return {pid: json.loads(stages) for pid, stages in steady(lambda: _execute(BUSY))}

    def _where(self, pid: int) -> str:
        """What that process was in the middle of."""
        from tests.chaos.invariants import _execute

        stages = self._busy().get(pid)
        if stages is None:
            return IDLE
        ((writing,),) = steady(lambda: _execute(SESSIONS, [f"worker {pid}"]))
        stage = next((n for n, each in stages.items() if each.get("state") == "running"), "")
        between = f"after {len(stages)} stages" if stages else "before the first page"
        return f"{stage or between}, {'in a transaction' if writing else 'waiting for a page'}"


def killed(
    seed: int, kills: int, minutes: float, say: Callable[[str], None] = say_at_once
) -> tuple[Harness, Invariants, int]:
    """So many kills, or as many as fit in that time; how often something was not as promised."""
    end, bad = time.monotonic() + minutes * 60, 0
    with site(seed=seed, latency_ms=LATENCY, **SIZE) as there:
        harness, invariants = Harness(there, random.Random(seed)), Invariants(there)
        there.workers.more(WORKERS)
        while (left := kills - sum(harness.kills.values())) > 0 and time.monotonic() < end:
            bad += one_round(harness, invariants, [""] * min(left, ROUND), say=say)
            done = sum(harness.kills.values())
            told = f"{done} kills, {invariants.looks} complete lists, {bad} bad"
            say(f"{told}, {round(end - time.monotonic())} s left")
        if bad:
            say(there.log.read_text(errors="replace")[-6000:])
        return harness, invariants, bad


def one_round(
    harness: Harness,
    invariants: Invariants,
    kinds: Sequence[str],
    *,
    pause: float = PAUSE,
    say: Callable[[str], None] = say_at_once,
) -> int:
    """Kills while people come and go; then peace, a good sync, and a close look.

    Of the `kinds`, in their order; "" is any.
    """
    there = harness.site
    there.vendor.fault(churn=CHURN)
    with there.giving_away():
        for kind in kinds:
            there.ask_for_all()
            there.hurry()
            wait(min(harness.dice.expovariate(1 / pause), LONGEST_PAUSE))
            harness.strike(kind)
        there.vendor.fault(churn=0)
        harness.calm_down()
        wrong = [] if _peace(harness) else ["O4 syncs do not come to an end"]
        there.ask_for_all()
        wrong += [] if _peace(harness) else ["O4 a good sync does not come to an end"]
    wrong += invariants.wrong()
    for sentence in wrong[:MOST_TOLD]:
        say(sentence)
    if len(wrong) > MOST_TOLD:
        say(f"and {len(wrong) - MOST_TOLD} more")
    return len(wrong)


def _peace(harness: Harness) -> bool:
    def settled() -> bool:
        harness.keep_staffed()
        return harness.site.settle(0.5)

    return until(settled, 90, every=0.1)


def figures(harness: Harness, invariants: Invariants) -> list[str]:
    """What was done and where it hit, in lines."""

    def told(counts: Counter[str]) -> str:
        return ", ".join(f"{count} {name}" for name, count in counts.most_common())

    return [
        f"{sum(harness.kills.values())} kills: {told(harness.kills)}",
        f"they hit: {told(harness.hit)}",
        f"{sum(invariants.endings.values())} runs ended: {told(invariants.endings)}",
        f"{invariants.looks} lists were taken as complete",
        f"{sum(harness.site.given_away.values())} jobs were given to others",
        f"{harness.crashed} workers ended without being told to",
    ]
