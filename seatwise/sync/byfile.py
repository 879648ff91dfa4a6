"""Members by file: uploaded, understood, reviewed, applied.

A file waits twice: as it was uploaded, until an admin has said which column is what; then, staged,
until one has seen what it changes. The latter is an open run that is on no queue. There is at most
one of each a service; a newer file takes its place. Applying is what a sync does with a complete
reading, with the same history. Each verb holds the service's row, so that two admins at once
cannot cross.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from seatwise.connectors.records import Batch, Record, SignalRecord
from seatwise.diff import Change
from seatwise.memberfile import MemberFile
from seatwise.models import (
    Connection,
    Member,
    PeopleUpload,
    Service,
    Signal,
    StagedRecord,
    SyncRun,
    Upload,
    User,
)
from seatwise.models.connection import State
from seatwise.models.sync_run import How, RunState, SyncRunQuerySet
from seatwise.sync import stages
from seatwise.sync.members import planned

ACCOUNT = "file"
CHUNK = 1000  # rows a statement
EXAMPLES = 10  # people named for each kind of change
NAMED_COLUMNS = 10
SOURCE = "file"  # of evidence
KEPT_FOR = timedelta(days=1)  # so long an upload waits for somebody to say which column is what
WAITS_FOR = timedelta(days=7)  # so long one that was read waits for somebody to apply it
LONGEST_NAME = 100  # characters of a file's name


class NotByFile(Exception):
    """The members of this service come from its account; a file must not mix with them."""


class NothingWaits(Exception):
    """The file was applied, discarded, or replaced by a newer one."""


@dataclass(frozen=True, slots=True)
class Understood:
    """How a file's columns were understood, to propose the same for the next one of its kind."""

    names: Sequence[str] = ()  # of its columns
    columns: Sequence[str] = ()  # what each of them is
    order: str = ""  # of day and month, where somebody was asked


@dataclass(frozen=True, slots=True)
class Review:
    """What applying a file would change."""

    listed: int  # members in the file
    known: int  # current members before
    is_first: bool
    counts: Counter[str] = field(default_factory=Counter)  # joined, left, returned, changed, …
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def leaves_out_most(self) -> bool:
        return self.counts["left"] * 2 > self.known

    def add(self, kind: str, who: str) -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= EXAMPLES:
            self.examples.setdefault(kind, []).append(who)


def hindrance(service: Service) -> str:
    """Why the service's members cannot come from a file, in sentences; "" where they can."""
    for account in service.accounts:
        if account.account_id != ACCOUNT and (account.holds_a_grant or account.has_collected):
            first = "Erase it first" if not account.holds_a_grant else "Revoke and erase it first"
            return (
                f"{service.name} holds what was read from {account.account_name}, and a file must "
                f"not mix with that. {first}, in Settings."
            )
    return ""


@transaction.atomic
def upload(service: Service, data: bytes, *, name: str, by: User) -> Upload:
    """Keeps a file as it is until somebody says which column is what. Raises NotByFile."""
    locked = _locked(service)
    Upload.objects.filter(service=locked).delete()  # not changed: its number names one file
    told = "".join(mark for mark in name if mark.isprintable())[:LONGEST_NAME]
    return Upload.objects.create(
        service=locked,
        name=told or "without a name",
        data=data,
        uploaded_by=by,
        uploaded_at=timezone.now(),
    )


@transaction.atomic
def accept(upload: Upload, file: MemberFile, how: Understood, *, by: User) -> SyncRun:
    """Keeps what an upload says until it is applied; members stay as they are.

    Raises NotByFile, and NothingWaits where another file took the upload's place meanwhile.
    """
    locked = _locked(upload.service)
    if not Upload.objects.numbered(upload.pk).delete()[0]:
        raise NothingWaits("This file waits no more: it was discarded or replaced by a newer one.")
    connection = _connection(locked, by)
    connection.remember({"columns": _kept(how)})
    SyncRun.objects.of_connection(connection).cancel(
        "A newer file took its place.", timezone.now(), RunState.SUPERSEDED
    )
    run = SyncRun.objects.create(
        connection=connection,
        requested_by=by,
        created_at=timezone.now(),
        reason=_origin(upload.name, file),
    )
    records: Iterator[Record] = iter((*file.members, *file.licenses, *file.seats))
    while chunk := tuple(islice(records, CHUNK)):
        stages.stage(run, Batch("members", chunk))
    proof = f"as the file {upload.name} says"
    seen = [
        StagedRecord(run=run, kind="seen", key=key, data={"at": at, "proof": proof})
        for key, at in (file.seen or {}).items()
    ]
    StagedRecord.objects.bulk_create(seen, batch_size=CHUNK)
    return run


