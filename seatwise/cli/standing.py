"""`seatwise installation`: whether this one may sync, and a person's word on it."""

import typer
from rich.console import Console

from seatwise import installation

SYNCS = "From now on this installation syncs and renews the vendors' tokens."
ASKS = {
    "paused": f"{SYNCS} Go on?",
    "address": (
        f"{SYNCS} If it is a copy, the one it was copied from must never sync again: if both do, "
        "the vendors end the authorizations. Was only the address changed, or is the other one "
        "stopped for good, or paused?"
    ),
    "copy": (
        f"{SYNCS} The one it was copied from must never sync again: if both do, the vendors end "
        "the authorizations. Is the other one stopped for good, or paused?"
    ),
}


def status() -> int:
    """Exit code 1 if it may not."""
    console = Console()
    told = installation.check()
    for sentence in told:
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if not told:
        console.print("This installation may sync.")
    return int(installation.hindrance() is not None)


def pause(*, why: str) -> int:
    """Exit code 0: it is paused, now or already."""
    paused = installation.pause(why or "The operator paused it.")
    Console().print("Syncing is paused." if paused else "Syncing was paused already.")
    return 0


def adopt(*, yes: bool) -> int:
    """Exit code 1 if the operator thinks better of it."""
    console = Console()
    standing = installation.standing()
    if standing is None:
        console.print("This installation is the one that syncs already; nothing was changed.")
        return 0
    console.print(standing.sentence, markup=False, highlight=False, soft_wrap=True)
    if not yes and not typer.confirm(ASKS[standing.kind]):
        return 1
    console.print(installation.adopt(), markup=False, highlight=False, soft_wrap=True)
    return 0
