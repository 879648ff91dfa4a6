"""A grant from the simulated vendor's real consent pages, kept as the product keeps it."""

import asyncio
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from django.db.models import F
from django.utils import timezone

from seatwise import connections
from seatwise.connections.tokens import store
from seatwise.connectors import oauth
from seatwise.connectors.base import find, scopes_to_ask
from seatwise.connectors.records import Grant
from seatwise.models import Connection, Service
from tests.sandboxes import Running


def grant_to(vendor: Running, service: Service, account: str = "harbor-prod") -> Connection:
    """A living connection, without what else belongs to letting an account in."""
    now = timezone.now()
    Connection.objects.filter(service=service, account_id=account).delete()
    connection = Connection(
        service=service,
        account_id=account,
        account_name=account,
        region="us",
        api_url=f"{vendor.base_url}/us",
        way="scoped",
        connected_at=now,
        granted_at=now,
    )
    connection.save()
    store(connection, new_grant(vendor, service, account), now)
    connection.save()
    return connection


def expire(connection: Connection, at: datetime | None = None) -> None:
    """The access token has come to its end; the grant has not."""
    Connection.objects.filter(pk=connection.pk).update(expires_at=at or timezone.now())
    connection.refresh_from_db()


def let_time_pass(connection: Connection) -> None:
    """A refresh that was cut off is so long ago that nobody can be about to store its answer."""
    Connection.objects.filter(pk=connection.pk).update(
        refreshing_since=F("refreshing_since") - timedelta(minutes=10)
    )


def works(vendor: Running, token: str) -> bool:
    """Whether the vendor takes the access token."""
    answer = vendor.http.get("/us/users/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


def token_calls(vendor: Running) -> int:
    """How often the token endpoint was asked since the record was begun."""
    return len(vendor.requests("/identity/oauth/token"))


def new_grant(vendor: Running, service: Service, account: str = "harbor-prod") -> Grant:
    """What the vendor gives when its owner agrees once more."""
    connector = find(service.key)
    assert connector is not None
    app = connector.oauth_app(connections.config(connector))
    address = connections.callback_url(service.key)
    scopes = scopes_to_ask(connector.scopes)
    begun = oauth.begin(app, redirect_uri=address, scopes=scopes)
    back = vendor.decide(begun.url, vendor.someone("owner", account), account)
    (code,) = parse_qs(urlsplit(back).query)["code"]
    return asyncio.run(
        oauth.exchange(
            app,
            code=code,
            verifier=begun.verifier,
            redirect_uri=address,
            asked=frozenset(scopes),
        )
    )
