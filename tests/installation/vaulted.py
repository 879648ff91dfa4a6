"""Rows with secrets in every table that keeps any, and programs of ours on the same database."""

import os
from urllib.parse import quote

from django.db import connection as database
from django.utils import timezone

from seatwise.models import (
    Authorization,
    Channel,
    Connection,
    Installation,
    Revocation,
    Service,
    User,
)
from seatwise.models.sealed import Sealed, all_sealed
from seatwise.vault import Ring
from tests.pages import rows


def ring(*keys: str) -> Ring:
    return Ring.parse(",".join(keys))


def everywhere(service: Service, user: User, *, each: int = 1) -> None:
    """So many rows in every table, each of their sealed fields with a secret of its own."""
    now = timezone.now()
    for number in range(each):
        connection = rows.connection(
            service, account_id=f"E{number}", account_name=f"account-{number}", state="active"
        )
        attempt = Authorization(
            service=service, user=user, state_hash=f"state-{number}", session_hash="", asked=[]
        )
        attempt.created_at = now
        revocation = Revocation(service=service, why="Gone.", created_at=now)
        channel = Channel.objects.create(kind="webhook", name=f"channel-{number}", made_at=now)
        for row in (connection, attempt, revocation, channel):
            for name in row.SEALED_FIELDS:
                row.seal(name, f"canary {name} {number}")
            row.save()


def opened() -> dict[tuple[str, object, str], str]:
    """Every secret there is, by table, row and field. Raises CannotOpen for one that is not."""
    return {
        (kind.SEALED_AS, row.pk, name): row.unseal(name)
        for kind in all_sealed()
        for row in kind.rows()
        for name in kind.SEALED_FIELDS
        if getattr(row, name)
    }


def ciphertexts() -> list[tuple[type[Sealed], object, str]]:
    """Where every ciphertext lies; at least one in each table."""
    found = [
        (kind, row.pk, name)
        for kind in all_sealed()
        for row in kind.rows().order_by("pk")
        for name in kind.SEALED_FIELDS
        if getattr(row, name)
    ]
    assert {kind for kind, _pk, _name in found} == set(all_sealed())
    return found


def the_installation() -> Installation:
    return Installation.objects.get()


def the_connection() -> Connection:
    return Connection.objects.get()


def grant() -> tuple[object, ...]:
    """What the one connection holds and how its grant is doing."""
    row = the_connection()
    sealed = tuple(getattr(row, name) for name in row.SEALED_FIELDS)
    return (*sealed, row.expires_at, row.refreshing_since, row.granted_at)


def database_url(name: str = "") -> str:
    """The address of the database these tests use, or of another one on the same server."""
    told = database.settings_dict
    socket = quote(str(told["HOST"]), safe="")
    port = f"&port={told['PORT']}" if told["PORT"] else ""
    password = f":{quote(told['PASSWORD'])}" if told["PASSWORD"] else ""
    user = quote(told["USER"])
    return f"postgresql://{user}{password}@/{name or told['NAME']}?host={socket}{port}"


def program_settings(keys: str, vendor_settings: dict[str, str] | None = None) -> dict[str, str]:
    """The environment of a program that works on the tests' database with these keys."""
    ours = {f"SEATWISE_PAGERDUTY_{name}": told for name, told in (vendor_settings or {}).items()}
    return {
        **ours,
        "SEATWISE_DATABASE_URL": database_url(),
        "SEATWISE_SECRET_KEY": os.environ["SEATWISE_SECRET_KEY"],
        "SEATWISE_ENCRYPTION_KEYS": keys,
        "DJANGO_SETTINGS_MODULE": "seatwise.settings",
    }
