"""Many processes and many kills around the refresh of a token."""

import os
import random
from collections import Counter
from collections.abc import Iterator


def tokens(seed: int) -> int:
    """Prints what came of it; returns how often a grant was lost that nothing explains."""
    bad = 0
    for title, outcomes, wrong in _all(seed):
        bad += wrong
        told = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
        print(f"{title}: {told}", flush=True)
    return bad


def _all(seed: int) -> Iterator[tuple[str, Counter[str], int]]:
    import django

    import tests.embedded  # noqa: F401 - starts a PostgreSQL before the settings are read

    django.setup()
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
