"""What can go wrong at a vendor, named by what the reader must do next.

    VendorError
    ├── TryAgainLater        wait, then ask again: 429, 5xx, network, time-outs
    ├── CredentialsRejected  get a new token, or have someone authorize again: 401
    ├── ConsentRefused       somebody must allow it: Deny, or a code that is too old
    ├── AppRejected          the operator must mend the client id or secret
    ├── KeptBack             the operator must act first: Seatwise itself must not use the grant
    ├── AccessDenied         somebody with a higher role or scope must allow it: 403
    ├── NotOnThisPlan        the account's plan lacks it: 402
    ├── NotFound             it is gone: 404
    ├── RequestRefused       a mistake in this connector: 400, to be reported
    └── BrokenAnswer         not what the vendor documents: HTML, cut off, too large

Every error carries three sentences for a person: what happened (`str(error)`), what to do
(`remedy`) and who can do it (inside the remedy). No error ever carries a token.
"""

from typing import ClassVar, Literal

# Whether a request that was sent once may have been carried out although no usable answer came.
# "unlikely": not a byte in time, or a web page instead of the endpoint's answer. "likely": the
# connection broke off after sending, or the answer is cut off.
Doubt = Literal["", "unlikely", "likely"]


class VendorError(Exception):
    """Base of all that a vendor can do to us."""

    default_remedy: ClassVar[str] = "Try again; if it stays, tell the operator of Seatwise."

    def __init__(
        self, message: str, *, remedy: str = "", status: int | None = None, doubt: Doubt = ""
    ) -> None:
        super().__init__(message)
        self.remedy = remedy or self.default_remedy
        self.status = status
        self.doubt = doubt


class TryAgainLater(VendorError):
    """The vendor or the network cannot answer now; `after` is in seconds, if it was said."""

    default_remedy = "Nothing to do: Seatwise tries again by itself."

    def __init__(
        self,
        message: str,
        *,
        after: float | None = None,
        remedy: str = "",
        status: int | None = None,
        doubt: Doubt = "",
    ) -> None:
        super().__init__(message, remedy=remedy, status=status, doubt=doubt)
        self.after = after


class CredentialsRejected(VendorError):
    """The token is expired, revoked or of another region."""

    default_remedy = "An admin of Seatwise opens Settings and presses Integrate again."


class ConsentRefused(VendorError):
    """The person said no, or the authorization came too late or twice."""

    default_remedy = "Press Integrate to start again."


class AppRejected(VendorError):
    """The vendor does not accept our client id or client secret."""

    default_remedy = "The operator of Seatwise checks the client id and client secret."


class KeptBack(VendorError):
    """Seatwise must not use the grant now: a key is missing, or this is a copy. No call was made
    and the grant is as it was."""

    default_remedy = "The operator of Seatwise acts first; nothing is lost meanwhile."


class AccessDenied(VendorError):
    """The grant's scopes or the authorizing person's role do not reach this far."""

    default_remedy = "Someone with a higher role at the vendor authorizes again."


class NotOnThisPlan(VendorError):
    """The account's plan does not include this."""

    default_remedy = "Only a larger plan at the vendor changes this; the rest is read."


class NotFound(VendorError):
    """What was asked for is not there (any more)."""


class RequestRefused(VendorError):
    """The vendor calls our question malformed: a defect of the connector."""

    default_remedy = "Report this to the makers of Seatwise; the last data stays."


class BrokenAnswer(VendorError):
    """The answer is not what the vendor documents; nothing of it was used."""

    default_remedy = "Seatwise tries again by itself; a proxy in between may be the cause."


# What a vendor will not do for us, however often it is asked; the rest of a reading may go on.
REFUSALS = (AccessDenied, NotOnThisPlan, NotFound, RequestRefused)
