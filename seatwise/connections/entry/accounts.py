"""What becomes of a grant: whose account it opens, and which connection keeps it.

Nothing of an old grant is touched before the new one has answered for itself. A grant for
another account than the one that was to be renewed is held, sealed, until somebody chose.
"""

import logging
from datetime import datetime
from typing import Literal, cast

from django.db import transaction
from django.utils import timezone

from seatwise import audit, installation
from seatwise.connections import revocation
from seatwise.connections.checking import Proved, prove
from seatwise.connections.entry import keeping
from seatwise.connections.entry.aside import reopened, written
from seatwise.connections.ways import Given, connector_for
from seatwise.connectors.base import Connector
from seatwise.connectors.errors import (
    BrokenAnswer,
    ConsentRefused,
    TryAgainLater,
    VendorError,
)
from seatwise.models import Authorization, Connection, Revocation, Service, User
from seatwise.models.audit_event import Action
from seatwise.models.authorization import Outcome
from seatwise.vault import CannotOpen

log = logging.getLogger(__name__)

Choice = Literal["beside", "replace", "cancel"]
START_AGAIN = "Press Integrate to start again; if it stays, tell the operator of Seatwise."
BACK_AS_VIEWER = "You are no longer an admin of Seatwise. Nothing was connected."
NEVER_KEPT = "It never became a connection."


class NotYours(Exception):
    """Only who began an attempt may decide about it, once, in time, and not on a copy."""


def settle(attempt: Authorization, connector: Connector, given: Given) -> Authorization:
    """Finds out whose grant this is and keeps it, holds it, or gives it back and says why."""
    try:
        proved = prove(connector, given, frozenset(attempt.asked))
        to_tell = _kept(attempt, connector, proved)
    except Exception as error:
        # Whatever went wrong: a grant that is stored nowhere must not live on at the vendor.
        revocation.give_back(attempt.service, given, NEVER_KEPT)
        if isinstance(error, VendorError):
            return failed(attempt, error)
        sentence = "Seatwise made a mistake. Nothing was connected."
        end(attempt, Outcome.FAILED, sentence, START_AGAIN)
        raise
    return _told(attempt, to_tell)


def decide(attempt: Authorization, choice: str, *, user: User) -> Authorization:
    """What is to become of a grant for another account than the one that was to be renewed.

    "beside" connects it too, "replace" revokes the other, "cancel" gives the new one back.
    Raises NotYours, and ValueError for another word.
    """
    if choice not in ("beside", "replace", "cancel"):
        raise ValueError("There is no such choice.")
    ended, to_tell = _decided(attempt.pk, cast("Choice", choice), user)
    return _told(ended, to_tell)


def release_held(now: datetime) -> int:
    """Gives back every grant about which nobody decided in time; returns how many."""
    released = 0
    for pk in list(Authorization.objects.held_too_long(now).values_list("pk", flat=True)):
        with transaction.atomic():
            attempt = _locked(pk)
            if attempt is None or not attempt.waited_too_long(now):
                continue
            sentence = "Nobody chose within 15 minutes. Nothing was changed."
            _released(attempt, Outcome.FAILED, sentence)
            released += 1
    return released


def failed(attempt: Authorization, error: VendorError) -> Authorization:
    """Ends the attempt with what the vendor did, in words."""
    if isinstance(error, ConsentRefused):
        return end(attempt, Outcome.REFUSED, str(error), error.remedy)
    log.warning("authorization %s failed: %s", attempt.pk, error)
    waits = isinstance(error, TryAgainLater | BrokenAnswer)  # but nobody tries this by itself
    remedy = START_AGAIN if waits else error.remedy
    sentence = str(error)
    if "othing was connected" not in sentence:
        sentence = f"{sentence} Nothing was connected."
    return end(attempt, Outcome.FAILED, sentence, remedy)


def end(attempt: Authorization, outcome: Outcome, message: str, remedy: str = "") -> Authorization:
    """Writes down how it went, on the attempt and, where nothing came of it, on the trail."""
    attempt.outcome, attempt.message, attempt.remedy = outcome, message, remedy
    fields = ["outcome", "message", "remedy", "connection", "held", "account"]
    attempt.save(update_fields=fields)
    told = {Outcome.REFUSED: Action.CONSENT_REFUSED, Outcome.FAILED: Action.CONSENT_FAILED}
    if outcome in told:
        about = attempt.renews.account_name if attempt.renews else ""
        detail = {"way": attempt.way}
        key = attempt.service.key
        audit.record(told[outcome], service=key, about=about, said=message, detail=detail)
    return attempt


@transaction.atomic
def _kept(attempt: Authorization, connector: Connector, proved: Proved) -> list[Revocation]:
    """What the new grant has made superfluous, to be told the vendor after the transaction."""
    service = _service_for_admin(attempt, attempt.user_id)
    renews = attempt.renews
    same = Connection.objects.of_account(service, proved.account)
    if renews is not None and renews not in same:
        _hold(attempt, connector, proved, renews)
        return []
    kept = keeping.keep(service, connector, proved, by=attempt.user)
    _connected(attempt, connector, kept, kept.to_tell)
    return kept.to_tell


