"""The end of a grant: its tokens erased here at once, then the vendor told until it heard."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone

from seatwise import audit, installation
from seatwise.connections.ways import Client, Given, client_of, config_for
from seatwise.connectors import oauth
from seatwise.connectors.base import Connector, WayKind, find, removal_of
from seatwise.models import Connection, Notice, Revocation, Service, SyncRun, Upload, User
from seatwise.models.audit_event import Action
from seatwise.models.connection import State
from seatwise.models.revocation import RevocationState
from seatwise.vault import CannotOpen, KeyMissing

log = logging.getLogger(__name__)

AT_ONCE = 5.0  # seconds that a page waits for the vendor before the rest is left to the worker
PATIENT = 20.0  # seconds, where nobody waits
PAUSES = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)]
PAUSES += [timedelta(hours=2), timedelta(hours=6), timedelta(hours=24)]
ASKED_FOR = sum(PAUSES, timedelta())  # so long a vendor that does not answer is asked again


def revoke(connection: Connection, *, by: User, erase: bool) -> None:
    """Erases the tokens and stops the schedule in one transaction, then tells the vendor.

    A running sync stops at its next page. With `erase` what was collected of this account goes
    too. What the vendor answered is on `connection.revocation` afterwards; while it did not,
    `tell_vendors` goes on asking. Of a grant that has ended meanwhile nothing is ended twice.
    """
    with transaction.atomic():
        row = forget(connection.pk, by=by)
        if erase:
            _erase(_locked(connection.pk))
    if row is not None:
        tell(row)
    connection.refresh_from_db()


@transaction.atomic
def erase(connection: Connection) -> bool:
    """Deletes what was collected of an account that nothing reads any more, history included.

    While the connection holds a grant nothing is deleted; returns whether it was.
    """
    Service.objects.select_for_update(no_key=True).get(pk=connection.service_id)
    row = _locked(connection.pk)
    if row.holds_a_grant:
        return False
    _erase(row)
    return True


@transaction.atomic
def forget(pk: int, *, by: User, why: str = "The authorization was revoked.") -> Revocation | None:
    """Ends a connection here; the vendor is to be told afterwards, outside of the transaction.

    One that holds no grant any more is left as it is: its newest revocation, or None.
    """
    now = timezone.now()
    service = Service.objects.select_for_update(no_key=True).get(connections=pk)
    # Runs before connections: a sync locks in the same order.
    SyncRun.objects.of_connection(pk).cancel(why, now)
    connection = _locked(pk)
    if not connection.holds_a_grant:
        return Revocation.objects.of_connection(pk).first()
    row = _last_words(connection, why)
    connection.access_token = connection.refresh_token = connection.credential = ""
    connection.expires_at = connection.next_sync_at = connection.refreshing_since = None
    connection.ends_at = connection.end_told_at = None
    connection.state, connection.attention, connection.remedy = State.DISCONNECTED, "", ""
    connection.disconnected_at, connection.disconnected_by = now, by
    connection.revocation = row.told
    connection.save()
    Notice.objects.close(connection, now)
    audit.record(Action.REVOKED, service=service.key, about=connection.account_name, said=why)
    return row


def hand_over(connection: Connection, token: str, why: str) -> Revocation:
    """Takes a token of the connection that must not live on; `tell_vendors` ends it there.

    In the transaction in which the token leaves its own row. The connection's `way` and
    `credential` must still be those that the token belongs to.
    """
    client = client_of(connection)
    return _written(connection.service, connection, _Secret.of(token, client), why)


def give_back(service: Service, given: Given, why: str) -> None:
    """Ends a grant that never became a connection, at once if the vendor answers."""
    try:
        for row in noted(service, given, why):
            tell(row)
    except DatabaseError:
        log.exception("a grant that cannot be noted is revoked without a note")
        _ask(service.connector, _secret_of(given), AT_ONCE)


def noted(service: Service, given: Given, why: str) -> list[Revocation]:
    """The grant as a row that `tell` ends; none for an API key, which stays with its makers."""
    if given.way.kind == "key":
        return []
    return [_written(service, None, _secret_of(given), why)]


def unsaid_key(connection: Connection, why: str) -> Revocation:
    """An API key leaves the row; the note says who can end it."""
    name, removal = _vendor(connection.service, "key")
    sentence = f"The API key is erased here. Only people can end it: delete it at {name}. {removal}"
    return _unsaid(connection, why, sentence, timezone.now())


def unopened(connection: Connection, why: str) -> Revocation:
    """A grant leaves the row that nothing opens; the note says how a person ends it."""
    name, removal = _vendor(connection.service, connection.kind)
    sentence = f"No token could be opened, so {name} was not told. {removal}"
    return _unsaid(connection, why, sentence, timezone.now())


def tell_vendors(now: datetime, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Tells every vendor what is due; how many grants are settled now. Never raises for one."""
    if installation.hindrance() is not None:
        return 0
    settled = 0
    for pk in list(Revocation.objects.due(now).values_list("pk", flat=True)):
        if stopping():
            break
        settled += _told(pk, now, PATIENT)
    return settled


