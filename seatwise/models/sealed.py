"""Rows that keep secrets: sealed on the way in, opened only in their own place."""

from typing import ClassVar, Self

from django.apps import apps
from django.conf import settings
from django.db import models


class Sealed(models.Model):
    """A row with sealed fields. A ciphertext opens only in the row and field it was sealed for."""

    SEALED_AS: ClassVar[str]  # the table's name in the associated data: never change it
    SEALED_BY: ClassVar[str] = "pk"  # the field that tells the rows apart; set before sealing
    SEALED_FIELDS: ClassVar[tuple[str, ...]]

    class Meta:
        abstract = True

    @classmethod
    def rows(cls) -> "models.QuerySet[Self]":
        """All rows, for whoever goes through every table that keeps secrets."""
        return cls._default_manager.all()

    def address_of(self, field: str) -> str:
        """Where a secret of this row lives: "table:row:field"."""
        return f"{self.SEALED_AS}:{getattr(self, self.SEALED_BY)}:{field}"

    def seal(self, field: str, secret: str) -> None:
        """Puts the secret into `field`, sealed; "" empties it. The row is not saved here."""
        sealed = settings.ENCRYPTION_KEYS.seal(secret, self.address_of(field)) if secret else ""
        setattr(self, field, sealed)

    def unseal(self, field: str) -> str:
        """The secret in `field`; "" where there is none. Raises vault.CannotOpen."""
        sealed: str = getattr(self, field)
        return settings.ENCRYPTION_KEYS.open(sealed, self.address_of(field)) if sealed else ""


def all_sealed() -> list[type[Sealed]]:
    """Every table that keeps secrets; whoever rotates keys goes through all of them."""
    return [kind for kind in apps.get_models() if issubclass(kind, Sealed)]
