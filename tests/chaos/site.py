"""Everything that a proof about syncs needs: a database, a vendor, accounts and their workers."""

import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.chaos.cluster import Cluster, cluster
from tests.chaos.vendors import vendor
from tests.chaos.workers import Workers, workers
from tests.sandboxes import Running

if TYPE_CHECKING:
    from seatwise.models import Connection, User

T = TypeVar("T")
PATIENCE = 90.0  # seconds
SETTINGS = "tests.settings"


@dataclass
class Site:
    """A whole installation. Whoever asks its database goes through `steady`."""

    cluster: Cluster
    vendor: Running
    workers: Workers
    admin: "User"
    accounts: dict[int, str]  # connection to the vendor's account
    log: Path
    dead_after: float = 1.5  # seconds without a sign of life
    given_away: Counter[int] = field(default_factory=Counter)  # by run

    def ask_for_all(self) -> None:
        """Asks for a sync of each connection that has none, as a person does."""
        from seatwise import tasks

        for connection in steady(self._without_a_run):
            steady(partial(tasks.request_sync, connection, by=self.admin))

    def hurry(self) -> None:
        """Asks again for what waits for a later time."""
        from seatwise import tasks
        from seatwise.models import Connection

        for connection in steady(
            lambda: list(Connection.objects.alive().filter(runs__state="retry_at"))
        ):
            steady(partial(tasks.request_sync, connection, by=self.admin))

    def all_ended(self) -> bool:
        from seatwise.models import SyncRun

        return not steady(lambda: SyncRun.objects.open().exists())

    def settle(self, patience: float = PATIENCE) -> bool:
        """Waits until no run is open; what waits to try again is asked for as a person would."""

        def settled() -> bool:
            self.hurry()
            return self.all_ended()

        return until(settled, patience, every=0.2)

    def give_away(self) -> None:
        """What the schedule does every half minute, for workers that are dead sooner."""
        from seatwise import tasks

        for run in tasks.give_away(dead_after=self.dead_after):
            self.given_away[run] += 1

    @contextmanager
    def giving_away(self, every: float = 0.3) -> Iterator[None]:
        """Looks for dead workers again and again while the block runs."""
        over = threading.Event()

        def look() -> None:
            from django.db import Error
            from django.db import connection as database

            while not over.wait(every):
                try:
                    self.give_away()
                except Error:  # the database is being restarted
                    database.close()
            database.close()

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(30)

    def _without_a_run(self) -> "list[Connection]":
        from seatwise.models import Connection, SyncRun

        busy = SyncRun.objects.open().values("connection")
        return list(Connection.objects.alive().exclude(pk__in=busy))


@contextmanager
def site(
    accounts: int = 3,
    twins: int = 1,
    heartbeat: float = 0.3,
    page: int = 20,
    place: Path | None = None,
    **options: Any,
) -> Iterator[Site]:
    """`accounts` of the vendor, the first of them connected `twins` times; no worker yet."""
    with ExitStack() as stack:
        made = stack.enter_context(cluster(place=place))
        there = stack.enter_context(vendor(accounts=accounts, **options))
        settings = settings_of(made.url, there)
        set_up(settings)
        log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "workers.log"
        admin, connected = connect(there, accounts, twins)
        hands = stack.enter_context(workers(settings, log, heartbeat=heartbeat, page=page))
        yield Site(made, there, hands, admin, connected, log)


def settings_of(url: str, there: Running) -> dict[str, str]:
    """What every process of the installation is told."""
    named = {f"SEATWISE_PAGERDUTY_{name}": value for name, value in there.settings.items()}
    told = {"SEATWISE_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS}
    return named | told


def set_up(settings: dict[str, str]) -> None:
    """This process and the schema."""
    import django
    from django.core.management import call_command

    os.environ.update(settings)
    django.setup()
    steady(lambda: call_command("migrate", verbosity=0))


def connect(
    there: Running, accounts: int, twins: int = 1, *, all_twins: bool = False
) -> tuple["User", dict[int, str]]:
    """Lets the vendor's accounts in by their API keys; the first of them, or all, several times."""
    from django.utils import timezone

    from seatwise.models import Connection, Service, User

    service = Service.objects.create(key="pagerduty", name="PagerDuty", category="Incidents")
    admin = User.objects.create_user("ada@example.com", "correct horse battery", role="admin")
    found = {}
    for name, region, key in keys(there, accounts):
        for twin in range(twins if all_twins or name == "harbor-prod" else 1):
            made = Connection(
                service=service,
                account_id=name if not twin else f"{name}~{twin}",
                account_name=name,
                region=region,
                api_url=f"{there.base_url}/{region}",
                way="key",
                connected_at=timezone.now(),
                connected_by=admin,
            )
            made.save()
            made.seal("credential", key)
            made.save()
            found[made.pk] = name
    return admin, found


def keys(there: Running, accounts: int) -> list[tuple[str, str, str]]:
    """Name, region and API key of the vendor's first accounts."""
    start, found = "API key of ", []
    for line in there.announced:
        if line.startswith(start):
            name, region = line.removeprefix(start).partition(":")[0].rstrip(")").split(" (")
            found.append((name, region, line.rpartition(" ")[2]))
    return found[:accounts]


def steady(work: Callable[[], T], patience: float = PATIENCE) -> T:
    """What the work comes to, however often the database goes away meanwhile."""
    from django.db import InterfaceError, OperationalError
    from django.db import connection as database

    give_up = time.monotonic() + patience
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError):
            with suppress(Exception):
                database.close()
            if time.monotonic() > give_up:
                raise
            time.sleep(0.1)


def until(done: Callable[[], Any], patience: float = PATIENCE, every: float = 0.05) -> bool:
    """Whether it came true in that time."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        if done():
            return True
        time.sleep(every)
    return bool(done())


def wait(seconds: float) -> None:
    """Lets the others go on for so long."""
    time.sleep(seconds)
