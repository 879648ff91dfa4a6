"""Whether what `seatwise pull` holds in memory grows with the account."""

import tempfile
from pathlib import Path
from typing import Final

from bench.apart import SECRET, VENDOR, Watched, simulated, watched

MONTHS: Final = 24
DAYS: Final = 7  # of activity: ninety would take longer than all the rest
SMALL: Final = (2_000, 20_000)  # people, incidents
LARGE: Final = (100_000, 1_000_000)
READ: Final = f"members, licences, {MONTHS} months of usage, {DAYS} days of activity"
LONGEST: Final = 600.0  # seconds


def _of(size: tuple[int, int], what: str) -> str:
    return f"`pull` of {size[0]:,} users and {size[1]:,} incidents ({READ}): {what}"


PEAK: Final = _of(LARGE, "most memory, MB")
GROWTH: Final = _of(LARGE, f"more memory than for {SMALL[0]:,} and {SMALL[1]:,}, MB")
AT_MOST: Final[dict[str, float]] = {PEAK: 90, GROWTH: 40, _of(SMALL, "most memory, MB"): 90}
AT_LEAST: Final[dict[str, float]] = {_of(LARGE, "members found"): LARGE[0]}


def measure_once() -> dict[str, float]:
    """MB, seconds and requests for an account of each of the two sizes."""
    figures: dict[str, float] = {}
    peaks: list[float] = []
    for size in (SMALL, LARGE):
        went, requests, found = _read(*size)
        peaks.append(went.peak)
        figures[_of(size, "most memory, MB")] = went.peak
        figures[_of(size, "members found")] = found
        figures[_of(size, "requests")] = requests
        figures[_of(size, "s")] = went.seconds
    return figures | {GROWTH: peaks[1] - peaks[0]}


def _read(users: int, incidents: int) -> tuple[Watched, int, int]:
    """The account read once, near by and without a limit: how that went, requests, members."""
    size = ("--users", str(users), "--incidents", str(incidents), "--months", str(MONTHS))
    with (
        simulated(*size, "--rate-limit", "10000000") as vendor,
        tempfile.TemporaryDirectory(prefix="seatwise-bench-") as place,
    ):
        went = watched(
            *("-m", "seatwise", "pull", VENDOR, "--api-key-env", SECRET, "--out", place),
            *("--base-url", f"{vendor.base_url}/us", "--months", str(MONTHS)),
            *("--activity-days", str(DAYS)),
            secret=vendor.api_key(),
            at_most=LONGEST,
            well=3,  # the code of a pull that could not read it all, and says so
        )
        with (Path(place) / "members.jsonl").open("rb") as file:
            found = sum(1 for _line in file)
        return went, sum(vendor.counts().values()), found
