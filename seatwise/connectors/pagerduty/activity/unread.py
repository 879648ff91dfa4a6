"""The words for evidence that may not be read while other evidence is."""

from datetime import UTC, datetime

from seatwise.connectors.errors import TryAgainLater, VendorError
from seatwise.connectors.records import Gap

LATER = "Nothing to do: the log is read instead, and this with a later sync."


def unreadable(what: str, error: VendorError, *, but: str = "", minor: bool = False) -> Gap:
    """That one kind of evidence is missing. `but` goes on after "cannot be read"."""
    remedy = LATER if isinstance(error, TryAgainLater) else error.remedy
    return Gap("account", f"{what} cannot be read{but}.", str(error), remedy, minor)


def lacking(count: int) -> Gap:
    """That lines of the log are counted and not shown."""
    return Gap(
        "account",
        f"{count:,} lines of the log are not known; the others were read.",
        "PagerDuty counts more lines of its log than it shows.",
        "Nothing to do: newer actions of the same people take their place.",
    )


def cut_off(reached: datetime, midnight: datetime) -> Gap:
    """That of the newest log some pages were read, back to `reached` and no further."""
    day = "Today's" if reached >= midnight else "Yesterday's"
    return Gap(
        "account",
        f"{day} log was read back to {reached.astimezone(UTC):%H:%M} UTC; "
        "PagerDuty's analytics tell the rest tomorrow.",
        "So many actions on incidents are read from analytics, which are up to a day behind.",
        "Nothing to do: the next sync of another day reads them.",
        minor=True,
    )
