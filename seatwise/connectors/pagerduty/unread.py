"""The words for evidence that may not be read while other evidence is."""

from seatwise.connectors.errors import TryAgainLater, VendorError
from seatwise.connectors.records import Gap

LATER = "Nothing to do: the log is read instead, and this with a later sync."


def unreadable(what: str, error: VendorError, *, but: str = "", minor: bool = False) -> Gap:
    """That one kind of evidence is missing. `but` goes on after "cannot be read"."""
    remedy = LATER if isinstance(error, TryAgainLater) else error.remedy
    return Gap("account", f"{what} cannot be read{but}.", str(error), remedy, minor)
