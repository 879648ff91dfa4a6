"""The History page as a file: a line for each sync."""

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.utils import timezone

from seatwise.models import Service, SyncRun
from seatwise.models.sync_run import SyncRunQuerySet
from seatwise.spreadsheet import Cell, Column
from seatwise.templatetags.runs import moved
from seatwise.views.export import Export

COUNTS = ("joined", "returned", "left", "changed")
COLUMNS = (
    Column("run", "Sync", "number", "Its number, as in its address."),
    Column("account", "Account", "text", "The account of the service that was read."),
    Column("asked_at", "Asked for", "time", "When it was asked for."),
    Column("started_at", "Began", "time", "When the first attempt began; empty: never."),
    Column("finished_at", "Ended", "time", "When it ended; empty: not yet."),
    Column("state", "State (raw)", "text", "The word for how it stands, for programs."),
    Column("state_name", "State", "text", "How it stands or how it ended."),
    Column("reason", "Why", "text", "How it ended, in words."),
    Column("asked_by", "Asked by", "text", "Who asked for it; empty: no user that is known."),
    Column("attempts", "Attempts", "number", "How often it was tried."),
    Column("requests", "Requests", "number", "Made at the service, as far as they were noted."),
    Column("took_seconds", "Took (seconds)", "number", "From beginning to end, waiting included."),
    Column("members", "Members", "text", "What it changed; empty: members were not compared."),
    Column("joined", "Joined", "number", "Members who joined; empty: not compared."),
    Column("returned", "Came back", "number", "Members who came back; empty: not compared."),
    Column("left", "Left", "number", "Members who left; empty: not compared."),
    Column("changed", "Changed", "number", "Members who changed; empty: not compared."),
)


def export(service: Service, runs: SyncRunQuerySet, filters: Sequence[str]) -> Export:
    """The syncs, newest first. `runs` come from `for_page`."""
    now = timezone.now()
    day = now.astimezone(settings.BILLING_ZONE).date()
    return Export(
        file=f"{service.key}-syncs-{day}",
        what="syncs",
        title="Syncs",
        says="One row for each sync that the filters leave, newest first.",
        columns=COLUMNS,
        rows=_rows(runs),
        count=runs.count(),
        service=service,
        as_of=now,
        filters=filters,
    )


def _rows(runs: SyncRunQuerySet) -> Iterator[list[Cell]]:
    for run in runs.newest_first().iterator(chunk_size=500):
        compared = moved(run)
        yield [
            run.pk,
            run.connection.account_name,
            run.created_at,
            run.started_at,
            run.finished_at,
            run.state,
            run.get_state_display(),
            run.reason or None,
            str(run.requested_by) if run.requested_by else None,
            run.attempt,
            None if run.connection.is_by_file else run.total_requests,
            _seconds(run),
            compared or None,
            *(_count(run, name) if compared else None for name in COUNTS),
        ]


def _seconds(run: SyncRun) -> int | None:
    return None if run.seconds is None else round(run.seconds)


def _count(run: SyncRun, name: str) -> int:
    """Who was there at the first look joined nothing."""
    first = getattr(run, "is_first_look", False)
    return 0 if first and name == "joined" else int(run.counts.get(name, 0))
