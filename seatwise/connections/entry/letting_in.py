"""In without anybody's consent: by an API key, or by a private app of the account."""

import asyncio
import secrets
from collections.abc import Iterable

from django.utils import timezone

from seatwise import installation
from seatwise.connections.entry.accounts import BACK_AS_VIEWER, failed, settle
from seatwise.connections.ways import (
    Client,
    Given,
    config_for,
    connector_for,
    find_way,
    require_settings,
    scopes_for,
    typed,
)
from seatwise.connectors.base import Connector, Way
from seatwise.connectors.errors import (
    AppRejected,
    ConsentRefused,
    CredentialsRejected,
    KeptBack,
    VendorError,
)
from seatwise.connectors.records import Grant
from seatwise.models import Authorization, Connection, Service, User
from seatwise.models.authorization import fingerprint

LONGEST_NAME = 300  # characters of an account's name or address that somebody typed


def let_in_by_key(
    service: Service, *, user: User, api_key: str, way: str = "", renews: Connection | None = None
) -> Authorization:
    """An ended attempt, as `finish` returns one. Raises NoSuchWay, NotConfigured."""
    connector = connector_for(service.key)
    chosen = find_way(connector, way, "key")
    require_settings(connector, chosen)
    attempt = _attempt(service, user, chosen, [], renews)
    key = typed(api_key)
    try:
        _require(user)
        if not key:
            raise ConsentRefused(
                "This cannot be an API key. Nothing was connected.",
                remedy="Copy the whole key, without spaces, and try again.",
            )
    except VendorError as error:
        return failed(attempt, error)
    grant = Grant(connector.token_of(key), None, None, None)
    return settle(attempt, connector, Given(chosen, grant, timezone.now(), key))


def let_in_by_machine(
    service: Service,
    *,
    user: User,
    client_id: str,
    client_secret: str,
    account_name: str,
    scopes: Iterable[str] | None = None,
    way: str = "",
    renews: Connection | None = None,
) -> Authorization:
    """An ended attempt, as `finish` returns one. Raises NoSuchWay, NotConfigured."""
    connector = connector_for(service.key)
    chosen = find_way(connector, way, "machine")
    require_settings(connector, chosen)
    asked = scopes_for(connector, chosen, scopes)
    attempt = _attempt(service, user, chosen, asked, renews)
    client = Client(typed(client_id), typed(client_secret))
    try:
        _require(user)
        grant = _machine_grant(connector, client, account_name, asked)
    except VendorError as error:
        return failed(attempt, error)
    return settle(attempt, connector, Given(chosen, grant, timezone.now(), client.written()))


def _attempt(
    service: Service, user: User, way: Way, asked: list[str], renews: Connection | None
) -> Authorization:
    """Used from the beginning: no answer is awaited, and no browser has anything to prove."""
    now = timezone.now()
    return Authorization.objects.create(
        service=service,
        user=user,
        state_hash=fingerprint(secrets.token_urlsafe(32)),
        session_hash="",
        way=way.key,
        renews=renews,
        asked=asked,
        created_at=now,
        used_at=now,
    )


def _require(user: User) -> None:
    if not User.objects.admins().filter(pk=user.pk).exists():
        raise ConsentRefused(BACK_AS_VIEWER, remedy="An admin integrates.")
    if hindrance := installation.hindrance():
        raise KeptBack(hindrance)


def _machine_grant(
    connector: Connector, client: Client, account_name: str, asked: list[str]
) -> Grant:
    name = account_name.strip()[:LONGEST_NAME]
    if not (client.id and client.secret and name):
        raise ConsentRefused(
            "The app's client id, its client secret and the account's name are needed. "
            "Nothing was connected.",
            remedy="Copy all three from the app's page and try again.",
        )
    app = connector.oauth_app(config_for(connector, client))
    try:
        return asyncio.run(connector.machine_grant(app, name, asked))
    except (AppRejected, CredentialsRejected) as error:  # somebody typed it, no operator set it
        raise ConsentRefused(
            f"{connector.name} does not accept this app's client id or client secret. "
            "Nothing was connected.",
            remedy="Compare both with the app's page and try again.",
            status=error.status,
        ) from None
