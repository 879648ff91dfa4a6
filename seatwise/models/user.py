"""Who signs in to Seatwise. (A vendor's user is a Member, never this.)"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    VIEWER = "viewer", "Viewer"


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def admins(self) -> Self:
        """Those who can add, integrate, sync, revoke and invite."""
        return self.active().filter(role=Role.ADMIN)

    def owning_or_admins(self) -> Self:
        """Admins, and whoever answers for a service."""
        found = models.Q(role=Role.ADMIN) | models.Q(owned_services__isnull=False)
        return self.active().filter(found).distinct()

    def digest_due(self, since: datetime) -> list[int]:
        """The numbers of those whose weekly digest of that moment is still to be made."""
        told = models.Q(digest_at=None, date_joined__lt=since) | models.Q(digest_at__lt=since)
        wanting = self.owning_or_admins().filter(told, wants_digest=True)
        return list(wanting.order_by("pk").values_list("pk", flat=True))

    def digest_of(self, pk: int, since: datetime) -> "User | None":
        """That person, locked, if theirs is still to be made."""
        held = self.filter(pk=pk).select_for_update().first()
        return held if held is not None and pk in self.filter(pk=pk).digest_due(since) else None

    def of_numbers(self, numbers: Iterable[int]) -> Self:
        return self.filter(pk__in=list(numbers))

    def with_email(self, email: str) -> Self:
        return self.filter(email__iexact=email)

    def numbered(self, pk: int) -> "User | None":
        """The active person with this number."""
        return self.active().filter(pk=pk).first()

    def with_calendar(self, digest: str) -> "User | None":
        """The active person of whose calendar's address this is the digest."""
        return self.active().filter(calendar_hash=digest).first()

    def those(self, numbers: Iterable[int]) -> Self:
        """With these numbers, also those who cannot sign in any more."""
        return self.filter(pk__in=list(numbers))

    def locked(self) -> Self:
        """Nobody else changes them before this transaction ends."""
        return self.order_by("pk").select_for_update()

    def names(self) -> str:
        """ "Ada Lovelace or Grace Hopper": whom to ask."""
        return " or ".join(str(user) for user in self.order_by("name", "email"))

    def by_name(self) -> Self:
        return self.order_by("name", "email")

    def for_table(self) -> Self:
        return self.order_by("-is_active", "email")


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who can sign in; without a password they must set one by a link."""
        user = User(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractUser):
    """A person with an e-mail address, a password and one of two roles."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    wants_digest = models.BooleanField(default=True, db_default=True)  # the weekly one
    digest_at = models.DateTimeField(null=True)  # when theirs was last made, be it empty
    # Of the secret in the address of their calendar; None: there is no such address.
    calendar_hash = models.CharField(max_length=64, null=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["email"]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    def get_full_name(self) -> str:
        return str(self)
