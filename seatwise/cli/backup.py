"""`seatwise backup` and `seatwise restore`: everything in one file, and the way back."""

import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from seatwise import backup
from seatwise.backup import Archive, Made, NotPossible
from seatwise.cli.prepare import make_schema, schema_to_ourselves

ASKS = (
    "Everything that this database holds is lost and replaced by the backup, its audit trail, too. "
    "Go on?"
)
NEXT = """What to do next:
1. See to it that the installation it was copied from is stopped for good, or stays paused.
2. Give this one the keys that were in use then: `seatwise keys status` says whether they fit.
3. Then run `seatwise installation adopt`. Until then nothing is synced, and pages stay readable.
Everybody signs in again."""


def make(path: Path, *, force: bool) -> int:
    """Exit code 1 with one line where it could not be made."""
    columns = (SpinnerColumn(), TextColumn("Writing"), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        written = bar.add_task("", total=None)
        try:
            made = backup.make(path, force=force, tell=lambda size: bar.advance(written, size))
        except NotPossible as why:
            return _refused(why)
    _tell(made)
    return 0


def restore(path: Path, *, replace: bool, yes: bool) -> int:
    """Exit code 1 with one line where it could not be restored, or the operator thinks better."""
    console = Console()
    try:
        with schema_to_ourselves(), backup.alone():
            archive = Archive.read(path)
            backup.ready_for(archive, replace=replace)
        console.print(f"{path.name} is whole, and as of {archive.at:%Y-%m-%d %H:%M} UTC.")
        if replace and not yes and not typer.confirm(ASKS):
            return 1
        with schema_to_ourselves(), backup.alone():
            backup.ready_for(archive, replace=replace)
            backup.restore(archive)
            if trouble := _brought_up_to_date():
                return _refused(trouble)
            told = backup.settle(archive)
    except NotPossible as why:
        return _refused(why)
    for line in ["It is restored.", *told, NEXT]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def _brought_up_to_date() -> str:
    """Why the restored schema is not this release's, in a sentence; "" where it is."""
    try:
        make_schema()
    except Exception as error:  # whatever it is, the operator must know that it is restored
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        return (
            f"It is restored, but its schema could not be brought up to date: {reason}. It is "
            "paused; see to that, and any program of Seatwise tries again at its start."
        )
    return ""


def _tell(made: Made) -> None:
    counts = ", ".join(f"{count:,} {name}" for name, count in made.counts.items())
    sealed = ", ".join(made.keys)
    keys = f"Not in it: the keys, without which its authorizations do not open ({sealed or 'none'})"
    console = Console()
    for line in (
        f"{made.path}: {made.size:,} bytes in {made.seconds:.1f} s, readable by its owner alone.",
        f"In it, as of {made.at:%Y-%m-%d %H:%M:%S} UTC: {counts}.",
        f"{keys}, the settings, and who is signed in. Keep them elsewhere.",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _refused(why: NotPossible | str) -> int:
    print(f"seatwise: {why}", file=sys.stderr, flush=True)
    return 1
