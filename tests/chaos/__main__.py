"""Proofs that take too long for the test command: `make chaos`.

python -m tests.chaos [SEED] [--only syncs,zombies] [--kills 1000] [--minutes 60] …

Each part brings its own database and vendor, runs in a process of its own, prints its figures, and
counts what was not as promised. Ends with 1 if there was any. The same seed makes the same
accounts and the same choices; when exactly they hit is the machine's doing.
"""

import argparse
import logging
import os
import random
import sys
import time

from tests.chaos.processes import ending_in_order, run_to_its_end

PARTS = ("tokens", "syncs", "zombies", "recovery", "disk", "machines")


def main() -> int:
    wishes = _wishes()
    ending_in_order()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    # The simulated vendor would print a traceback for each client that is killed while it writes.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    if wishes.part:
        return min(_part(wishes), 1)
    print(f"seed {wishes.seed}", flush=True)
    bad = []
    for part in wishes.only.split(","):
        began = time.monotonic()
        print(f"== {part}", flush=True)
        told = [str(wishes.seed), "--part", part, "--kills", str(wishes.kills)]
        told += ["--minutes", str(wishes.minutes), "--count", str(wishes.count)]
        done = run_to_its_end([sys.executable, "-W", "ignore", "-m", "tests.chaos", *told])
        bad += [part] if done else []
        print(f"== {part}: {time.monotonic() - began:.0f} s", flush=True)
    print("as promised" if not bad else f"not as promised: {', '.join(bad)}")
    return 1 if bad else 0


def _part(wishes: argparse.Namespace) -> int:
    """How often that part was not as promised."""
    match wishes.part:
        case "tokens":
            from tests.chaos.tokens import tokens

            return tokens(wishes.seed)
        case "syncs":
            from tests.chaos.syncs import figures, killed

            harness, invariants, bad = killed(wishes.seed, wishes.kills, wishes.minutes)
            print(*figures(harness, invariants), f"{bad} bad", sep="\n")
            if lacking := max(wishes.kills - sum(harness.kills.values()), 0):
                print(f"{lacking} of {wishes.kills} kills were not done in the time given")
            return bad + bool(lacking)
        case "zombies":
            from tests.chaos.zombies import zombies

            return zombies(wishes.seed, wishes.count or 50)
        case "recovery":
            from tests.chaos.recovery import recovery

            return recovery(wishes.seed, wishes.count or 20)
        case "disk":
            from tests.chaos.disk import disk

            return disk(wishes.seed)
        case "machines":
            from tests.chaos.machines import machines

            return machines(wishes.seed, wishes.count or 300)
        case _:
            raise SystemExit(f"there is {', '.join(PARTS)}")


def _wishes() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="python -m tests.chaos")
    reader.add_argument("seed", nargs="?", type=int, default=random.randrange(10**6))
    reader.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    reader.add_argument("--kills", type=int, default=1000, help="of syncs")
    reader.add_argument("--minutes", type=float, default=60, help="for the kills, at most")
    reader.add_argument("--count", type=int, default=0, help="of zombies, recoveries, connections")
    reader.add_argument("--part", default="", help=argparse.SUPPRESS)
    return reader.parse_args()


if __name__ == "__main__":
    sys.exit(main())
