"""Keeps a grant alive: one refresh at a time, in a short transaction of its own."""

import asyncio
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from seatwise.connections.configuration import NotConfigured, config
from seatwise.connectors import oauth
from seatwise.connectors.errors import AppRejected, CredentialsRejected, VendorError
from seatwise.connectors.records import Grant
from seatwise.models import Connection
from seatwise.models.connection import State
from seatwise.vault import CannotOpen

log = logging.getLogger(__name__)

EARLY = timedelta(minutes=5)  # refreshed this long before its end
SHORT = timedelta(minutes=30)  # believed of a token that came without a usable life


def fresh_token(connection_id: int, *, rejected: str = "") -> str:
    """A valid access token, refreshed if it is about to end or equals `rejected`.

    The row lock makes a vendor that rotates refresh tokens see one refresh, however many
    workers ask. Raises CredentialsRejected when somebody must authorize again, AppRejected
    when the operator must act, TryAgainLater when the vendor cannot answer.
    """
    with transaction.atomic(durable=True):
        connection = (
            Connection.objects.select_related("service")
            .select_for_update(of=("self",), no_key=True)
            .filter(pk=connection_id)
            .first()
        )
        if connection is None:
            raise CredentialsRejected("The connection does not exist any more.")
        try:
            return _valid(connection, rejected)
        except VendorError as error:
            trouble = error  # raised after the commit, which keeps what is said about it
    raise trouble


def store(connection: Connection, grant: Grant, now: datetime) -> None:
    """Seals a grant into the row (which is not saved here, but must have a key)."""
    connection.seal("access_token", grant.access_token)
    if grant.refresh_token:  # an answer without one means: keep the old (RFC 6749 §6)
        connection.seal("refresh_token", grant.refresh_token)
    life = timedelta(seconds=grant.expires_in) if grant.expires_in else SHORT
    connection.expires_at = now + life
    if grant.scopes:
        connection.scopes = sorted(grant.scopes)


def _valid(connection: Connection, rejected: str) -> str:
    if not connection.is_alive:
        raise CredentialsRejected("The authorization was revoked or has ended.")
    try:
        token = connection.unseal("access_token")
        refresh_token = connection.unseal("refresh_token")
    except CannotOpen as error:
        raise _ended(connection, f"The stored token cannot be opened. {error}") from None
    lasts = connection.expires_at is not None and connection.expires_at > timezone.now() + EARLY
    if token and token != rejected and lasts:
        return token
    if not refresh_token:
        raise _ended(connection, "The authorization has ended and cannot be prolonged.")
    return _refreshed(connection, refresh_token)


def _refreshed(connection: Connection, refresh_token: str) -> str:
    connector = connection.connector
    if connector is None:
        raise AppRejected(f"The connector for {connection.service.name} is not installed.")
    try:
        app = connector.oauth_app(config(connector))
        grant = asyncio.run(oauth.refresh(app, refresh_token))
    except NotConfigured as error:
        raise AppRejected(str(error), remedy=error.remedy) from None
    except CredentialsRejected as error:
        raise _ended(connection, str(error)) from None
    store(connection, grant, timezone.now())
    connection.save(update_fields=["access_token", "refresh_token", "expires_at", "scopes"])
    log.info("token of connection %s refreshed", connection.pk)
    return grant.access_token


def _ended(connection: Connection, sentence: str) -> CredentialsRejected:
    """Nobody but a person can mend it: remembered on the row, and no further call is made."""
    error = CredentialsRejected(sentence)
    connection.state = State.NEEDS_RECONNECT
    connection.attention, connection.remedy = sentence, error.remedy
    connection.next_sync_at = None
    connection.save(update_fields=["state", "attention", "remedy", "next_sync_at"])
    return error
