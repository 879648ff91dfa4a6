"""A licence the account has, and how many of its seats are taken."""

from collections.abc import Iterable
from typing import Self

from django.db import models


class LicensePoolQuerySet(models.QuerySet["LicensePool"]):
    def of(self, connection: object) -> Self:
        return self.filter(connection=connection).order_by("kind", "name")

    def kinds(self, accounts: Iterable[models.Model]) -> dict[str, str]:
        """{name: connectors.records.SeatKind} of these accounts' licences."""
        held = self.filter(connection__in=[account.pk for account in accounts])
        return dict(held.values_list("name", "kind"))

    def limited(self, accounts: Iterable[int]) -> list[tuple[int, int, str]]:
        """Number of the account, seats left and name of each licence that tells how many are."""
        held = self.filter(connection__in=list(accounts)).exclude(available=None)
        rows = held.order_by("pk").values_list("connection", "available", "name")
        return [(account, left, name) for account, left, name in rows if left is not None]

    def by_name(self, accounts: Iterable[models.Model]) -> dict[str, list[int]]:
        """{name: numbers of those that are called so} of these accounts, in the order of names."""
        found: dict[str, list[int]] = {}
        held = self.filter(connection__in=[account.pk for account in accounts])
        for name, pk in held.order_by("name").values_list("name", "pk"):
            found.setdefault(name, []).append(pk)
        return found


class LicensePool(models.Model):
    connection = models.ForeignKey(
        "Connection", on_delete=models.CASCADE, related_name="license_pools"
    )
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)  # connectors.records.SeatKind
    used = models.IntegerField(null=True)
    available = models.IntegerField(null=True)  # None: unlimited or unknown
    description = models.TextField(blank=True)
    as_of = models.DateTimeField()

    objects = LicensePoolQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "external_id"], name="one_row_a_license")
        ]

    def __str__(self) -> str:
        return self.name
