"""The one place where synchronous code drives a connector's asynchronous reading.

The event loop runs only while a page is being fetched; between pages the caller is plain
synchronous code and may use the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

from django.db import connections as databases

from seatwise import connections
from seatwise.connectors.base import Reader, ReadPlan, Resumes
from seatwise.connectors.collect import STAGES, collect
from seatwise.connectors.errors import AppRejected
from seatwise.connectors.records import Batch
from seatwise.connectors.state import StateRefused
from seatwise.models import SyncRun
from seatwise.sync import checkpoint
from seatwise.sync.claim import Claim

LOOKS = 0.25  # seconds between two looks whether this process is to stop
GRACE = 10.0  # seconds that a page gets then, before it is given up and left to the next worker


class HandedOver(Exception):
    """This process is stopping, and the page that was asked for does not come in time."""


class CannotGoOn(Exception):
    """The connector does not go on from what an earlier attempt has read."""


def read(
    claim: Claim, run: SyncRun, plan: ReadPlan, stopping: Callable[[], bool]
) -> Iterator[Batch]:
    """Every batch that the account still has to give to this run.

    Raises HandedOver, CannotGoOn before anything is read, and what the connector raises.
    """
    connection = claim.connection
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
            claim.meter.follow(reader.requests)
            ended = _resumed(reader, run)
            left = [stage for stage in STAGES if stage not in ended]
            batches = collect(reader, plan, left)
            stack.push_async_callback(batches.aclose)  # what was asked ahead is stopped first
            while (batch := runner.run(_next(batches, stopping))) is not None:
                yield batch
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


def _resumed(reader: Reader, run: SyncRun) -> set[str]:
    """Tells the reader what is kept of its lists; returns those that need no reading any more."""
    kept = checkpoint.kept(run)
    if kept and not isinstance(reader, Resumes):
        raise CannotGoOn("it does not resume")
    for part in kept:
        assert isinstance(reader, Resumes)
        try:
            reader.resume(part.stage, part.place, part.records(run), ended=part.ended)
        except StateRefused as reason:
            raise CannotGoOn(str(reason)) from None
    return {part.stage for part in kept if part.ended}


async def _next(batches: AsyncIterator[Batch], stopping: Callable[[], bool]) -> Batch | None:
    """The next batch, None after the last. Whoever is to stop does not wait for it for ever."""
    coming: asyncio.Future[Any] = asyncio.ensure_future(_one(batches))
    until: float | None = None
    while True:
        await asyncio.wait({coming}, timeout=LOOKS)
        if coming.done():
            batch: Batch | None = coming.result()
            return batch
        if until is None and stopping():
            until = time.monotonic() + GRACE
        if until is not None and time.monotonic() > until:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            raise HandedOver


async def _one(batches: AsyncIterator[Batch]) -> Batch | None:
    return await anext(batches, None)


def _renewed(connection_id: int, rejected: str) -> str:
    """In a thread of its own, whose database connection nobody else would close."""
    try:
        return connections.fresh_token(connection_id, rejected=rejected)
    finally:
        databases.close_all()
