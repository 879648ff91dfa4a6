"""From Integrate to the vendor's answer: one attempt, bound to one browser, used once."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from seatwise.connections.configuration import NotConfigured, callback_url, config
from seatwise.connections.tokens import store
from seatwise.connectors import oauth
from seatwise.connectors.base import Connector, OAuthApp, find, scopes_to_ask
from seatwise.connectors.errors import (
    BrokenAnswer,
    ConsentRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.connectors.records import Account, Grant
from seatwise.models import Authorization, Connection, Service, User
from seatwise.models.authorization import Outcome, fingerprint
from seatwise.models.connection import State
from seatwise.vault import CannotOpen

log = logging.getLogger(__name__)

START_AGAIN = "Press Integrate to start again; if it stays, tell the operator of Seatwise."


class StateRejected(Exception):
    """The answer does not belong to an attempt of this browser, or was used already."""

    def __init__(self, sentence: str, *, used: bool = False) -> None:
        super().__init__(sentence)
        self.used = used


def begin(service: Service, *, user: User, session_key: str, popup: bool = False) -> str:
    """The vendor's consent address for a new attempt. Raises NotConfigured."""
    connector, app = _door(service.key)
    asked = scopes_to_ask(connector.scopes)
    begun = oauth.begin(app, redirect_uri=callback_url(service.key), scopes=asked)
    attempt = Authorization(
        service=service,
        user=user,
        state_hash=fingerprint(begun.state),
        session_hash=fingerprint(session_key),
        asked=asked,
        popup=popup,
        created_at=timezone.now(),
    )
    attempt.seal_verifier(begun.verifier)
    attempt.save()
    return begun.url


def finish(key: str, answer: Mapping[str, str], *, user: User, session_key: str) -> Authorization:
    """Takes the vendor's answer; how it went is in the attempt's outcome, message and remedy.

    `answer` is the query of the redirect: state with code, or with error. The code is sent
    to the vendor at most once. Raises StateRejected before anything is sent.
    """
    attempt, verifier = _claim(key, answer.get("state", ""), user, session_key)
    connector, app = _door(key)
    try:
        code = _code(connector, answer)
        if not verifier:
            raise ConsentRefused("This authorization was begun with a key that is gone.")
        grant = asyncio.run(
            oauth.exchange(
                app,
                code=code,
                verifier=verifier,
                redirect_uri=callback_url(key),
                asked=frozenset(attempt.asked),
            )
        )
    except VendorError as error:
        return _failed(attempt, error)
    return _settle(attempt, connector, app, grant)


def _door(key: str) -> tuple[Connector, OAuthApp]:
    connector = find(key)
    if connector is None:
        raise NotConfigured([f"a connector for {key}"])
    return connector, connector.oauth_app(config(connector))


def _claim(key: str, state: str, user: User, session_key: str) -> tuple[Authorization, str]:
    """Marks the attempt as used, in its own transaction, and takes its PKCE verifier."""
    now = timezone.now()
    with transaction.atomic():
        attempt = (
            Authorization.objects.with_state(state)
            .select_related("service", "user")
            .select_for_update(of=("self",))
            .first()
        )
        if (
            attempt is None
            or attempt.service.key != key
            or attempt.user_id != user.pk
            or attempt.session_hash != fingerprint(session_key)
        ):
            log.warning("an authorization for %s came back with a state that is not ours", key)
            raise StateRejected(
                "This authorization was not begun in this browser by you. Nothing was connected."
            )
        if attempt.used_at is not None:
            raise StateRejected("This authorization was used already.", used=True)
        try:
            verifier = attempt.unseal_verifier()
        except CannotOpen:
            verifier = ""
        too_old = attempt.is_too_old(now)
        attempt.used_at, attempt.verifier = now, ""
        attempt.save(update_fields=["used_at", "verifier"])
    if too_old:
        _end(attempt, Outcome.FAILED, "The authorization took longer than 15 minutes.", "")
        raise StateRejected("The authorization took longer than 15 minutes.", used=True)
    return attempt, verifier


