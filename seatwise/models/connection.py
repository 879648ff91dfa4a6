"""A grant to read one account at one vendor, and how it is doing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from seatwise.connectors.base import Connector, find
from seatwise.connectors.records import Account, Gap
from seatwise.models.sync_run import SyncRun


class State(models.TextChoices):
    ACTIVE = "active", "Connected"
    LIMITED = "limited", "Limited"
    RETRYING = "retrying", "Waiting for the vendor"
    NEEDS_RECONNECT = "needs_reconnect", "Action needed"
    DISCONNECTED = "disconnected", "Disconnected"
    BY_FILE = "by_file", "By file"


WITHOUT_GRANT = (State.DISCONNECTED, State.NEEDS_RECONNECT, State.BY_FILE)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def newest_first(self) -> Self:
        return self.order_by("-connected_at", "-pk")

    def with_open_run(self) -> Self:
        """With what `open_run` says, in one query for all."""
        runs = SyncRun.objects.open()
        return self.prefetch_related(models.Prefetch("runs", queryset=runs, to_attr="open_runs"))

    def shown(self) -> Self:
        """Whose data the pages show: not those that another account has taken the place of."""
        return self.filter(replaced_at=None)

    def alive(self) -> Self:
        """Those with a grant that a sync may try."""
        return self.exclude(state__in=WITHOUT_GRANT)

    def holding_a_grant(self) -> Self:
        """Not revoked, also where the grant has ended and somebody must authorize again."""
        return self.exclude(state__in=[State.DISCONNECTED, State.BY_FILE])

    def alive_for(self, key: str) -> Self:
        """Those of the service with this key, or of all services for ""."""
        alive = self.alive().select_related("service").order_by("pk")
        return alive.filter(service__key=key) if key else alive

    def due(self, now: datetime) -> Self:
        return self.alive().filter(next_sync_at__lte=now).order_by("next_sync_at")


class Connection(models.Model):
    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="connections")
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)

    account_id = models.CharField(max_length=100)
    account_name = models.CharField(max_length=200)
    region = models.CharField(max_length=20, blank=True)
    api_url = models.URLField(max_length=300)
    granted_by = models.CharField(max_length=300, blank=True)  # the person at the vendor
    granted_role = models.CharField(max_length=100, blank=True)
    scopes = ArrayField(models.CharField(max_length=200), default=list)

    access_token = models.TextField(blank=True)  # sealed
    refresh_token = models.TextField(blank=True)  # sealed
    expires_at = models.DateTimeField(null=True)  # None: unknown, taken as short

    account_gaps = models.JSONField(default=list)  # known since the authorization
    sync_gaps = models.JSONField(default=list)  # found by the last sync
    attention = models.TextField(blank=True)  # what happened, for a person
    remedy = models.TextField(blank=True)  # what to do and who can do it
    revocation = models.TextField(blank=True)  # what the vendor said to it

    connected_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    connected_at = models.DateTimeField()
    disconnected_by = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    disconnected_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)  # another account took its place
    members_as_of = models.DateTimeField(null=True)  # the last complete enumeration
    licenses_as_of = models.DateTimeField(null=True)
    usage_as_of = models.DateTimeField(null=True)
    activity_as_of = models.DateTimeField(null=True)
    activity_since = models.DateTimeField(null=True)  # how far back activity was read
    # From where the next sync goes on, and in which terms usage was read: {"zone", "home"}.
    reading_state = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    usage_terms = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    next_sync_at = models.DateTimeField(null=True, db_index=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "account_id"], name="one_row_an_account")
        ]

    def __str__(self) -> str:
        return f"{self.service.name} {self.account_name}"

    @property
    def connector(self) -> Connector | None:
        return find(self.service.key)

    @property
    def is_alive(self) -> bool:
        return self.state not in WITHOUT_GRANT

    @property
    def is_by_file(self) -> bool:
        """Whether members come from files that an admin uploads; there is no account to read."""
        return self.state == State.BY_FILE

    @property
    def evidence(self) -> str:
        """What counts as seen and what cannot be seen, in a sentence."""
        if self.is_by_file:
            return "A file tells nobody’s activity, so everybody’s last seen is unknown."
        return self.connector.evidence if self.connector else ""

    @property
    def open_run(self) -> SyncRun | None:
        """The sync that waits, reads or will try again."""
        known: list[SyncRun] | None = getattr(self, "open_runs", None)
        return next(iter(self.runs.open() if known is None else known), None)

    @property
    def account(self) -> Account:
        """The account in the connectors' shape."""
        return Account(
            external_id=self.account_id,
            name=self.account_name,
            region=self.region,
            api_url=self.api_url,
            granted_by=self.granted_by,
            granted_role=self.granted_role,
            gaps=tuple(Gap(**gap) for gap in self.account_gaps),
            scopes=frozenset(self.scopes),
        )

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """What cannot be read, each once, what the authorization told first.

        Without what other evidence stands in for.
        """
        seen = {gap["what"]: gap for gap in [*self.account_gaps, *self.sync_gaps]}
        return [gap for gap in seen.values() if not gap.get("minor")]

    @property
    def is_limited(self) -> bool:
        """Whether something cannot be read. What a plan lacks, but we do not need, is no limit."""
        return any(gap["capability"] != "account" for gap in self.gaps)

    @property
    def unreadable(self) -> set[str]:
        """The capabilities and metrics that could not be read."""
        return {gap["capability"] for gap in self.gaps}

    def place(self, field: str) -> str:
        """Where a secret of this row lives; a ciphertext opens only there."""
        return f"connection:{self.pk}:{field}"

    def seal(self, field: str, secret: str) -> None:
        setattr(self, field, settings.ENCRYPTION_KEYS.seal(secret, self.place(field)))

    def unseal(self, field: str) -> str:
        """The secret in `field`; "" where there is none. Raises vault.CannotOpen."""
        sealed: str = getattr(self, field)
        return settings.ENCRYPTION_KEYS.open(sealed, self.place(field)) if sealed else ""

    def remember(self, state: Mapping[str, object]) -> None:
        """Keeps from where the next sync goes on."""
        self.reading_state = dict(state)
        self.save(update_fields=["reading_state"])

    def erase_collected(self) -> None:
        """Deletes what was read through this connection; unsaved itself, history included."""
        self.members.all().delete()
        self.license_pools.all().delete()
        self.usage_points.all().delete()
        self.runs.all().delete()
        self.members_as_of = self.licenses_as_of = self.usage_as_of = None
        self.activity_as_of = self.activity_since = None
        self.account_gaps, self.sync_gaps = [], []
        self.reading_state, self.usage_terms = {}, {}
