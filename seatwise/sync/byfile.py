"""Members by file: a file waits, staged, until an admin has seen what it changes and applies it.

What waits is an open run that is on no queue, at most one a service; a newer file takes its
place. Applying is what a sync does with a complete reading, with the same history. Each verb
holds the service's row, so that two admins at once cannot cross.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction
from django.utils import timezone

from seatwise.connectors.records import Batch, Record
from seatwise.diff import Change
from seatwise.memberfile import MemberFile
from seatwise.models import Connection, Member, Service, StagedRecord, SyncRun, User
from seatwise.models.connection import State
from seatwise.models.sync_run import RunState
from seatwise.sync import stages
from seatwise.sync.members import planned

ACCOUNT = "file"
CHUNK = 1000  # rows a statement
EXAMPLES = 10  # people named for each kind of change
NAMED_COLUMNS = 10


class NotByFile(Exception):
    """The members of this service come from its account; a file must not mix with them."""


class NothingWaits(Exception):
    """The file was applied, put aside, or replaced by a newer one."""


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


@transaction.atomic
def accept(service: Service, file: MemberFile, *, name: str, by: User) -> SyncRun:
    """Keeps a file until it is applied; members stay as they are. Raises NotByFile."""
    connection, _ = _locked(service).connections.get_or_create(
        account_id=ACCOUNT,
        defaults={
            "account_name": "By file",
            "state": State.BY_FILE,
            "connected_by": by,
            "connected_at": timezone.now(),
        },
    )
    SyncRun.objects.of_connection(connection).cancel(
        "A newer file took its place.", timezone.now(), RunState.SUPERSEDED
    )
    run = SyncRun.objects.create(
        connection=connection,
        requested_by=by,
        created_at=timezone.now(),
        reason=_origin(name, file),
    )
    records: Iterator[Record] = iter((*file.members, *file.licenses, *file.seats))
    while chunk := tuple(islice(records, CHUNK)):
        stages.stage(run, Batch("members", chunk))
    return run


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
    run.attempt, run.requested_by, run.started_at = 1, by, now
    run.state, run.finished_at = RunState.DONE, timezone.now()
    run.staged.all().delete()
    run.save()
    return run


@transaction.atomic
def put_aside(service: Service, run_id: int) -> None:
    """Forgets a file that waits. Raises NothingWaits and NotByFile."""
    run = _held(service, run_id)
    SyncRun.objects.filter(pk=run.pk).cancel(f"{run.reason} It was put aside.", timezone.now())


def _locked(service: Service) -> Service:
    locked = Service.objects.select_for_update(no_key=True).get(pk=service.pk)
    if locked.connector is not None:
        raise NotByFile(f"{locked.name} has a connector: integrate it instead.")
    other: Connection | None = locked.connections.shown().exclude(account_id=ACCOUNT).first()
    if other is not None:
        raise NotByFile(
            f"{locked.name} holds what was read from {other.account_name}, and a file must not mix "
            "with that."
        )
    return locked


def _held(service: Service, run_id: int) -> SyncRun:
    _locked(service)
    run = waiting(service)
    if run is None or run.pk != run_id:
        raise NothingWaits(
            "This file waits no more: it was applied, put aside, or replaced by a newer one."
        )
    return run


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
