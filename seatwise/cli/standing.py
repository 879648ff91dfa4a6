"""`seatwise installation`: whether this one may sync, and a person's word on it."""

import typer
from rich.console import Console

from seatwise import audit, installation

ASKS = (
    "From now on this installation syncs and renews the vendors' tokens. The one it was copied "
    "from must never sync again: if both do, the vendors end the authorizations. Is the other "
    "one stopped for good, or paused?"
)


def status() -> int:
    """Exit code 1 if it may not."""
    console = Console()
    with audit.acting("command line", who="operator"):
        told = installation.check()
    for sentence in told:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if not told:
        console.print("This installation may sync.")
    return int(installation.hindrance() is not None)


def pause(*, why: str) -> int:
    """Exit code 0: it is paused, now or already."""
    with audit.acting("command line", who="operator"):
        paused = installation.pause(why or "The operator paused it.")
    Console().print("Syncing is paused." if paused else "Syncing was paused already.")
    return 0


def adopt(*, yes: bool) -> int:
    """Exit code 1 if the operator thinks better of it."""
    console = Console()
    if installation.is_ours():
        console.print("This installation is the one that syncs already; nothing was changed.")
        return 0
    if not yes and not typer.confirm(ASKS):
        return 1
    with audit.acting("command line", who="operator"):
        installation.adopt()
    console.print("This installation syncs from now on.")
    return 0
