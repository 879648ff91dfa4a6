"""Two vendors of a few lines: one that answers and one that does not, until it is let go."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from seatwise.connectors import base
from seatwise.connectors.base import Config, Connector, Credentials
from seatwise.connectors.records import Account, Batch
from seatwise.models import Connection, Service
from tests.pages import rows
from tests.pull.acme import Acme, Reader, World


@dataclass
class Door:
    """How many are kept waiting, and whether they are let go."""

    waiting: int = 0
    open: bool = False
    seen: list[str] = field(default_factory=list)  # accounts that were read, in that order


class Behind(Acme):
    """A vendor whose small account is read through that door."""

    def __init__(self, door: Door) -> None:
        super().__init__(World())
        self._door = door


class Stuck(Behind):
    key: ClassVar[str] = "stuck"
    name: ClassVar[str] = "Stuck"

    @asynccontextmanager
    async def reader(
        self, config: Config, account: Account, credentials: Credentials
    ) -> AsyncIterator[Reader]:
        yield Silent(self.world, self._door)


class Silent(Reader):
    """The first page does not come."""

    def __init__(self, world: World, door: Door) -> None:
        super().__init__(world)
        self._door = door

    async def members(self) -> AsyncIterator[Batch]:
        self._door.waiting += 1
        while not self._door.open:  # noqa: ASYNC110 - opened from another thread
            await asyncio.sleep(0.02)
        async for batch in super().members():
            yield batch


class Quick(Behind):
    key: ClassVar[str] = "quick"
    name: ClassVar[str] = "Quick"

    @asynccontextmanager
    async def reader(
        self, config: Config, account: Account, credentials: Credentials
    ) -> AsyncIterator[Reader]:
        self._door.seen.append(account.external_id)
        yield Reader(self.world)


def installed(monkeypatch: pytest.MonkeyPatch, door: Door) -> None:
    """These two are all the connectors there are."""
    made: Mapping[str, Connector] = {"stuck": Stuck(door), "quick": Quick(door)}
    monkeypatch.setattr(base, "all_connectors", lambda: made)


def connected(key: str, number: int) -> Connection:
    """An account at one of them, let in by a key."""
    service, _ = Service.objects.get_or_create(key=key, defaults={"name": key.title()})
    connection = rows.connection(
        service,
        account_id=f"{key}-{number}",
        account_name=f"{key}-{number}",
        way="key",
        sync_every="never",
    )
    connection.seal("credential", "a key that opens nothing")
    connection.save()
    return connection
