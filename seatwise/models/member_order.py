"""What a list of members can be ordered by."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Case, F, Q, Value, When

from seatwise.models.keyset import BY_NAME, BY_NUMBER, Key, Part
from seatwise.models.license_pool import LicensePool
from seatwise.models.member_status import INVITED, NEVER, UNKNOWN

SORTS: Mapping[str, Key | None] = {  # behind it always by name
    "name": None,
    "role": Key(F("role")),
    "license": Key(F("license__name"), nullable=True),
    "seen": Key(F("last_seen_at"), "time", nullable=True),
}

UNSEEN = (INVITED, NEVER, UNKNOWN)  # ages of those who may have no time when they were seen


class Tally(NamedTuple):
    """How many members share all of this."""

    role: str
    license: str | None  # its name; None where unknown
    status: str
    age: str
    members: int


def order_of(sort: str, roles: Sequence[str] = ()) -> list[Key]:
    """What a sort of SORTS, with "-" before it the other way round, orders by; else by name.

    `roles`: the vendor's role words, most powerful first. Equal ones stand by name.
    """
    name = sort.removeprefix("-")
    keys = [key] if (key := SORTS.get(name)) else []
    if name == "role" and roles:
        ranks = [When(role=word, then=Value(rank)) for rank, word in enumerate(roles)]
        rank = Case(*ranks, default=Value(len(roles)), output_field=models.IntegerField())
        keys.insert(0, Key(rank, "number"))
    turned = [key.reversed() for key in keys or [BY_NAME]] if sort.startswith("-") else keys
    return [*turned, *([] if turned and name == "name" else [BY_NAME]), BY_NUMBER]


def parts_of(
    sort: str,
    roles: Sequence[str],
    accounts: Iterable[models.Model],
    tallies: Sequence[Tally],
) -> list[Part]:
    """The parts that the same order falls into, each of which an index has in order.

    `accounts`: whose licences they hold. `tallies`: of all that can be among the rows, so that
    nobody is looked for where nobody is. None where the order has no parts.
    """
    name = sort.removeprefix("-")
    unknown: list[Part] = []
    if name == "role" and roles:
        found = _by_role(roles, tallies)
    elif name == "license":
        counts = _sums((tally.license, tally.members) for tally in tallies)
        pools = LicensePool.objects.by_name(accounts)
        found = [
            Part(Q(license__in=keys), counts[held], (held,))
            for held, keys in pools.items()
            if held in counts
        ]
        unknown = [Part(Q(license=None), counts[None], (None,))] if None in counts else []
    elif name == "seen":
        counts = _sums((tally.age in UNSEEN, tally.members) for tally in tallies)
        found = [Part(Q(last_seen_at__isnull=False), sum(counts.values()))]
        unknown = [Part(Q(last_seen_at=None), counts[True], (None,))] if True in counts else []
    else:
        return []
    return [*(reversed(found) if sort.startswith("-") else found), *unknown]


def _by_role(roles: Sequence[str], tallies: Sequence[Tally]) -> list[Part]:
    counts = _sums((tally.role, tally.members) for tally in tallies)
    known = [
        Part(Q(role=word), counts[word], (rank, word))
        for rank, word in enumerate(roles)
        if word in counts
    ]
    others = [word for word in counts if word not in roles]
    most = sum(counts[word] for word in others)
    return [*known, Part(Q(role__in=others), most, (len(roles),))] if others else known


def _sums(counted: Iterable[tuple[Any, int]]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for what, members in counted:
        found[what] += members
    return found
