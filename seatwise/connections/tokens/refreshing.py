"""One refresh of a grant, in three short steps; while the vendor is asked no row is locked.

begin    the row, locked: is it still needed, was an earlier one cut off? Then the marker is set.
ask      one request with a total deadline.
settle   the row, locked: what came is kept, if it is still wanted, and the marker goes.

A process that dies in between leaves the marker. Whoever comes next knows by it that nobody can
know whether the vendor has replaced the refresh token, and says so instead of trying its luck.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import InterfaceError, InternalError, OperationalError, transaction
from django.db import connection as database
from django.utils import timezone

from seatwise import audit
from seatwise.connections.configuration import NotConfigured, missing_settings
from seatwise.connections.revocation import hand_over
from seatwise.connections.tokens import verdicts
from seatwise.connections.tokens.stored import ASTRAY, STORED, Need, held, store
from seatwise.connections.ways import client_of, config_for
from seatwise.connectors import oauth
from seatwise.connectors.base import Connector, OAuthApp
from seatwise.connectors.errors import (
    AppRejected,
    BrokenAnswer,
    CredentialsRejected,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.patience import Patience
from seatwise.connectors.records import Grant
from seatwise.models import Connection, Notice
from seatwise.models.audit_event import Action
from seatwise.models.connection import Every, State
from seatwise.vault import CannotOpen, KeyMissing

log = logging.getLogger(__name__)

DEADLINE = 30.0  # seconds for the one request, from connecting to the last byte
STORING = 30.0  # seconds for which an answer is kept in hand while the database is away
RESTING = 0.5  # seconds between two tries to store it
AT_ONCE = timedelta(seconds=10)  # a token refused so soon is not helped by another
LASTING = timedelta(minutes=1)  # told a longer life than this, a token should see its first day


@dataclass(frozen=True, slots=True)
class Begun:
    """A refresh that was noted on the row and is now asked for."""

    connection: Connection  # as it was then
    app: OAuthApp = field(repr=False)
    secret: str = field(repr=False)  # the refresh token
    marker: datetime
    first: datetime | None = None  # the refresh that was cut off, and which this one repeats

    @property
    def rotates(self) -> bool:
        """Whether asking may use up what is asked with."""
        return self.connection.kind == "consent"


def refresh(connection: Connection, need: Need) -> str:
    """A new access token; whoever calls this has the grant to itself. Raises VendorError."""
    app = _app(connection)
    begun = _locked(connection.pk, lambda row: _begin(row, app, need))
    if isinstance(begun, str):
        return begun
    try:
        grant = _ask(begun)
    except VendorError as error:
        trouble = error
        return _settle(connection.pk, lambda row: _refused(row, begun, trouble))
    now = timezone.now()
    return _settle(connection.pk, lambda row: _given(row, begun, grant, now))


def _app(connection: Connection) -> OAuthApp | None:
    """What introduces Seatwise to the vendor; None where an API key does."""
    connector = connection.connector
    if connector is None:
        raise AppRejected(f"The connector for {connection.service.name} is not installed.")
    kind = connection.kind
    if kind == "key":
        return None
    app = connector.oauth_app(config_for(connector, client_of(connection)))
    if kind == "consent" and not (app.client_id and app.client_secret):
        missing = NotConfigured(missing_settings(connector.key, connection.way or None))
        raise AppRejected(str(missing), remedy=missing.remedy)
    return app


def _begin(connection: Connection, app: OAuthApp | None, need: Need) -> Begun | str | VendorError:
    now = timezone.now()
    if not connection.is_alive:
        return verdicts.gone(connection)
    try:
        token = held(connection, need, now)
        secret = connection.unseal("refresh_token")
        connection.unseal("credential")
    except KeyMissing as error:
        return verdicts.keys_missing(error)
    except CannotOpen as error:
        return verdicts.altered(connection, error)
    if token:
        return token
    if app is None:
        return verdicts.lost(
            connection, f"{connection.service.name} does not accept the API key any more."
        )
    if connection.kind == "consent" and not secret:
        return verdicts.lost(connection, "The authorization has ended and cannot be prolonged.")
    if need.rejected and _was_just_given(connection, now):
        return CredentialsRejected(
            f"{connection.service.name} does not accept a token that it gave a moment ago."
        )
    begun = Begun(connection, app, secret, marker=now)
    if connection.refreshing_since is not None and begun.rotates:
        outcome = _after_a_cut(connection, app, connection.refreshing_since, now)
        if isinstance(outcome, VendorError):
            return outcome
        begun = replace(begun, first=outcome)
    connection.refreshing_since = now
    connection.save(update_fields=["refreshing_since"])
    return begun


def _was_just_given(connection: Connection, now: datetime) -> bool:
    """Whether the last refresh, not the consent, was a moment ago and gave a lasting token."""
    given_at, expires_at = connection.refreshed_at, connection.expires_at
    if given_at is None or expires_at is None or given_at == connection.granted_at:
        return False
    is_first = connection.granted_at is None and given_at <= connection.connected_at
    return not is_first and abs(now - given_at) < AT_ONCE and expires_at - given_at > LASTING


def _after_a_cut(
    connection: Connection, app: OAuthApp, marker: datetime, now: datetime
) -> datetime | VendorError:
    """An earlier refresh was never settled, and its process is gone or has lost its session.

    Returns the marker of the one to repeat, where the vendor is known to allow that; else why
    not, and for as long as that process may still store an answer, that it is to be waited for.
    """
    notes = verdicts.notes_on(connection, marker)
    firsts = [note.detail["first"] for note in notes if "first" in note.detail]
    lost = next((note.said for note in notes if note.detail.get("lost")), "")
    age = now - marker
    in_time = app.grace is not None and timedelta(0) <= age < timedelta(seconds=app.grace)
    if in_time and app.grace is not None and not firsts:
        verdicts.repeated(connection, now, marker, app.grace)
        return marker
    patience = timedelta(seconds=DEADLINE + STORING)
    if not lost and -ASTRAY < age < patience:  # else the clock has jumped, or nobody answers
        return TryAgainLater(
            "The authorization was being renewed when Seatwise was interrupted; its outcome is"
            " still waited for.",
            after=(patience - age).total_seconds(),
        )
    since = datetime.fromisoformat(firsts[0]) if firsts else marker
    return verdicts.lost(connection, _unknown(connection, since, lost), unknown_since=since)


def _ask(begun: Begun) -> Grant:
    connection, app = begun.connection, begun.app
    if begun.rotates:
        granted = frozenset(connection.scopes)
        patience = Patience(deadline=DEADLINE)
        return asyncio.run(oauth.refresh(app, begun.secret, granted=granted, patience=patience))
    connector: Connector | None = connection.connector
    assert connector is not None  # `_app` has seen it
    grant = connector.machine_grant(app, connection.account_name, connection.scopes)
    try:
        return asyncio.run(asyncio.wait_for(grant, DEADLINE))
    except TimeoutError:
        raise TryAgainLater(
            f"{connection.service.name} did not finish answering within {DEADLINE:g} s."
        ) from None


def _given(connection: Connection, begun: Begun, grant: Grant, now: datetime) -> str | VendorError:
    if connection.state in (State.DISCONNECTED, State.BY_FILE):
        hand_over(
            begun.connection, _key_to(grant), "It was revoked here while it was being renewed."
        )
        return verdicts.gone(connection)
    if _is_another(connection, begun):
        hand_over(begun.connection, _key_to(grant), "It was replaced by a newer authorization.")
        return _theirs(connection)
    if connection.refreshed_at != begun.connection.refreshed_at:
        return _theirs(connection)  # of the same grant: not to be revoked, that would end both
    was = set(connection.scopes)
    store(connection, grant, now)
    if connection.refreshing_since is not None and not connection.is_alive:
        _heal(connection, now)
    elif connection.refreshing_since == begun.marker:
        connection.refreshing_since = None
    connection.save(
        update_fields=[
            *STORED, "refreshing_since", "state", "attention", "remedy", "next_sync_at",
        ]
    )  # fmt: skip
    if was != set(connection.scopes):
        audit.record(
            Action.SCOPES_CHANGED,
            service=connection.service.key,
            about=connection.account_name,
            said=f"{connection.service.name} renewed the authorization with other permissions.",
            detail={"before": sorted(was), "now": connection.scopes},
        )
    log.info("token of connection %s refreshed", connection.pk)
    return grant.access_token


def _heal(connection: Connection, now: datetime) -> None:
    """It was given up because nobody knew how its refresh ended; now the answer is here."""
    connection.refreshing_since = None
    connection.state = connection.state_when_well
    connection.attention = connection.remedy = ""
    connection.next_sync_at = None if connection.sync_every == Every.NEVER else now
    Notice.objects.close(connection, now)


def _refused(connection: Connection, begun: Begun, error: VendorError) -> str | VendorError:
    if _has_moved_on(connection, begun):
        return _theirs(connection)
    if not connection.is_alive:
        return verdicts.gone(connection)
    if connection.refreshing_since != begun.marker:
        return TryAgainLater("Another process is renewing the authorization.", after=1.0)
    if begun.rotates and _was_probably_done(error):
        verdicts.answer_lost(connection, begun.marker, str(error))
        if begun.app.grace is not None and begun.first is None:
            return TryAgainLater(str(error), after=1.0)  # and then the marker is found
        since = begun.first or begun.marker
        reason = _unknown(connection, since, str(error) if begun.first is None else "")
        return verdicts.lost(connection, reason, unknown_since=since)
    if isinstance(error, CredentialsRejected):
        return verdicts.lost(connection, _why(connection, begun, error), unknown_since=begun.first)
    connection.refreshing_since = None
    connection.save(update_fields=["refreshing_since"])
    if isinstance(error, AppRejected):
        error = _about_the_app(connection, begun, error)
        if not begun.rotates:
            return verdicts.lost(connection, str(error))
    sent = bool(error.doubt) or (error.status or 0) >= 500
    verdicts.failed(connection, error, sent=begun.rotates and sent)
    return error


def _was_probably_done(error: VendorError) -> bool:
    """Whether an answer was on its way, so that the old refresh token is probably replaced."""
    told = isinstance(error, BrokenAnswer) and error.status is not None and error.status < 300
    return error.doubt == "likely" or (told and not error.doubt)


def _about_the_app(connection: Connection, begun: Begun, error: AppRejected) -> AppRejected:
    vendor = connection.service.name
    if begun.rotates:
        return AppRejected(
            f"{error} This concerns every connection to {vendor}; no authorization is lost.",
            remedy=error.remedy,
            status=error.status,
        )
    return AppRejected(f"{vendor} does not accept the client id or secret of its private app.")


def _why(connection: Connection, begun: Begun, error: CredentialsRejected) -> str:
    """The true reason of a refusal, where something is known beyond the refusal itself."""
    vendor, now = connection.service.name, timezone.now()
    if begun.first is not None:
        return f"{_unknown(connection, begun.first)} It was tried once more and refused."
    if connection.ends_at is not None and connection.ends_at <= now:
        return (
            f"The authorization has reached its end: {vendor} lets one last until"
            f" {verdicts.moment(connection.ends_at)}, however often it is renewed."
        )
    earlier = verdicts.unanswered(connection)
    if earlier is not None:
        return (
            f"{error} A renewal at {verdicts.moment(earlier.at)} had stayed without a usable"
            f" answer ({earlier.said.rstrip('.')}): probably {vendor} replaced the token then,"
            " and the new one never arrived."
        )
    way, since = connection.way_in, connection.refreshed_at or connection.connected_at
    if way and way.idle and now - since > way.idle:
        return f"{error} It had not been used for more than {way.idle.days} days."
    return str(error)


def _unknown(connection: Connection, since: datetime, lost: str = "") -> str:
    vendor, at = connection.service.name, verdicts.moment(since)
    happened = (
        f"When the authorization was renewed at {at}, the answer was lost. {lost}"
        if lost
        else f"Seatwise was stopped at {at} in the middle of renewing the authorization."
    )
    return f"{happened} Nobody knows whether {vendor} has replaced the token meanwhile."


def _is_another(connection: Connection, begun: Begun) -> bool:
    """Whether somebody has authorized again meanwhile."""
    then = begun.connection
    return (connection.connected_at, connection.granted_at) != (then.connected_at, then.granted_at)


def _has_moved_on(connection: Connection, begun: Begun) -> bool:
    """Whether somebody else has stored something since, so that a refusal judges nothing."""
    if _is_another(connection, begun) or connection.state == State.DISCONNECTED:
        return True
    if connection.refreshed_at != begun.connection.refreshed_at:
        return True
    try:
        return connection.unseal("refresh_token") != begun.secret
    except CannotOpen:
        return False


def _theirs(connection: Connection) -> str | VendorError:
    """The token that somebody else has stored meanwhile."""
    if not connection.is_alive:
        return verdicts.gone(connection)
    try:
        token = held(connection, Need(), timezone.now())
    except CannotOpen:
        token = ""
    return token or TryAgainLater("The authorization was renewed elsewhere meanwhile.", after=1.0)


def _key_to(grant: Grant) -> str:
    return grant.refresh_token or grant.access_token


def _locked(
    connection_id: int, step: Callable[[Connection], Begun | str | VendorError]
) -> Begun | str:
    """What the step makes of the row, locked, in a short transaction of its own.

    An error that the step returns is raised after the commit, which keeps what it noted. Inside
    another transaction this refuses to work: what is stored here could be rolled back.
    """
    with transaction.atomic(durable=True):
        connection = (
            Connection.objects.select_related("service")
            .select_for_update(of=("self",), no_key=True)
            .filter(pk=connection_id)
            .first()
        )
        if connection is None:
            raise CredentialsRejected("The connection does not exist any more.")
        outcome = step(connection)
    if isinstance(outcome, VendorError):
        raise outcome
    return outcome


def _settle(connection_id: int, step: Callable[[Connection], str | VendorError]) -> str:
    """As `_locked`, tried again while the database is away: what is in hand may be all there is."""
    until = time.monotonic() + STORING
    while True:
        try:
            token = _locked(connection_id, step)
        except (OperationalError, InterfaceError, InternalError):
            if time.monotonic() > until or database.in_atomic_block:
                log.critical("the answer to a refresh could not be stored")
                raise
            log.warning("the answer to a refresh is not stored yet; trying again")
            database.close()
            time.sleep(RESTING)
        else:
            assert isinstance(token, str)
            return token
