"""Who may sign in: nobody signs up; an admin lets people in and hands them a one-time link."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.urls import reverse

from seatwise.models import User
from seatwise.models.user import Role

FIRST_ADMIN_LOCK = 7_328_001  # any number, but the same in every process


class AlreadySetUp(Exception):
    """Somebody can sign in already, so the first admin exists."""


class LastAdmin(Exception):
    """Without this person nobody could let anybody in again."""

    def __init__(self, person: User) -> None:
        super().__init__(
            f"{person} is the last active admin. Make somebody else an admin first; "
            "nothing was changed."
        )


class ClosedToStrangers(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in without sign-up."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "This e-mail address and this password do not belong together.",
        "too_many_login_attempts": "Too many tries with this e-mail address. Wait five minutes, "
        "or ask an admin for a new link.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False


@transaction.atomic
def create_first_admin(*, name: str, email: str, password: str) -> User:
    """The person who sets Seatwise up. Raises AlreadySetUp, also for the slower of two."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [FIRST_ADMIN_LOCK])
    if User.objects.exists():
        raise AlreadySetUp
    person: User = User.objects.create_user(email, password, name=name, role=Role.ADMIN)
    return person


@transaction.atomic
def change_role(pk: int, role: Role) -> User:
    """Raises LastAdmin, User.DoesNotExist."""
    admins = list(User.objects.admins().locked())
    person: User = User.objects.locked().get(pk=pk)
    if role != Role.ADMIN and admins == [person]:
        raise LastAdmin(person)
    person.role = role
    person.save(update_fields=["role"])
    return person


@transaction.atomic
def set_active(pk: int, active: bool) -> User:
    """Lets a person in again or no longer, at once. Raises LastAdmin, User.DoesNotExist."""
    admins = list(User.objects.admins().locked())
    person: User = User.objects.locked().get(pk=pk)
    if not active and admins == [person]:
        raise LastAdmin(person)
    person.is_active = active
    person.save(update_fields=["is_active"])
    return person


def one_time_link(person: User) -> str:
    """An address where this person sets a password; it works once and for three days."""
    path = reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(person),
            "key": default_token_generator.make_token(person),
        },
    )
    return f"{settings.BASE_URL}{path}"
