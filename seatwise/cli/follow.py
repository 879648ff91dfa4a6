"""A sync, watched from the terminal."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from django.db import connections as databases
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from seatwise import sync, tasks
from seatwise.models import Connection, Service, SyncRun

EVERY = 0.2  # seconds between two looks


def follow(run: SyncRun, console: Console, *, patience: float = 600) -> SyncRun:
    """Shows a run's stages until it has ended or waits for another try, then returns it."""
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    until = time.monotonic() + patience
    with Progress(*columns, console=console) as progress:
        bars: dict[str, TaskID] = {}
        while True:
            run.refresh_from_db()
            _show(run, progress, bars)
            if not run.is_open or run.retry_at is not None or time.monotonic() > until:
                return run
            time.sleep(EVERY)


def sync_now(key: str) -> int:
    """Reads one service, or all that are connected, in this process. Returns the exit code."""
    console = Console()
    connections = list(Connection.objects.alive_for(key))
    if not connections:
        known = ", ".join(sorted(Service.objects.keys())) or "none yet"
        console.print(f"No connected service{f' {key!r}' if key else ''}. Services: {known}.")
        return 1
    code = 0
    for connection in connections:
        console.print(f"[bold]{connection}")
        run, is_ours = sync.open_run(connection, by=None)
        with _carried_out(run) if is_ours else nullcontext():
            run = follow(run, console)
        console.print(sentence(run))
        code = code or int(run.state not in {"done", "done_with_notes"})
    return code


def sentence(run: SyncRun) -> str:
    """How a run went, in a line."""
    asked = sum(run.requests.values())
    end = run.finished_at or run.retry_at
    seconds = (end - run.started_at).total_seconds() if end and run.started_at else 0
    told = f"{run.get_state_display()}: {asked} requests in {seconds:.1f} s."
    return " ".join(part for part in (told, run.reason, run.remedy) if part)


@contextmanager
def _carried_out(run: SyncRun) -> Iterator[None]:
    """Reads in a thread meanwhile; who leaves early, hands the run to the next worker."""
    leaving = threading.Event()
    thread = threading.Thread(target=_run, args=[run.pk, leaving])
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join()


def _run(run_id: int, leaving: threading.Event) -> None:
    try:
        tasks.carry_out(run_id, stopping=leaving.is_set)
    finally:
        databases.close_all()


def _show(run: SyncRun, progress: Progress, bars: dict[str, TaskID]) -> None:
    for stage in run.progress:
        if stage["state"] == "waiting":
            continue
        name, done, total = stage["name"], stage["done"], stage["total"]
        count = f"{done} of {total} {stage['unit']}" if total else f"{done} {stage['unit']}"
        finished = stage["state"] != "running"
        if name not in bars:
            bars[name] = progress.add_task(name, total=None, count="")
        progress.update(
            bars[name],
            completed=(total or done or 1) if finished else done,
            total=(total or done or 1) if finished else total,
            count=count,
        )
