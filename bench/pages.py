"""How fast the pages of a large installation are, on `seatwise web` as it is shipped.

    python -m bench.pages [RUNS]

It makes a database of its own and prints its figures as JSON; `python -m bench pages` writes them
into the page.
"""

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench import addresses, estate, painting, scratch
from bench.asking import Asker, Crowd, click, p95

SECTION: Final = "## The pages of a large installation"
PEOPLE: Final = 50
DURING: Final = 30.0  # seconds
PAUSE: Final = (1.0, 3.0)  # seconds at least and at most between two clicks of one person
VISITS: Final = 10  # of each address, after two that are not counted
EXPORT: Final = f"{addresses.MEMBERS}?status=" + "&status=".join(
    ("active", "idle_30", "idle_60", "idle_90", "never", "unknown", "invited", "left")
)
CROWD: Final = f"{PEOPLE} people who click every {PAUSE[0]:g} to {PAUSE[1]:g} s"
RUSH: Final = f"{PEOPLE} people who click again as soon as they are answered"
AT_MOST: Final[dict[str, float]] = {
    **{f"{kind}: p95, ms": limit for kind, limit in addresses.limits().items()},
    f"{CROWD}: p95, ms": 400,
    f"{CROWD}: errors": 0,
    f"{RUSH}: errors": 0,
    f"XLSX of {estate.MEMBERS:,} members: s": 15,
    f"XLSX of {estate.MEMBERS:,} members: more memory than before, MB": 100,
    f"CSV of {estate.MEMBERS:,} members: more memory than before, MB": 100,
    "Members, the first visit: kB over the wire": 250,
    "Members, the second visit: kB over the wire": 30,
    "Members, the first visit: largest contentful paint, ms": 1000,
    "Members, the first visit: layout shift": 0,
    "Members, the second visit: largest contentful paint, ms": 1000,
    "Members, the second visit: layout shift": 0,
}