def _code(connector: Connector, answer: Mapping[str, str]) -> str:
    error = answer.get("error", "")
    if error == "access_denied":
        raise ConsentRefused(
            "You did not allow access. Nothing was connected.",
            remedy="To connect after all, start again and press Authorize.",
        )
    if error in {"temporarily_unavailable", "server_error"}:
        raise ConsentRefused(f"{connector.name} cannot answer now. Nothing was connected.")
    if error or not answer.get("code"):
        raise ConsentRefused(
            f"{connector.name} did not accept the request. Nothing was connected.",
            remedy="The operator of Seatwise compares the app's client id, redirect address "
            "and permissions with the settings; then press Integrate again.",
        )
    return answer["code"]


def _settle(
    attempt: Authorization, connector: Connector, app: OAuthApp, grant: Grant
) -> Authorization:
    """Finds out whose grant this is and keeps it, or gives it back and says why."""
    try:
        asked = frozenset(attempt.asked)
        account = asyncio.run(connector.identify(config(connector), grant, asked))
        attempt.connection = _keep(attempt, connector, grant, account)
    except Exception as error:
        # Whatever went wrong: a grant that is stored nowhere must not live on at the vendor.
        asyncio.run(oauth.revoke(app, grant.refresh_token or grant.access_token))
        if isinstance(error, VendorError):
            return _failed(attempt, error)
        _end(
            attempt, Outcome.FAILED, "Seatwise made a mistake. Nothing was connected.", START_AGAIN
        )
        raise
    return _end(attempt, Outcome.CONNECTED, f"{connector.name} is connected", "")


@transaction.atomic
def _keep(
    attempt: Authorization, connector: Connector, grant: Grant, account: Account
) -> Connection:
    """Stores the grant, sealed. Another account than before is refused: data never mixes."""
    user = User.objects.select_for_update(no_key=True).get(pk=attempt.user_id)
    if not user.is_admin:
        raise ConsentRefused(
            "You are no longer an admin of Seatwise. Nothing was connected.",
            remedy="An admin integrates, or makes you an admin first.",
        )
    service = Service.objects.select_for_update(no_key=True).get(pk=attempt.service_id)
    other = service.connections.holding_a_grant().exclude(account_id=account.external_id)
    if blocking := other.first():
        raise ConsentRefused(
            f"{service.name} is connected to {blocking.account_name}, and you chose "
            f"{account.name}. Nothing was changed.",
            remedy=f"Choose {blocking.account_name} at {connector.name}, or revoke it first.",
        )
    now = timezone.now()
    service.connections.exclude(account_id=account.external_id).shown().update(replaced_at=now)
    connection, _ = service.connections.select_for_update(no_key=True).get_or_create(
        account_id=account.external_id, defaults={"connected_at": now, "service": service}
    )
    connection.account_name, connection.region = account.name, account.region
    connection.api_url = account.api_url
    connection.granted_by, connection.granted_role = account.granted_by, account.granted_role
    connection.account_gaps = [asdict(gap) for gap in account.gaps]
    connection.sync_gaps, connection.attention, connection.remedy = [], "", ""
    connection.revocation, connection.disconnected_at = "", None
    connection.disconnected_by = connection.replaced_at = None
    connection.connected_by, connection.connected_at = user, now
    connection.state = State.LIMITED if connection.is_limited else State.ACTIVE
    connection.next_sync_at = now  # should nobody ask for the first sync, the schedule does
    store(connection, grant, now)
    connection.save()
    return connection


def _failed(attempt: Authorization, error: VendorError) -> Authorization:
    if isinstance(error, ConsentRefused):
        return _end(attempt, Outcome.REFUSED, str(error), error.remedy)
    log.warning("authorization %s failed: %s", attempt.pk, error)
    waits = isinstance(error, TryAgainLater | BrokenAnswer)  # but nobody tries this by itself
    remedy = START_AGAIN if waits else error.remedy
    return _end(attempt, Outcome.FAILED, f"{error} Nothing was connected.", remedy)


def _end(attempt: Authorization, outcome: Outcome, message: str, remedy: str) -> Authorization:
    attempt.outcome, attempt.message, attempt.remedy = outcome, message, remedy
    attempt.save(update_fields=["outcome", "message", "remedy", "connection"])
    return attempt
