"""Looks at what a connection can read, before it is trusted and whenever somebody asks."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from seatwise import audit, installation
from seatwise.connections.tokens import fresh_token
from seatwise.connections.ways import Client, Given, client_of, config_for
from seatwise.connectors.base import Connector
from seatwise.connectors.errors import AppRejected, CredentialsRejected, KeptBack
from seatwise.connectors.records import Account, Check, Gap
from seatwise.models import Authorization, Connection
from seatwise.models.audit_event import Action
from seatwise.models.connection import State


@dataclass(frozen=True, slots=True)
class Proved:
    """A grant that has answered for itself: whose it is, and what it opens."""

    given: Given
    account: Account
    checks: tuple[Check, ...]


def prove(connector: Connector, given: Given, asked: frozenset[str]) -> Proved:
    """Asks the vendor, with the new grant, whose it is and what it opens. Raises VendorError."""
    known = config_for(connector, given.client)
    account = asyncio.run(connector.identify(known, given.grant))
    checks = asyncio.run(connector.inspect(known, account, given.grant.access_token, asked))
    if given.way.kind == "consent" and not given.grant.refresh_token:
        checks = (*checks, _CANNOT_LAST)
    return Proved(given, account, checks)


def check(connection: Connection) -> None:
    """Looks again at what can be read, and keeps what was found on the connection.

    Raises VendorError where nothing at all could be said; then everything stays as it was.
    """
    connector = connection.connector
    if connector is None:
        raise AppRejected(f"The connector for {connection.service.name} is not installed.")
    if hindrance := installation.hindrance():
        raise KeptBack(hindrance)
    asked = Authorization.objects.asked_for(connection.pk) or connection.scopes
    checks = _inspected(connector, connection, client_of(connection), frozenset(asked))
    _note(connection.pk, checks, timezone.now())
    connection.refresh_from_db()


def put(connection: Connection, checks: Sequence[Check], now: datetime) -> None:
    """Writes what was found onto the row, which is not saved here; its state follows."""
    connection.checks = [asdict(each) for each in checks]
    connection.checked_at = now
    connection.account_gaps = [asdict(each.gap) for each in checks if each.gap]


def summary(checks: Sequence[tuple[str, str]]) -> str:
    """Of each check its name and its verdict, in a sentence."""
    fine = sum(verdict == "ok" for _, verdict in checks)
    rest = ", ".join(name for name, verdict in checks if verdict != "ok")
    return f"{fine} of {len(checks)} are as they should be" + (f"; not: {rest}." if rest else ".")


def _inspected(
    connector: Connector, connection: Connection, client: Client | None, asked: frozenset[str]
) -> tuple[Check, ...]:
    known = config_for(connector, client)
    token = fresh_token(connection.pk)
    try:
        checks = asyncio.run(connector.inspect(known, connection.account, token, asked))
    except CredentialsRejected:
        token = fresh_token(connection.pk, rejected=token)
        checks = asyncio.run(connector.inspect(known, connection.account, token, asked))
    lasts = connection.refresh_token or connection.kind != "consent"
    return checks if lasts else (*checks, _CANNOT_LAST)


@transaction.atomic
def _note(pk: int, checks: tuple[Check, ...], now: datetime) -> None:
    connection = (
        Connection.objects.select_related("service").select_for_update(of=("self",), no_key=True)
    ).get(pk=pk)
    if not connection.is_alive:  # it ended while it was being looked at
        return
    put(connection, checks, now)
    if connection.state in (State.ACTIVE, State.LIMITED) and not connection.attention:
        connection.state = connection.state_when_well
    connection.save(update_fields=["checks", "checked_at", "account_gaps", "state"])
    audit.record(
        Action.CHECKED,
        service=connection.service.key,
        about=connection.account_name,
        said=summary([(each.name, each.verdict) for each in checks]),
        detail={each.key: each.verdict for each in checks},
    )


_CANNOT_LAST = Check(
    "lasting",
    "How long it lasts",
    "limited",
    "The vendor gave no refresh token: the authorization ends with its access token.",
    "An admin of Seatwise integrates again when it has ended.",
    Gap(
        "account",
        "The authorization cannot be prolonged.",
        "The vendor gave no refresh token.",
        "An admin of Seatwise integrates again when it has ended.",
    ),
)
