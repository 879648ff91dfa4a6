"""Everything that changed about members, for ever: rows are added, never altered."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple, Protocol, Self

from django.db import connection as database
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Lower

WHO = ("email", "name")  # fields that tell who somebody is
OF_THE_MEMBER = ("member", "member__connection", "member__role", "member__license__name")
OF_ITSELF = ("at", "kind", "field", "before", "after")

# People who were found together share their story: of 100,000 members there are 2,000 stories.
STORIES = """
SELECT account, story, role, license, count(*)
FROM (SELECT member.connection_id AS account, member.role, pool.name AS license,
             json_agg(json_build_array(event.at, event.kind, event.field, event.before, event.after)
                      ORDER BY event.at, event.id)::text AS story
      FROM seatwise_memberevent event
      JOIN seatwise_member member ON member.id = event.member_id
      LEFT JOIN seatwise_licensepool pool ON pool.id = member.license_id
      WHERE member.connection_id = ANY(%s) AND event.field IN ('', 'role', 'license')
      GROUP BY member.id, pool.name) AS each
GROUP BY account, story, role, license
"""


class Shows(Protocol):
    """A service, as far as events need to know it."""

    @property
    def shown_connections(self) -> Sequence[models.Model]: ...


class SeatStory(NamedTuple):
    """What happened to the seats of `members` people, each with the same role and licence today."""

    account: int  # its connection
    events: list[tuple[datetime, str, str, str, str]]  # at, kind, field, before, after
    role_now: str
    license_now: str | None
    members: int


class SeatEvent(NamedTuple):
    """One event, with what its member's row says today."""

    member: int
    account: int  # its connection
    role_now: str
    license_now: str | None
    at: datetime
    kind: str
    field: str
    before: str
    after: str


class MemberEventQuerySet(models.QuerySet["MemberEvent"]):
    def of(self, service: Shows) -> Self:
        """Of the accounts that are shown."""
        return self.filter(member__connection__in=service.shown_connections)

    def in_accounts(self, accounts: Iterable[models.Model]) -> Self:
        return self.filter(member__connection__in=[account.pk for account in accounts])

    def of_members(self, keys: Sequence[int]) -> Self:
        return self.filter(member__in=keys)

    def since(self, at: datetime) -> Self:
        return self.filter(at__gte=at)

    def around(self, moment: datetime) -> tuple[Self, Self]:
        """Of the member of the query around it: up to that moment, the newest first; and after
        it, the oldest first."""
        mine = self.filter(member=OuterRef("pk"))
        before = mine.filter(at__lte=moment).order_by("-at", "-pk")
        return before, mine.filter(at__gt=moment).order_by("at", "pk")

    def about(self, member: models.Model) -> Self:
        """Everything about one member, the newest first."""
        return self.filter(member=member.pk).newest_first()

    def newest_number(self) -> int:
        """The primary key of the newest of them; 0 where there is none."""
        newest: int | None = self.order_by("-pk").values_list("pk", flat=True).first()
        return newest or 0

    def about_holding(self) -> Self:
        """All that tells which seat somebody held."""
        return self.filter(field__in=["", "role", "license"])

    def stories(self, accounts: Iterable[models.Model]) -> Iterator[SeatStory]:
        """All that tells which seats were held, the same story of an account told once."""
        with database.cursor() as cursor:
            cursor.execute(STORIES, [[account.pk for account in accounts]])
            while rows := cursor.fetchmany(1000):
                for account, story, role, license_now, members in rows:
                    told = json.loads(story)
                    events = [(datetime.fromisoformat(at), *rest) for at, *rest in told]
                    yield SeatStory(account, events, role, license_now, members)

    def of_touched(self, first: datetime, last: datetime, gone: Sequence[int] = ()) -> Self:
        """Every one of those members about whom there is one after `first`, up to `last`.

        And of all members of the connections in `gone`.
        """
        touched = Q(member__in=self.filter(at__gt=first, at__lte=last).values("member"))
        return self.filter(touched | Q(member__connection__in=gone) if gone else touched)

    def by_member(self) -> Iterator["SeatEvent"]:
        """Streamed, member after member by name, each one's oldest first."""
        rows = self.order_by(Lower("member__name"), "member", "at", "pk")
        columns = rows.values_list(*OF_THE_MEMBER, *OF_ITSELF)
        return map(SeatEvent._make, columns.iterator(chunk_size=5000))

    def forget_names(self, member: models.Model) -> None:
        """Takes out who somebody was; the only change of rows that the database allows."""
        mine = self.filter(member=member.pk)
        mine.filter(field__in=WHO).update(before="", after="")
        for row in mine.exclude(facts={}):
            kept = {key: value for key, value in row.facts.items() if key not in WHO}
            self.filter(pk=row.pk).update(facts=kept)

    def of_field(self, name: str) -> Self:
        """Changes of this field; "" are those who came and went."""
        return self.filter(field=name)

    def words(self, column: str) -> Subquery:
        """That column of the first of them, as a part of another query."""
        return Subquery(self.values(column)[:1])

    def newest_first(self) -> Self:
        return self.select_related("member").order_by("-at", "-pk")

    def about_seats(self) -> Self:
        """Who came, who went, whose role or licence changed; not the first look."""
        kinds = MemberEvent.Kind
        moved = Q(kind__in=[kinds.JOINED, kinds.LEFT, kinds.RETURNED])
        return self.filter(moved | Q(kind=kinds.CHANGED, field__in=["role", "license"]))


class MemberEvent(models.Model):
    """Something that changed about a member. The database refuses to alter a row.

    With the facts of its first event and the changes after it, a member's rows tell who held which
    seat at any moment, also after the vendor has forgotten them.
    """

    class Kind(models.TextChoices):
        LISTED = "listed", "was there at the first look"
        JOINED = "joined", "joined"
        LEFT = "left", "left"
        RETURNED = "returned", "came back"
        CHANGED = "changed", "changed"

    # After one of these a seat is held.
    HOLDS: ClassVar[tuple[str, ...]] = (Kind.LISTED, Kind.JOINED, Kind.RETURNED)

    member = models.ForeignKey("Member", on_delete=models.CASCADE, related_name="events")
    run = models.ForeignKey("SyncRun", null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind)
    field = models.CharField(max_length=40, blank=True)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    # What was so from here on: {"email", "name", "role", "invited"} of who was listed, joined or
    # came back. {} in rows that were written before this was kept.
    facts = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))

    objects = MemberEventQuerySet.as_manager()

    class Meta:
        indexes = [models.Index("member", "at", "id", name="events_in_order")]

    def __str__(self) -> str:
        return f"{self.member} {self.kind} {self.field}".strip()
