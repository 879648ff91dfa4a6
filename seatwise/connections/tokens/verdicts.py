"""What is said and kept when a grant cannot be used: once, truly, and on the audit trail."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from seatwise import audit, keys
from seatwise.connectors.errors import CredentialsRejected, KeptBack, VendorError
from seatwise.models import AuditEvent, Connection, Notice
from seatwise.models.audit_event import Action, AuditEventQuerySet
from seatwise.models.connection import State
from seatwise.models.notice import Kind
from seatwise.vault import CannotOpen

log = logging.getLogger(__name__)

NOT_AGAIN_FOR = timedelta(hours=1)  # the same trouble of one connection is told once in so long
REMEDY = f"{CredentialsRejected.default_remedy} What was read so far stays."


def lost(
    connection: Connection, sentence: str, *, unknown_since: datetime | None = None
) -> CredentialsRejected:
    """Nobody but a person can mend it: kept on the row, and no further call is made.

    `unknown_since` is the marker of the refresh whose outcome nobody knows; it stays.
    """
    connection.state, connection.next_sync_at = State.NEEDS_RECONNECT, None
    connection.attention, connection.remedy = sentence, REMEDY
    connection.refreshing_since = unknown_since
    connection.save(
        update_fields=["state", "next_sync_at", "attention", "remedy", "refreshing_since"]
    )
    detail = {"refreshing_since": unknown_since.isoformat()} if unknown_since else {}
    _record(Action.RECONNECT_NEEDED, connection, sentence, detail)
    Notice.objects.tell(connection, Kind.RECONNECT, timezone.now())
    log.warning("connection %s must be authorized again: %s", connection.pk, sentence)
    return CredentialsRejected(sentence, remedy=REMEDY)


def altered(connection: Connection, error: CannotOpen) -> CredentialsRejected:
    """A secret that was changed or moved in the database is used for nothing."""
    _record(Action.SECRET_REFUSED, connection, str(error), {})
    return lost(connection, keys.altered_sentence(error))


def gone(connection: Connection) -> CredentialsRejected:
    """For whoever asks after a grant that has ended: why it did."""
    if connection.state == State.NEEDS_RECONNECT and connection.attention:
        return CredentialsRejected(connection.attention, remedy=connection.remedy)
    return CredentialsRejected("The authorization was revoked or has ended.")


def keys_missing(error: CannotOpen) -> KeptBack:
    return KeptBack(
        f"Seatwise cannot open the stored token here. {error}",
        remedy="The operator of Seatwise puts the missing key back into SEATWISE_ENCRYPTION_KEYS;"
        " the authorization is as it was. Where the key is lost for good, `seatwise keys accept`"
        " gives up what it sealed, and an admin integrates again.",
    )


def failed(connection: Connection, error: VendorError, *, sent: bool) -> None:
    """Notes a refresh that did not work out. `sent`: it may have been carried out all the same."""
    if not _told_lately(connection, str(error)):
        _record(Action.REFRESH_FAILED, connection, str(error), {"sent": sent})
    log.warning("connection %s was not refreshed: %s", connection.pk, error)


def answer_lost(connection: Connection, marker: datetime, sentence: str) -> None:
    """Notes that the refresh of that marker will not be answered any more."""
    detail = {"sent": True, "marker": marker.isoformat(), "lost": True}
    _record(Action.REFRESH_FAILED, connection, sentence, detail)


def repeated(connection: Connection, marker: datetime, first: datetime, grace: float) -> None:
    """Notes that a refresh is tried once more, because the vendor takes the old token a while."""
    sentence = (
        f"The renewal of {moment(first)} was cut off. It is tried once more, because"
        f" {connection.service.name} accepts a replaced token for {grace:g} s."
    )
    detail = {"sent": True, "marker": marker.isoformat(), "first": first.isoformat()}
    _record(Action.REFRESH_FAILED, connection, sentence, detail)


def notes_on(connection: Connection, marker: datetime) -> list[AuditEvent]:
    """What was noted of the refresh with that marker."""
    return list(_failures(connection).filter(detail__marker=marker.isoformat()))


def unanswered(connection: Connection) -> AuditEvent | None:
    """The first refresh since the stored tokens came that may have been carried out unheard."""
    found = _failures(connection).filter(detail__sent=True)
    if connection.refreshed_at:
        found = found.filter(at__gte=connection.refreshed_at)
    return found.order_by("at").first()


def failed_since(connection: Connection, moment: datetime) -> bool:
    """Whether a refresh did not work out since then."""
    return _failures(connection).filter(at__gte=moment).exists()


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _told_lately(connection: Connection, sentence: str) -> bool:
    lately = timezone.now() - NOT_AGAIN_FOR
    return _failures(connection).filter(said=sentence, at__gte=lately).exists()


def _failures(connection: Connection) -> AuditEventQuerySet:
    return AuditEvent.objects.filter(action=Action.REFRESH_FAILED, detail__connection=connection.pk)


def _record(
    action: Action, connection: Connection, sentence: str, detail: Mapping[str, object]
) -> None:
    audit.record(
        action,
        service=connection.service.key,
        about=connection.account_name,
        said=sentence,
        detail={"connection": connection.pk, **detail},
    )