def measured(runs: int) -> dict[str, list[float]]:
    """The figures of so many runs, taken by a program of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.pages", str(runs)], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, list[float]] = json.loads(ended.stdout.splitlines()[-1])
    return found


def section(figures: dict[str, list[float]], runs: int, machine: str) -> str:
    """The section of the page, with its heading."""
    lines = [
        SECTION,
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `python -m bench pages {runs}`: {machine}"
            f" on which the database, `seatwise web` with its two processes and whoever asks are"
            f" together. {estate.SERVICES} services, of which one has {estate.MEMBERS:,} members"
            f" and the others {estate.FEW} each, with {estate.MONTHS} months of usage. A page is"
            " asked for over HTTP by somebody who is signed in, and the time is from the question"
            f" to the last byte: p95 is what nineteen of twenty visits did not exceed, of {VISITS}"
            f" to each of a kind's addresses in a run. The {PEOPLE} people click for"
            f" {DURING:g} s through all kinds of pages (a third of that where they do not pause)."
            " Memory is that of all processes of `seatwise web`."
        ),
        "",
        "| Figure | runs | min | median | max | aim |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, values in figures.items():
        numbers = (min(values), statistics.median(values), max(values))
        told = " | ".join(f"{number:,.1f}".removesuffix(".0") for number in numbers)
        aim = f"≤ {AT_MOST[name]:g}" if name in AT_MOST else ""
        lines.append(f"| {name} | {len(values)} | {told} | {aim} |")
    return "\n".join([*lines, ""])


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    figures: dict[str, list[float]] = {}
    with scratch.database():
        built = estate.build(PEOPLE)
        with _served() as (url, pid):
            for number in range(1, runs + 1):
                for name, value in _run(url, pid, built):
                    figures.setdefault(name, []).append(value)
                    print(f"run {number}: {name}: {value:.1f}", file=sys.stderr, flush=True)
    print(json.dumps(figures))


def _run(url: str, pid: int, built: estate.Estate) -> Iterator[tuple[str, float]]:
    yield from _pages(url, built)
    for name, crowd in (
        (CROWD, click(url, built.cookies, addresses.clicks(built.member), DURING, PAUSE)),
        (RUSH, click(url, built.cookies, addresses.clicks(built.member), DURING / 3)),
    ):
        yield from _clicked(name, crowd)
    for form in ("XLSX", "CSV"):
        yield from _downloaded(form, url, pid, built)
    yield from _seen(url, built)


# ---- one after the other -------------------------------------------------------------------


def _pages(url: str, built: estate.Estate) -> Iterator[tuple[str, float]]:
    asker = Asker(url, built.cookies[0])
    for kind, paths in addresses.every_kind(built.member).items():
        found: list[float] = []
        slowest = 0.0
        for path in paths:
            answers = [asker.ask(path) for _ in range(VISITS + 2)]
            assert {answer.status for answer in answers} == {200}, path
            taken = [1000 * answer.seconds for answer in answers[2:]]
            found += taken
            slowest = max(slowest, statistics.median(taken))
        yield f"{kind}: p95, ms", p95(found)
        yield f"{kind}: median, ms", statistics.median(found)
        if len(paths) > 1:
            yield f"{kind}: median of the slowest of {len(paths)} addresses, ms", slowest
    asker.close()


# ---- many at once --------------------------------------------------------------------------


def _clicked(name: str, crowd: Crowd) -> Iterator[tuple[str, float]]:
    for error in sorted(set(crowd.errors)):
        print(f"{name}: {error}", file=sys.stderr)
    yield f"{name}: p95, ms", 1000 * p95(crowd.seconds)
    yield f"{name}: median, ms", 1000 * statistics.median(crowd.seconds)
    yield f"{name}: pages a second", len(crowd.seconds) / crowd.lasted
    yield f"{name}: errors", len(crowd.errors)


# ---- files ---------------------------------------------------------------------------------


def _downloaded(form: str, url: str, pid: int, built: estate.Estate) -> Iterator[tuple[str, float]]:
    name = f"{form} of {built.members:,} members"
    asker = Asker(url, built.cookies[0])
    before = _memory_of(pid)
    with _watched(pid) as peaks:
        answer = asker.ask(f"{EXPORT}&format={form.lower()}")
    asker.close()
    assert answer.status == 200, form
    assert len(answer.body) > 1_000_000, form
    yield f"{name}: s", answer.seconds
    yield f"{name}: MB over the wire", len(answer.body) / 1e6
    yield f"{name}: more memory than before, MB", max(peaks) - before


@contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """The memory that the program and its children hold, looked at over and over."""
    seen, over = [_memory_of(pid)], threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            seen.append(_memory_of(pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _memory_of(pid: int) -> float:
    """MB that are theirs alone, of a program and its children; shared pages count once."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return sum(_proportional(each) for each in (str(pid), *children)) / 1000


def _proportional(pid: str) -> float:
    """kB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    return 0.0


# ---- what is seen --------------------------------------------------------------------------


def _seen(url: str, built: estate.Estate) -> Iterator[tuple[str, float]]:
    """Of three browsers, the worst."""
    pairs = list(painting.visits(url, built.cookies[0], addresses.MEMBERS, 3))
    for at, which in enumerate(("first", "second")):
        told = [pair[at] for pair in pairs]
        name = f"Members, the {which} visit"
        yield f"{name}: kB over the wire", max(visit.kilobytes for visit in told)
        yield f"{name}: largest contentful paint, ms", max(visit.painted for visit in told)
        yield f"{name}: layout shift", max(visit.shifted for visit in told)


# ---- the program ---------------------------------------------------------------------------


@contextmanager
def _served() -> Iterator[tuple[str, int]]:
    """`seatwise web` with the database that is there: its address, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    program = subprocess.Popen(
        [sys.executable, "-m", "seatwise", "web", "--port", str(port)],
        env={**os.environ, "SEATWISE_BASE_URL": url},
    )
    try:
        _await(url)
        yield url, program.pid
    finally:
        program.send_signal(signal.SIGTERM)
        program.wait(90)


def _await(url: str) -> None:
    until = time.monotonic() + 60
    while True:
        asker = Asker(url, "")
        try:
            asker.ask("/healthz")
        except OSError:
            assert time.monotonic() < until, "it does not answer"
            time.sleep(0.1)
        else:
            return
        finally:
            asker.close()


if __name__ == "__main__":
    main()