def tell(row: Revocation) -> None:
    """Tells the vendor now, but does not let a page wait long for it."""
    if row.state == RevocationState.WAITING:
        _told(row.pk, timezone.now(), AT_ONCE)
    row.refresh_from_db()


def confirmed(name: str) -> str:
    """What is noted where the vendor of that name said yes, and nothing is left to do."""
    return f"{name} confirmed that the authorization is revoked."


@dataclass(frozen=True, slots=True)
class _Secret:
    token: str = field(repr=False)
    client_id: str = ""  # "": the client in the settings
    client_secret: str = field(repr=False, default="")

    @classmethod
    def of(cls, token: str, client: Client | None) -> "_Secret":
        return cls(token, client.id, client.secret) if client else cls(token)

    @property
    def kind(self) -> WayKind:
        return "machine" if self.client_id else "consent"


def _secret_of(given: Given) -> _Secret:
    return _Secret.of(given.grant.refresh_token or given.grant.access_token, given.client)


def _last_words(connection: Connection, why: str) -> Revocation:
    """The row that remembers what the vendor must be told, or why nobody tells it."""
    if connection.kind == "key":
        return unsaid_key(connection, why)
    try:
        token = connection.unseal("refresh_token") or connection.unseal("access_token")
    except CannotOpen:
        token = ""
    if not token:
        return unopened(connection, why)
    return hand_over(connection, token, why)


def _written(
    service: Service, connection: Connection | None, secret: _Secret, why: str
) -> Revocation:
    now = timezone.now()
    name, _ = _vendor(service, secret.kind)
    row = Revocation(service=service, connection=connection, why=why, created_at=now, next_at=now)
    row.told = f"{name} is being told."
    row.seal("secret", json.dumps(asdict(secret)))
    row.save()
    return row


def _unsaid(connection: Connection, why: str, told: str, now: datetime) -> Revocation:
    row = Revocation.objects.create(
        service=connection.service,
        connection=connection,
        why=why,
        told=told,
        state=RevocationState.UNCONFIRMED,
        created_at=now,
        ended_at=now,
    )
    _record(row)
    return row


def _told(pk: int, now: datetime, deadline: float) -> bool:
    """One try, with no transaction open meanwhile; whether the row is settled afterwards."""
    secret = _claimed(pk, now)
    if secret is None:
        return False
    row = Revocation.objects.select_related("service").get(pk=pk)
    return _noted(pk, _ask(row.service.connector, secret, deadline), secret.kind, now)


