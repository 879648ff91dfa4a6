"""Measures what the main job costs and writes docs/benchmarks.md.

    python -m bench [RUNS]
    python -m bench past [RUNS]     the past of a large account alone, in a section of its own
    python -m bench pages [RUNS]    the pages of a large installation alone, likewise

Each figure is taken RUNS times (5 unless said otherwise), the long ones once; the page shows
minimum, median and maximum, and how often each was taken. PagerDuty's own client and a pipeline
of dlt read the same simulated account in the same run, as peers.
"""

import os
import platform
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from bench import churn, journey, memory, pages, past, pipeline, reading, vendor

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
SECTION = "\n## "  # where the first section begins that the main table's writer keeps
LIMITS = {
    journey.START: 10.0,
    journey.FIRST_MEMBER: 3.0,
    journey.FIRST_SYNC: 20.0,
    vendor.START: 15.0,
    vendor.MEMORY: 600.0,
    **reading.AT_MOST,
    **memory.AT_MOST,
    **churn.AT_MOST,
}
AT_LEAST = {
    vendor.USERS: 1_000.0,
    vendor.INCIDENTS: 300.0,
    vendor.FRESH: 300.0,
    **reading.AT_LEAST,
    **memory.AT_LEAST,
    **churn.AT_LEAST,
}


class Alone(Protocol):
    """A measurement that can be taken alone, and writes a section of its own."""

    SECTION: str

    def measured(self, runs: int) -> dict[str, list[float]]: ...

    def section(self, figures: dict[str, list[float]], runs: int, machine: str) -> str: ...


ALONE: dict[str, Alone] = {"past": past, "pages": pages}
REPEATED = (journey.measure, vendor.measure, reading.measure)
ONCE = (reading.measure_once, memory.measure_once, churn.measure_once)


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        _write_section(ALONE[sys.argv[1]], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
        return
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    figures: dict[str, list[float]] = {}
    for number in range(1, runs + 1):
        if number == runs and number > 1:
            _write(figures, number - 1)  # the long ones are to come; what is there is not lost
        for measure in (*REPEATED, *(ONCE if number == runs else ())):
            for name, value in measure().items():
                figures.setdefault(name, []).append(value)
                print(f"run {number}: {name}: {value:.2f}", flush=True)
    _write(figures, runs)
    for each in ALONE.values():
        _write_section(each, runs)


def _write(figures: dict[str, list[float]], runs: int) -> None:
    _, found, kept = PAGE.read_text(encoding="utf-8").partition(SECTION)
    PAGE.write_text(_page(figures, runs) + found + kept, encoding="utf-8")
    print(f"written: {PAGE.name}", flush=True)


def _write_section(measure: Alone, runs: int) -> None:
    """Into its own section, the first behind the main table; all else stays as it is."""
    load = f"a load of {os.getloadavg()[0]:.1f} when it began"
    section = measure.section(measure.measured(runs), runs, f"{_machine()}, {load}")
    main_table, *others = PAGE.read_text(encoding="utf-8").split(SECTION)
    title = measure.SECTION.removeprefix("## ")
    kept = [other for other in others if not other.startswith(f"{title}\n")]
    parts = [main_table, section.removeprefix("## "), *kept]
    PAGE.write_text(SECTION.join(parts), encoding="utf-8")
    print(f"written: {PAGE.name}", flush=True)


def _page(figures: dict[str, list[float]], runs: int) -> str:
    lines = [
        "# Benchmarks",
        "",
        (
            f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench` ({runs} runs): {_machine()}."
            " Whoever is measured shares the machine with the vendor, which is the sandbox. It "
            "answers without added latency, so the seconds say what Seatwise costs and not what a "
            "network adds, except where a whole account is read: there it is "
            f"{reading.LATENCY} ms away."
        ),
        "",
        "| Figure | runs | min | median | max | aim |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, values in figures.items():
        aim = f"≤ {LIMITS[name]:g}" if name in LIMITS else ""
        aim = f"≥ {AT_LEAST[name]:,g}" if name in AT_LEAST else aim
        numbers = (min(values), statistics.median(values), max(values))
        told = " | ".join(f"{number:,.2f}".removesuffix(".00") for number in numbers)
        lines.append(f"| {name} | {len(values)} | {told} | {aim} |")
    return "\n".join([*lines, "", *_notes()])


def _notes() -> list[str]:
    """What was read by whom, for whoever wants to judge the comparison."""
    account = f"{reading.USERS:,} users and 20,000 incidents over three months"
    return [
        (
            f"A whole account is {account}, read with `seatwise pull` as a program from its start "
            "to its end: all users, licences and who holds them, the three months' incidents, "
            "alerts and notifications by four channels, and where it says so when everybody was "
            "last seen within ninety days. Requests are counted by the sandbox. Memory is the most "
            "that was resident."
        ),
        "",
        (
            "The `pagerduty` package's `RestApiV2Client` reads the same facts in the plain way: "
            "users, licence allocations and notifications (by weeks) with `iter_all`, incidents "
            "with `iter_history`, and “with the log” all log entries of the three months with "
            "`iter_history`, too, without `is_overview`. The pipeline of `dlt` reads the same "
            f"lists with its `rest_api_source`, `parallelized`, {pipeline.WORKERS} workers, its "
            "offset paginator and windows of a week (the log: three days); it only extracts into "
            "local files and neither normalises nor loads. Neither peer is held to a rate limit."
        ),
        "",
        (
            "The next day's reading is of the same account, all of which had been read a day "
            "earlier, with an API key. Members read while pages change them: accounts of "
            f"{churn.PEOPLE[0]}, {churn.PEOPLE[1]} and {churn.PEOPLE[2]} people by turns."
        ),
        "",
    ]


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {_memory()} of memory, {system}"


def _memory() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{pages / 2**30:.0f} GiB"


if __name__ == "__main__":
    main()
