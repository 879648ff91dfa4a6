"""Writes a proved grant into the connection of its account, in place of an older one."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from seatwise import audit, installation
from seatwise.connections import checking, revocation
from seatwise.connections.checking import Proved
from seatwise.connections.tokens import store
from seatwise.connectors.base import Connector
from seatwise.models import Connection, Notice, Revocation, Service, SyncRun, Upload, User
from seatwise.models.audit_event import Action
from seatwise.models.connection import State
from seatwise.vault import CannotOpen

REPLACED = "It was replaced by a newer authorization."
CONNECTED = "An account was connected."


@dataclass(frozen=True, slots=True)
class Kept:
    """The connection that has the grant now, and what the vendor is to be told."""

    connection: Connection
    was_there: bool  # it held a grant before
    to_tell: list[Revocation] = field(default_factory=list)
    left: str = ""  # why the vendor is told nothing of the grant that was there, in a sentence


def keep(service: Service, connector: Connector, proved: Proved, *, by: User) -> Kept:
    """In a transaction that holds the service's lock: the tokens are swapped all at once."""
    now = timezone.now()
    connection = _row_of(service, proved, by, now)
    was_there = connection.pk is not None and connection.state != State.DISCONNECTED
    if connection.pk is None:
        connection.save()  # sealing needs its number
    before = sorted(connection.scopes) if was_there else None
    to_tell, left = _old_grant(connection, proved) if was_there else ([], "")
    _describe(connection, proved, by, now)
    _seal(connection, proved)
    connection.save()
    Notice.objects.close(connection, now)
    others = service.connections.exclude(pk=connection.pk)
    _forget_files(service, now)
    if not others.holding_a_grant().exists():
        others.shown().update(replaced_at=now)
    _record(service, connector, connection, proved, before)
    return Kept(connection, was_there, to_tell, left)


def replace(old: Connection, new: Connection, *, by: User) -> Revocation | None:
    """Revokes the old account's grant; the pages show the new one, and the data is kept.

    Of a grant that somebody has revoked meanwhile, the revocation it came to.
    """
    why = f"{new.account_name} took its place."
    row = revocation.forget(old.pk, by=by, why=why)
    Connection.objects.filter(pk=old.pk).update(replaced_at=timezone.now())
    return row


def _row_of(service: Service, proved: Proved, by: User, now: datetime) -> Connection:
    """The account's own row, locked, or a new one that is not saved yet."""
    same = Connection.objects.of_account(service, proved.account)
    if (connection := same.select_for_update(no_key=True).first()) is not None:
        connection.service = service
        return connection
    account_id = proved.account.external_id
    return Connection(service=service, account_id=account_id, connected_by=by, connected_at=now)


def _old_grant(connection: Connection, proved: Proved) -> tuple[list[Revocation], str]:
    """Takes the old grant out of the row, to be ended; or a sentence why there is nothing to end.

    A vendor that gave the same token again keeps it.
    """
    if installation.hindrance(connection) is not None:
        return [], "The earlier authorization is left to the installation that it belongs to."
    if connection.kind == "key":
        return _old_key(connection, proved)
    try:
        tokens = [connection.unseal("refresh_token"), connection.unseal("access_token")]
    except CannotOpen:
        return [revocation.unopened(connection, REPLACED)], ""
    held = [token for token in tokens if token]
    if not held:
        return [], "Of the earlier authorization nothing was left that could be ended."
    if {proved.given.grant.refresh_token, proved.given.grant.access_token} & {*held}:
        return [], f"{connection.service.name} gave the same authorization again."
    return [revocation.hand_over(connection, held[0], REPLACED)], ""


def _old_key(connection: Connection, proved: Proved) -> tuple[list[Revocation], str]:
    try:
        same = connection.unseal("credential") == proved.given.credential
    except CannotOpen:
        same = False
    if same:
        return [], "It is the same API key as before."
    return [revocation.unsaid_key(connection, REPLACED)], ""


def _forget_files(service: Service, now: datetime) -> None:
    """What waits of files can never be applied from here on: they do not mix with an account."""
    by_file = service.connections.filter(state=State.BY_FILE)
    SyncRun.objects.in_accounts(by_file).cancel(CONNECTED, now)
    Upload.objects.filter(service=service).delete()


def _describe(connection: Connection, proved: Proved, by: User, now: datetime) -> None:
    account, way = proved.account, proved.given.way
    if account.external_id != account.name:  # proved by the vendor, so it stands from here on
        connection.account_id = account.external_id
    connection.account_name, connection.region = account.name, account.region
    connection.api_url = account.api_url
    connection.granted_by, connection.granted_role = account.granted_by, account.granted_role
    connection.way, connection.scopes = way.key, sorted(account.scopes or [])
    connection.granted_at, connection.refreshing_since = proved.given.at, None
    connection.installation = installation.uid()
    checking.put(connection, proved.checks, now)
    connection.sync_gaps, connection.attention, connection.remedy = [], "", ""
    connection.revocation, connection.disconnected_at = "", None
    connection.disconnected_by = connection.replaced_at = None
    connection.connected_by, connection.connected_at = by, now
    connection.state = connection.state_when_well
    connection.next_sync_at = now  # should nobody ask for the first sync, the schedule does


def _seal(connection: Connection, proved: Proved) -> None:
    given = proved.given
    connection.access_token = connection.refresh_token = ""
    connection.seal("credential", given.credential)
    connection.expires_at = connection.end_told_at = None
    connection.ends_at = given.at + given.way.lasts if given.way.lasts else None
    if given.way.kind == "key":
        return
    store(connection, given.grant, given.at)
    if given.way.kind == "consent" and not given.grant.refresh_token:
        connection.ends_at = connection.expires_at


def _record(
    service: Service,
    connector: Connector,
    connection: Connection,
    proved: Proved,
    before: list[str] | None,
) -> None:
    name = connection.account_name
    verdicts = [(each.name, each.verdict) for each in proved.checks]
    audit.record(
        Action.CONNECTED if before is None else Action.RECONNECTED,
        service=service.key,
        about=name,
        said=f"{proved.given.way.name}. {checking.summary(verdicts)}",
        detail={"way": connection.way, "scopes": connection.scopes, "region": connection.region},
    )
    if before and connection.scopes and before != connection.scopes:  # an API key names none
        audit.record(
            Action.SCOPES_CHANGED,
            service=service.key,
            about=name,
            said=f"What {connector.name} allows has changed.",
            detail={"before": before, "now": connection.scopes},
        )
