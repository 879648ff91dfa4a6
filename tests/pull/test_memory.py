"""A pull takes no more memory for a large account than for a small one."""

import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.pull import large
from tests.pull.pulling import order, pulled
from tests.sandboxes import running

MOST = 90  # MB, of each process
ALIKE = 8  # MB


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_writing_takes_the_same_memory_for_any_number_of_members(form: str, tmp_path: Path) -> None:
    small, big = (_peaks(rows, form, tmp_path / str(rows)) for rows in (2_000, 50_000))
    for few, many in zip(small, big, strict=True):
        assert many < MOST
        assert many - few < ALIKE
    if form == "parquet":
        assert parquet.read_metadata(tmp_path / "50000" / "members.parquet").num_rows == 50_000


def test_a_parquet_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with running(seed=3, users=20, months=1) as vendor:
        wanted = order(vendor, tmp_path, months=1, format="parquet")

        def spoil(_batch: object) -> None:
            for table in ("members", "usage", "licenses"):
                (tmp_path / ".seatwise-pull" / f"{table}.parquet").mkdir(exist_ok=True)

        with pytest.raises(OSError, match=r"Parquet could not be written: .*members\.parquet"):
            pulled(wanted, spoil)
    assert list(tmp_path.iterdir()) == []


def _peaks(rows: int, form: str, out: Path) -> list[int]:
    """Of the pull and of the process that it starts, in a program that has nothing else in it."""
    program = [sys.executable, "-m", large.__name__, str(rows), form, str(out)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120)
    return [int(peak) for peak in done.stdout.split()]