def understood(service: Service) -> Understood:
    """How the columns of the last file were understood."""
    connection = service.connections.filter(account_id=ACCOUNT).first()
    kept = connection.reading_state.get("columns") if connection else None
    return Understood(**kept) if kept else Understood()


def waiting(service: Service) -> SyncRun | None:
    """The file that waits for this service."""
    runs = SyncRun.objects.of(service).select_related("connection", "requested_by")
    return runs.filter(connection__state=State.BY_FILE).open().newest()


def review(run: SyncRun) -> Review:
    """What applying would change, counted by the same comparison that applies it."""
    current = Member.objects.filter(connection=run.connection).current()
    listed = dict(StagedRecord.objects.of(run, "member").in_key_order())
    found = Review(
        listed=len(listed),
        known=current.count(),
        is_first=run.connection.members_as_of is None,
    )
    for change in planned(run):
        found.add(change.kind, _label(change.external_id, listed) + _difference(change))
    for key, (before, now, _proof) in _seen(run).items():
        found.add("seen", f"{_label(key, listed)}: {_day(before)} → {_day(now)}")
    seats = {
        key: data["license_id"] for key, data in StagedRecord.objects.of(run, "seat").in_key_order()
    }
    held = current.order_by("external_id").values_list("external_id", "license__external_id")
    for key, license_id in held:
        if key in listed and license_id != seats.get(key):
            found.add("license", _label(key, listed))
    return found


@transaction.atomic
def apply(service: Service, run_id: int, *, by: User) -> SyncRun:
    """Brings the members to what the file says. Raises NothingWaits and NotByFile."""
    run = _held(service, run_id)
    now = timezone.now()
    listed = run.staged.filter(kind="member").count()
    for stage in ("members", "licences"):
        stages.apply(run, stage, insist=True)  # an admin has seen what it changes
    done = {"done": listed, "total": listed, "unit": "members", "state": "done"}
    run.stages = {"members": done, "licences": done}
    if tells_seen(run):
        told = run.staged.filter(kind="seen").exclude(data__at=None).count()
        _apply_seen(run, timezone.now())
        run.stages |= {"activity": done | {"done": told}}
    run.attempt, run.requested_by, run.started_at = 1, by, now
    run.state, run.finished_at = RunState.DONE, timezone.now()
    run.staged.all().delete()
    run.save()
    return run


@transaction.atomic
def put_aside(service: Service, run_id: int) -> None:
    """Forgets a file that waits, also where it can never be applied. Raises NothingWaits."""
    Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    run = _still_open(_of_files().filter(connection__service=service), run_id)
    run.end(RunState.CANCELLED, How.CANCELLED, timezone.now(), f"{run.reason} It was discarded.")


@transaction.atomic
def forget(service: Service, upload_id: int) -> None:
    """Deletes an upload of which nobody has said which column is what. Raises NothingWaits."""
    locked = Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    if not Upload.objects.filter(service=locked).numbered(upload_id).delete()[0]:
        raise NothingWaits("This file waits no more: it was discarded or replaced by a newer one.")


def forget_old(now: datetime) -> int:
    """Deletes uploads that nobody came back to within a day, people files too, and ends the
    waiting of files that nobody applied within a week; how many of both."""
    ended = Upload.objects.forget_older(now - KEPT_FOR)
    ended += PeopleUpload.objects.forget_older(now - KEPT_FOR)
    old = _of_files().open().filter(created_at__lt=now - WAITS_FOR)
    for pk in list(old.values_list("pk", flat=True)):
        ended += _end(pk, f"Nobody applied it within {WAITS_FOR.days} days.", now)
    return ended


def tells_seen(run: SyncRun) -> bool:
    """Whether the file has a column for when members were last seen."""
    return run.staged.filter(kind="seen").exists()


def _locked(service: Service) -> Service:
    locked = Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    if why := hindrance(locked):
        raise NotByFile(why)
    return locked


