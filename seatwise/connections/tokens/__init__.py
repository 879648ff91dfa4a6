"""Hands out tokens and keeps the grants behind them alive.

However many ask, a vendor that replaces refresh tokens sees one refresh: whoever finds the token
too old takes a lock for this connection, the others wait for what it stores.
"""

import random
import time

from django.utils import timezone

from seatwise import installation
from seatwise.connections.tokens import verdicts
from seatwise.connections.tokens.alone import alone
from seatwise.connections.tokens.refreshing import refresh
from seatwise.connections.tokens.stored import EARLY, SHORT, Need, held, store
from seatwise.connectors.errors import CredentialsRejected, KeptBack, TryAgainLater
from seatwise.models import Connection
from seatwise.vault import CannotOpen, KeyMissing

__all__ = ["EARLY", "SHORT", "fresh_token", "renew", "store"]

WAITS = 75.0  # seconds for another process that is renewing: longer than its request may take
LOOKS_AGAIN = (0.1, 0.4)  # seconds between two looks, at random so that many do not keep step


def fresh_token(connection_id: int, *, rejected: str = "") -> str:
    """A valid access token, refreshed if it is about to end or equals `rejected`.

    Raises CredentialsRejected when somebody must authorize again, AppRejected when the operator
    must act, KeptBack when this installation may not use the grant now, TryAgainLater when the
    vendor cannot answer or another process takes too long. Never inside a transaction: a token
    that has just been given must not be rolled back.
    """
    return _token(connection_id, Need(rejected))


def renew(connection_id: int) -> None:
    """Refreshes a grant that nobody used for long, so that it does not die. Raises as above."""
    connection = _row(connection_id)
    _token(connection_id, Need(newer_than=connection.refreshed_at or connection.connected_at))


def _token(connection_id: int, need: Need) -> str:
    until = time.monotonic() + WAITS
    connection = _row(connection_id)
    _check_may_use(connection)
    while True:
        token = _in_hand(connection, need)
        if token:
            return token
        with alone(connection_id) as mine:
            if mine:
                _check_may_use(connection)  # again: it may have waited for long
                return refresh(connection, need)
        if time.monotonic() > until:
            raise TryAgainLater("Another process has been renewing the authorization for long.")
        time.sleep(random.uniform(*LOOKS_AGAIN))  # noqa: S311 - spreads load, guards no secret
        connection = _row(connection_id)


def _check_may_use(connection: Connection) -> None:
    if hindrance := installation.hindrance(connection):
        raise KeptBack(hindrance)


def _row(connection_id: int) -> Connection:
    found = Connection.objects.select_related("service").filter(pk=connection_id).first()
    if found is None:
        raise CredentialsRejected("The connection does not exist any more.")
    return found


def _in_hand(connection: Connection, need: Need) -> str:
    """The stored token if it will do; "" where the way of a refresh must be gone."""
    if not connection.is_alive:
        raise verdicts.gone(connection)
    try:
        return held(connection, need, timezone.now())
    except KeyMissing as error:
        raise verdicts.keys_missing(error) from None
    except CannotOpen:
        return ""  # judged under the row's lock, which may find another
