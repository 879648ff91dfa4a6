"""Many processes and many kills around the refresh of a token: `make chaos`.

python -m tests.chaos [SEED]

Prints what came of it, and ends with 1 where a grant was lost that nothing explains. It takes
a few minutes, brings its own database, and is the same test as in the suite, only more of it.
"""

import logging
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator

import django

import tests.embedded  # noqa: F401 - starts a PostgreSQL before the settings are read


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    # The simulated vendor would print a traceback for each client that is killed while it writes.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10**6)
    print(f"seed {seed}")
    bad = 0
    for title, outcomes, wrong in _all(seed):
        bad += wrong
        told = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
        print(f"{title}: {told}", flush=True)
    print("as promised" if not bad else f"{bad} times not as promised")
    return 1 if bad else 0


def _all(seed: int) -> Iterator[tuple[str, Counter[str], int]]:
    from django.core.management import call_command

    from seatwise.models import Service
    from tests.chaos import refreshing
    from tests.connections.crowd import crowd
    from tests.sandboxes import running

    call_command("migrate", verbosity=0)
    service = Service.objects.create(key="pagerduty", name="PagerDuty", category="Incidents")
    with running(seed=7, users=40, months=3, rate_limit=1_000_000) as vendor:
        for name, value in vendor.settings.items():
            os.environ[f"SEATWISE_PAGERDUTY_{name}"] = value
        with crowd(vendor) as everybody:
            yield refreshing.at_once(vendor, service, everybody)
            for grace in (0, refreshing.GRACE):
                yield refreshing.killed(vendor, service, everybody, grace, random.Random(seed))


if __name__ == "__main__":
    sys.exit(main())
