"""What must be so whoever died in the middle: nothing false, nobody lost, everything named.

O1  members, roles, licences and usage are as at the vendor
O2  the events fold to the rows: forward from the facts, and back by undoing
O3  nobody was called gone who was there
O4  no list was taken as complete that was not; nothing half-done is left over
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from tests.chaos.site import Site, steady

UNSEEN = {"died", "database away"}  # ends of attempts that nobody could note the time of
SECOND = timedelta(seconds=1)  # the vendor's clock is no finer
NOTE_EACH_LOOK = """
CREATE TABLE chaos_applied (
    id bigserial PRIMARY KEY, connection bigint, began timestamptz, as_of timestamptz, ids text[]);
CREATE FUNCTION chaos_note() RETURNS trigger AS $$ BEGIN
    INSERT INTO chaos_applied (connection, began, as_of, ids)
    SELECT NEW.id, (SELECT min(started_at) FROM seatwise_syncrun
                    WHERE connection_id = NEW.id AND state IN ('queued', 'running', 'retry_at')),
           NEW.members_as_of, coalesce(array_agg(external_id), '{}')
    FROM seatwise_member WHERE connection_id = NEW.id AND left_at IS NULL;
    RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE CONSTRAINT TRIGGER chaos_note AFTER UPDATE ON seatwise_connection
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.members_as_of IS DISTINCT FROM NEW.members_as_of AND NEW.members_as_of IS NOT NULL)
    EXECUTE FUNCTION chaos_note();
