"""Whether this installation may use the grants it keeps: is it the one, and has it the keys?

A copy of the database brings the vendors' tokens along. Were both to renew them, the vendor
would take it for theft and end the grant; so whichever wakes up elsewhere keeps still until
a person has said that it is the one to go on.

check()                 at every start: what the operator must know, line by line
hindrance() -> str|None before every use of a grant: why it must not be used
adopt(by)               a person's word: from now on this one syncs
pause(why)              a person's word: this one does not
accept_keys(by)         a person's word: the old key is lost for good
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from seatwise import audit, keys, vault
from seatwise.models import AuditEvent, Authorization, Connection, Installation, Revocation, User
from seatwise.models.audit_event import Action
from seatwise.models.authorization import Outcome
from seatwise.models.connection import State
from seatwise.models.installation import ONLY, database_server
from seatwise.models.revocation import RevocationState

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
DAY = timedelta(days=1)
NAMES = {
    "system": "another database server",
    "database": "another database",
    "table": "tables that were restored",
    "address": "another address",
}
READABLE = "Pages stay readable and nothing is lost; nothing is synced or renewed meanwhile."


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why grants must not be used now, for a person. `kind` is "paused" or "keys"."""

    kind: str
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What had to be given up with the old key."""

    connections: tuple[Connection, ...] = ()
    revocations: int = 0
    authorizations: int = 0

    @property
    def count(self) -> int:
        return len(self.connections) + self.revocations + self.authorizations


def check() -> list[str]:
    """Looks after the row at a start; returns what the operator must know, [] when all is well.

    A copy is paused here, and said so on the trail; grants without an installation become ours.
    """
    with transaction.atomic():
        row = _locked()
        here = row.here(_address()) | {"system": database_server()}
        moved = row.moved(here)
        if moved and row.paused_at is None:
            _pause(row, _copy_sentence(moved))
        elif not moved:
            row.place = {**row.place, **_known(here)}
            Connection.objects.filter(installation=None).update(installation=row.uid)
        in_use = keys.uses()
        lacking = keys.missing(in_use)
        if not row.key_check and (not lacking or len(lacking) < len(in_use)):
            row.seal_key_check()
        row.save()
        found = [found for found in (_paused(row), _keys_trouble(row)) if found]
        for trouble in found:
            if trouble.kind == "keys":
                _note_refused(row, trouble)
    told = [str(trouble) for trouble in found]
    if lacking and not any(trouble.kind == "keys" for trouble in found):
        told.append(_lacking_sentence(lacking))
    return told


def hindrance(connection: Connection | None = None) -> str | None:
    """Why a grant must not be used now, or None. One query; asked before every use.

    With a connection, also why that one's grant must not be: it belongs to another installation.
    """
    row = _here()
    if row is None:
        return None
    if trouble := _paused(row) or _moved(row) or _keys_trouble(row):
        return str(trouble)
    if connection and connection.installation not in (None, row.uid):
        return (
            f"The authorization of {connection.account_name} belongs to another installation of "
            "Seatwise and was copied here. An admin presses Integrate again."
        )
    return None


def trouble() -> Trouble | None:
    """The same for a page: what happened and what to do, or None."""
    row = _here()
    return (_paused(row) or _moved(row) or _keys_trouble(row)) if row else None


def is_ours() -> bool:
    """Whether it is known to be the one that syncs: no copy, and not paused."""
    row = _here()
    return row is None or not (_paused(row) or _moved(row))


def uid() -> uuid.UUID | None:
    """What to write beside new tokens, so that they are known as ours."""
    row = Installation.objects.filter(pk=ONLY).first()
    return row.uid if row else None


def adopt(by: User | None = None) -> bool:
    """This installation is the one that syncs, with all grants it has. False: it was already.

    The other one must never sync again: both renewing one grant would end it.
    """
    with transaction.atomic():
        row = _locked()
        here = row.here(_address()) | {"system": database_server()}
        if row.paused_at is None and not row.moved(here):
            return False
        why, before = row.paused_why, row.uid
        row.uid, row.place = uuid.uuid4(), here
        row.paused_at, row.paused_why = None, ""
        row.save()
        Connection.objects.update(installation=row.uid)
        audit.record(
            Action.SYNCING_RESUMED,
            by=by,
            said="This installation goes on syncing; the one it was copied from must not.",
            detail={"was": why, "installation_before": str(before), "installation": str(row.uid)},
        )
    return True


def pause(why: str, by: User | None = None) -> bool:
    """No grant is used until `adopt`. `why` is a sentence. False: it was paused already."""
    with transaction.atomic():
        row = _locked()
        if row.paused_at is not None:
            return False
        _pause(row, why, by)
        row.save()
    return True


def accept_keys(by: User | None = None) -> Accepted:
    """The missing key is lost for good: what it sealed is given up, what was collected stays.

    Those connections ask for a new authorization. Before this, putting the right key back
    heals everything; afterwards it does not.
    """
    with transaction.atomic():
        row = _locked()
        lost = _keys_trouble(row) is not None
        # Each table's rows are locked in the order of their keys, one after another.
        authorizations = sum(_give_up_authorization(pk) for pk in _pks(Authorization))
        connections = [given for pk in _pks(Connection) if (given := _give_up_connection(pk))]
        revocations = sum(_give_up_revocation(pk) for pk in _pks(Revocation))
        given_up = Accepted(tuple(connections), revocations, authorizations)
        if lost or given_up.count:
            row.seal_key_check()
            row.save(update_fields=["key_check"])
            _record_accepted(given_up, by)
    return given_up


def _locked() -> Installation:
    """The row, made where there is none, for us alone until the transaction ends."""
    Installation.objects.get_or_create(pk=ONLY)
    rows = Installation.objects.with_here().select_for_update(of=("self",))
    return rows.get(pk=ONLY)


def _here() -> Installation | None:
    return Installation.objects.with_here().filter(pk=ONLY).first()


def _address() -> str:
    """The address people use; "" where it says nothing about which installation this is."""
    url: str = settings.BASE_URL
    return "" if urlsplit(url).hostname in LOOPBACK else url.lower()


def _known(here: dict[str, str]) -> dict[str, str]:
    return {name: told for name, told in here.items() if told}


def _pause(row: Installation, why: str, by: User | None = None) -> None:
    row.paused_at, row.paused_why = timezone.now(), why
    audit.record(Action.SYNCING_PAUSED, said=why, by=by)


def _paused(row: Installation) -> Trouble | None:
    if row.paused_at is None:
        return None
    return _paused_trouble(row.paused_why)


def _moved(row: Installation) -> Trouble | None:
    """It was carried elsewhere while we were running, so no start has paused it yet."""
    moved = row.moved(row.here(_address()))
    return _paused_trouble(_copy_sentence(moved)) if moved else None


def _paused_trouble(why: str) -> Trouble:
    return Trouble(
        "paused",
        f"Syncing is paused. {why}",
        f"{READABLE} If this is the one to go on, an admin presses Go on syncing here, or the "
        "operator runs “seatwise installation adopt”.",
    )


def _copy_sentence(moved: list[str]) -> str:
    signs = " and ".join(NAMES[name] for name in moved)
    return (
        f"This is a copy or a restored backup: Seatwise woke up in {signs}. Were it to sync "
        "beside the one it was copied from, the vendors would end the authorizations of both."
    )


def _keys_trouble(row: Installation) -> Trouble | None:
    try:
        row.prove_keys()
    except vault.KeyMissing as error:
        which = f"key {error.key_id}, which sealed what is stored, is not among them"
    except vault.CannotOpen:
        which = "they could not be proved to be those that sealed what is stored"
    else:
        return None
    there = ", ".join(settings.ENCRYPTION_KEYS.ids)
    return Trouble(
        "keys",
        f"The keys in SEATWISE_ENCRYPTION_KEYS ({there}) do not fit: {which}.",
        f"{READABLE} The operator puts the key back and starts Seatwise again: then all is as "
        "before. If it is lost for good, an admin says so here, or the operator with "
        "“seatwise keys accept”; then each service is integrated again.",
    )


def _lacking_sentence(lacking: dict[str, int]) -> str:
    told = ", ".join(f"{count} with key {key_id or 'unknown'}" for key_id, count in lacking.items())
    return (
        f"Some secrets were sealed with keys that are not in SEATWISE_ENCRYPTION_KEYS: {told}. "
        "What needs them waits; put the key back, or see “seatwise keys status”."
    )


def _note_refused(row: Installation, found: Trouble) -> None:
    """On the trail once a day for each key, however many processes start."""
    which = row.key_check.split(".")[1] if row.key_check.count(".") == 2 else ""
    about = f"key {which}"
    since = timezone.now() - DAY
    told = AuditEvent.objects.filter(action=Action.KEYS_REFUSED, about=about, at__gte=since)
    if not told.exists():
        ids = list(settings.ENCRYPTION_KEYS.ids)
        audit.record(Action.KEYS_REFUSED, about=about, said=found.sentence, detail={"there": ids})


def _pks(kind: type[Authorization] | type[Connection] | type[Revocation]) -> list[int]:
    return list(kind.rows().order_by("pk").values_list("pk", flat=True))


def _give_up_authorization(pk: int) -> bool:
    row = Authorization.objects.select_for_update(no_key=True).get(pk=pk)
    lost = keys.unopenable(row)
    for name in lost:
        setattr(row, name, "")
    if lost and row.outcome in {Outcome.PENDING, Outcome.ASKS}:
        row.outcome = Outcome.FAILED
        row.message = "The key that sealed this attempt was lost. Nothing was connected."
        row.remedy = "Press Integrate to start again."
    if lost:
        row.save()
    return bool(lost)


def _give_up_connection(pk: int) -> Connection | None:
    """Its tokens are beyond reading, so somebody must authorize again; its data stays."""
    rows = Connection.objects.select_related("service")
    row = rows.select_for_update(of=("self",), no_key=True).get(pk=pk)
    lost = keys.unopenable(row)
    if not lost:
        return None
    for name in lost:
        setattr(row, name, "")
    if row.state not in {State.DISCONNECTED, State.BY_FILE}:
        row.state, row.next_sync_at = State.NEEDS_RECONNECT, None
        row.attention = (
            "The key that sealed this authorization was given up as lost, so nobody can read the "
            "tokens any more. What was collected is kept."
        )
        row.remedy = "An admin of Seatwise opens Settings and presses Integrate again."
    row.save()
    return row


def _give_up_revocation(pk: int) -> bool:
    row = Revocation.objects.select_related("service").get(pk=pk)
    if not keys.unopenable(row):
        return False
    row.secret = ""
    if row.state == RevocationState.WAITING:
        row.state, row.next_at = RevocationState.UNCONFIRMED, None
        row.ended_at = timezone.now()
        row.told = (
            "The key that sealed the token was given up as lost, so the vendor could not be told "
            f"any more. Remove the authorization in {row.service.name} by hand."
        )
    row.save()
    return True


def _record_accepted(given_up: Accepted, by: User | None) -> None:
    names = [str(connection) for connection in given_up.connections]
    audit.record(
        Action.KEYS_ACCEPTED,
        by=by,
        about=f"key {settings.ENCRYPTION_KEYS.first}",
        said=f"The old key is given up as lost; {len(names)} connections must be integrated again.",
        detail={
            "connections": names,
            "revocations": given_up.revocations,
            "authorizations": given_up.authorizations,
        },
    )
