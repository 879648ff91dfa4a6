"""Applies a reading of licences: the pools, and who holds which.

The database compares and writes by set, so nobody's row is touched whose licence is as before.
"""

from datetime import datetime
from typing import Any

from seatwise.models import LicensePool, MemberEvent, StagedRecord, SyncRun
from seatwise.models.staged import comparing
from seatwise.sync import drops

# What each member holds in the table, and what they hold by what was read: the listed seat, or,
# where nobody can say, what they held, as far as there still is such a licence.
TOLD = """
WITH told AS (
    SELECT member.id, member.external_id, pool.external_id AS held, license.key AS now_held,
           COALESCE(pool.name, '') AS before, COALESCE(license.data ->> 'name', '') AS after,
           (seat.data ->> 'allocated_at')::timestamptz AS since
    FROM seatwise_member member
    LEFT JOIN seatwise_licensepool pool ON pool.id = member.license_id
    LEFT JOIN (SELECT * FROM seatwise_stagedrecord
               WHERE run_id = %(run)s AND kind = 'seat') seat
      ON seat.key = member.external_id AND member.left_at IS NULL
    LEFT JOIN (SELECT * FROM seatwise_stagedrecord
               WHERE run_id = %(run)s AND kind = 'license') license
      ON license.key = CASE
          WHEN member.left_at IS NULL AND (%(whole)s OR seat.key IS NOT NULL)
          THEN seat.data ->> 'license_id'
          ELSE pool.external_id END
    WHERE member.connection_id = %(connection)s
)
"""
# By name, for a name is all that history keeps: a licence with a new name is told, too, and also
# of who has left, or it would be wrong should they come back.
EVENTS = f"""{TOLD}
INSERT INTO seatwise_memberevent (member_id, run_id, at, kind, field, before, after)
SELECT id, %(run)s, %(now)s, %(kind)s, 'license', before, after
FROM told WHERE before <> after ORDER BY external_id
"""  # noqa: S608 - put together of words that stand here
SEATS = f"""{TOLD}
UPDATE seatwise_member member SET license_id = pool.id, license_since = told.since
FROM told LEFT JOIN seatwise_licensepool pool
  ON pool.connection_id = %(connection)s AND pool.external_id = told.now_held
WHERE member.id = told.id AND told.held IS DISTINCT FROM told.now_held
"""  # noqa: S608 - as above


def apply_licenses(run: SyncRun, now: datetime, *, whole: bool, insist: bool) -> bool:
    """Brings pools and seats to what was staged; a changed licence becomes an event.

    At the first look each licence is told as found, not as changed. Of a list that is not
    `whole` the seats in it are taken, and nobody counts as without one; returns whether there was
    anything. Raises UnusualDrop where many suddenly hold no licence, unless one insists.
    """
    if not whole and not StagedRecord.objects.of(run, "license").exists():
        return False
    if whole and not insist:
        drops.check(run, "licences", now)
    kinds = MemberEvent.Kind
    given: dict[str, Any] = {
        "connection": run.connection_id,
        "run": run.pk,
        "now": now,
        "whole": whole,
        "kind": kinds.LISTED if run.connection.licenses_as_of is None else kinds.CHANGED,
    }
    with comparing() as cursor:
        cursor.execute(EVENTS, given)  # first, for it names what the pools were called before
        listed_pools = _apply_pools(run, now)
        cursor.execute(SEATS, given)
    LicensePool.objects.of(run.connection).exclude(external_id__in=listed_pools).delete()
    return True


def _apply_pools(run: SyncRun, now: datetime) -> list[str]:
    """The vendor's ids of the pools that there are now."""
    rows = [
        LicensePool(connection=run.connection, as_of=now, **data)
        for _key, data in StagedRecord.objects.of(run, "license").in_key_order()
    ]
    LicensePool.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=["name", "kind", "used", "available", "description", "as_of"],
    )
    return [row.external_id for row in rows]
