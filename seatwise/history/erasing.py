"""Takes out of the history who somebody was, and leaves in it that a seat was held."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.core.cache import caches
from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import (
    Connection,
    Member,
    MemberEvent,
    PeopleUpload,
    Person,
    StagedRecord,
    SyncRun,
    Upload,
    User,
)
from seatwise.models.audit_event import Action
from seatwise.models.staged import StagedRecordQuerySet

NOBODY = "Erased person"
WHY = "A person was erased while it was open; it begins anew, so that nothing of them comes back."


class NotErased(Exception):
    """Nothing was erased; the sentence says what to do first."""


class StillThere(NotErased):
    """They are still listed, and would come back with the next list."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            "The newest file lists this person, so the next one might bring them back. Apply a "
            "file without them first."
            if connection.is_by_file
            else f"{connection.service.name} still lists this person, so the next sync would bring "
            "them back. Remove them there first, and erase them here once a sync has found that "
            "they left."
        )


class FileWaits(NotErased):
    """A file that somebody uploaded would lose a line without a word, or would keep it."""

    def __init__(self, what: str = "A file that waits lists them") -> None:
        super().__init__(f"{what}: apply it or put it aside first.")


class Woven(Exception):
    """An id cannot be taken out of what stands around it."""


class _NewRun(Exception):
    """A sync was begun in the moment between two locks."""


def will_be_listed(member: Member) -> bool:
    """Whether somebody is listed as far as is known, and a newer list will be read."""
    account = member.connection
    return member.left_at is None and (account.is_alive or _takes_files(account))


def erase(member: Member, *, by: User) -> None:
    """Erases who a member was. Raises NotErased; a second time changes nothing.

    Only of who has left, or whose list nobody reads any more. Their seat, role and licence stay,
    so no count of seats changes. The vendor's id goes too: listed again, they are a new member. A
    sync that is open might hold what it has read of them and write it back, so it is ended and
    begun anew at once. Rows of the same person in other accounts stay, and with the last of them
    goes the line of the people file, too.
    """
    while True:
        try:
            return _erase(member.pk, by)
        except _NewRun:
            continue


@transaction.atomic
def _erase(pk: int, by: User) -> None:
    connection_id = Member.objects.get(pk=pk).connection_id
    # Runs before connections, as a sync locks; what begins a run waits for the connection's row.
    open_runs = SyncRun.objects.of_connection(connection_id).open()
    held = {run.pk for run in open_runs.select_for_update()}
    connection = _locked(connection_id)
    if set(open_runs.values_list("pk", flat=True)) - held:
        raise _NewRun
    row = Member.objects.select_for_update().get(pk=pk)
    row.connection = connection
    if row.erased_at is not None:
        return
    if _takes_files(connection) and _staged_of(row).filter(kind="member").exists():
        raise FileWaits
    if Upload.objects.filter(service=connection.service_id).exists():
        raise FileWaits("A file waits whose columns nobody chose")
    if PeopleUpload.objects.exists():
        raise FileWaits("A people file waits that may list them")
    if will_be_listed(row):
        raise StillThere(connection)
    _staged_of(row).delete()
    _forget_readings(connection, row.external_id)
    email = row.email
    _blank(row)
    _forget_person(email)
    transaction.on_commit(caches["sums"].clear)  # when they were last seen is counted, too
    audit.record(
        Action.PERSON_ERASED,
        service=connection.service.key,
        about=f"member {row.pk}",
        said="Who it was is erased; that a seat was held stays in the history.",
        by=by,
        detail={"connection": connection.pk},
    )


def _takes_files(connection: Connection) -> bool:
    return connection.is_by_file and connection.replaced_at is None


def _staged_of(row: Member) -> StagedRecordQuerySet:
    """What was read of somebody and is not applied."""
    theirs = StagedRecord.objects.filter(run__connection=row.connection_id, key=row.external_id)
    return theirs.exclude(kind="license")  # the only kind whose key is no member's


def _forget_readings(connection: Connection, external_id: str) -> None:
    """From where a sync, or a later one, would go on; a file that waits goes on waiting."""
    state = connection.reading_state
    if isinstance(parts := state.get("stages"), Mapping):
        connection.reading_state = {**state, "stages": dict(_parts_without(parts, external_id))}
    runs = SyncRun.objects.of_connection(connection.pk)
    if not _takes_files(connection):
        now = timezone.now()
        if runs.cancel(WHY, now) and connection.is_alive:
            connection.next_sync_at = now
    runs.exclude(checkpoint={}).update(checkpoint={})
    connection.save(update_fields=["reading_state", "next_sync_at"])


def _parts_without(parts: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    for stage, part in parts.items():
        with suppress(Woven):  # that stage is read anew
            yield stage, without(part, name)


def without(part: Any, name: str) -> Any:
    """A part of a reading state without that id: keys and list items that are it are taken out.

    Raises Woven where the id stands anywhere else.
    """
    if isinstance(part, Mapping):
        if any(key != name and _names(key, name) for key in part):
            raise Woven
        return {key: without(value, name) for key, value in part.items() if key != name}
    if isinstance(part, list):
        return [without(item, name) for item in part if item != name]
    if isinstance(part, str) and _names(part, name):
        raise Woven
    return part


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])", text) is not None


def _blank(row: Member) -> None:
    row.signals.all().delete()
    MemberEvent.objects.forget_names(row)
    row.external_id = f"erased-{row.pk}"
    row.name, row.email, row.job_title, row.teams, row.url = NOBODY, "", "", [], ""
    row.last_seen_at, row.last_seen_source, row.last_seen_proof = None, "", ""
    row.never_source, row.never_read_at = "", None
    row.erased_at = timezone.now()
    row.save()


def _forget_person(email: str) -> None:
    """The line of the people file, where no other account tells of that address any more.

    Before, it is still needed there: it says that somebody left who holds a seat.
    """
    if email and not Member.objects.filter(email__iexact=email).exists():
        Person.objects.of_emails([email]).delete()


def _locked(pk: int) -> Connection:
    rows = Connection.objects.select_related("service")
    return rows.select_for_update(of=("self",)).get(pk=pk)
