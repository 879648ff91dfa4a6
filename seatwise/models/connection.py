"""A grant to read one account at one vendor, and how it is doing."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from seatwise.connectors.base import Connector, Way, WayKind, find
from seatwise.connectors.records import Account
from seatwise.models.sealed import Sealed
from seatwise.models.sync_run import SyncRun


class State(models.TextChoices):
    ACTIVE = "active", "Connected"
    LIMITED = "limited", "Limited"
    RETRYING = "retrying", "Waiting for the vendor"
    NEEDS_RECONNECT = "needs_reconnect", "Action needed"
    DISCONNECTED = "disconnected", "Disconnected"
    BY_FILE = "by_file", "By file"


class Every(models.TextChoices):
    """How often a connection is synced."""

    SIX_HOURS = "6h", "Every 6 hours"
    DAY = "day", "Every day"
    WEEK = "week", "Every week"
    NEVER = "never", "Only when somebody asks"


ENDS_SOON = timedelta(days=14)  # so long before its hard end a grant is announced to end
# A list of members that is older has not been read for a long time.
LATE_AFTER: Mapping[str, timedelta] = {
    Every.SIX_HOURS: timedelta(days=2),
    Every.DAY: timedelta(days=3),
    Every.WEEK: timedelta(days=15),
    Every.NEVER: timedelta(days=31),
}
FILE_LATE_AFTER = timedelta(days=92)
WITHOUT_GRANT = (State.DISCONNECTED, State.NEEDS_RECONNECT, State.BY_FILE)


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def newest_first(self) -> Self:
        return self.order_by("-connected_at", "-pk")

    def for_list(self) -> Self:
        """Without what is sealed or long, which a list of many does not show."""
        names = ("account_id", "account_name", "region", "connected_at", "replaced_at")
        read = ("members_as_of", "licenses_as_of", "activity_as_of", "usage_as_of")
        return self.only("service", "state", "sync_every", *names, *read)

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

    def numbered(self, number: str) -> "Connection | None":
        """The one with this number, as an address or a form names it."""
        fits = number.isascii() and number.isdigit() and len(number) < 19
        return self.filter(pk=int(number)).first() if fits else None

    def of_account(self, service: object, account: Account) -> Self:
        """Those of the same account, the surest first.

        The same id is the same account. An id that no vendor proved is the account's name (an
        API key tells no id), so with one of those on either side, name and region decide.
        """
        told = account.external_id
        same_name = models.Q(account_name=account.name, region=account.region)
        unproved = models.Q() if told == account.name else models.Q(account_id=account.name)
        return (
            self.filter(service=service)
            .filter(models.Q(account_id=told) | (same_name & unproved))
            .annotate(is_sure=models.Q(account_id=told))
            .order_by("-is_sure", "replaced_at", "pk")
        )

    def due(self, now: datetime) -> Self:
        return self.alive().filter(next_sync_at__lte=now).order_by("next_sync_at")


class Connection(Sealed):
    SEALED_AS = "connection"
    SEALED_FIELDS: ClassVar[tuple[str, ...]] = ("access_token", "refresh_token", "credential")

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="connections")
    state = models.CharField(max_length=20, choices=State, default=State.ACTIVE)

    account_id = models.CharField(max_length=100)
    account_name = models.CharField(max_length=200)
    region = models.CharField(max_length=20, blank=True)
    api_url = models.URLField(max_length=300)
    granted_by = models.CharField(max_length=300, blank=True)  # the person at the vendor
    granted_role = models.CharField(max_length=100, blank=True)
    scopes = ArrayField(models.CharField(max_length=200), default=list)

    way = models.CharField(max_length=20, blank=True, db_default="")  # a key of its `ways`
    access_token = models.TextField(blank=True)  # sealed
    refresh_token = models.TextField(blank=True)  # sealed
    credential = models.TextField(blank=True, db_default="")  # sealed: an API key, or a client
    expires_at = models.DateTimeField(null=True)  # None: unknown, taken as short
    granted_at = models.DateTimeField(null=True)  # from here its hard end is counted
    ends_at = models.DateTimeField(null=True)  # the hard end; None: none, or not known
    end_told_at = models.DateTimeField(null=True)  # when that end was announced
    refreshed_at = models.DateTimeField(null=True)  # when the vendor last gave tokens
    refreshing_since = models.DateTimeField(null=True)  # asked, and no answer was stored yet
    installation = models.UUIDField(null=True)  # which installation the grant belongs to

    checks = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    checked_at = models.DateTimeField(null=True)

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
    # The last complete list, or the last one in part where none was ever complete.
    members_as_of = models.DateTimeField(null=True)
    members_whole_at = models.DateTimeField(null=True)  # the last complete list
    licenses_as_of = models.DateTimeField(null=True)
    usage_as_of = models.DateTimeField(null=True)
    activity_as_of = models.DateTimeField(null=True)
    duty_as_of = models.DateTimeField(null=True)
    activity_since = models.DateTimeField(null=True)  # how far back activity was read
    # From where the next sync goes on, and in which terms usage was read: {"zone", "home"}.
    reading_state = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    usage_terms = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    next_sync_at = models.DateTimeField(null=True, db_index=True)
    sync_every = models.CharField(
        max_length=10, choices=Every, default=Every.DAY, db_default=Every.DAY.value
    )
    sync_minute = models.SmallIntegerField(null=True)  # of the billing zone's day; None: spread
    sync_weekday = models.SmallIntegerField(null=True)  # 0: Monday; None: spread

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
    def way_in(self) -> Way | None:
        """How it was let in: its entry in the connector's ways; None where that is gone."""
        ways = self.connector.ways if self.connector else ()
        return next((way for way in ways if self.way in (way.key, "")), None)

    @property
    def kind(self) -> WayKind:
        """By which kind of way it was let in; a way that is gone is taken for a consent."""
        return self.way_in.kind if self.way_in else "consent"

    @property
    def state_when_well(self) -> State:
        """How it is where nothing stands in its way but what cannot be read."""
        return State.LIMITED if self.is_limited else State.ACTIVE

    @property
    def is_alive(self) -> bool:
        return self.state not in WITHOUT_GRANT

    def is_late(self, now: datetime) -> bool:
        """Whether its list of members is older than its schedule promises.

        Never of one that was not read yet, nor of one that is not read any more.
        """
        if self.is_by_file:
            most = FILE_LATE_AFTER
        elif self.is_alive:
            most = LATE_AFTER[self.sync_every]
        else:
            return False
        return self.members_as_of is not None and self.members_as_of < now - most

    @property
    def ends_soon(self) -> bool:
        """Whether the grant reaches its hard end within two weeks, or has reached it."""
        ends_at = self.ends_at if self.is_alive else None
        return ends_at is not None and ends_at <= timezone.now() + ENDS_SOON

    @property
    def holds_a_grant(self) -> bool:
        """Not revoked, also where the grant has ended and somebody must authorize again."""
        return self.state not in (State.DISCONNECTED, State.BY_FILE)

    @property
    def has_collected(self) -> bool:
        """Whether anything was read of it that is still kept."""
        return any((self.members_as_of, self.licenses_as_of, self.usage_as_of, self.activity_as_of))

    @property
    def is_by_file(self) -> bool:
        """Whether members come from files that an admin uploads; there is no account to read."""
        return self.state == State.BY_FILE

    @property
    def evidence(self) -> str:
        """What counts as seen and what cannot be seen, in a sentence."""
        if self.is_by_file:
            if self.activity_as_of is not None:
                return "Last seen is what the file says; where it says nothing, it is unknown."
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
            # Of an API key nobody tells beforehand what it may read.
            scopes=None if self.kind == "key" else frozenset(self.scopes),
        )

    @property
    def gaps(self) -> list[dict[str, Any]]:
        """What cannot be read, each once, what the authorization told first.

        Without what other evidence stands in for.
        """
        seen = {gap["what"]: gap for gap in [*self.account_gaps, *self.sync_gaps]}
        return [gap for gap in seen.values() if not gap.get("minor")]

    @property
    def found_gaps(self) -> list[dict[str, Any]]:
        """What could not be read and no check tells."""
        told = {check["gap"]["what"] for check in self.checks if check["gap"]}
        return [gap for gap in self.gaps if gap["what"] not in told]

    @property
    def is_limited(self) -> bool:
        """Whether something cannot be read that was to be read.

        What a plan lacks, but we do not need, is no limit, and what nobody asked for is none.
        """
        chosen = {gap["what"] for gap in self.account_gaps if gap.get("chosen")}
        return any(
            gap["capability"] != "account" and gap["what"] not in chosen for gap in self.gaps
        )

    @property
    def unreadable(self) -> set[str]:
        """The capabilities and metrics that could not be read."""
        return {gap["capability"] for gap in self.gaps}

    def remember(self, state: Mapping[str, object]) -> None:
        """Keeps from where the next sync goes on."""
        self.reading_state = dict(state)
        self.save(update_fields=["reading_state"])

    def erase_collected(self) -> None:
        """Deletes what was read through this connection; unsaved itself, history included."""
        self.members.all().delete()
        self.license_pools.all().delete()
        self.usage_points.all().delete()
        self.duties.all().delete()
        self.runs.all().delete()
        self.members_as_of = self.members_whole_at = self.licenses_as_of = self.usage_as_of = None
        self.activity_as_of = self.activity_since = self.duty_as_of = None
        self.account_gaps, self.sync_gaps = [], []
        self.reading_state, self.usage_terms = {}, {}
