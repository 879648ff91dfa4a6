"""Staging of what was read, and its application once a stage is complete."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from django.utils import timezone

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.records import (
    Batch,
    LicenseRecord,
    MemberRecord,
    SeatRecord,
    SignalRecord,
    UsageRecord,
)
from seatwise.models import Connection, Signal, StagedRecord, SyncRun, UsagePoint
from seatwise.sync.licenses import apply_licenses
from seatwise.sync.members import apply_members

T = TypeVar("T")


def stage(run: SyncRun, batch: Batch) -> None:
    """Keeps a page's records.

    Lists wait until they are complete. Evidence and a month's numbers are whole by
    themselves and only ever get newer, so they are written at once.
    """
    _hold_back(run, "member", _of(batch, MemberRecord), lambda record: record.external_id)
    _hold_back(run, "license", _of(batch, LicenseRecord), lambda record: record.external_id)
    _hold_back(run, "seat", _of(batch, SeatRecord), lambda record: record.member_id)
    now = timezone.now()
    Signal.objects.record(run.connection, _of(batch, SignalRecord), now)
    UsagePoint.objects.record(run.connection, _of(batch, UsageRecord), now)


def is_read_to_its_end(batch: Batch) -> bool:
    """Whether every month was asked, though some of its numbers may not be read by us."""
    return batch.stage == "usage" and batch.total is not None and batch.done >= batch.total


def apply(run: SyncRun, name: str) -> None:
    """Makes a complete stage visible, inside the caller's transaction."""
    now = timezone.now()
    _APPLY[name](run, now)


def _members(run: SyncRun, now: datetime) -> None:
    run.counts = {**run.counts, **apply_members(run, now)}
    _as_of(run, members_as_of=now)


def _licenses(run: SyncRun, now: datetime) -> None:
    apply_licenses(run, now)


def _usage(run: SyncRun, now: datetime) -> None:
    _as_of(run, usage_as_of=now)


def _activity(run: SyncRun, now: datetime) -> None:
    _as_of(run, activity_as_of=now, activity_since=now - ReadPlan.HORIZON)


_APPLY: dict[str, Callable[[SyncRun, datetime], None]] = {
    "members": _members,
    "licences": _licenses,
    "usage": _usage,
    "activity": _activity,
}


def _as_of(run: SyncRun, **times: datetime) -> None:
    Connection.objects.filter(pk=run.connection_id).update(**times)
    for field, at in times.items():
        setattr(run.connection, field, at)


def _of(batch: Batch, kind: type[T]) -> list[T]:
    return [record for record in batch.records if isinstance(record, kind)]


def _hold_back(run: SyncRun, kind: str, records: Iterable[T], key: Callable[[T], str]) -> None:
    rows = {key(record): record for record in records}
    StagedRecord.objects.bulk_create(
        [
            StagedRecord(run=run, kind=kind, key=name, data=_json(record))
            for name, record in rows.items()
        ],
        update_conflicts=True,
        unique_fields=["run", "kind", "key"],
        update_fields=["data"],
    )


def _json(record: Any) -> dict[str, Any]:
    data: dict[str, Any] = asdict(record)
    return data
