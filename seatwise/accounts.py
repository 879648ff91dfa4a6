"""Who may sign in: nobody signs up; an admin lets people in and hands them a one-time link."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from seatwise import audit
from seatwise.models import User
from seatwise.models.audit_event import Action
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

    # Sentences about passwords, and none of them is one.
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "E-mail or password is wrong. Try again, or ask an "
        "admin for a link to set a new password.",
        "too_many_login_attempts": "Too many tries with this e-mail address. Wait five minutes, "
        "or ask an admin for a new link.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            if audit.is_news("too many tries", self.get_client_ip(request)):
                _failed(credentials, "Too many tries: no password was compared.")
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        _failed(credentials, "The e-mail address and the password did not belong together.")

    def pre_login(self, request: HttpRequest, user: User, **about_it: Any) -> HttpResponse | None:
        if not user.is_active:
            _failed({"email": user.email}, "The person is deactivated.")
        answer: HttpResponse | None = super().pre_login(request, user, **about_it)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        audit.record(Action.SIGNED_IN, by=user, about=user.email)

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            audit.record(Action.SIGNED_OUT, by=request.user, about=request.user.email)
        super().logout(request)

    @transaction.atomic
    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        themselves = self.request.user.is_authenticated
        how = "By the person, who was signed in." if themselves else "By a one-time link."
        audit.record(Action.PASSWORD_SET, by=user, about=user.email, said=how)


@transaction.atomic
def create_first_admin(*, name: str, email: str, password: str) -> User:
    """The person who sets Seatwise up. Raises AlreadySetUp, also for the slower of two."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [FIRST_ADMIN_LOCK])
    if User.objects.exists():
        raise AlreadySetUp
    person: User = User.objects.create_user(email, password, name=name, role=Role.ADMIN)
    audit.record(Action.FIRST_ADMIN, by=person, about=person.email)
    return person


@transaction.atomic
def add_person(*, name: str, email: str, role: Role) -> User:
    """Somebody who comes in by a one-time link, and has no password before."""
    person: User = User.objects.create_user(email, name=name, role=role)
    audit.record(Action.PERSON_ADDED, about=person.email, said=f"As {person.get_role_display()}.")
    return person


@transaction.atomic
def change_role(pk: int, role: Role) -> User:
    """Raises LastAdmin, User.DoesNotExist."""
    admins = list(User.objects.admins().locked())
    person: User = User.objects.locked().get(pk=pk)
    if role != Role.ADMIN and admins == [person]:
        raise LastAdmin(person)
    before, person.role = Role(person.role), role
    person.save(update_fields=["role"])
    if before != role:
        audit.record(
            Action.ROLE_CHANGED,
            about=person.email,
            said=f"From {before.label} to {role.label}.",
            detail={"before": before, "after": role},
        )
    return person


@transaction.atomic
def set_active(pk: int, active: bool) -> User:
    """Lets a person in again or no longer, at once. Raises LastAdmin, User.DoesNotExist."""
    admins = list(User.objects.admins().locked())
    person: User = User.objects.locked().get(pk=pk)
    if not active and admins == [person]:
        raise LastAdmin(person)
    before, person.is_active = person.is_active, active
    person.save(update_fields=["is_active"])
    if before != active:
        audit.record(
            Action.ACCESS_CHANGED,
            about=person.email,
            said="Let in again." if active else "Deactivated: signed out at once.",
            detail={"before": before, "after": active},
        )
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
    audit.record(Action.LINK_MADE, about=person.email, said="To set a password, for three days.")
    return f"{settings.BASE_URL}{path}"


def calendar_hash(secret: str) -> str:
    """What is kept of the secret in a calendar's address."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make_calendar_link(person: User) -> str:
    """The secret of a new address of their calendar; the one before answers no more.

    It is kept nowhere: whoever loses it makes another one.
    """
    secret = secrets.token_urlsafe(40)
    is_another = person.calendar_hash is not None
    person.calendar_hash = calendar_hash(secret)
    person.save(update_fields=["calendar_hash"])
    said = "In place of the one before, which answers no more." if is_another else ""
    audit.record(Action.CALENDAR_LINK_MADE, about=person.email, said=said)
    return secret


@transaction.atomic
def remove_calendar_link(person: User) -> None:
    """Nobody gets their calendar any more; where there is no address nothing happens."""
    if person.calendar_hash is None:
        return
    person.calendar_hash = None
    person.save(update_fields=["calendar_hash"])
    audit.record(Action.CALENDAR_LINK_REMOVED, about=person.email)


def _failed(credentials: Mapping[str, Any], why: str) -> None:
    """Names a person who is known; of anything else, only that it was: people type passwords
    into the field for the e-mail address."""
    person = User.objects.with_email(str(credentials.get("email") or "")[:254]).first()
    about = person.email if person else "an unknown address"
    audit.record(Action.SIGN_IN_FAILED, about=about, said=why)
