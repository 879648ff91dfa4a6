"""The disk is full in the middle of a sync: said in words, nothing half-written, and over again."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.chaos.invariants import Invariants
from tests.chaos.site import Site, site, steady, until

SIZE = 150  # MiB
READABLE = re.compile(r"[^\n]*(?:disk is full|no space left|disk space)[^\n]*", re.IGNORECASE)
FULL_FOR = 40.0  # seconds


def disk(seed: int) -> int:
    """Prints what was seen; returns how much was not as promised."""
    if os.geteuid() != 0:
        print("skipped: only root can make a small disk to fill")
        return 0
    with _small_disk() as place:
        if place is None:
            print("skipped: no small disk can be made here")
            return 0
        wishes: dict[str, Any] = {"users": 1_500, "accounts": 2, "months": 3, "incidents": 300}
        with site(seed=seed, place=place, page=50, latency_ms=150, **wishes) as there:
            return _filled(there, place)


def _filled(there: Site, place: Path) -> int:
    from seatwise.models import StagedRecord

    invariants, bad = Invariants(there), 0
    there.workers.more(2)
    there.ask_for_all()
    assert until(lambda: steady(StagedRecord.objects.count) > 200), "no sync is in the middle"
    filler = place / "filler"
    _fill(filler)
    with there.giving_away():
        told = _messages(there, filler)
        for where, sentence in told.items():
            print(f"while it was full, {where}: {sentence}")
        where_people_look = [where for where in told if where != "the database’s log"]
        bad += not where_people_look
        panicked = not there.cluster.pid
        filler.unlink()
        if panicked:
            there.cluster.start()
        print(f"space is freed; the database {'had to be started' if panicked else 'went on'}")
        there.workers.fill_up(2)
        bad += not until(lambda: _over(there), 180, every=0.5)
        there.ask_for_all()
        bad += not until(lambda: _over(there), 120, every=0.5)
    wrong = invariants.wrong()
    print(*wrong[:20], sep="\n", end="\n" if wrong else "")
    print(f"{len(wrong) + bad} bad; {dict(invariants.endings)}")
    return len(wrong) + bad


def _over(there: Site) -> bool:
    there.workers.fill_up(2)
    return there.settle(0.5)


def _fill(path: Path) -> None:
    """Takes all that is left, down to the last bytes."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)


def _messages(there: Site, filler: Path) -> dict[str, str]:
    """What a person can read about it, and where."""
    from django.db import Error

    from seatwise.models import Connection, Notice, SyncRun

    found: dict[str, str] = {}

    def look() -> bool:
        with suppress(Error):
            for run in SyncRun.objects.exclude(reason=""):
                _keep(found, "on the run", f"{run.reason} {run.remedy}")
            for connection in Connection.objects.exclude(attention=""):
                _keep(found, "on the connection", f"{connection.attention} {connection.remedy}")
            for notice in Notice.objects.all():
                _keep(found, "in a notice", str(notice.__dict__))
        _keep(found, "in the worker’s log", there.log.read_text(errors="replace"))
        _keep(found, "the database’s log", there.cluster.log())
        return False

    until(look, FULL_FOR, every=1)
    return found


def _keep(found: dict[str, str], where: str, text: str) -> None:
    if match := READABLE.search(text):
        found[where] = match[0].strip()[:300]


@contextmanager
def _small_disk() -> Iterator[Path | None]:
    with tempfile.TemporaryDirectory(prefix="seatwise-disk-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=755", "tmpfs", folder]
        if subprocess.run(command, capture_output=True).returncode:
            yield None
            return
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", folder], capture_output=True, check=True)
