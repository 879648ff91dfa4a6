"""One reading of an account: its stages, its progress, and how it ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from django.db import models, transaction

if TYPE_CHECKING:
    from seatwise.models.member_event import MemberEventQuerySet

STAGES = ("members", "licences", "usage", "activity")
CHOSEN = ("duty",)  # stages that are told only where they were read


class How(models.TextChoices):
    """How an attempt at a run ended."""

    DIED = "died", "Its worker died or froze"
    NO_MEMORY = "out of memory", "Its worker ran out of memory"
    HANDED_OVER = "handed over", "Its worker was going down and handed the sync over"
    DATABASE = "database away", "The database was away for too long"
    AWAY = "vendor away", "The service could not answer, to try again later"
    BROKEN = "broken answer", "What the service answered could not be used, to try again later"
    DOUBTED = "unusual drop", "An unusual drop was held back, to look again later"
    KEPT_BACK = "kept back", "Seatwise itself was not to go on, to try again later"
    STOPPED = "stopped", "Somebody stopped the sync"
    CANCELLED = "cancelled", "The sync was ended meanwhile"
    ENDED = "ended", "Came to the end"
    GAVE_UP = "gave up", "Could not go on: a person is needed"


DOUBTED_FOR = timedelta(hours=1)  # so long an unusual drop waits for a look that agrees
DEATHS = (How.DIED, How.NO_MEMORY)


class RunState(models.TextChoices):
    QUEUED = "queued", "Waiting to start"
    RUNNING = "running", "Reading"
    DONE = "done", "Done"
    DONE_WITH_NOTES = "done_with_notes", "Done, with notes"
    RETRY_AT = "retry_at", "Trying again"
    ACTION_NEEDED = "action_needed", "Action needed"
    CANCELLED = "cancelled", "Cancelled"
    SUPERSEDED = "superseded", "Superseded"  # something newer took its place


OPEN = (RunState.QUEUED, RunState.RUNNING, RunState.RETRY_AT)


class Shows(Protocol):
    """A service, as far as runs need to know it."""

    @property
    def shown_connections(self) -> Sequence[models.Model]: ...


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def of(self, service: Shows) -> Self:
        """Of the accounts that are shown."""
        return self.filter(connection__in=service.shown_connections).select_related("connection")

    def of_connection(self, connection: object) -> Self:
        return self.filter(connection=connection)

    def locked(self, pk: int) -> "SyncRun | None":
        """The run, for this transaction alone; None where it is gone."""
        return (
            self.select_related("connection__service")
            .select_for_update(of=("self",))
            .filter(pk=pk)
            .first()
        )

    def open(self) -> Self:
        """Not ended yet: waiting, reading, or waiting to try again."""
        return self.filter(state__in=OPEN)

    def in_accounts(self, accounts: Iterable[models.Model]) -> Self:
        return self.filter(connection__in=[account.pk for account in accounts])

    def last_touch(self) -> datetime | None:
        """When one of them last wrote something."""
        last: datetime | None = self.aggregate(last=models.Max("touched_at"))["last"]
        return last

    def last_end(self) -> datetime | None:
        """When the last of them ended."""
        found: datetime | None = self.aggregate(last=models.Max("finished_at"))["last"]
        return found

    def ended(self) -> Self:
        return self.exclude(state__in=OPEN)

    def forgotten(self, before: datetime) -> Self:
        """Open, not waiting for a person or a later time, and untouched since `before`."""
        waits_for_a_person = models.Q(connection__state="by_file")
        return (
            self.open()
            .filter(touched_at__lt=before)
            .exclude(retry_at__gte=before)
            .exclude(waits_for_a_person)
        )

    def in_states(self, states: Sequence[str]) -> Self:
        return self.filter(state__in=states)

    def for_page(self) -> Self:
        """With who asked for it, who ended it, and `is_first_look`: whether it was the first to
        list the account's members."""
        from seatwise.models.member_event import MemberEvent

        listed = MemberEvent.objects.filter(run=models.OuterRef("pk"), kind="listed", field="")
        people = self.select_related("connection__service", "requested_by", "ended_by")
        return people.annotate(is_first_look=models.Exists(listed))

    def numbered(self, pk: int) -> "SyncRun | None":
        return self.filter(pk=pk).first()

    def older_than(self, pk: int, most: int) -> list["SyncRun"]:
        """The `most` next ones behind that number, newest first; from the newest on for 0."""
        return list((self.filter(pk__lt=pk) if pk else self).order_by("-pk")[:most])

    def newer_than(self, pk: int, most: int) -> list["SyncRun"]:
        """The `most` nearest ones before that number, newest first."""
        return list(reversed(self.filter(pk__gt=pk).order_by("pk")[:most]))

    def newest_first(self) -> Self:
        return self.order_by("-pk")

    def newest(self) -> "SyncRun | None":
        return self.order_by("-pk").first()

    def foremost(self) -> "SyncRun | None":
        """One that is going on, else the newest."""
        going_on = models.Q(state__in=OPEN)
        return self.order_by(models.Case(models.When(going_on, then=0), default=1), "-pk").first()

    def cancel(self, reason: str, now: datetime, state: RunState = RunState.CANCELLED) -> int:
        """Ends what is open; a running sync notices at its next page. Unfinished lists are gone."""
        with transaction.atomic():
            ended = list(self.open().select_for_update(of=("self",)))
            for run in ended:
                run.end(state, How.CANCELLED, now, reason)
        return len(ended)


