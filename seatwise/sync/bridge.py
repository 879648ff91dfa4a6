"""The one place where synchronous code drives a connector's asynchronous reading.

The event loop runs only while a page is being fetched; between pages the caller is plain
synchronous code and may use the database.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

from django.db import connections as databases

from seatwise import connections
from seatwise.connectors.base import ReadPlan
from seatwise.connectors.collect import collect
from seatwise.connectors.errors import AppRejected
from seatwise.connectors.records import Batch
from seatwise.models import Connection


def read(connection: Connection, plan: ReadPlan) -> Iterator[tuple[Batch, Counter[str]]]:
    """Every batch the account gives, with the requests made so far, by endpoint."""
    connector = connection.connector
    if connector is None:
        raise AppRejected(f"The connector for {connection.service.name} is not installed.")
    config = connections.config(connector)
    credentials = StoredCredentials(connection.pk, connections.fresh_token(connection.pk))
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            opened = connector.reader(config, connection.account, credentials)
            reader = runner.run(stack.enter_async_context(opened))
            batches = collect(reader, plan)
            stack.push_async_callback(batches.aclose)  # what was asked ahead is stopped first
            while (batch := runner.run(_next(batches))) is not None:
                yield batch, reader.requests
        finally:
            runner.run(stack.aclose())


class StoredCredentials:
    """Tokens of one connection for the time of one sync."""

    def __init__(self, connection_id: int, token: str) -> None:
        self._connection_id = connection_id
        self._token = token
        self._turn = asyncio.Lock()  # of several pages that are refused at once, one asks

    async def token(self) -> str:
        return self._token

    async def renew(self, rejected: str) -> str:
        async with self._turn:
            if rejected == self._token:
                self._token = await asyncio.to_thread(_renewed, self._connection_id, rejected)
            return self._token


async def _next(batches: AsyncIterator[Batch]) -> Batch | None:
    return await anext(batches, None)


def _renewed(connection_id: int, rejected: str) -> str:
    """In a thread of its own, whose database connection nobody else would close."""
    try:
        return connections.fresh_token(connection_id, rejected=rejected)
    finally:
        databases.close_all()
