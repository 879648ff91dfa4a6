"""Measures what the main job costs and writes docs/benchmarks.md.

    python -m bench [RUNS]

Each figure is taken RUNS times (5 unless said otherwise) on fresh databases; the page shows
minimum, median and maximum. PagerDuty's own client reads the same simulated account in the
same run, as a peer.
"""

import os
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import journey, peer, vendor

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BY_HAND = "## Measured by hand"
LIMITS = {
    journey.START: 10.0,
    journey.FIRST_MEMBER: 3.0,
    journey.FIRST_SYNC: 20.0,
    vendor.START: 15.0,
    vendor.MEMORY: 600.0,
}
AT_LEAST = {vendor.USERS: 1_000.0, vendor.INCIDENTS: 300.0, vendor.FRESH: 300.0}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    figures: dict[str, list[float]] = {}
    for number in range(1, runs + 1):
        for measure in (journey.measure, peer.measure, vendor.measure):
            for name, value in measure().items():
                figures.setdefault(name, []).append(value)
                print(f"run {number}: {name}: {value:.2f}")
    PAGE.write_text(_page(figures, runs) + _by_hand(), encoding="utf-8")
    print(f"written: {PAGE.name}")


def _page(figures: dict[str, list[float]], runs: int) -> str:
    lines = [
        "# Benchmarks",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench` ({runs} runs): "
            f"{os.cpu_count()} cores, {_memory()} of memory, {platform.system()} "
            f"{platform.machine()}, Python {platform.python_version()}. "
            "Vendor, database, web and worker share the machine; the vendor is the sandbox without "
            "added latency, so the seconds say what Seatwise costs, not what a network adds."
        ),
        "",
        "| Figure | min | median | max | aim |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, values in figures.items():
        aim = f"≤ {LIMITS[name]:g}" if name in LIMITS else ""
        aim = f"≥ {AT_LEAST[name]:,g}" if name in AT_LEAST else aim
        numbers = (min(values), statistics.median(values), max(values))
        told = " | ".join(f"{number:,.2f}".removesuffix(".00") for number in numbers)
        lines.append(f"| {name} | {told} | {aim} |")
    lines += [
        "",
        (
            "The peer is the `pagerduty` package's `RestApiV2Client`, asked in the plain way for "
            "the same things: all users, licences and allocations, twelve months of incidents, the "
            "notification totals by channel and month, and ninety days of overview log entries."
        ),
        "",
    ]
    return "\n".join(lines)


def _by_hand() -> str:
    """What people measured themselves stands at the end of the page and stays there."""
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    _, found, kept = before.partition(BY_HAND)
    return f"\n{found}{kept}" if found else ""


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.0f} GiB"


if __name__ == "__main__":
    main()
