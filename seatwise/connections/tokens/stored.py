"""The tokens in hand: whether the stored one will still do, and how new ones are kept."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seatwise.connectors.records import Grant
from seatwise.models import Connection

EARLY = timedelta(minutes=5)  # refreshed this long before its end, or at four fifths of its life
SHORT = timedelta(minutes=30)  # believed of a token that came without a usable life
ASTRAY = timedelta(minutes=15)  # two clocks may differ so much; more, and one has jumped back
STORED = ("access_token", "refresh_token", "expires_at", "refreshed_at", "ends_at", "scopes")


@dataclass(frozen=True, slots=True)
class Need:
    """What makes a token that is in hand not good enough."""

    rejected: str = field(default="", repr=False)  # the vendor has refused this one
    newer_than: datetime | None = None  # it must have been given after this moment


def held(connection: Connection, need: Need, now: datetime) -> str:
    """The stored token if it will do, else "". Raises vault.CannotOpen."""
    if connection.kind == "key":
        connector, key = connection.connector, connection.unseal("credential")
        token = connector.token_of(key) if connector and key else ""
        return token if token != need.rejected else ""
    if not lasts(connection, now) or _too_old(connection, need):
        return ""
    token = connection.unseal("access_token")
    return token if token != need.rejected else ""


def lasts(connection: Connection, now: datetime) -> bool:
    """Whether the access token is still good for a while, by a clock that may be wrong.

    A clock that went back would make it last for ever, so one that was given in the future is
    not believed. A margin larger than the life would make every token too old at birth.
    """
    expires_at, given_at = connection.expires_at, connection.refreshed_at
    if expires_at is None:
        return False
    if given_at is None:
        return expires_at > now + EARLY
    margin = max(min(EARLY, (expires_at - given_at) / 5), timedelta(0))
    return expires_at > now + margin and given_at <= now + ASTRAY


def store(connection: Connection, grant: Grant, now: datetime) -> None:
    """Seals a grant into the row (which is not saved here, but must have a key).

    `now` is when the vendor answered; of a new grant `granted_at` and `way` are set before.
    """
    connection.seal("access_token", grant.access_token)
    if grant.refresh_token:  # an answer without one means: keep the old (RFC 6749 §6)
        connection.seal("refresh_token", grant.refresh_token)
    life = timedelta(seconds=grant.expires_in) if grant.expires_in else SHORT
    connection.expires_at, connection.refreshed_at = now + life, now
    way = connection.way_in
    if way:
        begun = connection.granted_at or connection.connected_at
        connection.ends_at = begun + way.lasts if way.lasts else None
    if grant.scopes:
        connection.scopes = sorted(grant.scopes)


def _too_old(connection: Connection, need: Need) -> bool:
    given_at = connection.refreshed_at
    return need.newer_than is not None and (given_at is None or given_at <= need.newer_than)
