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
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from seatwise import audit, keys, vault
from seatwise.models import AuditEvent, Connection, Installation, User
from seatwise.models.audit_event import Action
from seatwise.models.installation import ONLY, database_server

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
DAY = timedelta(days=1)
NAMES = {
    "system": "another database server",
    "database": "another database",
    "table": "tables that were restored",
    "address": "another address",
}
RESUMED = {
    "paused": "Syncing goes on.",
    "address": (
        "This installation goes on syncing. If it is a copy, the one it was copied from must never "
        "sync again."
    ),
    "copy": (
        "This installation goes on syncing. The one it was copied from must never sync again."
    ),
}
READABLE = "Pages stay readable and nothing is lost; nothing is synced or renewed meanwhile."


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why grants must not be used now, for a person.

    `kind` is "paused" (by hand), "address" (a copy, or its address was changed), "copy" or "keys".
    """

    kind: str
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}"


def check() -> list[str]:
    """Looks after the row at a start; returns what the operator must know, [] when all is well.

    A copy is paused here, and said so on the trail; grants without an installation become ours.
    """
    with transaction.atomic():
        row = _locked()
        here = row.here(_address()) | {"system": database_server()}
        moved = row.moved(here)
        if set(moved) - set(row.paused_signs):
            _pause(row, _why(row, moved), signs=moved)
        elif not moved:
            row.place = {**row.place, **_known(here)}
            Connection.objects.filter(installation=None).update(installation=row.uid)
        in_use = keys.uses()
        lacking = keys.missing(in_use)
        if not row.key_check and (not lacking or len(lacking) < len(in_use)):
            row.seal_key_check()
        row.save()
        found = [found for found in (_standing(row), _keys_trouble(row)) if found]
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
    if trouble := _standing(row) or _keys_trouble(row):
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
    return (_standing(row) or _keys_trouble(row)) if row else None


def standing() -> Trouble | None:
    """Why it is not the one that syncs (a copy, or paused), or None where it is."""
    row = _here()
    return _standing(row) if row else None


def uid() -> uuid.UUID | None:
    """What to write beside new tokens, so that they are known as ours."""
    row = Installation.objects.filter(pk=ONLY).first()
    return row.uid if row else None


def adopt(by: User | None = None) -> str:
    """This installation is the one that syncs, with all grants it has.

    Returns what that means, in a sentence; "" where it was already. A copy's original must
    never sync again: both renewing one grant would end it.
    """
    with transaction.atomic():
        row = _locked()
        here = row.here(_address()) | {"system": database_server()}
        moved = row.moved(here)
        if row.paused_at is None and not moved:
            return ""
        said = RESUMED[_kind({*row.paused_signs, *moved})]
        why, before = row.paused_why, row.uid
        row.uid, row.place = uuid.uuid4(), here
        row.paused_at, row.paused_why, row.paused_signs = None, "", []
        row.save()
        Connection.objects.update(installation=row.uid)
        audit.record(
            Action.SYNCING_RESUMED,
            by=by,
            said=said,
            detail={"was": why, "installation_before": str(before), "installation": str(row.uid)},
        )
    return said


def pause(why: str, by: User | None = None) -> bool:
    """No grant is used until `adopt`. `why` is a sentence. False: it was paused already."""
    with transaction.atomic():
        row = _locked()
        if row.paused_at is not None:
            return False
        _pause(row, why, by=by)
        row.save()
    return True


def accept_keys(by: User | None = None) -> keys.GivenUp:
    """The missing key is lost for good: what it sealed is given up, what was collected stays.

    Those connections ask for a new authorization. Before this, putting the right key back
    heals everything; afterwards it does not. A secret that was altered goes, too, and is told so.
    """
    with transaction.atomic():
        row = _locked()
        lost = _keys_trouble(row) is not None
        given_up = keys.give_up()
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


def _pause(
    row: Installation, why: str, *, signs: Iterable[str] = (), by: User | None = None
) -> None:
    row.paused_at = row.paused_at or timezone.now()
    row.paused_why, row.paused_signs = why, sorted({*row.paused_signs, *signs})
    audit.record(Action.SYNCING_PAUSED, said=why, by=by)


def _standing(row: Installation) -> Trouble | None:
    """It is paused, or was carried elsewhere while we ran, so that no start has paused it yet."""
    moved = row.moved(row.here(_address()))
    if row.paused_at is None and not moved:
        return None
    kind = _kind({*row.paused_signs, *moved})
    whether = "To go on" if kind == "paused" else "If this is the one to go on"
    return Trouble(
        kind,
        f"Syncing is paused. {_why(row, moved)}",
        f"{READABLE} {whether}, an admin presses Go on syncing here, or the operator runs "
        "“seatwise installation adopt”.",
    )


def _kind(signs: set[str]) -> str:
    if not signs:
        return "paused"
    return "address" if signs == {"address"} else "copy"


def _why(row: Installation, moved: list[str]) -> str:
    """Why it is paused; where it was carried elsewhere only after that, with both reasons."""
    signs = {*row.paused_signs, *moved}
    if signs == set(row.paused_signs):
        return row.paused_why
    by_hand = "" if row.paused_signs else row.paused_why
    return f"{by_hand} {_copy_sentence(signs)}".strip()


def _copy_sentence(signs: set[str]) -> str:
    if _kind(signs) == "address":
        return (
            "This may be a copy, or its address was changed: Seatwise woke up at another address. "
            "Were a copy to sync beside the one it was copied from, the vendors would end the "
            "authorizations of both."
        )
    woke = " and ".join(name for sign, name in NAMES.items() if sign in signs)
    return (
        f"This is a copy or a restored backup: Seatwise woke up in {woke}. Were it to sync "
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


def _record_accepted(given_up: keys.GivenUp, by: User | None) -> None:
    names = [str(connection) for connection in given_up.connections]
    audit.record(
        Action.KEYS_ACCEPTED,
        by=by,
        about=f"key {settings.ENCRYPTION_KEYS.first}",
        said=f"What no key opens is given up; {len(names)} connections must be integrated again.",
        detail={
            "connections": names,
            "revocations": given_up.revocations,
            "authorizations": given_up.authorizations,
            "channels": given_up.channels,
        },
    )
