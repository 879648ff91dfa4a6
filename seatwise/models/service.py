"""A service the company uses, as it stands on the Spend page."""

from typing import Self

from django.db import models
from django.db.models import Prefetch
from django.db.models.functions import Lower
from django.utils.functional import cached_property

from seatwise.connectors.base import Connector, find


class ServiceQuerySet(models.QuerySet["Service"]):
    def for_table(self) -> Self:
        """With its connections and their open syncs, in three queries."""
        newest_first = Connection.objects.newest_first().with_open_run()
        return self.by_name().prefetch_related(Prefetch("connections", queryset=newest_first))

    def by_name(self) -> Self:
        return self.order_by(Lower("name"), "pk")

    def keys(self) -> set[str]:
        return set(self.values_list("key", flat=True))


class Service(models.Model):
    key = models.SlugField(max_length=60, unique=True)  # the catalogue's, and in addresses
    name = models.CharField(max_length=120)
    vendor = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=80, blank=True)
    website = models.URLField(blank=True)
    added_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    added_at = models.DateTimeField(auto_now_add=True)

    objects = ServiceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @cached_property
    def shown_connections(self) -> list["Connection"]:
        """Whose data the pages show; asked once for as long as this object lives."""
        return [each for each in self.connections.all() if each.replaced_at is None]

    @property
    def connection(self) -> "Connection | None":
        """The newest connection, also one that was revoked: its data may be kept."""
        return next(iter(self.connections.all()), None)

    @property
    def connector(self) -> Connector | None:
        return find(self.key)


from seatwise.models.connection import Connection  # noqa: E402  (the two know each other)
