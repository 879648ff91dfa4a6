"""One worker process: slots for each vendor's syncs, and slots of their own for the care.

A slot is a thread; syncs wait for vendors most of the time. A vendor that is slow fills its own
slots and nobody else's.
"""

import asyncio
import logging
import random
import signal
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any

import psycopg
from django.db import connections as databases
from procrastinate import PsycopgConnector
from procrastinate.app import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import DeleteJobCondition
from procrastinate.middleware import AsyncCallNext, SyncCallNext
from procrastinate.periodic import PeriodicRegistry
from procrastinate.worker import Worker

from seatwise.tasks import queue, rescuing

log = logging.getLogger(__name__)

SLOTS = 4  # jobs at once, of each vendor and of the care
HEARTBEAT = 10.0  # seconds between two signs of life
GRACE = 1.0  # seconds before running jobs are asked to stop, a sync at its next page
POLL = 1.0  # seconds between two looks for a job
SESSIONS = 4  # with the database, for all queues together, beside those of the jobs
RESTS = (1.0, 3.0)  # seconds before beginning anew after trouble with the database
SPARE = 2  # threads beside those of the slots
STOPPED_BY = (signal.SIGTERM, signal.SIGINT)
OURS = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%(workers)s)"


def run(heartbeat: float) -> None:
    """Works until SIGTERM or SIGINT."""
    asyncio.run(_until_signalled(heartbeat))


async def work(heartbeat: float, stopped: asyncio.Event) -> None:
    """Works until `stopped`, also through restarts of the database."""
    slots = _slots()
    threads = ThreadPoolExecutor(SLOTS * len(slots) + SPARE, thread_name_prefix="slot")
    asyncio.get_running_loop().set_default_executor(threads)
    while not stopped.is_set():
        try:
            await _one_life(slots, heartbeat, stopped)
        except (ConnectorException, psycopg.Error) as error:
            log.warning("the worker lost the database (%s) and begins anew", type(error).__name__)
        await _any_of(stopped.wait(), asyncio.sleep(random.uniform(*RESTS)))  # noqa: S311


async def _until_signalled(heartbeat: float) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    before = {number: signal.getsignal(number) for number in STOPPED_BY}
    for number in STOPPED_BY:
        loop.add_signal_handler(number, stopped.set)
    try:
        await work(heartbeat, stopped)
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _slots() -> dict[str, list[str]]:
    """The queues that share slots, by a name for the log.

    What an earlier release left is on the care's: a sync among it only changes its queue there.
    """
    return {name: [name] for name in queue.names()} | {queue.CARE: [queue.CARE, queue.EARLIER]}


async def _one_life(
    slots: Mapping[str, list[str]], heartbeat: float, stopped: asyncio.Event
) -> None:
    """From one connecting to the database to the loss of it, or the end."""
    at_work: set[int] = set()

    async def noted(call_next: AsyncCallNext, context: JobContext, _: Worker) -> Any:
        job = context.job.id or 0
        at_work.add(job)
        try:
            return await call_next()
        finally:
            at_work.discard(job)

    # Each holds a session for a moment only, to fetch a job or to say what became of it. None
    # listens: that would be one for each queue, for half a second's sooner start.
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=SESSIONS)
    workers = [
        Worker(
            _app(connector),
            queues=queues,
            name=name,
            concurrency=SLOTS,
            fetch_job_polling_interval=POLL,
            listen_notify=False,
            shutdown_graceful_timeout=GRACE,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
            install_signal_handlers=False,
            update_heartbeat_interval=heartbeat,
            stalled_worker_timeout=max(rescuing.DEAD_AFTER, 3 * heartbeat),
            task_middleware=[_hanging_up],
            worker_middleware=[noted],
        )
        for name, queues in slots.items()
    ]
    opening = asyncio.create_task(connector.open_async())  # which takes long without a database
    try:
        await _any_of(stopped.wait(), opening)
        if opening.done():
            opening.result()
            await _until_one_ends(connector, workers, at_work, heartbeat, stopped)
    finally:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await connector.close_async()


async def _until_one_ends(
    connector: PsycopgConnector,
    workers: Collection[Worker],
    at_work: set[int],
    heartbeat: float,
    stopped: asyncio.Event,
) -> None:
    lives = [asyncio.create_task(worker.run()) for worker in workers]  # type: ignore[no-untyped-call]
    watch = asyncio.create_task(_give_back_lost(connector, workers, at_work, heartbeat))
    try:
        await _any_of(stopped.wait(), *lives)
    finally:
        watch.cancel()
        for worker in workers:
            worker.stop()  # type: ignore[no-untyped-call]
        ends = await asyncio.gather(*lives, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end


def _app(connector: PsycopgConnector) -> App:
    """With periods of its own, whose clocks stand where the last one to ask has left them.

    What comes by them goes onto the queue through this connector; through the usual one it would
    be a session of Django's that nobody looks after.
    """
    made = app.with_connector(connector)
    made.periodic_registry = PeriodicRegistry()  # type: ignore[no-untyped-call]
    for known in app.periodic_registry.periodic_tasks.values():
        task = copy(known.task)
        task.blueprint = made
        made.periodic_registry.register_task(
            task, known.cron, known.periodic_id, known.configure_kwargs
        )
    return made


async def _give_back_lost(
    connector: PsycopgConnector, workers: Collection[Worker], at_work: set[int], every: float
) -> None:
    """Jobs whose end could not be written while the database was away: nobody works on them, and
    their worker lives, so that nobody else would take them up."""
    before: set[int] = set()
    while True:
        await asyncio.sleep(every)
        living = [worker.worker_id for worker in workers if worker.worker_id is not None]
        try:
            rows = await connector.execute_query_all_async(OURS, workers=living)
        except ConnectorException:
            continue
        idle = {row["id"] for row in rows} - at_work
        if lost := sorted(idle & before):
            await asyncio.to_thread(_given_back, lost)
        before = idle


def _given_back(lost: list[int]) -> None:
    try:
        rescuing.give_away_jobs(lost)
    finally:
        databases.close_all()


def _hanging_up(call_next: SyncCallNext, _context: JobContext, _worker: Worker) -> Any:
    """A slot has a session with the database only while it works, and always one that is alive."""
    try:
        return call_next()
    finally:
        databases.close_all()


async def _any_of(*awaited: Any) -> None:
    """Until one of them is done; those that were begun here are given up then."""
    tasks = {asyncio.ensure_future(each): each for each in awaited}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, given in tasks.items():
            if task is not given:
                task.cancel()
