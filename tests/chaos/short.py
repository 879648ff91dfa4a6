"""A few kills of every kind, in seconds: what the test command runs.

python -m tests.chaos.short [SEED]

Prints one line of JSON a part as soon as it has ended; the log goes to standard error.
"""

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.chaos.processes import ending_in_order
from tests.chaos.site import Site, site

KINDS = ["kill -9"] * 2 + ["freeze"] + ["SIGTERM", "database restart", "postmaster kill -9"]
SIZE: dict[str, Any] = {"users": 60, "accounts": 3, "twins": 2, "months": 2, "incidents": 40}
PAUSE = 0.3  # seconds between two kills, on average
POISON, HUNGER = "harbor-eu", "harbor-3"


def main() -> None:
    ending_in_order()
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    with site(seed=seed, latency_ms=50, page=10, **SIZE) as there:
        _tell("kills", lambda: _kills(there, seed))
        _tell("poison", lambda: _poison(there))
        _tell("hunger", lambda: _hunger(there))
        _tell("deletion", lambda: _deletion(there))
        sys.stderr.write(there.log.read_text(errors="replace")[-20_000:])


def _kills(there: Site, seed: int) -> dict[str, Any]:
    from tests.chaos.invariants import Invariants
    from tests.chaos.syncs import Harness, one_round

    dice, said = random.Random(seed), list[str]()
    harness, invariants = Harness(there, dice), Invariants(there)
    kinds = dice.sample(KINDS, len(KINDS))
    there.workers.more(3)
    one_round(harness, invariants, kinds, pause=PAUSE, say=said.append)
    return {
        "wrong": said,
        "kills": harness.kills,
        "hit": harness.hit,
        "endings": invariants.endings,
        "crashed": harness.crashed,
    }


def _poison(there: Site) -> dict[str, Any]:
    from tests.chaos.perils import poison

    return poison(there, POISON)


def _hunger(there: Site) -> dict[str, Any]:
    from tests.chaos.perils import hunger

    return hunger(there, HUNGER)


def _deletion(there: Site) -> dict[str, Any]:
    from tests.chaos.perils import deletion

    return deletion(there, min(there.accounts))


def _tell(part: str, work: Callable[[], dict[str, Any]]) -> None:
    began = time.monotonic()
    found = work()
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps({"part": part, "seconds": seconds, **found}), flush=True)


if __name__ == "__main__":
    main()
