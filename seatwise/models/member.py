"""Who holds a seat at a service, and every change of it for ever."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Case, Count, F, Prefetch, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Concat, Lower

from seatwise.connectors.records import ReachRecord
from seatwise.models import keyset
from seatwise.models.holder import Holder
from seatwise.models.keyset import Stretch
from seatwise.models.member_event import MemberEvent
from seatwise.models.member_order import Tally, order_of, parts_of
from seatwise.models.member_status import age_of, counted_from, in_age, in_status, status_of
from seatwise.models.signal import Signal
from seatwise.models.staged import StagedRecord

if TYPE_CHECKING:
    from seatwise.models.connection import Connection
    from seatwise.models.service import Service

_ways = attrgetter("channels")
SHORTEST_GRAM = 3  # characters
SOME = 200  # members who are looked at to learn how common a word is


def trigrams(of: str | Combinable) -> models.Func:
    """Every three characters that follow each other: what the index of `search` is made of."""
    return models.Func(
        of, function="seatwise_trigrams", output_field=ArrayField(models.TextField())
    )


class MemberQuerySet(models.QuerySet["Member"]):
    def of(self, service: "Service") -> Self:
        """Of the accounts that are shown; by their ids, so that one index filters and orders."""
        return self.filter(connection__in=service.shown_connections)

    def in_accounts(self, accounts: Iterable[models.Model]) -> Self:
        return self.filter(connection__in=[account.pk for account in accounts])

    def current(self) -> Self:
        return self.filter(left_at=None)

    def licensed(self) -> Self:
        return self.filter(license__isnull=False)

    def staged(self, records: QuerySet[StagedRecord]) -> Self:
        """Of whom there is one of these records."""
        return self.filter(models.Exists(records.filter(key=models.OuterRef("external_id"))))

    def unstaged(self, records: QuerySet[StagedRecord]) -> Self:
        return self.exclude(models.Exists(records.filter(key=models.OuterRef("external_id"))))

    def as_of(self, moment: datetime) -> Self:
        """Those who held a seat at that moment, as they were known then, by their present names.

        Adds `role_then`, `license_then` (a name; "" is none or unknown), `email_then`,
        `name_then` and `invited_then`. It undoes what was changed since instead of doing anew
        what had come before, for rows that were written before first facts were kept have no
        beginning. Only a licence is told by its last event first: the licence that a row points
        to can be renamed or gone.
        """
        before, after = MemberEvent.objects.around(moment)
        text = models.TextField()

        def undone(field: str) -> Coalesce:
            return Coalesce(after.of_field(field).words("before"), F(field), output_field=text)

        def unless_erased(field: str) -> Case:
            there = When(erased_at=None, then=undone(field))
            return Case(there, default=F(field), output_field=text)

        held = before.of_field("license").words("after")
        held_before = after.of_field("license").words("before")
        invited = after.of_field("invited").words("before")
        seat = before.of_field("").words("kind")
        there = self.alias(seat_then=seat).filter(seat_then__in=MemberEvent.HOLDS)
        return there.alias(invited_before=invited).annotate(
            role_then=undone("role"),
            license_then=Coalesce(
                held, held_before, F("license__name"), Value(""), output_field=text
            ),
            email_then=unless_erased("email"),
            name_then=unless_erased("name"),
            invited_then=Case(
                When(invited_before=None, then=F("invited")),
                default=Q(invited_before="yes"),
                output_field=models.BooleanField(),
            ),
        )

    def matching_then(self, text: str) -> Self:
        """Whose name or e-mail of that moment holds every word. Needs `as_of` before it."""
        found = self
        for word in text.split():
            found = found.filter(Q(name_then__icontains=word) | Q(email_then__icontains=word))
        return found

    def tally_then(self) -> dict[tuple[str, str], int]:
        """{(role, licence): seats held at that moment}. Needs `as_of` before it."""
        shared: tuple[str, ...] = ("role_then", "license_then")
        rows = self.order_by().values_list(*shared).annotate(n=Count("pk"))
        return {(role, held): seats for role, held, seats in rows}

    def numbered(self, pk: int) -> "Member | None":
        """The one with this number."""
        return self.select_related("license", "connection").filter(pk=pk).first()

    def with_status(self, now: datetime, only: "Connection | None" = None) -> Self:
        """Adds `status`, a key of STATUSES. `only`: see `counted_from`."""
        return self.annotate(status=status_of(counted_from(now, only)))

    def with_age(self, now: datetime, only: "Connection | None" = None) -> Self:
        """Adds `age`, a key of AGES. `only`: see `counted_from`."""
        return self.annotate(age=age_of(counted_from(now, only)))

    def matching(self, text: str) -> Self:
        """Whose name or e-mail holds every word of `text`, in capitals or not."""
        found = self.alias(grams=trigrams("search"))
        words = text.split()
        # The index knows nothing of less than three characters, and is slow for what many have.
        rare = self._rare([word for word in words if len(word) >= SHORTEST_GRAM])
        for word in words:
            found = found.filter(search__contains=Lower(Value(word)))
            if word in rare:
                found = found.filter(grams__contains=trigrams(Lower(Value(word))))
        return found

    def in_roles(self, words: list[str]) -> Self:
        return self.filter(role__in=words) if words else self

    def on_licenses(self, names: list[str]) -> Self:
        if not names:
            return self
        wanted = Q(license__name__in=[name for name in names if name])
        return self.filter(wanted | Q(license=None)) if "" in names else self.filter(wanted)

    def having_status(
        self, statuses: Sequence[str], now: datetime, only: "Connection | None" = None
    ) -> Self:
        """With one of these; without any, who has not left. `only`: see `counted_from`."""
        if not statuses:
            return self.current()
        until = counted_from(now, only)
        return self.filter(reduce(or_, (in_status(status, until) for status in statuses)))

    def seen_in(self, ages: Sequence[str], now: datetime, only: "Connection | None" = None) -> Self:
        """Last seen in one of these AGES. `only`: see `counted_from`."""
        if not ages:
            return self
        until = counted_from(now, only)
        return self.filter(reduce(or_, (in_age(age, until) for age in ages)))

    def joined_between(self, start: datetime, end: datetime) -> Self:
        return self.filter(joined_at__gte=start, joined_at__lt=end)

    def left_between(self, start: datetime, end: datetime) -> Self:
        return self.filter(left_at__gte=start, left_at__lt=end)

    def sorted_by(self, sort: str, roles: Sequence[str] = ()) -> Self:
        """In the order of `order_of`."""
        return self.order_by(*(key.order() for key in order_of(sort, roles)))

    def stretch(
        self,
        sort: str,
        roles: Sequence[str] = (),
        accounts: Iterable["Connection"] = (),
        tallies: Sequence[Tally] = (),
        *,
        place: str,
        size: int,
        total: int,
    ) -> Stretch:
        """One page of `total` rows in the order of `order_of`; see `keyset.stretch`.

        `accounts` and `tallies`: see `parts_of`.
        """
        keys = order_of(sort, roles)
        parts = parts_of(sort, roles, accounts, tallies) if total > keyset.FEW else []
        return keyset.stretch(self, keys, place=place, size=size, total=total, parts=parts)

    def for_table(self) -> Self:
        return self.select_related("license", "connection")

    def for_page(self, accounts: Iterable["Connection"]) -> list["Member"]:
        """With what a page's rows show. `accounts`: theirs, which are not read for every row."""
        members = list(self.select_related("license").defer("teams", "search"))
        known = {account.pk: account for account in accounts}
        for member in members:
            member.connection = known[member.connection_id]
        return members

    def first_look(self) -> datetime | None:
        """When the first of them was ever listed; what changed before that is not known."""
        oldest: datetime | None = self.aggregate(oldest=models.Min("first_listed_at"))["oldest"]
        return oldest

    def first_looks(self) -> dict[int, datetime]:
        """{connection id: when the first of its members was ever listed}."""
        rows = self.order_by().values_list("connection")
        return dict(list(rows.annotate(oldest=models.Min("first_listed_at"))))

    def with_keys(self, keys: Sequence[int]) -> Self:
        return self.filter(pk__in=keys)

    def plain(self) -> Iterator[tuple[Any, ...]]:
        """Each as `insights.facts.Row` names it, streamed."""
        return self._plain("name", "email", "role", "license__name", "invited")

    def plain_then(self) -> Iterator[tuple[Any, ...]]:
        """The same of the moment of `as_of`, which it needs; signs are those of today."""
        return self._plain("name_then", "email_then", "role_then", "license_then", "invited_then")

    def emails(self) -> set[str]:
        """In lower case, each once; whoever has none is not in it."""
        told = self.exclude(email="").order_by().values_list(Lower("email"), flat=True)
        return set(told.distinct())

    def holders(self) -> Iterator[Holder]:
        """Each with what tells where their seat is billed and whom it is charged to, streamed."""
        return self._holding("role", "license__name", "email", "teams")

    def holders_then(self) -> Iterator[Holder]:
        """The same of the moment of `as_of`, which it needs; teams are those of today."""
        return self._holding("role_then", "license_then", "email_then", "teams")

    def fates(self, keys: Sequence[int]) -> list[tuple[datetime | None, datetime | None]]:
        """Of each: when they left, and when they were last seen."""
        return list(self.filter(pk__in=keys).values_list("left_at", "last_seen_at"))

    def note_reach(self, account: models.Model, records: Iterable[ReachRecord]) -> None:
        """How the vendor can reach these; of all others nobody tells any more."""
        mine = self.filter(connection=account.pk)
        mine.filter(reach__isnull=False).update(reach=None)
        for channels, alike in groupby(sorted(records, key=_ways), _ways):
            mine.filter(external_id__in=[each.member_id for each in alike]).update(
                reach=[*channels]
            )

    def with_evidence(self) -> Self:
        """With each member's signals, newest first: for the few rows that are shown."""
        newest_first = Signal.objects.newest_first()
        return self.prefetch_related(Prefetch("signals", queryset=newest_first))

    def for_export(self) -> QuerySet["Member"]:
        """With what a file's lines hold, light enough to stream a large account."""
        told = ("external_id", "name", "email", "role", "invited", "joined_at", "left_at")
        seen = ("last_seen_at", "last_seen_source", "last_seen_proof")
        return self.select_related("license").only(*told, *seen, "connection", "license__name")

    def tally(self) -> list[Tally]:
        """Everything the charts and tiles count, in one query.

        Needs `with_status` and `with_age` before it.
        """
        shared: tuple[str, ...] = ("role", "license__name", "status", "age")
        rows = self.order_by().values_list(*shared).annotate(n=Count("pk"))
        return [Tally(*row) for row in rows]

    def tally_seats(self) -> dict[tuple[str, str | None], int]:
        """{(role, licence): members}."""
        shared: tuple[str, ...] = ("role", "license__name")
        rows = self.order_by().values_list(*shared).annotate(n=Count("pk"))
        return {(role, held): seats for role, held, seats in rows}

    def count_by_role(self) -> dict[str, int]:
        return self._count_by("role")

    def count_by_status(self) -> dict[str, int]:
        """Needs `with_status` before it."""
        return self._count_by("status")

    def count_by_service(self) -> dict[int, dict[str, int]]:
        """{service id: {status: members}}. Needs `with_status` before it."""
        counts: dict[int, dict[str, int]] = {}
        shared: tuple[str, ...] = ("connection__service", "status")
        shown = self.filter(connection__replaced_at=None)
        rows = shown.order_by().values(*shared).annotate(n=Count("pk"))
        for row in rows:
            counts.setdefault(row["connection__service"], {})[row["status"]] = row["n"]
        return counts

    def _holding(self, *columns: str) -> Iterator[Holder]:
        rows = self.order_by().values_list(*columns)
        return (Holder(*row) for row in rows.iterator(chunk_size=5000))

    def _plain(self, *facts: str) -> Iterator[tuple[Any, ...]]:
        seen = ("last_seen_at", "last_seen_source", "last_seen_proof", "never_read_at")
        rows = self.order_by("pk").values_list(
            "pk",
            "connection",
            "external_id",
            *facts,
            *seen,
            "joined_at",
            "first_listed_at",
            "reach",
        )
        return iter(rows.iterator(chunk_size=5000))

    def _rare(self, words: Sequence[str]) -> set[str]:
        """Those words that only few of some of them have."""
        if not words:
            return set()
        having = [Count("pk", filter=Q(search__contains=Lower(Value(word)))) for word in words]
        counts = self.order_by()[:SOME].aggregate(**{f"n{at}": n for at, n in enumerate(having)})
        return {word for at, word in enumerate(words) if counts[f"n{at}"] <= SOME // 5}

    def _count_by(self, field: str) -> dict[str, int]:
        rows: QuerySet[Any, dict[str, Any]] = self.order_by().values(field)
        return {row[field] or "": row["n"] for row in rows.annotate(n=Count("pk"))}


class Member(models.Model):
    """A person in one account. Found again by the vendor's id, never by e-mail."""

    connection = models.ForeignKey("Connection", on_delete=models.CASCADE, related_name="members")
    external_id = models.CharField(max_length=100, db_collation="C")
    email = models.CharField(max_length=320, blank=True)
    name = models.CharField(max_length=500, blank=True)
    role = models.CharField(max_length=100)  # the vendor's word, raw
    license = models.ForeignKey("LicensePool", null=True, on_delete=models.SET_NULL)
    license_since = models.DateTimeField(null=True)
    invited = models.BooleanField(default=False)
    url = models.URLField(max_length=500, blank=True)
    job_title = models.CharField(max_length=300, blank=True)
    teams = ArrayField(models.CharField(max_length=200), default=list)
    # How the vendor can reach them: "email", "sms", "phone", "push"; None: not read.
    reach = ArrayField(models.CharField(max_length=20), null=True)

    first_listed_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)  # None: was there when we first looked
    left_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField(null=True)  # the newest signal; None: unknown
    last_seen_source = models.CharField(max_length=40, blank=True)
    last_seen_proof = models.CharField(max_length=300, blank=True)
    never_source = models.CharField(
        max_length=40, blank=True, db_default=""
    )  # what the vendor says never was
    # What a search looks through. The database keeps it, whoever writes.
    search = models.GeneratedField(
        expression=Lower(Concat("name", Value(" "), "email")),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    never_read_at = models.DateTimeField(null=True)  # since when it does; None: it does not
    erased_at = models.DateTimeField(null=True)  # who it was is erased; that a seat was held stays

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_row_a_member")
        ]
        indexes = [
            models.Index("connection", Lower("name"), "id", name="members_by_name"),
            *(
                models.Index(
                    "connection",
                    column,
                    Lower("name"),
                    "id",
                    name=f"members_by_{name}",
                    condition=Q(left_at=None),
                )
                for name, column in (
                    ("role", "role"),
                    ("license", "license"),
                    ("seen", "last_seen_at"),
                )
            ),
            *(
                models.Index(
                    fields=["connection", f"{what}_at"],
                    name=f"members_by_{what}",
                    condition=Q(**{f"{what}_at__isnull": False}),
                )
                for what in ("joined", "left")
            ),
            GinIndex(trigrams("search"), name="members_by_trigrams"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id