"""


class Invariants:
    """Looks at a site that stands still; what is wrong, in sentences."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._applied = self._events = self._runs = 0  # looked at already
        self.endings: Counter[str] = Counter()
        self.looks = 0
        self._truth = lru_cache(4000)(self._asked)
        steady(lambda: _execute(NOTE_EACH_LOOK))

    def wrong(self) -> list[str]:
        """After a good sync of everything, while nobody comes or goes."""
        return [
            *self.runs(),
            *self.false_departures(),
            *self.incomplete_looks(),
            *self.folds(),
            *self.differences(),
        ]

    # ---- O1 ----------------------------------------------------------------------------------

    def differences(self) -> Iterator[str]:
        """Where the tables are not as at the vendor."""
        from seatwise.models import Connection, Member

        for connection in steady(lambda: list(Connection.objects.alive())):
            account = self._site.accounts[connection.pk]
            truth, then = self._site.vendor.truth(account), self._as_of(connection, "usage_as_of")
            members = Member.objects.filter(connection=connection).current()
            rows = steady(partial(list[Member], members.select_related("license").all()))
            held = {
                (m.external_id, m.email, m.name, m.role, m.invited, m.license and m.license.name)
                for m in rows
            }
            real = {
                (m["id"], m["email"], m["name"], m["role"], m["invited"], m["license"])
                for m in truth["members"]
            }
            for each in sorted(held ^ real, key=str)[:5]:
                yield f"O1 {connection}: {'ours' if each in held else 'the vendor’s'} only: {each}"
            yield from self._pools(connection, truth)
            yield from self._usage(connection, then, truth)

    def _pools(self, connection: Any, truth: dict[str, Any]) -> Iterator[str]:
        from seatwise.models import LicensePool

        pools = steady(lambda: list(LicensePool.objects.of(connection)))
        held = {(pool.external_id, pool.name, pool.used, pool.available) for pool in pools}
        real = {(p["id"], p["name"], p["used"], p["available"]) for p in truth["licenses"]}
        if held != real:
            yield f"O1 {connection}: licences {sorted(held ^ real, key=str)[:4]}"

    def _usage(self, connection: Any, then: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
        """A month's number lies between what was so when it was read, and what is so now."""
        from seatwise.models import UsagePoint

        points = steady(lambda: list(UsagePoint.objects.filter(connection=connection)))
        held = {(f"{p.month:%Y-%m}", p.metric): p.value for p in points}
        low, high = _numbers(then), _numbers(now)
        for key in high:
            if not low.get(key, 0) <= held.get(key, -1) <= high[key]:
                yield f"O1 {connection}: {key} is {held.get(key)}, really {high[key]}"

    def _as_of(self, connection: Any, field: str) -> dict[str, Any]:
        at = getattr(connection, field) or datetime.now(UTC)
        return self._truth(self._site.accounts[connection.pk], at - timedelta(seconds=60))

    # ---- O2 ----------------------------------------------------------------------------------

    def folds(self) -> Iterator[str]:
        """Where the events do not lead to the rows, or the rows not back to the facts."""
        from seatwise.models import Member

        members = Member.objects.filter(erased_at=None).prefetch_related("events")
        for member in steady(lambda: list(members.select_related("license"))):
            events = sorted(member.events.all(), key=lambda event: (event.at, event.pk))
            now = {"email": member.email, "name": member.name, "role": member.role}
            now |= {"invited": _said(member.invited)}
            now |= {"license": member.license.name if member.license else ""}
            if reason := _unfolded(events, now, here=member.left_at is None):
                yield f"O2 {member.external_id} of {member.connection_id}: {reason}"

    # ---- O3 ----------------------------------------------------------------------------------

    def false_departures(self) -> Iterator[str]:
        """Who was called gone while there, or came back though nobody ever does so here."""
        from seatwise.models import MemberEvent

        fresh = MemberEvent.objects.filter(pk__gt=self._events).select_related("member")
        for event in steady(lambda: list(fresh.order_by("pk"))):
            self._events = event.pk
            member = event.member
            account = self._site.accounts.get(member.connection_id)
            if event.kind == "returned":
                yield f"O3 {member.external_id} of {account} came back at {event.at}"
            if event.kind == "left" and account:
                there = {m["id"] for m in self._truth(account, event.at)["members"]}
                if member.external_id in there:
                    yield f"O3 {member.external_id} of {account} was called gone at {event.at}"

    # ---- O4 ----------------------------------------------------------------------------------

    def incomplete_looks(self) -> Iterator[str]:
        """Whoever was there throughout a reading must be in what came of it; nobody long gone."""
        sql = (
            "SELECT id, connection, began, as_of, ids FROM chaos_applied WHERE id > %s ORDER BY id"
        )
        for number, connection, began, as_of, ids in steady(lambda: _execute(sql, [self._applied])):
            self._applied, self.looks = number, self.looks + 1
            account = self._site.accounts[connection]
            if began is None:
                yield f"O4 {account}: a list was taken as complete at {as_of:%X} by no open run"
                continue
            before, after = self._truth(account, began - SECOND), self._truth(account, as_of)
            throughout = {m["id"] for m in before["members"]} & {m["id"] for m in after["members"]}
            if missing := throughout - set(ids):
                yield f"O4 {account}, {began:%X} to {as_of:%X}: not in the list: {sorted(missing)}"
            if stale := set(ids) & set(before["deleted_users"]):
                yield f"O4 {account}, {began:%X} to {as_of:%X}: long gone: {sorted(stale)}"

    def runs(self) -> Iterator[str]:
        """Endings without a name, attempts that do not add up, and what is left over."""
        from seatwise.models import StagedRecord, SyncRun

        if left := steady(lambda: StagedRecord.objects.exclude(run__state="queued").count()):
            yield f"O4 {left} staged records are left over"
        for run in steady(lambda: list(SyncRun.objects.open())):
            yield f"O4 {run} has not ended ({run.attempts})"
        for run in steady(lambda: list(SyncRun.objects.ended().filter(pk__gt=self._runs))):
            self._runs = max(self._runs, run.pk)
            self.endings[_ending(run)] += 1
            if run.state not in {"done", "done_with_notes"} and not run.reason:
                yield f"O4 {run} ended without a reason"
            if "defect" in run.reason:
                yield f"O4 {run}: {run.reason}"
            if reason := _muddled(run):
                yield f"O4 {run}: {reason}: {run.attempts}"
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'seatwise.sync_run' AND "
        ((open_jobs,),) = steady(lambda: _execute(f"{jobs} status IN ('todo', 'doing')"))
        if open_jobs:
            yield f"O4 {open_jobs} jobs are on the queue for runs that have ended"

    def _asked(self, account: str, at: datetime) -> dict[str, Any]:
        return self._site.vendor.truth(account, at=at.replace(microsecond=0).isoformat())


def _execute(sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    from django.db import connection as database

    with database.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def _numbers(truth: dict[str, Any]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for month in truth["months"]:
        told = {name: n for name, n in month.items() if name.startswith("notifications_")}
        told |= {"incidents": month["incidents"], "alerts": month["alerts"]}
        told["billable_alerts"] = told["notifications_sms"] + told["notifications_phone"]
        found |= {(month["month"], name): value for name, value in told.items()}
    return found


def _unfolded(events: list[Any], now: dict[str, str], *, here: bool) -> str:
    """Why the events do not tell how it came to be so; "" where they do."""
    there, facts = False, dict[str, str]()
    for event in events:
        if event.field:
            known = facts.get(event.field)
            if event.kind == "changed" and known not in (event.before, event.after, None):
                return f"{event.field} was {known!r}, and changed from {event.before!r}"
            facts[event.field] = event.after
        elif event.kind == "left":
            if not there:
                return "left while gone"
            there = False
        else:
            if there:
                return f"{event.kind} while there"
            if not event.facts:
                return f"{event.kind} without facts"
            there = True
            facts |= {name: _said(value) for name, value in event.facts.items() if name in now}
    if there != here:
        return f"by its events {'there' if there else 'gone'}"
    wrong = {name: (facts[name], now[name]) for name in facts if facts[name] != now[name]}
    return f"by its events {wrong}" if here and wrong else _not_undone(events, now)


def _not_undone(events: list[Any], now: dict[str, str]) -> str:
    """Why the row, with every change taken back, is not what was told first."""
    facts = dict(now)
    for event in reversed(events):
        if event.kind == "left":
            facts = {}  # what it was then is told when somebody comes back
        elif event.kind == "changed" and event.field in facts:
            if facts[event.field] != event.after:
                return f"undone: {event.field} is {facts[event.field]!r}, not {event.after!r}"
            facts[event.field] = event.before
        elif not event.field:
            told = {name: _said(value) for name, value in event.facts.items() if name in facts}
            if wrong := {name: facts[name] for name in told if told[name] != facts[name]}:
                return f"undone: {wrong}, and told was {told}"
    return ""


def _said(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _ending(run: Any) -> str:
    if run.state == "action_needed" and sum(a.get("how") == "died" for a in run.attempts) >= 3:
        return "parked after three deaths"
    return str(run.get_state_display()).lower()


def _muddled(run: Any) -> str:
    numbers = [each["number"] for each in run.attempts]
    if numbers != sorted(set(numbers)):
        return "attempts out of order"
    if any(
        not each["how"] or not (each["ended"] or each["how"] in UNSEEN) for each in run.attempts
    ):
        return "an attempt has no end"
    if run.attempt and not numbers and run.state != "cancelled":
        return "attempts are missing"
    return ""