class SyncRun(models.Model):
    connection = models.ForeignKey("Connection", on_delete=models.CASCADE, related_name="runs")
    state = models.CharField(max_length=20, choices=RunState, default=RunState.QUEUED)
    attempt = models.IntegerField(default=0)  # a write of an older attempt is refused
    stages = models.JSONField(default=dict)  # by name, see `progress`
    # From where another attempt goes on, see `sync.checkpoint`.
    checkpoint = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    # Who tried: [{"number", "worker", "began", "ended", "how"}], see `sync.claim`.
    attempts = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    failures = models.SmallIntegerField(default=0, db_default=0)  # so far
    # An unusual drop that is held: {"stage", "before", "gone", "at", …}.
    doubt = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    requests = models.JSONField(default=dict)  # made at the vendor, by endpoint
    gaps = models.JSONField(default=list)
    counts = models.JSONField(default=dict)  # {"joined": 3, "left": 1, "changed": 2}
    reason = models.TextField(blank=True)  # how it ended, in words
    remedy = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+"
    )  # None: the schedule
    ended_by = models.ForeignKey(
        "User", null=True, on_delete=models.SET_NULL, related_name="+"
    )  # who stopped it; None: nobody
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(auto_now=True)  # of a running one, at each page
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state__in=OPEN),
                name="one_open_run_a_connection",
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.connection}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def progress(self) -> list[dict[str, Any]]:
        """The stages in order, each with `name`, `state`, `done`, `total`, `unit`, `seconds`.

        `seconds` is None where nobody measured it.
        """
        waiting = {"state": "waiting", "done": 0, "total": None, "unit": "", "seconds": None}
        names = (*STAGES, *(name for name in CHOSEN if name in self.stages))
        return [{"name": name, **waiting, **self.stages.get(name, {})} for name in names]

    @property
    def done_stages(self) -> int:
        """How many stages are complete, be it with something that cannot be read."""
        return sum(stage["state"] in {"done", "limited"} for stage in self.progress)

    @property
    def changes(self) -> "MemberEventQuerySet":
        """What it changed about members; who was there at the first look is no change."""
        events: MemberEventQuerySet = self.memberevent_set.exclude(kind="listed")
        return events

    @property
    def deaths(self) -> int:
        """How many attempts in a row took their worker down, or went down or froze with it."""
        return self.in_a_row(*DEATHS)

    def in_a_row(self, *hows: How) -> int:
        """How many of the newest attempts, but for one that goes on, all ended so."""
        ended = [attempt["how"] for attempt in reversed(self.attempts) if attempt["how"]]
        return next((n for n, how in enumerate(ended) if how not in hows), len(ended))

    def leave(self, how: How, now: datetime) -> None:
        """Notes how the attempt that went on has ended; unsaved."""
        if self.attempts and not self.attempts[-1]["how"]:
            self.attempts[-1] |= {"ended": now.isoformat(), "how": how}

    def end(
        self, state: RunState, how: How, now: datetime, reason: str = "", remedy: str = ""
    ) -> None:
        """Ends it in that state, with nothing staged left; saved. Whoever calls holds its row."""
        self.state, self.reason, self.remedy = state, reason, remedy
        self.finished_at, self.retry_at, self.checkpoint = now, None, {}
        self.leave(how, now)
        self.staged.all().delete()
        self.save()

    @property
    def seconds(self) -> float | None:
        """From its beginning to its end, waiting included; None where it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def read_seconds(self) -> float:
        """So long it really read, in all attempts."""
        return sum(stage["seconds"] or 0.0 for stage in self.progress)

    @property
    def total_requests(self) -> int:
        """Made at the vendor, as far as they were noted: a killed attempt may have made more."""
        return sum(self.requests.values())

    @property
    def is_doubted(self) -> bool:
        """Whether an unusual drop is held, see `sync.drops`."""
        return self.is_open and bool(self.doubt) and not self.doubt.get("settled")

    @property
    def doubted_until(self) -> datetime | None:
        """From when on a look that finds the same is believed; None where nothing is doubted."""
        return datetime.fromisoformat(self.doubt["at"]) + DOUBTED_FOR if self.doubt else None

    @property
    def waits_for_something_else(self) -> bool:
        """Whether it is not the drop that is held that the next look waits for."""
        return self.is_doubted and bool(self.reason) and not self.in_a_row(How.DOUBTED)

    @property
    def coverage(self) -> "list[Coverage]":
        """What of each capability was read, and what stands in the way."""
        words = {"done": "read", "limited": "in part", "running": "not to its end"}
        found = []
        for stage in self.progress:
            gaps = [gap for gap in self.gaps if _stage_of(gap) == stage["name"]]
            word = words.get(stage["state"], "not yet" if self.is_open else "not read")
            if stage["state"] == "limited" and not stage["done"]:
                word = "not read"
            found.append(Coverage(stage["name"], word, gaps))
        return found


class Coverage(NamedTuple):
    """How much of one capability a run has read."""

    name: str
    word: str  # "read", "in part", "not read", "not yet", "not to its end"
    gaps: list[dict[str, Any]]


def _stage_of(gap: dict[str, Any]) -> str:
    """A metric's gap is one of usage."""
    return gap["capability"] if gap["capability"] in (*STAGES, *CHOSEN, "account") else "usage"
