"""Applies a complete list of members: who joined, left, came back, changed.

The database finds those who differ, so an unchanged account costs one comparison there: none of
its rows comes here, and none is written.
"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from django.db import connection as database

from seatwise.connectors.records import MemberRecord
from seatwise.diff import Change, Known, Pair, changes
from seatwise.models import MemberEvent, SyncRun
from seatwise.sync import drops

CHUNK = 1000  # rows a statement
# Whoever may differ, in the order of the ids; a few too many do no harm. A full join is never a
# nested loop, whatever little the database knows of rows that were staged a moment ago.
DIFFERENT = """
SELECT known.external_id, known.email, known.name, known.role, known.invited, known.url,
       known.job_title, known.teams, known.left_at IS NOT NULL, listed.data
FROM (SELECT * FROM seatwise_member WHERE connection_id = %(connection)s) known
FULL JOIN (SELECT key, data FROM seatwise_stagedrecord
           WHERE run_id = %(run)s AND kind = 'member') listed
  ON listed.key = known.external_id
WHERE CASE
    WHEN known.id IS NULL THEN true
    WHEN listed.key IS NULL THEN known.left_at IS NULL
    ELSE known.left_at IS NOT NULL OR listed.data <> jsonb_build_object(
        'external_id', known.external_id, 'email', known.email, 'name', known.name,
        'role', known.role, 'invited', known.invited, 'url', known.url,
        'job_title', known.job_title, 'teams', known.teams)
    END
ORDER BY COALESCE(known.external_id, listed.key) COLLATE "C"
"""
# An id that comes back with another address and another name is somebody else: the earlier
# holder's row keeps its history under a number of its own.
MAKE_WAY = """
UPDATE seatwise_member earlier SET external_id = 'earlier-' || earlier.id
FROM seatwise_stagedrecord listed
WHERE earlier.connection_id = %(connection)s AND earlier.left_at IS NOT NULL
  AND listed.run_id = %(run)s AND listed.kind = 'member' AND listed.key = earlier.external_id
  AND '' NOT IN (earlier.email, earlier.name, listed.data ->> 'email', listed.data ->> 'name')
  AND lower(listed.data ->> 'email') <> lower(earlier.email)
  AND lower(listed.data ->> 'name') <> lower(earlier.name)
"""
TAKE_IN = """
INSERT INTO seatwise_member (connection_id, external_id, email, name, role, invited, url, job_title,
    teams, first_listed_at, joined_at, last_seen_source, last_seen_proof)
SELECT %(connection)s, key, data ->> 'email', data ->> 'name', data ->> 'role',
    (data ->> 'invited')::boolean, data ->> 'url', data ->> 'job_title',
    ARRAY(SELECT jsonb_array_elements_text(data -> 'teams')), %(now)s, %(joined_at)s, '', ''
FROM seatwise_stagedrecord
WHERE run_id = %(run)s AND kind = 'member' AND key = ANY(%(listed)s)
ORDER BY key
ON CONFLICT (connection_id, external_id) DO UPDATE
SET email = excluded.email, name = excluded.name, role = excluded.role,
    invited = excluded.invited, url = excluded.url, job_title = excluded.job_title,
    teams = excluded.teams, left_at = NULL
RETURNING external_id, id
"""
TAKE_OUT = """
UPDATE seatwise_member SET left_at = %(now)s
WHERE connection_id = %(connection)s AND external_id = ANY(%(left)s)
RETURNING external_id, id
"""
EVENTS = """
INSERT INTO seatwise_memberevent (member_id, run_id, at, kind, field, before, after, facts)
SELECT member, %(run)s, %(now)s, kind, field, before, after, facts
FROM unnest(%(members)s::bigint[], %(kinds)s::text[], %(fields)s::text[], %(befores)s::text[],
            %(afters)s::text[], %(facts)s::jsonb[])
    WITH ORDINALITY AS given(member, kind, field, before, after, facts, place)
ORDER BY place
"""
Kind = MemberEvent.Kind
T = TypeVar("T")
EVENT = ("members", "kinds", "fields", "befores", "afters", "facts")
Event = tuple[int, str, str, str, str, str]  # these of one of them


def apply_members(run: SyncRun, now: datetime, *, whole: bool, insist: bool) -> dict[str, int]:
    """Brings the table to what was staged and appends the events; returns counts by kind.

    Nothing is written for members that are as before, and nobody counts as gone unless the
    list is `whole`. Raises UnusualDrop for a drop that nobody insists on.
    """
    connection = run.connection
    if whole and not insist:
        drops.check(run, "members", now)
    first_look = connection.members_as_of is None
    with database.cursor() as cursor:
        cursor.execute(MAKE_WAY, {"connection": connection.pk, "run": run.pk})
    counts: Counter[str] = Counter()
    plan = planned(run) if whole else (each for each in planned(run) if each.kind != "left")
    for chunk in _chunks(plan):
        counts.update(change.kind for change in chunk)
        _write(run, chunk, first_look=first_look, now=now)
    return dict(counts)


def planned(run: SyncRun) -> Iterator[Change]:
    """What applying would change about members, in the order of their ids; streamed."""
    return changes(compared(run))


def compared(run: SyncRun) -> Iterator[Pair]:
    """Whoever may differ, as the table has them and as they were listed; streamed."""
    with database.chunked_cursor() as cursor:
        cursor.execute(DIFFERENT, {"connection": run.connection_id, "run": run.pk})
        while rows := cursor.fetchmany(CHUNK):
            for row in rows:
                yield _known(row), _listed(row[-1])


def _known(row: tuple[Any, ...]) -> Known | None:
    key, email, name, role, invited, url, job_title, teams, left, _listed = row
    if key is None:
        return None
    return Known(
        MemberRecord(key, email, name, role, invited, url, job_title, tuple(teams)), left=left
    )


def _listed(data: str | None) -> MemberRecord | None:
    if data is None:
        return None
    fields = json.loads(data)
    return MemberRecord(**{**fields, "teams": tuple(fields["teams"])})


def _write(run: SyncRun, chunk: list[Change], *, first_look: bool, now: datetime) -> None:
    given: dict[str, Any] = {
        "connection": run.connection_id,
        "run": run.pk,
        "now": now,
        "joined_at": None if first_look else now,
        "listed": [change.external_id for change in chunk if change.record],
        "left": [change.external_id for change in chunk if not change.record],
    }
    with database.cursor() as cursor:
        cursor.execute(TAKE_IN, given)
        ids: dict[str, int] = dict(cursor.fetchall())
        cursor.execute(TAKE_OUT, given)
        ids |= dict(cursor.fetchall())
        events = [
            event
            for change in chunk
            for event in _events(ids[change.external_id], change, first_look)
        ]
        if events:  # else merely the newest is kept
            columns = zip(EVENT, map(list, zip(*events, strict=True)), strict=True)
            cursor.execute(EVENTS, given | dict(columns))


def _events(member: int, change: Change, first_look: bool) -> Iterator[Event]:
    if change.kind != "changed":
        kind = Kind.LISTED if first_look and change.kind == "joined" else Kind(change.kind)
        yield member, kind.value, "", "", "", json.dumps(change.facts)
    for field, before, after in change.remembered:
        yield member, Kind.CHANGED.value, field, _text(before), _text(after), "{}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _chunks(items: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk
