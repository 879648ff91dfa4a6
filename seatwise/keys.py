"""The keys that seal what is stored: which are in use, how one is exchanged or given up.

Every secret tells in plain which key sealed it, so what is in use is asked without opening any.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, F, Func, Q, TextField, Value
from django.utils import timezone

from seatwise import audit, vault
from seatwise.models import (
    Authorization,
    Channel,
    Connection,
    Installation,
    Notice,
    Revocation,
    Service,
)
from seatwise.models.audit_event import Action
from seatwise.models.authorization import Outcome
from seatwise.models.connection import State
from seatwise.models.notice import Kind
from seatwise.models.revocation import RevocationState
from seatwise.models.sealed import Sealed, all_sealed

BATCH = 200  # rows looked up at once; each is re-sealed in a transaction of its own
PASSES = 5  # whoever still has the old order of keys may seal meanwhile, but not for ever
Uses = dict[str, dict[str, int]]  # key id: table: secrets


@dataclass(slots=True)
class Rotation:
    """What came of a rotation."""

    resealed: dict[str, int] = field(default_factory=dict)  # table: secrets
    refused: list[str] = field(default_factory=list)  # "connection 7, access_token: why"

    @property
    def count(self) -> int:
        return sum(self.resealed.values())


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What had to be given up, for no key opens it."""

    connections: tuple[Connection, ...] = ()
    revocations: int = 0
    authorizations: int = 0
    channels: int = 0

    @property
    def count(self) -> int:
        return len(self.connections) + self.revocations + self.authorizations + self.channels

    @property
    def by_hand(self) -> str:
        """What people must do now, at the vendors and here, in sentences; "" for nothing."""
        said = []
        if self.revocations:
            which = "authorization" if self.revocations == 1 else "authorizations"
            said.append(
                f"Vendors were still to be told to end {self.revocations} {which} and cannot be "
                "told any more: end that there by hand. The settings of the services say where."
            )
        if self.channels:
            which = "channel has" if self.channels == 1 else "channels have"
            said.append(f"{self.channels} {which} no address any more: add them anew.")
        return " ".join(said)


def uses() -> Uses:
    """How many secrets each key has sealed, by table. "" is the key of what is no ciphertext."""
    found: Uses = {}
    for kind in all_sealed():
        for name in kind.SEALED_FIELDS:
            for key_id, count in _uses(kind, name):
                tables = found.setdefault(key_id, {})
                tables[kind.SEALED_AS] = tables.get(kind.SEALED_AS, 0) + count
    return found


def missing(in_use: Uses) -> dict[str, int]:
    """How many of these secrets need a key that is not on the ring, by key id."""
    ring: vault.Ring = settings.ENCRYPTION_KEYS
    return {
        key_id: sum(tables.values())
        for key_id, tables in sorted(in_use.items())
        if key_id not in ring.ids
    }


def waiting() -> int:
    """How many rows have a secret that another key than the first one has sealed."""
    return sum(_stale(kind).count() for kind in all_sealed())


def rotate(tell: Callable[[int], None] = lambda _rows: None) -> Rotation:
    """Seals with the ring's first key whatever another has sealed, while everything goes on.

    One row at a time is locked, read again and written, each in a transaction of its own. So
    nothing that is renewed meanwhile is lost, and after a stop it goes on with the rest. `tell`
    is called with 1 after every row. What does not open is left as it was and named in `refused`.
    """
    done, stuck = Rotation(), set[tuple[type[Sealed], object]]()
    for _ in range(PASSES):
        before = done.count
        for kind in sorted(all_sealed(), key=lambda each: each is Installation):
            for pk in _stale_rows(kind):
                if (kind, pk) not in stuck:
                    if not _reseal(kind, pk, done):
                        stuck.add((kind, pk))
                    tell(1)
        if done.count == before:
            break
    if done.count or done.refused:
        _record(done)
    return done


def give_up() -> GivenUp:
    """Erases every secret that does not open, in the transaction one is in, and says so there.

    Each table's rows are locked in the order of their keys, one after another; revocations before
    connections, as whoever tells a vendor locks them.
    """
    authorizations = sum(_give_up_authorization(pk) for pk in _pks(Authorization))
    channels = sum(_give_up_channel(pk) for pk in _pks(Channel))
    revocations = sum(_give_up_revocation(pk) for pk in _pks(Revocation))
    connections = [given for pk in _pks(Connection) if (given := _give_up_connection(pk))]
    return GivenUp(tuple(connections), revocations, authorizations, channels)


def altered_sentence(error: vault.CannotOpen) -> str:
    """What a person is told of a token that was altered or moved."""
    return f"The stored token cannot be opened. {error}"


def _uses(kind: type[Sealed], name: str) -> Iterator[tuple[str, int]]:
    rows = kind.rows().exclude(**{name: ""}).annotate(key_id=_key_id(name)).order_by()
    for row in rows.values("key_id").annotate(count=Count("*")):
        yield row["key_id"] or "", row["count"]


def _key_id(name: str) -> Func:
    """PostgreSQL's own `substring(text, pattern)`: what the brackets match, or NULL."""
    pattern = Value(rf"^{vault.VERSION}\.([0-9a-f]{{8}})\.")
    return Func(F(name), pattern, function="substring", output_field=TextField())


def _stale(kind: type[Sealed]) -> models.QuerySet[Sealed]:
    seals = f"{vault.VERSION}.{settings.ENCRYPTION_KEYS.first}."
    wanted = Q()
    for name in kind.SEALED_FIELDS:
        wanted |= ~Q(**{name: ""}) & ~Q(**{f"{name}__startswith": seals})
    return kind.rows().filter(wanted)


def _stale_rows(kind: type[Sealed]) -> Iterator[object]:
    """Their primary keys, a batch at a time; each row is met once."""
    after = None
    while True:
        rows = _stale(kind).order_by("pk").values_list("pk", flat=True)
        batch = list((rows if after is None else rows.filter(pk__gt=after))[:BATCH])
        if not batch:
            return
        yield from batch
        after = batch[-1]


def _reseal(kind: type[Sealed], pk: object, done: Rotation) -> bool:
    """Under the row's lock, so what somebody stored since it was looked up is what is sealed.

    Returns whether all of the row could be opened.
    """
    ring: vault.Ring = settings.ENCRYPTION_KEYS
    with transaction.atomic():
        row = kind.rows().select_for_update(no_key=True).filter(pk=pk).first()
        if row is None:
            return True
        changed, opens = [], True
        for name in row.SEALED_FIELDS:
            sealed: str = getattr(row, name)
            if not sealed or sealed.startswith(f"{vault.VERSION}.{ring.first}."):
                continue
            try:
                setattr(row, name, ring.reseal(sealed, row.address_of(name)))
                changed.append(name)
            except vault.CannotOpen as error:
                opens = False
                done.refused.append(f"{kind.SEALED_AS} {pk}, {name}: {error}")
        if changed:
            row.save(update_fields=changed)
    if changed:
        done.resealed[kind.SEALED_AS] = done.resealed.get(kind.SEALED_AS, 0) + len(changed)
    return opens


def _record(done: Rotation) -> None:
    seals = settings.ENCRYPTION_KEYS.first
    said = f"{done.count} secrets are sealed with key {seals} now."
    if done.refused:
        said += f" {len(done.refused)} could not be opened and are as they were."
    detail = {"key": seals, "resealed": done.resealed, "refused": done.refused[:100]}
    audit.record(Action.KEYS_ROTATED, about=f"key {seals}", said=said, detail=detail)


def _pks(kind: type[Sealed]) -> list[int]:
    return list(kind.rows().order_by("pk").values_list("pk", flat=True))


