"""What people and Seatwise did with accounts, keys and data: append-only, for ever."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q


class Action(models.TextChoices):
    """What can be on the trail. The words are for the page; the values are for ever."""

    FIRST_ADMIN = "first_admin", "First admin created"
    SIGNED_IN = "signed_in", "Signed in"
    SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
    SIGNED_OUT = "signed_out", "Signed out"
    PASSWORD_SET = "password_set", "Password set"
    PERSON_ADDED = "person_added", "Person added"
    ROLE_CHANGED = "role_changed", "Role changed"
    ACCESS_CHANGED = "access_changed", "Access given or taken"
    LINK_MADE = "link_made", "One-time link made"
    SERVICE_ADDED = "service_added", "Service added"
    OWNER_CHANGED = "owner_changed", "Owner changed"
    CONSENT_BEGUN = "consent_begun", "Sent to the vendor's consent page"
    CONSENT_REFUSED = "consent_refused", "Consent not given"
    CONSENT_FAILED = "consent_failed", "Authorization failed"
    CONSENT_REJECTED = "consent_rejected", "Foreign or used answer rejected"
    CONNECTED = "connected", "Connected"
    RECONNECTED = "reconnected", "Authorization renewed"
    SCOPES_CHANGED = "scopes_changed", "Permissions changed"
    CHECKED = "checked", "Connection checked"
    REFRESH_FAILED = "refresh_failed", "Token refresh failed"
    RECONNECT_NEEDED = "reconnect_needed", "Authorization lost"
    GRANT_ENDING = "grant_ending", "Authorization ends soon"
    REVOKED = "revoked", "Authorization revoked"
    REVOCATION_CONFIRMED = "revocation_confirmed", "Revocation confirmed"
    REVOCATION_UNCONFIRMED = "revocation_unconfirmed", "Revocation not confirmed"
    ERASED = "erased", "Collected data erased"
    PERSON_ERASED = "person_erased", "Person erased"
    SYNC_STOPPED = "sync_stopped", "Sync stopped"
    DROP_BELIEVED = "drop_believed", "Unusual drop confirmed"
    SCHEDULE_CHANGED = "schedule_changed", "Schedule changed"
    ATTENTION_NEEDED = "attention_needed", "Attention needed"
    FILE_APPLIED = "file_applied", "Member file applied"
    PEOPLE_APPLIED = "people_applied", "People file applied"
    CONTRACT_CHANGED = "contract_changed", "Contract changed"
    REDUCTION_CONFIRMED = "reduction_confirmed", "Reduction confirmed"
    INVOICE_ADDED = "invoice_added", "Invoice added"
    INVOICE_REMOVED = "invoice_removed", "Invoice removed"
    BUDGET_CHANGED = "budget_changed", "Budget changed"
    THRESHOLD_CHANGED = "threshold_changed", "Threshold of a rule changed"
    FINDING_DECIDED = "finding_decided", "Finding decided"
    SAVING_BOOKED = "saving_booked", "Saving booked"
    ALERT_CHANGED = "alert_changed", "Alert changed"
    CHANNEL_CHANGED = "channel_changed", "Channel changed"
    CALENDAR_LINK_MADE = "calendar_link_made", "Calendar link made"
    CALENDAR_LINK_REMOVED = "calendar_link_removed", "Calendar link removed"
    EXPORTED = "exported", "Exported"
    KEYS_ROTATED = "keys_rotated", "Keys rotated"
    KEYS_REFUSED = "keys_refused", "Keys do not open what is stored"
    KEYS_ACCEPTED = "keys_accepted", "Old keys given up"
    SECRET_REFUSED = "secret_refused", "Altered or moved secret refused"
    SYNCING_PAUSED = "syncing_paused", "Syncing paused"
    SYNCING_RESUMED = "syncing_resumed", "Syncing resumed"
    BACKED_UP = "backed_up", "Backup made"
    RESTORED = "restored", "Backup restored"
    ACCESS_DENIED = "access_denied", "Access denied"


# What somebody who looks after security wants to see first.
SECURITY = frozenset(
    {
        Action.SIGN_IN_FAILED,
        Action.CONSENT_REJECTED,
        Action.KEYS_REFUSED,
        Action.SECRET_REFUSED,
        Action.SYNCING_PAUSED,
        Action.ACCESS_DENIED,
    }
)


@dataclass(frozen=True, slots=True)
class TrailChoice:
    """Which events are asked for; what is empty asks for nothing in particular."""

    text: str = ""  # every word of it is somewhere in the event
    action: str = ""
    person: str = ""  # as the trail names whoever acted
    service: str = ""  # a service's key
    security: bool = False
    since: datetime | None = None
    until: datetime | None = None  # exclusive


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def matching(self, choice: TrailChoice) -> Self:
        """Those that fit everything that is chosen."""
        found = self
        for word in choice.text.split():
            found = found.filter(_holds(word))
        exact = {"action": choice.action, "actor": choice.person, "service": choice.service}
        found = found.filter(**{name: value for name, value in exact.items() if value})
        if choice.security:
            found = found.filter(action__in=SECURITY)
        if choice.since:
            found = found.filter(at__gte=choice.since)
        if choice.until:
            found = found.filter(at__lt=choice.until)
        return found

    def until(self, moment: datetime) -> Self:
        """Those that were there at that moment."""
        return self.filter(at__lte=moment)

    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")

    def older_than(self, number: int, most: int) -> list["AuditEvent"]:
        """The `most` next ones behind the event with that number, newest first; from the newest on
        where there is none. What arrives meanwhile moves nothing, for nothing is ever removed."""
        return list(self._beyond(number, "lt").newest_first()[:most])

    def newer_than(self, number: int, most: int) -> list["AuditEvent"]:
        """The `most` nearest ones before the event with that number, newest first."""
        nearest = self._beyond(number, "gt").order_by("at", "pk")[:most]
        return list(reversed(nearest))

    def people(self, most: int = 200) -> list[str]:
        """Whoever acted, by name."""
        return list(self.order_by("actor").values_list("actor", flat=True).distinct()[:most])

    def services(self) -> list[str]:
        """The keys of the services it is about, also of those that are gone."""
        keys = self.exclude(service="").order_by("service")
        return list(keys.values_list("service", flat=True).distinct())

    def _beyond(self, number: int, side: str) -> Self:
        start = AuditEvent.objects.filter(pk=number).first()
        if start is None:
            return self
        same_time = Q(**{"at": start.at, f"pk__{side}": start.pk})
        return self.filter(Q(**{f"at__{side}": start.at}) | same_time)


def _holds(word: str) -> Q:
    """That a word stands somewhere in an event."""
    named = [value for value, name in Action.choices if word.lower() in name.lower()]
    found = Q(action__in=named)
    for field in ("actor", "origin", "service", "about", "said"):
        found |= Q(**{f"{field}__icontains": word})
    return found


class AuditEvent(models.Model):
    """Names are copied, not linked: they stay when the person or the service is gone.

    The database itself refuses to change or delete a row (a trigger, see the migration).
    """

    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=40, choices=Action)
    actor_id = models.BigIntegerField(null=True)  # a User's; None: nobody signed in
    actor = models.CharField(max_length=320)  # "Ada Lovelace <ada@example.com>", "worker"
    origin = models.CharField(max_length=100, blank=True)  # an address, or "command line"
    service = models.CharField(max_length=60, blank=True, db_index=True)  # a service's key
    about = models.CharField(max_length=300, blank=True)  # the account, person or file
    said = models.TextField(blank=True)  # a sentence; never a secret
    detail = models.JSONField(default=dict)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["action", "at"], name="audit_by_action"),
            models.Index(fields=["actor"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor}: {self.action} {self.about}"

    @property
    def actor_name(self) -> str:
        """Who acted, without the e-mail address."""
        return self.actor.partition(" <")[0]

    @property
    def actor_email(self) -> str:
        return self.actor.partition(" <")[2].removesuffix(">")

    @property
    def detail_text(self) -> str:
        """The particulars as JSON; "" where there are none."""
        return json.dumps(self.detail, ensure_ascii=False, sort_keys=True) if self.detail else ""

    @property
    def is_security(self) -> bool:
        return self.action in SECURITY
