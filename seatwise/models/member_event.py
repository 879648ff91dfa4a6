"""Everything that changed about members, for ever: rows are added, never altered."""

from collections import Counter
from datetime import date, datetime, tzinfo
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Count, Q
from django.db.models.functions import TruncMonth

if TYPE_CHECKING:
    from seatwise.models.service import Service


class MemberEventQuerySet(models.QuerySet["MemberEvent"]):
    def of(self, service: "Service") -> Self:
        """Of the accounts that are shown."""
        return self.filter(member__connection__in=service.shown_connections)

    def since(self, at: datetime) -> Self:
        return self.filter(at__gte=at)

    def newest_first(self) -> Self:
        return self.select_related("member").order_by("-at", "-pk")

    def about_seats(self) -> Self:
        """Who came, who went, whose role or licence changed; not the first look."""
        kinds = MemberEvent.Kind
        moved = Q(kind__in=[kinds.JOINED, kinds.LEFT, kinds.RETURNED])
        return self.filter(moved | Q(kind=kinds.CHANGED, field__in=["role", "license"]))

    def count_by_month(self, zone: tzinfo) -> dict[date, Counter[str]]:
        """{first day of the month in `zone`: {kind, or the field that changed: events}}."""
        months: dict[date, Counter[str]] = {}
        rows = self.order_by().annotate(month=TruncMonth("at", tzinfo=zone))
        for row in rows.values("month", "kind", "field").annotate(n=Count("pk")):
            counts = months.setdefault(row["month"].date(), Counter())
            changed = row["kind"] == MemberEvent.Kind.CHANGED
            counts[row["field"] if changed else row["kind"]] += row["n"]
        return months


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