def _give_up_authorization(pk: int) -> bool:
    row = (
        Authorization.objects.select_related("service")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=pk)
    )
    lost = _unopenable(row)
    altered = _altered_among(lost.values())
    for name in lost:
        setattr(row, name, "")
    if altered:
        _note_altered(row.service, "", altered, {"authorization": row.pk})
    if lost and row.outcome in {Outcome.PENDING, Outcome.ASKS}:
        row.outcome = Outcome.FAILED
        what = (
            f"What was kept of this attempt cannot be opened. {altered}"
            if altered
            else "The key that sealed this attempt was lost."
        )
        row.message = f"{what} Nothing was connected."
        row.remedy = "Press Integrate to start again."
    if lost:
        row.save()
    return bool(lost)


def _give_up_channel(pk: int) -> bool:
    """Without its address nothing can be sent; the page of channels says so."""
    row = Channel.objects.select_for_update(no_key=True).get(pk=pk)
    lost = _unopenable(row)
    for name in lost:
        setattr(row, name, "")
    if lost:
        row.save(update_fields=list(lost))
    return bool(lost)


def _give_up_revocation(pk: int) -> bool:
    rows = Revocation.objects.select_related("service", "connection")
    row = rows.select_for_update(of=("self",), no_key=True).get(pk=pk)
    lost = _unopenable(row)
    if not lost:
        return False
    altered = _altered_among(lost.values())
    if altered:
        account = row.connection.account_name if row.connection else ""
        _note_altered(row.service, account, altered, {"revocation": row.pk})
    row.secret = ""
    if row.state == RevocationState.WAITING:
        row.state, row.next_at = RevocationState.UNCONFIRMED, None
        row.ended_at = timezone.now()
        what = (
            altered_sentence(altered)
            if altered
            else "The key that sealed the token was given up as lost."
        )
        row.told = (
            f"{what} So the vendor cannot be told any more: remove the authorization in "
            f"{row.service.name} by hand."
        )
    row.save()
    return True


def _give_up_connection(pk: int) -> Connection | None:
    """Its tokens are beyond reading, so somebody must authorize again; its data stays."""
    rows = Connection.objects.select_related("service")
    row = rows.select_for_update(of=("self",), no_key=True).get(pk=pk)
    lost = _unopenable(row)
    if not lost:
        return None
    altered = _altered_among(lost.values())
    if altered:
        _note_altered(row.service, row.account_name, altered, {"connection": row.pk})
    for name in lost:
        setattr(row, name, "")
    if row.state not in {State.DISCONNECTED, State.BY_FILE}:
        row.state, row.next_sync_at = State.NEEDS_RECONNECT, None
        what = (
            altered_sentence(altered)
            if altered
            else "The key that sealed this authorization was given up as lost, so nobody can read "
            "the tokens any more."
        )
        row.attention = f"{what} What was collected is kept."
        row.remedy = "An admin of Seatwise opens Settings and presses Integrate again."
        Notice.objects.tell(row, Kind.RECONNECT, timezone.now())
    row.save()
    return row


def _note_altered(
    service: Service, about: str, error: vault.CannotOpen, detail: dict[str, int]
) -> None:
    audit.record(
        Action.SECRET_REFUSED, service=service.key, about=about, said=str(error), detail=detail
    )


def _unopenable(row: Sealed) -> dict[str, vault.CannotOpen]:
    """The fields of this row that hold something that does not open, and why not."""
    found = {name: _refusal(row, name) for name in row.SEALED_FIELDS}
    return {name: why for name, why in found.items() if why}


def _altered_among(why: Iterable[vault.CannotOpen]) -> vault.CannotOpen | None:
    """The first that no key would open, for the secret itself is not what was sealed."""
    return next((each for each in why if not isinstance(each, vault.KeyMissing)), None)


def _refusal(row: Sealed, name: str) -> vault.CannotOpen | None:
    try:
        row.unseal(name)
    except vault.CannotOpen as error:
        return error
    return None
