"""What somebody may let Seatwise in by, and what each way asks for and stores."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from seatwise.connections.configuration import NotConfigured, config, missing_settings
from seatwise.connectors.base import Config, Connector, Way, WayKind, find
from seatwise.connectors.records import Grant
from seatwise.models import Connection
from seatwise.vault import CannotOpen

LONGEST_INPUT = 1_000  # characters of a key, an id or a secret that somebody typed


class NoSuchWay(LookupError):
    """The connector cannot be let in that way."""


@dataclass(frozen=True, slots=True)
class Client:
    """A private app's own client; a connection by machine keeps it sealed."""

    id: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Client":
        told = json.loads(text)
        return cls(told["client_id"], told["client_secret"])

    def written(self) -> str:
        return json.dumps({"client_id": self.id, "client_secret": self.secret})


@dataclass(frozen=True, slots=True)
class Given:
    """A grant as it was handed over: not yet known whose, and stored nowhere."""

    way: Way
    grant: Grant
    at: datetime  # from here its life is counted
    credential: str = field(default="", repr=False)  # an API key, or a client as JSON

    @property
    def client(self) -> Client | None:
        """The private app that it belongs to; None: the one in the settings."""
        return Client.parse(self.credential) if self.way.kind == "machine" else None


def connector_for(key: str) -> Connector:
    """Raises NotConfigured where nobody has written one."""
    connector = find(key)
    if connector is None:
        raise NotConfigured([f"a connector for {key}"])
    return connector


def find_way(connector: Connector, key: str, kind: WayKind) -> Way:
    """The way with this key, or for "" the first of the kind. Raises NoSuchWay."""
    for way in connector.ways:
        if way.kind == kind and key in (way.key, ""):
            return way
    raise NoSuchWay(f"{connector.name} cannot be let in that way.")


def require_settings(connector: Connector, way: Way) -> None:
    """Raises NotConfigured, naming each setting that the way needs and that is missing."""
    if missing := missing_settings(connector.key, way.key):
        raise NotConfigured(missing)


def scopes_for(connector: Connector, way: Way, chosen: Iterable[str] | None) -> list[str]:
    """The scopes to ask for: known ones only, in the connector's order, the required always.

    `chosen` None: all that is not optional.
    """
    if way.kind == "key":
        return []
    if way.scope:
        return way.scope.split()
    picked = None if chosen is None else frozenset(chosen)
    return [
        scope.name
        for scope in connector.scopes
        if (scope.required or (not scope.optional if picked is None else scope.name in picked))
        and way.may_ask(scope)
    ]


def config_for(connector: Connector, client: Client | None) -> Config:
    """The connector's settings, with a private app's client in the place of the operator's."""
    known = config(connector)
    if client is None:
        return known
    return {**known, "CLIENT_ID": client.id, "CLIENT_SECRET": client.secret}


def client_of(connection: Connection) -> Client | None:
    """The private app of a connection by machine; None for others, or where it does not open."""
    if connection.kind != "machine":
        return None
    try:
        return Client.parse(connection.unseal("credential"))
    except (CannotOpen, ValueError, KeyError, TypeError):
        return None


def typed(text: str) -> str:
    """What somebody typed as a key, id or secret; "" where it can be none."""
    text = text.strip()
    fits = len(text) <= LONGEST_INPUT and text.isascii() and text.isprintable()
    return text if fits and " " not in text else ""