@transaction.atomic
def _claimed(pk: int, now: datetime) -> _Secret | None:
    """Puts off the next try first, so that no two processes tell the vendor at once."""
    row = (
        Revocation.objects.due(now)
        .select_related("service", "connection")
        .select_for_update(of=("self",), skip_locked=True)
        .filter(pk=pk)
        .first()
    )
    if row is None:
        return None
    name, removal = _vendor(row.service, row.connection.kind if row.connection else "consent")
    if hindrance := installation.hindrance(row.connection):
        _say(row, f"{name} is not told yet. {hindrance}")
        return None
    try:
        told = json.loads(row.unseal("secret"))
    except KeyMissing:
        row.next_at = now + PAUSES[1]
        _say(row, f"{name} is not told yet: the key that opens the token is missing.")
        return None
    except (CannotOpen, ValueError):
        _settle(
            row,
            RevocationState.UNCONFIRMED,
            f"The token could not be opened, so {name} was not told. {removal}",
        )
        return None
    row.next_at = now + PAUSES[min(row.tries, len(PAUSES) - 1)]
    row.tries += 1
    row.save(update_fields=["next_at", "tries"])
    return _Secret(**told)


def _ask(connector: Connector | None, secret: _Secret, deadline: float) -> oauth.Ended:
    if connector is None:
        return "refused"
    client = Client(secret.client_id, secret.client_secret) if secret.client_id else None
    app = connector.oauth_app(config_for(connector, client))
    return asyncio.run(oauth.end_grant(app, secret.token, deadline=deadline))


@transaction.atomic
def _noted(pk: int, answer: oauth.Ended, kind: WayKind, now: datetime) -> bool:
    row = (
        Revocation.objects.waiting()
        .select_related("service", "connection")
        .select_for_update(of=("self",))
        .filter(pk=pk)
        .first()
    )
    if row is None:  # told by somebody else meanwhile
        return False
    name, removal = _vendor(row.service, kind)
    if answer == "confirmed":
        sentence = confirmed(name)
        if kind == "machine":  # its app can always ask for another
            sentence = f"{name} confirmed that the token is revoked. {removal}"
        _settle(row, RevocationState.CONFIRMED, sentence)
        return True
    sentence = f"{name} did not confirm the revocation"
    if answer == "refused" or row.tries > len(PAUSES):
        _settle(row, RevocationState.UNCONFIRMED, f"{sentence}. {removal}")
        return True
    again = now + PAUSES[row.tries - 1]
    when = f"{again:%H:%M} UTC" if again.date() == now.date() else f"{again:%-d %B, %H:%M} UTC"
    _say(row, f"{sentence} yet; Seatwise asks again by itself, {when}. {removal}")
    return False


def _settle(row: Revocation, state: RevocationState, sentence: str) -> None:
    row.state, row.secret, row.next_at, row.ended_at = state, "", None, timezone.now()
    _say(row, sentence)
    _record(row)


def _say(row: Revocation, sentence: str) -> None:
    """On the row; and on the connection, where this is how it ended."""
    row.told = sentence
    row.save()
    newest = Revocation.objects.of_connection(row.connection_id).first()
    if row.connection_id is not None and newest == row:
        ended = Connection.objects.filter(pk=row.connection_id, state=State.DISCONNECTED)
        ended.update(revocation=sentence)


def _record(row: Revocation) -> None:
    done = row.state == RevocationState.CONFIRMED
    audit.record(
        Action.REVOCATION_CONFIRMED if done else Action.REVOCATION_UNCONFIRMED,
        service=row.service.key,
        about=row.connection.account_name if row.connection else "",
        said=row.told,
        detail={"why": row.why, "tries": row.tries},
    )


def _vendor(service: Service, kind: WayKind) -> tuple[str, str]:
    """Its name, and how a person ends the access there that was let in by that kind of way."""
    connector = find(service.key)
    if connector is None:
        return service.name, f"End Seatwise's access at {service.name} yourself."
    return connector.name, removal_of(connector, kind)


def _locked(pk: int) -> Connection:
    rows = Connection.objects.select_related("service")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=pk)


def _erase(connection: Connection) -> None:
    """What was collected of one account, whose row is locked, and the file that waits, if any."""
    connection.erase_collected()
    Upload.objects.filter(service=connection.service_id).delete()
    connection.checks, connection.checked_at = [], None
    connection.save()
    key, name = connection.service.key, connection.account_name
    audit.record(Action.ERASED, service=key, about=name)
