"""What connections need when nobody asks for their data: to be used, and to be told of ends."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from seatwise import audit, installation
from seatwise.connections import revocation, tokens
from seatwise.connections.entry import accounts
from seatwise.connections.tokens import verdicts
from seatwise.connectors.errors import VendorError
from seatwise.models import Connection
from seatwise.models.audit_event import Action
from seatwise.models.connection import ENDS_SOON

log = logging.getLogger(__name__)

RESTS = timedelta(hours=6)  # after a try that failed, before a grant is kept alive again
OFTEN = 4  # refreshed so many times in the time after which the vendor lets an unused grant die


def look_after(now: datetime, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Keeps unused grants alive, announces their hard ends and ends what nobody wants.

    Called every few minutes. A paused copy does nothing of it. What a vendor does is noted and
    never raised; one connection's trouble is not another's. `stopping` is asked before each.
    """
    if installation.hindrance():
        return
    for connection in Connection.objects.alive().select_related("service").order_by("pk"):
        if stopping():
            return
        _announce_end(connection, now)
        if _is_idle(connection, now):
            _keep_alive(connection)
    accounts.release_held(now)
    revocation.tell_vendors(now, stopping=stopping)


def _is_idle(connection: Connection, now: datetime) -> bool:
    way = connection.way_in
    if way is None or way.kind != "consent" or way.idle is None:
        return False
    unused = (connection.refreshed_at or connection.connected_at) < now - way.idle / OFTEN
    return unused and not verdicts.failed_since(connection, now - RESTS)


def _keep_alive(connection: Connection) -> None:
    try:
        tokens.renew(connection.pk)
    except VendorError as error:  # noted where it was judged
        log.info("connection %s is not kept alive for now: %s", connection.pk, error)
    except Exception:
        log.exception("connection %s could not be looked after", connection.pk)


def _announce_end(connection: Connection, now: datetime) -> None:
    """Once, though several workers may look at the same time."""
    if connection.ends_at is None or connection.ends_at > now + ENDS_SOON:
        return
    with transaction.atomic():
        untold = Connection.objects.filter(pk=connection.pk, end_told_at=None)
        if untold.update(end_told_at=now):
            audit.record(
                Action.GRANT_ENDING,
                service=connection.service.key,
                about=connection.account_name,
                said=f"{connection.service.name} ends the authorization at"
                f" {verdicts.moment(connection.ends_at)}, however often it is used. An admin"
                " authorizes again before, and nothing is interrupted.",
                detail={"connection": connection.pk},
            )