def _service_for_admin(attempt: Authorization, user_id: int) -> Service:
    """Locked. Somebody may have lost the right to connect while away at the vendor."""
    if not User.objects.select_for_update(no_key=True).get(pk=user_id).is_admin:
        raise ConsentRefused(
            BACK_AS_VIEWER, remedy="An admin integrates, or makes you an admin first."
        )
    return Service.objects.select_for_update(no_key=True).get(pk=attempt.service_id)


def _connected(
    attempt: Authorization, connector: Connector, kept: keeping.Kept, to_tell: list[Revocation]
) -> Authorization:
    name = kept.connection.account_name
    attempt.connection, attempt.held, attempt.account = kept.connection, "", None
    sentence = f"{connector.name} is connected."
    if kept.was_there:
        sentence = f"The authorization of {name} was renewed."
        if attempt.renews_id is None:
            sentence = f"{name} was connected already; its authorization was renewed."
    fate = f"{kept.left} {_fate(to_tell)}".strip()
    return end(attempt, Outcome.CONNECTED, sentence, fate)


def _fate(to_tell: list[Revocation]) -> str:
    """What became of the grants that a newer one took the place of, as far as it is known."""
    return " ".join(
        f"The replaced authorization of {row.connection.account_name}: {row.told}"
        for row in to_tell
        if row.connection
    )


def _told(attempt: Authorization, to_tell: list[Revocation]) -> Authorization:
    """Tells the vendor, and then the person what came of it."""
    before = _fate(to_tell)
    for row in to_tell:
        revocation.tell(row)
    if attempt.outcome == Outcome.CONNECTED and before:
        attempt.remedy = attempt.remedy.removesuffix(before) + _fate(to_tell)
        attempt.save(update_fields=["remedy"])
    return attempt


def _hold(attempt: Authorization, connector: Connector, proved: Proved, renews: Connection) -> None:
    """Data of two accounts never mixes: nothing is changed until somebody chose."""
    attempt.account = written(attempt, proved)
    end(
        attempt,
        Outcome.ASKS,
        f"You chose {proved.account.name} at {connector.name}, but this connection reads "
        f"{renews.account_name}. Nothing was changed yet.",
        "Choose within 15 minutes what is to become of it; otherwise the new authorization is "
        "given back.",
    )


@transaction.atomic
def _decided(pk: int, choice: Choice, user: User) -> tuple[Authorization, list[Revocation]]:
    attempt = _locked(pk)
    if attempt is None:
        raise NotYours("This was decided already. Nothing was changed.")
    if attempt.user_id != user.pk:
        raise NotYours("Only who began this authorization can decide about it.")
    if choice != "cancel" and (hindrance := installation.hindrance()):
        raise NotYours(hindrance)  # the grant may be the original's, from which this was copied
    if attempt.waited_too_long(timezone.now()):
        return _released(
            attempt, Outcome.FAILED, "This took longer than 15 minutes. Nothing was changed."
        )
    try:
        service = _service_for_admin(attempt, user.pk)
    except ConsentRefused as error:
        return _released(attempt, Outcome.REFUSED, str(error))
    if choice == "cancel":
        sentence = "You kept everything as it was. Nothing was connected."
        return _released(attempt, Outcome.REFUSED, sentence)
    connector = connector_for(service.key)
    try:
        proved = reopened(attempt, connector)
    except CannotOpen:
        return _released(
            attempt, Outcome.FAILED, "What was held cannot be opened. Nothing was connected."
        )
    old = attempt.renews
    kept = keeping.keep(service, connector, proved, by=user)
    to_tell = list(kept.to_tell)
    if choice == "replace" and old is not None and old != kept.connection:
        row = keeping.replace(old, kept.connection, by=user)
        to_tell += [row] if row else []
    return _connected(attempt, connector, kept, to_tell), to_tell


def _released(
    attempt: Authorization, outcome: Outcome, sentence: str
) -> tuple[Authorization, list[Revocation]]:
    """Hands the held grant to those who end it at the vendor, and ends the attempt."""
    tell: list[Revocation] = []
    try:
        connector = connector_for(attempt.service.key)
        given = reopened(attempt, connector).given
        tell = revocation.noted(attempt.service, given, NEVER_KEPT)
    except (CannotOpen, LookupError):
        log.warning("the grant held for authorization %s cannot be opened", attempt.pk)
    attempt.held, attempt.account = "", None
    return end(attempt, outcome, sentence, START_AGAIN if outcome == Outcome.FAILED else ""), tell


def _locked(pk: int) -> Authorization | None:
    """An attempt that still waits for a choice."""
    held = Authorization.objects.held().select_related("service", "user", "renews__service")
    return held.select_for_update(of=("self",)).filter(pk=pk).first()
