"""A change that is more likely a mistake than the truth is held back, not acted upon."""

from seatwise.connectors.errors import BrokenAnswer

SHARE = 0.3  # of what was there
FEW = 10  # a drop of no more than so many may happen any day


class UnusualDrop(BrokenAnswer):
    """Many are suddenly missing. Asked again; believed if it is still so after the last try."""

    default_remedy = (
        "Nothing to do if this is wrong: Seatwise looks again, for a little more than an hour. "
        "If it is still so then, it is taken as the truth."
    )

    def __init__(self, service: str, what: str, before: int, now: int) -> None:
        super().__init__(
            f"{service} lists {now:,} {what}, and there were {before:,}. So unusual a drop was "
            "not applied, and what you see is from before."
        )


def is_unusual(before: int, now: int) -> bool:
    """Whether `now` is so far below `before` that it is doubted at first."""
    missing = before - now
    return missing > FEW and missing > before * SHARE
