"""From Integrate to the vendor's answer: one attempt, bound to one browser, used once."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from seatwise import audit, installation
from seatwise.connections.configuration import callback_url, config
from seatwise.connections.entry.accounts import BACK_AS_VIEWER, end, failed, settle
from seatwise.connections.ways import (
    Given,
    connector_for,
    find_way,
    require_settings,
    scopes_for,
)
from seatwise.connectors import oauth
from seatwise.connectors.base import Connector
from seatwise.connectors.errors import ConsentRefused, KeptBack, VendorError
from seatwise.models import Authorization, Connection, Service, User
from seatwise.models.audit_event import Action
from seatwise.models.authorization import Outcome, fingerprint
from seatwise.vault import CannotOpen

log = logging.getLogger(__name__)

NOT_OURS = "This authorization was not begun in this browser by you. Nothing was connected."
TOO_OLD = "The authorization took longer than 15 minutes."


class StateRejected(Exception):
    """The answer does not belong to an attempt of this browser, or was used already."""

    def __init__(self, sentence: str, *, used: bool = False) -> None:
        super().__init__(sentence)
        self.used = used


def begin(
    service: Service,
    *,
    user: User,
    session_key: str,
    popup: bool = False,
    way: str = "",
    scopes: Iterable[str] | None = None,
    renews: Connection | None = None,
) -> str:
    """The vendor's consent address for a new attempt.

    `way` "" is the recommended one, `scopes` None all that are not optional. `renews` is the
    connection whose authorization is to be replaced; None adds an account. Raises
    NotConfigured, NoSuchWay, KeptBack.
    """
    connector = connector_for(service.key)
    chosen = find_way(connector, way, "consent")
    require_settings(connector, chosen)
    if hindrance := installation.hindrance():
        raise KeptBack(hindrance)
    asked = scopes_for(connector, chosen, scopes)
    app = connector.oauth_app(config(connector))
    begun = oauth.begin(app, redirect_uri=callback_url(service.key), scopes=asked)
    attempt = Authorization(
        service=service,
        user=user,
        state_hash=fingerprint(begun.state),
        session_hash=fingerprint(session_key),
        way=chosen.key,
        renews=renews,
        asked=asked,
        popup=popup,
        created_at=timezone.now(),
    )
    attempt.seal("verifier", begun.verifier)
    attempt.save()
    audit.record(
        Action.CONSENT_BEGUN,
        service=service.key,
        about=renews.account_name if renews else "",
        detail={"way": chosen.key, "asked": asked},
    )
    return begun.url


def finish(key: str, answer: Mapping[str, str], *, user: User, session_key: str) -> Authorization:
    """Takes the vendor's answer; how it went is in the attempt's outcome, message and remedy.

    `answer` is the query of the redirect: state with code, or with error. The code is sent
    to the vendor at most once. Raises StateRejected before anything is sent.
    """
    attempt, verifier, rejected = _claim(key, answer.get("state", ""), user, session_key)
    if rejected is not None or attempt is None:
        raise _noted(key, rejected or StateRejected(NOT_OURS))
    connector = connector_for(key)
    app = connector.oauth_app(config(connector))
    if (issuer := answer.get("iss")) and app.issuers and issuer not in app.issuers:
        sentence = f"This answer did not come from {connector.name}. Nothing was connected."
        end(attempt, Outcome.FAILED, sentence)
        raise _noted(key, StateRejected(sentence))
    now = timezone.now()
    try:
        if not User.objects.admins().filter(pk=user.pk).exists():
            raise ConsentRefused(BACK_AS_VIEWER, remedy="An admin integrates.")
        code = _code(connector, answer)
        if not verifier:
            raise ConsentRefused("This authorization was begun with a key that is gone.")
        if hindrance := installation.hindrance():
            raise KeptBack(hindrance)
        way = find_way(connector, attempt.way, "consent")
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
        return failed(attempt, error)
    return settle(attempt, connector, Given(way, grant, now))


def _claim(
    key: str, state: str, user: User, session_key: str
) -> tuple[Authorization | None, str, StateRejected | None]:
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
            return None, "", StateRejected(NOT_OURS)
        if attempt.used_at is not None:
            used = StateRejected("This authorization was used already.", used=True)
            return attempt, "", used
        try:
            verifier = attempt.unseal("verifier")
        except CannotOpen:
            verifier = ""
        attempt.used_at, attempt.verifier = now, ""
        attempt.save(update_fields=["used_at", "verifier"])
        if attempt.is_too_old(now):
            end(attempt, Outcome.FAILED, TOO_OLD)
            return attempt, "", StateRejected(TOO_OLD, used=True)
    return attempt, verifier, None


def _noted(key: str, rejected: StateRejected) -> StateRejected:
    """After the transaction: what was refused must be on the trail, not rolled back."""
    log.warning("an answer for %s was rejected: %s", key, rejected)
    audit.record(Action.CONSENT_REJECTED, service=key, said=str(rejected))
    return rejected


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
