"""Three workers on machines of their own, one of which dies or loses its cable in the middle."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.chaos.cluster import cluster
from tests.chaos.invariants import Invariants, _execute
from tests.chaos.networks import Network, NotAllowed, network
from tests.chaos.processes import ending_with_us, run_to_its_end, send
from tests.chaos.site import Site, connect, set_up, settings_of, steady, until, wait
from tests.chaos.vendors import vendor
from tests.chaos.zombies import contents

NAMES = ("first", "second", "third")
ACCOUNTS = 10
SIZE: dict[str, Any] = {"users": 20, "months": 2, "incidents": 60}
PATIENCE = 1_500.0  # seconds for all
INSIDE = "SEATWISE_CHAOS_MACHINES"
BY_WORKER = """
SELECT split_part(attempts -> -1 ->> 'worker', ':', 2)::int, count(*)
FROM seatwise_syncrun WHERE state IN ('done', 'done_with_notes') AND id > %s GROUP BY 1
"""
ENDED = "SELECT count(*) FROM seatwise_syncrun WHERE finished_at IS NOT NULL AND id > %s"
LAST = "SELECT coalesce(max(id), 0) FROM seatwise_syncrun"


def machines(seed: int, count: int) -> int:
    """Prints figures; returns what was not as promised. Where allowed, in network namespaces."""
    if mark := os.environ.get(INSIDE):
        there = Network(mark)
        names = ("db", "vendor", *NAMES)
        there.addresses = {name: f"10.77.0.{number}" for number, name in enumerate(names, 1)}
        return _all(seed, count, there)
    try:
        with network("db", "vendor", *NAMES) as made:
            # The vendor talks to its own machine only, so whoever asks it for the truth is there.
            command = [sys.executable, "-W", "ignore", "-m", "tests.chaos", str(seed)]
            command += ["--part", "machines", "--count", str(count)]
            inside = {**os.environ, INSIDE: made.mark}
            return run_to_its_end([*made.within("vendor"), *command], inside)
    except NotAllowed as reason:
        print(f"no network namespaces here ({reason}): separate processes on one machine instead")
        return _all(seed, count, None)


def _all(seed: int, count: int, net: Network | None) -> int:
    with ExitStack() as stack:
        port = 5432 if net else 0
        host = net.addresses["db"] if net else ""
        namespace = net.namespace("db") if net else ""
        made = stack.enter_context(cluster(host, port, network=namespace))
        there = stack.enter_context(vendor(seed=seed, accounts=ACCOUNTS, latency_ms=40, **SIZE))
        set_up(settings_of(made.url, there))
        admin, accounts = connect(there, ACCOUNTS, twins=max(count // ACCOUNTS, 1), all_twins=True)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if net:
            stack.enter_context(_ways_to_the_vendor(net, urlsplit(there.base_url).port or 0))
        seen: Any = None
        site = Site(made, there, seen, admin, accounts, logs)
        invariants = Invariants(site)
        url = made.url_by_network if net else made.url
        staff = stack.enter_context(_staff(settings_of(url, there), logs, net))
        dice = random.Random(seed)
        bad = _once(site, invariants, staff, "killed", dice, net)
        bad += _once(site, invariants, staff, "cut off" if net else "frozen", dice, net)
        return bad


def _once(
    site: Site,
    invariants: Invariants,
    staff: dict[str, int],
    how: str,
    dice: random.Random,
    net: Network | None,
) -> int:
    """Everything is due at once; one of the three is lost in the middle."""
    from django.utils import timezone

    from seatwise.models import Connection, SyncRun

    ((last,),) = steady(lambda: _execute(LAST))
    total = Connection.objects.update(next_sync_at=timezone.now())
    began, victim = time.monotonic(), dice.choice(sorted(staff))

    def ended() -> int:
        ((n,),) = steady(lambda: _execute(ENDED, [last]))
        return int(n)

    until(lambda: ended() >= total * dice.uniform(0.2, 0.4), PATIENCE / 2, every=0.2)
    reads = "SELECT count(*) FROM seatwise_syncrun WHERE state = 'running' AND attempts -> -1 ->> "
    reads += f"'worker' LIKE '%%:{staff[victim]}'"
    in_the_middle = until(lambda: steady(lambda: _execute(reads, []))[0][0], 30, every=0.01)
    before = ended()
    if how == "killed":
        send(staff[victim], signal.SIGKILL)
    elif how == "cut off" and net:
        net.pull(victim)
    else:
        send(staff[victim], signal.SIGSTOP)
    until(lambda: ended() >= total, PATIENCE / 2, every=0.5)
    took = time.monotonic() - began
    wrong = list(invariants.runs())
    late = _come_back(how, victim, staff, net)
    runs = list(SyncRun.objects.filter(pk__gt=last).select_related("connection"))
    by_connection = Counter(run.connection_id for run in runs)
    wrong += [f"{n} runs of connection {each}" for each, n in by_connection.items() if n != 1]
    wrong += [] if len(by_connection) == total else [f"{len(by_connection)} of {total} were synced"]
    wrong += [f"{run}: {run.reason}" for run in runs if run.state != "done"]
    wrong += [*invariants.differences(), *invariants.false_departures(), *late]
    names = {pid: name for name, pid in staff.items()}
    spread = {names.get(pid, "?"): n for pid, n in steady(lambda: _execute(BY_WORKER, [last]))}
    wrong += [] if in_the_middle else [f"{victim} was not hit in the middle of a sync"]
    wrong += [f"{name} did nothing" for name in staff if name != victim and not spread.get(name)]
    for sentence in wrong[:20]:
        print(sentence)
    tries = Counter(len(run.attempts) for run in runs)
    told = ", ".join(f"{name} {spread.get(name, 0)}" for name in staff)
    again = ", ".join(f"{n} in {t} attempts" for t, n in sorted(tries.items()))
    print(
        f"{total} connections due at once, the {victim} worker {how} after {before}: all ended"
        f" after {took:.0f} s; by worker: {told}; {again}; {len(wrong)} bad",
        flush=True,
    )
    if how == "killed":
        staff.pop(victim)
    return len(wrong)


def _come_back(how: str, victim: str, staff: dict[str, int], net: Network | None) -> list[str]:
    """Whoever was only cut off or frozen comes back, and must change nothing."""
    if how == "killed":
        return []
    before = contents()
    if net and how == "cut off":
        net.plug_in(victim)
    else:
        send(staff[victim], signal.SIGCONT)
    wait(20)
    after = contents()
    changed = [name for name in after if after[name] != before[name]]
    return [f"whoever came back wrote to {', '.join(changed)}"] if changed else []


@contextmanager
def _ways_to_the_vendor(net: Network, port: int) -> Iterator[None]:
    """On each machine the vendor's address leads to the vendor's machine."""
    far, started = net.addresses["vendor"], []
    ways = [("vendor", far, "127.0.0.1"), *((name, "127.0.0.1", far) for name in NAMES)]
    try:
        for name, host, to_host in ways:
            command = [sys.executable, "-m", "tests.chaos.relay", host, str(port), to_host]
            started.append(
                subprocess.Popen(
                    [*net.within(name), *command, str(port)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    preexec_fn=ending_with_us,
                )
            )
            assert started[-1].stdout is not None
            assert started[-1].stdout.readline(), "no way to the vendor"
        yield
    finally:
        for each in started:
            each.kill()
            each.communicate()


@contextmanager
def _staff(settings: dict[str, str], logs: Path, net: Network | None) -> Iterator[dict[str, int]]:
    """A worker a machine, started by the command, with a data directory of its own."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        for name in NAMES:
            home = logs / name
            home.mkdir()
            with (logs / f"{name}.log").open("wb") as log:
                command = [sys.executable, "-W", "ignore", "-m", "seatwise", "worker"]
                own = {**os.environ, **settings, "SEATWISE_DATA_DIR": str(home)}
                started.append(
                    subprocess.Popen(
                        [*(net.within(name) if net else []), *command],
                        env=own,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        preexec_fn=ending_with_us,
                    )
                )
        yield {name: process.pid for name, process in zip(NAMES, started, strict=True)}
    finally:
        for each in started:
            each.kill()
            each.wait(30)
