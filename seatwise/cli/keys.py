"""`seatwise keys`: which keys are in use, and how to exchange one without stopping."""

import typer
from django.conf import settings
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from seatwise import installation, keys

ASKS = (
    "What a key that is not set has sealed is given up for good: those tokens are erased, and "
    "each of those services must be integrated again. What was collected stays. If the key may "
    "still be found, stop here: put back, it heals everything. Go on?"
)


def status() -> int:
    """Prints the keys in their order. Exit code 1 if something needs a key that is not set."""
    console = Console()
    in_use, ring = keys.uses(), settings.ENCRYPTION_KEYS.ids
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Key", "Place", "Has sealed", ""):
        table.add_column(heading)
    for number, key_id in enumerate(ring):
        place = "first: seals" if number == 0 else "opens only"
        table.add_row(key_id, place, *_words(in_use.get(key_id, {}), number > 0))
    lacking = keys.missing(in_use)
    for key_id in lacking:
        words, _ = _words(in_use[key_id], False)
        told = "not set: what it sealed cannot be opened" if key_id else "no sealed secret: altered"
        table.add_row(key_id or "?", "missing", words, told)
    console.print(table)
    return int(bool(lacking))


def rotate() -> int:
    """Exit code 1 if something could not be opened; all the rest is done then, too."""
    console = Console()
    columns = (
        TextColumn("Sealing anew"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        rows = bar.add_task("", total=keys.waiting())
        done = keys.rotate(lambda count: bar.advance(rows, count))
    first = settings.ENCRYPTION_KEYS.first
    console.print(f"{done.count:,} secrets were sealed anew with key {first}.")
    for refused in done.refused:
        console.print(
            f"Not opened, left as it was: {refused}", markup=False, highlight=False, soft_wrap=True
        )
    if done.refused:
        console.print(
            "Put the missing key back and rotate again, or integrate those services again. A key "
            "that is lost for good is given up with `seatwise keys accept`.",
            markup=False,
            soft_wrap=True,
        )
    return int(bool(done.refused))


def accept(*, yes: bool) -> int:
    """Exit code 1 if the operator thinks better of it."""
    console = Console()
    if not yes and not typer.confirm(ASKS):
        return 1
    given_up = installation.accept_keys()
    if not given_up.count:
        console.print("Everything that is stored opens; nothing had to be given up.")
    for connection in given_up.connections:
        console.print(
            f"To be integrated again: {connection}", markup=False, highlight=False, soft_wrap=True
        )
    if given_up.by_hand:
        console.print(given_up.by_hand, highlight=False, soft_wrap=True)
    return 0


def _words(tables: dict[str, int], may_go: bool) -> tuple[str, str]:
    words = ", ".join(f"{count:,} in {table}" for table, count in sorted(tables.items()))
    return words or "nothing", "may be removed" if may_go and not tables else ""
