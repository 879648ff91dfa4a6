"""Applies a reading of licences: the pools, and who holds which."""

from datetime import datetime

from seatwise.models import LicensePool, Member, MemberEvent, StagedRecord, SyncRun
from seatwise.sync.drops import UnusualDrop, is_unusual


def apply_licenses(run: SyncRun, now: datetime, *, whole: bool, insist: bool) -> bool:
    """Brings pools and seats to what was staged; a changed licence becomes an event.

    Of a list that is not `whole` the seats in it are taken, and nobody counts as without one;
    returns whether there was anything. Raises UnusualDrop where many suddenly hold no licence,
    unless one insists.
    """
    if not whole and not StagedRecord.objects.of(run, "license").exists():
        return False
    held = Member.objects.filter(connection=run.connection, license__isnull=False).current()
    before, listed = held.count(), StagedRecord.objects.of(run, "seat").count()
    if whole and is_unusual(before, listed) and not insist:
        raise UnusualDrop(run.connection.service.name, "allocated licences", before, listed)
    names = {pool.pk: pool.name for pool in LicensePool.objects.of(run.connection)}
    pools = _apply_pools(run, now)
    seats = {
        key: (pools.get(data["license_id"]), data["allocated_at"])
        for key, data in StagedRecord.objects.of(run, "seat").in_key_order()
    }
    first_look = run.connection.licenses_as_of is None
    altered, events = [], []
    for member in Member.objects.filter(connection=run.connection).current():
        if not whole and member.external_id not in seats:
            continue
        pool, since = seats.get(member.external_id, (None, None))
        now_held = pool.pk if pool else None
        if member.license_id == now_held:
            continue
        if not first_look:
            events.append(
                MemberEvent(
                    member=member,
                    run=run,
                    at=now,
                    kind=MemberEvent.Kind.CHANGED,
                    field="license",
                    before=names.get(member.license_id or 0, ""),
                    after=pool.name if pool else "",
                )
            )
        member.license_id = now_held
        member.license_since = datetime.fromisoformat(since) if since else None
        altered.append(member)
    Member.objects.rewrite(altered, ["license", "license_since"])
    MemberEvent.objects.bulk_create(events)
    LicensePool.objects.of(run.connection).exclude(
        pk__in=[pool.pk for pool in pools.values()]
    ).delete()
    return True


def _apply_pools(run: SyncRun, now: datetime) -> dict[str, LicensePool]:
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
    listed = {row.external_id for row in rows}
    pools = LicensePool.objects.of(run.connection)
    return {pool.external_id: pool for pool in pools if pool.external_id in listed}
