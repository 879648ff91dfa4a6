"""A service the company uses, as it stands on the Spend page."""

from collections.abc import Collection
from datetime import datetime
from itertools import chain, count
from typing import TYPE_CHECKING, NamedTuple, Self

from django.db import models
from django.db.models import Prefetch
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.text import slugify

from seatwise.connectors.base import Connector, find
from seatwise.models.alert import Alert

if TYPE_CHECKING:
    from seatwise.models.user import User


class MenuLine(NamedTuple):
    """What the menu tells of a service."""

    key: str
    name: str
    owner_id: int | None
    is_connected: bool  # has an account


class ServiceQuerySet(models.QuerySet["Service"]):
    def for_table(self) -> Self:
        """With its owner, its connections, their open syncs and whether an alert fires, in three
        queries."""
        found = self._with(Connection.objects.newest_first())
        return found.annotate(is_alarmed=Alert.objects.firing_at())

    def for_list(self) -> Self:
        """The same for hundreds of services, whose connections hold what a line of each tells."""
        return self._with(Connection.objects.newest_first().for_list())

    def numbered(self, numbers: Collection[int]) -> Self:
        return self.filter(pk__in=numbers)

    def by_name(self) -> Self:
        return self.order_by(Lower("name"), "pk")

    def locked(self, pk: int) -> "Service | None":
        """That one, which nobody else changes before this transaction ends."""
        return self.select_for_update().filter(pk=pk).first()

    def keys(self) -> set[str]:
        return set(self.values_list("key", flat=True))

    def called(self, name: str) -> "Service | None":
        """The one of that name, however its letters are written."""
        return self.filter(name__iexact=name).first()

    def free_key(self, name: str, taken: Collection[str]) -> str:
        """A key for a service of that name, which none has and which is not in `taken`."""
        stem = slugify(name)[:50].strip("-_") or "service"
        used = {*taken, *self.filter(key__startswith=stem).keys()}
        numbered = (f"{stem}-{number}" for number in count(2))
        return next(key for key in chain([stem], numbered) if key not in used)

    def give_to(self, service: "Service", owner: "User | None") -> bool:
        """Makes somebody its owner; whether the service was still there."""
        return bool(self.filter(pk=service.pk).update(owner=owner))

    def for_menu(self) -> list["MenuLine"]:
        """What the menu tells of each, by name; every page asks for all of them."""
        accounts = Connection.objects.shown().filter(service=models.OuterRef("pk"))
        found = self.by_name().annotate(is_connected=models.Exists(accounts))
        told = found.values_list("key", "name", "owner_id", "is_connected")
        return [MenuLine(*line) for line in told]

    def _with(self, connections: "ConnectionQuerySet") -> Self:
        found = self.by_name().select_related("owner")
        with_runs = connections.with_open_run()
        return found.prefetch_related(Prefetch("connections", queryset=with_runs))


class Service(models.Model):
    key = models.SlugField(max_length=60, unique=True)  # the catalogue's, and in addresses
    name = models.CharField(max_length=120)
    vendor = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=80, blank=True)
    website = models.URLField(blank=True)
    owner = models.ForeignKey(  # who answers for it; not whoever may see it
        "User", null=True, on_delete=models.SET_NULL, related_name="owned_services"
    )
    added_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL)
    added_at = models.DateTimeField(auto_now_add=True)

    is_alarmed = False  # whether an alert fires; told by `for_table` alone

    objects = ServiceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @cached_property
    def accounts(self) -> list["Connection"]:
        """Those that no other account has taken the place of, the living ones first, by name."""
        there = [each for each in self.connections.all() if each.replaced_at is None]
        return sorted(there, key=lambda each: (not each.is_alive, each.account_name, each.pk))

    @cached_property
    def shown_connections(self) -> list["Connection"]:
        """Whose data the pages show: every account's, or the chosen one's."""
        return self.accounts

    @property
    def with_data(self) -> list["Connection"]:
        """Every account of which something was collected, also those that no page shows."""
        return [each for each in self.connections.all() if each.has_collected]

    def choose(self, number: str) -> None:
        """From here on one account is shown: the one with this number, else the first."""
        chosen = [each for each in self.accounts if str(each.pk) == number]
        self.shown_connections = chosen or self.accounts[:1]

    @property
    def connection(self) -> "Connection | None":
        """The account that is shown, the first of several; also one that was revoked."""
        return next(iter(self.shown_connections), None)

    @property
    def members_as_of(self) -> datetime | None:
        """When the oldest of the lists of members that are shown was read."""
        read = [each.members_as_of for each in self.shown_connections if each.members_as_of]
        return min(read, default=None)

    @property
    def has_several(self) -> bool:
        """Whether pages must say which account they speak of."""
        return len(self.accounts) > 1

    @property
    def account_query(self) -> str:
        """What an address needs to show the same account; "" where there is no choice."""
        chosen = self.has_several and len(self.shown_connections) == 1
        return f"?account={self.shown_connections[0].pk}" if chosen else ""

    @property
    def connector(self) -> Connector | None:
        return find(self.key)


from seatwise.models.connection import Connection, ConnectionQuerySet  # noqa: E402  (the two know each other)
