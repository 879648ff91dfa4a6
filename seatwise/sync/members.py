"""Applies a complete list of members: who joined, left, came back, changed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from seatwise.connectors.records import MemberRecord
from seatwise.diff import KEPT, Change, Known, changes
from seatwise.models import Member, MemberEvent, StagedRecord, SyncRun
from seatwise.sync.drops import UnusualDrop, is_unusual

CHUNK = 1000  # rows a statement
Kind = MemberEvent.Kind
T = TypeVar("T")


def apply_members(run: SyncRun, now: datetime, *, whole: bool, insist: bool) -> dict[str, int]:
    """Brings the table to what was staged and appends the events; returns counts by kind.

    Nothing is written for members that are as before, and nobody counts as gone unless the
    list is `whole`. Raises UnusualDrop for a drop that nobody insists on, and always for a
    list with nobody in it: an account has an owner.
    """
    connection = run.connection
    listed = StagedRecord.objects.of(run, "member").count()
    known = Member.objects.filter(connection=connection).current().count()
    if whole and ((is_unusual(known, listed) and not insist) or (known and not listed)):
        raise UnusualDrop(connection.service.name, "members", known, listed)
    first_look = connection.members_as_of is None
    counts: Counter[str] = Counter()
    plan = planned(run) if whole else (each for each in planned(run) if each.kind != "left")
    for chunk in _chunks(plan):
        counts.update(change.kind for change in chunk)
        _write(run, chunk, first_look=first_look, now=now)
    return dict(counts)


def planned(run: SyncRun) -> Iterator[Change]:
    """What applying would change about members, in the order of their ids; streamed."""
    before = Member.objects.filter(connection=run.connection)
    staged = StagedRecord.objects.of(run, "member")
    return changes(_known(before), _listed(staged.in_key_order()))


def _write(run: SyncRun, chunk: list[Change], *, first_look: bool, now: datetime) -> None:
    joined = [change.record for change in chunk if change.kind == "joined" and change.record]
    Member.objects.bulk_create(
        [
            Member(
                connection=run.connection,
                external_id=record.external_id,
                first_listed_at=now,
                joined_at=None if first_look else now,
                **_columns(record),
            )
            for record in joined
        ]
    )
    ids = [change.external_id for change in chunk]
    rows = {
        row.external_id: row
        for row in Member.objects.filter(connection=run.connection, external_id__in=ids)
    }
    for change in chunk:
        row = rows[change.external_id]
        row.left_at = now if change.kind == "left" else None
        if change.record:
            for name, value in _columns(change.record).items():
                setattr(row, name, value)
    altered = [rows[change.external_id] for change in chunk if change.kind != "joined"]
    Member.objects.rewrite(altered, ["left_at", *KEPT])
    MemberEvent.objects.bulk_create(
        event
        for change in chunk
        for event in _events(run, rows[change.external_id], change, first_look, now)
    )


def _events(
    run: SyncRun, row: Member, change: Change, first_look: bool, now: datetime
) -> Iterator[MemberEvent]:
    if change.kind != "changed":
        kind = Kind.LISTED if first_look and change.kind == "joined" else Kind(change.kind)
        yield MemberEvent(member=row, run=run, at=now, kind=kind)
    for field, before, after in change.remembered:
        yield MemberEvent(
            member=row,
            run=run,
            at=now,
            kind=Kind.CHANGED,
            field=field,
            before=_text(before),
            after=_text(after),
        )


def _known(members: Any) -> Iterator[Known]:
    for row in members.order_by("external_id").iterator(chunk_size=CHUNK):
        record = MemberRecord(
            external_id=row.external_id,
            email=row.email,
            name=row.name,
            role=row.role,
            invited=row.invited,
            url=row.url,
            job_title=row.job_title,
            teams=tuple(row.teams),
        )
        yield Known(record, left=row.left_at is not None)


def _listed(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[MemberRecord]:
    for _key, data in rows:
        yield MemberRecord(**{**data, "teams": tuple(data["teams"])})


def _columns(record: MemberRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in KEPT} | {"teams": list(record.teams)}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk
