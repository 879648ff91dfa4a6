"""The end of a connection: tokens erased here at once, then the vendor told."""

import asyncio

from django.db import transaction
from django.utils import timezone

from seatwise.connections.configuration import NotConfigured, config
from seatwise.connectors import oauth
from seatwise.connectors.base import Connector
from seatwise.models import Connection, Service, SyncRun, User
from seatwise.models.connection import State
from seatwise.vault import CannotOpen


def revoke(connection: Connection, *, by: User, erase: bool) -> None:
    """Erases the tokens and stops the schedule in one transaction, then tells the vendor.

    A running sync stops at its next page. With `erase` everything collected goes too. What
    the vendor answered is on `connection.revocation` afterwards.
    """
    token = _forget(connection.pk, by, erase)
    connection.refresh_from_db()
    connector = connection.connector
    if connector is None:
        return
    told = bool(token) and _tell(connector, token)
    connection.revocation = (
        f"{connector.name} confirmed that the authorization is revoked."
        if told
        else f"{connector.name} did not confirm the revocation. {connector.removal}"
    )
    connection.save(update_fields=["revocation"])


@transaction.atomic
def erase(service: Service) -> bool:
    """Deletes what was collected of a service that nothing reads any more, history included.

    While a connection of it holds a grant nothing is deleted; returns whether it was.
    """
    Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    if service.connections.holding_a_grant().exists():
        return False
    _erase(service)
    return True


@transaction.atomic
def _forget(pk: int, by: User, erase: bool) -> str:
    """Returns the token to revoke at the vendor, which from here on is stored nowhere."""
    now = timezone.now()
    # Runs before connections: a sync locks in the same order.
    SyncRun.objects.of_connection(pk).cancel("The authorization was revoked.", now)
    connection = (
        Connection.objects.select_related("service").select_for_update(of=("self",), no_key=True)
    ).get(pk=pk)
    try:
        token = connection.unseal("refresh_token") or connection.unseal("access_token")
    except CannotOpen:
        token = ""
    connection.access_token = connection.refresh_token = ""
    connection.expires_at = connection.next_sync_at = None
    connection.state, connection.attention, connection.remedy = State.DISCONNECTED, "", ""
    connection.disconnected_at, connection.disconnected_by = now, by
    connection.save()
    if erase:
        _erase(connection.service)
    return token


def _erase(service: Service) -> None:
    """Of every account the service was ever connected to: "all" means all."""
    for connection in service.connections.select_for_update(no_key=True):
        connection.erase_collected()
        connection.save()


def _tell(connector: Connector, token: str) -> bool:
    try:
        app = connector.oauth_app(config(connector))
    except NotConfigured:
        return False
    return asyncio.run(oauth.revoke(app, token))