def _connection(service: Service, by: User) -> Connection:
    """The one that stands for files; pages show no emptied account beside it."""
    connection, _ = service.connections.get_or_create(
        account_id=ACCOUNT,
        defaults={
            "account_name": "By file",
            "state": State.BY_FILE,
            "connected_by": by,
            "connected_at": timezone.now(),
        },
    )
    if connection.replaced_at is not None:  # an account was connected meanwhile, and erased
        connection.replaced_at = None
        connection.save(update_fields=["replaced_at"])
    service.connections.shown().exclude(pk=connection.pk).update(replaced_at=timezone.now())
    return connection


def _kept(how: Understood) -> dict[str, object]:
    return {"names": list(how.names), "columns": list(how.columns), "order": how.order}


def _held(service: Service, run_id: int) -> SyncRun:
    _locked(service)
    return _still_open(SyncRun.objects.of(service).filter(connection__state=State.BY_FILE), run_id)


def _of_files() -> SyncRunQuerySet:
    return SyncRun.objects.filter(connection__state=State.BY_FILE)


def _still_open(runs: SyncRunQuerySet, run_id: int) -> SyncRun:
    """The one of that number, locked: `forget_old` does not ask for the service."""
    held = runs.open().select_related("connection", "requested_by").select_for_update(of=("self",))
    if (run := held.numbered(run_id)) is None:
        raise NothingWaits(
            "This file waits no more: it was applied, discarded, or replaced by a newer one."
        )
    return run


@transaction.atomic
def _end(pk: int, why: str, now: datetime) -> int:
    """1 where it waited until then."""
    with suppress(NothingWaits):
        run = _still_open(_of_files(), pk)
        run.end(RunState.CANCELLED, How.CANCELLED, now, f"{run.reason} {why}")
        return 1
    return 0


def _seen(run: SyncRun) -> dict[str, tuple[datetime | None, datetime | None, str]]:
    """{whom: (last seen as we know it, as the file says, the proof)} of those who differ."""
    known = dict(
        Member.objects.filter(connection=run.connection).values_list("external_id", "last_seen_at")
    )
    told: Mapping[str, tuple[datetime | None, str]] = {
        key: (datetime.fromisoformat(data["at"]) if data["at"] else None, data["proof"])
        for key, data in StagedRecord.objects.of(run, "seen").in_key_order()
    }
    return {
        key: (known.get(key), at, proof)
        for key, (at, proof) in told.items()
        if known.get(key) != at
    }


def _apply_seen(run: SyncRun, now: datetime) -> None:
    """What this file says takes the place of what the last one said: that may have been wrong."""
    connection = run.connection
    news = _seen(run)
    gone = Member.objects.filter(connection=connection, external_id__in=list(news))
    Signal.objects.filter(member__in=gone, source=SOURCE).delete()
    gone.update(last_seen_at=None, last_seen_source="", last_seen_proof="")
    records = (
        SignalRecord(key, SOURCE, at, proof)
        for key, (_before, at, proof) in news.items()
        if at is not None
    )
    while chunk := tuple(islice(records, CHUNK)):
        Signal.objects.record(connection, chunk, now)
    connection.activity_as_of = now
    connection.save(update_fields=["activity_as_of"])


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(settings.BILLING_ZONE):%-d %b %Y}" if at else "unknown"


def _origin(name: str, file: MemberFile) -> str:
    """Where the members come from, and what of it was not used, in words."""
    if not file.ignored:
        return f"From the file {name}."
    names = ", ".join(written[:40] for written in file.ignored[:NAMED_COLUMNS])
    more = len(file.ignored) - NAMED_COLUMNS
    return f"From the file {name}. Columns that are not used: {names}" + (
        f" and {more} more." if more > 0 else "."
    )


def _label(key: str, listed: dict[str, dict[str, str]]) -> str:
    """A person's name and address; of those who are not in the file, the address."""
    name = listed[key]["name"] if key in listed else ""
    return f"{name} ({key})" if name else key


def _difference(change: Change) -> str:
    """What is not as before about somebody who stays."""
    if change.kind != "changed":
        return ""
    told = (f"{name} {before or '–'} → {after or '–'}" for name, before, after in change.remembered)
    return ": " + "; ".join(told)
