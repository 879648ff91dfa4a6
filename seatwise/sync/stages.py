"""Staging of what was read, and its application once a stage is complete."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.utils import timezone

from seatwise.connectors.base import ReadPlan
from seatwise.connectors.records import (
    AbsenceRecord,
    Batch,
    DutyRecord,
    LicenseRecord,
    MemberRecord,
    ReachRecord,
    SeatRecord,
    SignalRecord,
    Stage,
    UsageRecord,
)
from seatwise.models import Connection, Duty, Member, Signal, StagedRecord, SyncRun, UsagePoint
from seatwise.sync.absences import apply_absences
from seatwise.sync.licenses import apply_licenses
from seatwise.sync.members import apply_members

T = TypeVar("T")
TICK = timedelta(microseconds=1)


def stage(run: SyncRun, batch: Batch) -> None:
    """Keeps a page's records.

    Lists wait until they are complete. Evidence and a month's numbers are whole by
    themselves and only ever get newer, so they are written at once.
    """
    _hold_back(run, "member", _of(batch, MemberRecord), lambda record: record.external_id)
    _hold_back(run, "license", _of(batch, LicenseRecord), lambda record: record.external_id)
    _hold_back(run, "seat", _of(batch, SeatRecord), lambda record: record.member_id)
    _hold_back(run, "never", _of(batch, AbsenceRecord), lambda record: record.member_id)
    now = timezone.now()
    Signal.objects.record(run.connection, _of(batch, SignalRecord), now)
    UsagePoint.objects.record(run.connection, _of(batch, UsageRecord), now)
    if batch.stage == "duty" and batch.complete:  # it comes whole, in one batch
        Duty.objects.replace(run.connection, _of(batch, DutyRecord))
        Member.objects.note_reach(run.connection, _of(batch, ReachRecord))


def apply(run: SyncRun, name: Stage, *, whole: bool = True, insist: bool = False) -> None:
    """Makes a stage that has ended visible, inside the caller's transaction.

    Without `whole` the list has a hole: who is in it is taken, and nobody counts as gone.
    With `insist` an unusual drop is believed. Raises UnusualDrop.
    """
    _APPLY[name](run, _now(run), whole, insist)


def _members(run: SyncRun, now: datetime, whole: bool, insist: bool) -> None:
    found = apply_members(run, now, whole=whole, insist=insist)
    run.counts = dict(Counter(run.counts) + Counter(found))
    if whole:
        _as_of(run, members_as_of=now, members_whole_at=now)
    elif run.connection.members_whole_at is None:
        _as_of(run, members_as_of=now)


def _licenses(run: SyncRun, now: datetime, whole: bool, insist: bool) -> None:
    if apply_licenses(run, now, whole=whole, insist=insist):
        _as_of(run, licenses_as_of=now)


def _usage(run: SyncRun, now: datetime, whole: bool, _insist: bool) -> None:
    if whole:
        _as_of(run, usage_as_of=now)


def _activity(run: SyncRun, now: datetime, whole: bool, _insist: bool) -> None:
    apply_absences(run, now)
    if whole:
        _as_of(run, activity_as_of=now, activity_since=now - ReadPlan.HORIZON)


def _duty(run: SyncRun, now: datetime, whole: bool, _insist: bool) -> None:
    if whole:
        _as_of(run, duty_as_of=now)


_APPLY: Mapping[Stage, Callable[[SyncRun, datetime, bool, bool], None]] = {
    "members": _members,
    "licences": _licenses,
    "usage": _usage,
    "activity": _activity,
    "duty": _duty,
}


def _as_of(run: SyncRun, **times: datetime) -> None:
    Connection.objects.filter(pk=run.connection_id).update(**times)
    for field, at in times.items():
        setattr(run.connection, field, at)


def _now(run: SyncRun) -> datetime:
    """The time, but never before an earlier look: clocks differ, and history goes one way."""
    connection = run.connection
    looks = [connection.members_as_of, connection.licenses_as_of]
    looks.append(SyncRun.objects.of_connection(connection).last_end())
    return max([timezone.now(), *(look + TICK for look in looks if look)])


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
