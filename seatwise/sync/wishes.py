"""What a person asks of a run that is open: to stop it, or to believe what it found."""

from django.db import transaction
from django.utils import timezone

from seatwise import audit
from seatwise.models import Connection, Notice, SyncRun, User
from seatwise.models.audit_event import Action
from seatwise.models.connection import State
from seatwise.models.sync_run import How, RunState
from seatwise.sync.schedule import next_sync


@transaction.atomic
def stop(run: SyncRun, *, by: User) -> bool:
    """Ends a run at its next page; False where it has ended already, or waits for a file's word.

    What was complete stays. The schedule goes on as if the run had been.
    """
    held = SyncRun.objects.locked(run.pk)
    if held is None or not held.is_open or held.connection.is_by_file:
        return False
    now, told = timezone.now(), held.reason
    held.ended_by = by
    sentence = f"{by.name} stopped it."
    held.end(RunState.CANCELLED, How.STOPPED, now, sentence, "What was complete stays.")
    connection = Connection.objects.select_for_update(no_key=True).get(pk=held.connection_id)
    if connection.is_alive:
        if connection.state == State.RETRYING or connection.attention == told:
            connection.state = connection.state_when_well
            connection.attention = connection.remedy = ""
            Notice.objects.close(connection, now)
        connection.next_sync_at = next_sync(connection, now)
        connection.save(update_fields=["state", "attention", "remedy", "next_sync_at"])
    audit.record(
        Action.SYNC_STOPPED,
        service=held.connection.service.key,
        about=held.connection.account_name,
        by=by,
        detail={"run": held.pk},
    )
    return True


@transaction.atomic
def believe(run: SyncRun, *, by: User, shown: str = "") -> bool:
    """Takes an unusual drop for the truth; False where none is held (any more).

    `shown` is the doubt's `at`, as the person saw it: another one is not meant. The account is
    looked at once more, and who is missing beyond those is judged like at any other look.
    """
    held = SyncRun.objects.locked(run.pk)
    if held is None or not held.is_doubted or shown not in ("", held.doubt["at"]):
        return False
    held.doubt |= {"believed_by": by.pk, "believed_name": by.name}
    if held.state == RunState.RETRY_AT:
        held.retry_at = timezone.now()
    held.save()
    drop = f"{held.doubt['gone']:,} of {held.doubt['before']:,} {held.doubt['what']} are gone."
    audit.record(
        Action.DROP_BELIEVED,
        service=held.connection.service.key,
        about=held.connection.account_name,
        said=drop,
        by=by,
        detail={"run": held.pk},
    )
    return True
