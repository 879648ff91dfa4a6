"""What a rule found, what became of it, and what was truly saved by it."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, Self

from django.db import models
from django.db.models import Case, Count, Max, Q, Sum, Value, When

from seatwise.models import keyset
from seatwise.models.keyset import BY_NUMBER, Key, Stretch


class Life(models.TextChoices):
    """What people decided about a finding."""

    OPEN = "open", "Open"
    ASSIGNED = "assigned", "Assigned"
    SNOOZED = "snoozed", "Snoozed"
    EXEMPTED = "exempted", "Exempted"
    DONE = "done", "Done"
    REALISED = "realised", "Realised"


class Tally(NamedTuple):
    """Findings that have all of this alike, and their sums. Money is a month's."""

    rule: str
    state: str
    assigned_to: int | None
    confidence: str
    counts: bool  # whether the seats may be in the figures
    why: str
    since: date | None  # from when on it can be realised
    findings: int
    seats: int
    waste: Decimal | None  # of those whose price is known; None: of none
    realisable: Decimal | None


# What a look writes anew; the rest is of the first one.
RENEWED = (
    *("text", "evidence", "confidence", "reversible", "line", "to_line", "counts", "seats"),
    *("waste", "realisable", "currency", "realisable_from", "why", "member", "connection"),
    *("state", "until", "last_at", "over_at"),
)


class FindingQuerySet(models.QuerySet["Finding"]):
    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk)

    def in_services(self, services: Iterable[models.Model]) -> Self:
        return self.filter(service__in=[service.pk for service in services])

    def open_now(self) -> Self:
        """What the rules still find, whatever people decided about it."""
        return self.filter(over_at=None)

    def standing(self) -> Self:
        """What the rules still find and nobody exempted: what the figures are made of."""
        return self.open_now().exclude(state=Life.EXEMPTED)

    def locked(self) -> Self:
        """Nobody else changes them before this transaction ends."""
        return self.order_by("pk").select_for_update(of=("self",))

    def decided_until(self, today: date) -> Self:
        """Whose snooze or exemption had its last day before that day."""
        return self.open_now().filter(until__lt=today)

    def gone_from(self, line: str) -> Self:
        """What was found of seats of a line, is found no more, and is in no saving yet."""
        over = self.over().filter(line=line, counts=True)
        undecided = over.exclude(state__in=[Life.REALISED, Life.EXEMPTED])
        return undecided.select_related("member__license").order_by("-over_at", "pk")

    def over(self) -> Self:
        return self.exclude(over_at=None)

    def last_of(self, subjects: Iterable[str]) -> dict[tuple[str, str], "Finding"]:
        """{(rule, subject): the newest that is over}, of these subjects, but what was realised."""
        over = self.over().filter(subject__in=list(subjects)).exclude(state=Life.REALISED)
        return {(each.rule, each.subject): each for each in over.order_by("over_at", "pk")}

    def renew(self, findings: Iterable["Finding"]) -> None:
        """Writes what the rules say of them, those that are new, too."""
        self.bulk_create(
            findings, 2_000, update_conflicts=True, unique_fields=["pk"], update_fields=RENEWED
        )

    def close(self, findings: Iterable["Finding"], now: datetime) -> None:
        """The rules find them no more."""
        self.filter(pk__in=[each.pk for each in findings]).update(over_at=now)

    def say_again(self, findings: Iterable["Finding"], now: datetime) -> None:
        """The rules find them still."""
        self.filter(pk__in=[each.pk for each in findings]).update(last_at=now)

    def money(self) -> dict[int, dict[str, tuple[int, Decimal | None]]]:
        """{service id: {currency: (findings, what they could save a month)}} of those that are
        in the figures; the currency of what has no price is ""."""
        waits = self.claiming()
        found: dict[int, dict[str, tuple[int, Decimal | None]]] = {}
        rows = waits.order_by().values_list("service", "currency")
        for service, currency, count, amount in rows.annotate(
            n=models.Count("pk"), amount=models.Sum("realisable")
        ):
            found.setdefault(service, {})[currency] = (count, amount)
        return found

    def claiming(self) -> Self:
        """What is in the savings figures: it stands, its seats count, and nobody exempted it."""
        return self.standing().filter(counts=True)

    def on_page(self, states: Sequence[str]) -> Self:
        """In one of these states; without any, what still asks something of somebody.

        What was realised is over; everything else that is over is on no page but its own.
        """
        if not states:
            return self.standing()
        wanted = Q(over_at=None, state__in=[each for each in states if each != Life.REALISED])
        return self.filter(wanted | Q(state=Life.REALISED) if Life.REALISED in states else wanted)

    def countable(self) -> Self:
        """Everything that one of `on_page` can show."""
        return self.filter(Q(over_at=None) | Q(state=Life.REALISED))

    def in_account(self, account: models.Model) -> Self:
        """Of one account, and what is of no account but of the contract."""
        return self.filter(Q(connection=account.pk) | Q(connection=None))

    def of_member(self, member: models.Model) -> Self:
        return self.filter(member=member.pk)

    def in_order(self, rules: Sequence[str]) -> Self:
        """In the turn of the rules, those of one rule by number."""
        return self.order_by(*(key.order() for key in _keys(rules)))

    def fitting(
        self,
        rules: Sequence[str] = (),
        people: Sequence[str] = (),
        confidences: Sequence[str] = (),
    ) -> Self:
        """With one of each that is asked for. `people`: numbers of users; "" is nobody."""
        found = self.filter(rule__in=rules) if rules else self
        found = found.filter(confidence__in=confidences) if confidences else found
        if not people:
            return found
        wanted = Q(assigned_to__in=[int(each) for each in people if each.isdecimal()])
        return found.filter(wanted | Q(assigned_to=None) if "" in people else wanted)

    def stretch(self, rules: Sequence[str], *, place: str, size: int, total: int) -> Stretch:
        """A page in the order of `in_order`; see `keyset.stretch`."""
        return keyset.stretch(self, _keys(rules), place=place, size=size, total=total)

    def for_table(self) -> Self:
        return self.select_related("member", "assigned_to", "connection")

    def keys(self) -> list[int]:
        return list(self.order_by("pk").values_list("pk", flat=True))

    def for_claims(self) -> Self:
        """With what a sum of them needs, light enough for tens of thousands."""
        told = ("rule", "subject", "line", "to_line", "seats", "counts", "state", "waste")
        return self.only("service", "member_id", *told)

    def with_names(self) -> Self:
        """The same with who holds the seats."""
        who = ("member__external_id", "member__name", "member__email")
        told = ("rule", "subject", "line", "to_line", "seats", "counts", "state", "waste")
        return self.select_related("member").only("service", *told, *who)

    def tally(self) -> list[Tally]:
        """Everything a page counts, in one query."""
        shared: tuple[str, ...] = ("rule", "state", "assigned_to", "confidence", "counts")
        shared += ("why", "realisable_from")
        rows = self.order_by().values_list(*shared)
        sums = (Count("pk"), Sum("seats"), Sum("waste"), Sum("realisable"))
        return [Tally(*row) for row in rows.annotate(*sums)]

    def of_rule(self, rule: str) -> Self:
        return self.filter(rule=rule)

    def numbered(self, service: models.Model, numbers: Iterable[int]) -> Self:
        return self.of(service).filter(pk__in=list(numbers))


class Finding(models.Model):
    """One thing that a rule found about one subject; it stands until the rule finds it no more.

    Money is a month's. None is unknown: no price, no contract, or activity that nobody could read.
    """

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="findings")
    rule = models.CharField(max_length=60)  # a key of rules.RULES
    subject = models.CharField(max_length=200)  # "member:17", "line:full", "account:3"
    member = models.ForeignKey("Member", null=True, on_delete=models.CASCADE, related_name="+")
    connection = models.ForeignKey(
        "Connection", null=True, on_delete=models.CASCADE, related_name="+"
    )
    text = models.TextField()
    evidence = models.JSONField(default=list)  # [{"what", "value", "source", "at"}]
    confidence = models.CharField(max_length=10)  # rules.Confidence
    reversible = models.BooleanField()
    line = models.CharField(max_length=60, blank=True)  # the pricing.Line of the seat
    to_line = models.CharField(max_length=60, blank=True)  # where a conversion leads
    counts = models.BooleanField(default=False)  # whether its seats are in the savings figures
    seats = models.PositiveIntegerField(default=0)  # that need not be paid, held or empty
    waste = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    realisable = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    currency = models.CharField(max_length=3, blank=True)
    realisable_from = models.DateField(null=True)
    why = models.TextField(blank=True)  # of the money: what stands in the way, or why none

    state = models.CharField(max_length=10, choices=Life, default=Life.OPEN)
    assigned_to = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    until = models.DateField(null=True)  # of a snooze or an exemption: the last day
    reason = models.TextField(blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()  # when the rules last said so
    over_at = models.DateTimeField(null=True)  # None: the rules still find it

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "rule", "subject"],
                condition=models.Q(over_at=None),
                name="one_standing_finding",
            )
        ]
        indexes = [models.Index(fields=["service", "rule", "id"], name="findings_by_rule")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"

    @property
    def is_exempted(self) -> bool:
        return self.state == Life.EXEMPTED


def _keys(rules: Sequence[str]) -> list[Key]:
    turns = [When(rule=rule, then=Value(turn)) for turn, rule in enumerate(rules)]
    turn = Case(*turns, default=Value(len(rules)), output_field=models.IntegerField())
    return [Key(turn, "number"), BY_NUMBER]


class FindingEvent(models.Model):
    """What somebody decided about a finding, or what the rules did. Never altered."""

    finding = models.ForeignKey("Finding", on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=10, choices=Life)
    said = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.finding} {self.state}"


class SavingQuerySet(models.QuerySet["Saving"]):
    def booked(self, service: models.Model) -> set[tuple[str, date]]:
        """The line and the first day of each."""
        return set(self.filter(service=service.pk).values_list("line", "since"))

    def of(self, service: models.Model) -> Self:
        return self.filter(service=service.pk).order_by("-since", "-pk")

    def ahead(self, service: models.Model, today: date) -> dict[str, int]:
        """{line: seats} that are confirmed to go, and are billed until their day."""
        coming = self.filter(service=service.pk, since__gt=today).order_by()
        return dict(coming.values_list("line").annotate(n=Sum("seats")))

    def for_finding(self, finding: models.Model) -> Self:
        return self.filter(findings=finding.pk)


class Saving(models.Model):
    """A saving that was booked: seats are gone at the vendor, and the contract says so, too."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="savings")
    line = models.CharField(max_length=60)
    seats = models.IntegerField()
    monthly = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    since = models.DateField()  # the first day from which it is not billed any more
    findings = models.ManyToManyField(Finding, related_name="savings")
    reduction = models.ForeignKey("Reduction", null=True, on_delete=models.SET_NULL)
    contract = models.ForeignKey("Contract", null=True, on_delete=models.SET_NULL)
    booked_at = models.DateTimeField()
    said = models.TextField()  # how it came about

    objects = SavingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} {self.seats} seats from {self.since}"


class RuleLookQuerySet(models.QuerySet["RuleLook"]):
    def of(self, service: models.Model) -> dict[str, "RuleLook"]:
        """{rule: its last look}."""
        return {look.rule: look for look in self.filter(service=service.pk)}

    def last_at(self, service: models.Model) -> datetime | None:
        last: datetime | None = self.filter(service=service.pk).aggregate(at=Max("at"))["at"]
        return last

    def note(self, looks: Iterable["RuleLook"]) -> None:
        self.bulk_create(
            looks,
            update_conflicts=True,
            unique_fields=["service", "rule"],
            update_fields=["at", "found", "spared"],
        )


class RuleLook(models.Model):
    """What a rule did when it looked last: how many it found, and why it spared the others."""

    service = models.ForeignKey("Service", on_delete=models.CASCADE, related_name="+")
    rule = models.CharField(max_length=60)
    at = models.DateTimeField()
    found = models.PositiveIntegerField()
    spared = models.JSONField(default=dict)  # {guard: how many}

    objects = RuleLookQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["service", "rule"], name="one_look_a_rule")]

    def __str__(self) -> str:
        return f"{self.service} {self.rule}"

    @property
    def looked(self) -> int:
        """How many it looked at."""
        spared: dict[str, int] = self.spared
        return self.found + sum(spared.values())


class ThresholdQuerySet(models.QuerySet["Threshold"]):
    def newest(self, service: models.Model | None) -> dict[tuple[str, str], int]:
        """{(rule, limit): value} as it was last set: for the service, else for all of them."""
        mine = models.Q(service=None) | models.Q(service=service.pk if service else None)
        rows = self.filter(mine).order_by(models.F("service").asc(nulls_first=True), "pk")
        return {(each.rule, each.name): each.value for each in rows}

    def changes(self, service: models.Model) -> Self:
        """Every change that a service has felt, the newest first."""
        mine = self.filter(Q(service=service.pk) | Q(service=None))
        return mine.select_related("made_by").order_by("-made_at", "-pk")

    def history(self, rule: str, name: str) -> Self:
        mine = self.filter(rule=rule, name=name)
        return mine.select_related("made_by").order_by("-made_at", "-pk")


class Threshold(models.Model):
    """A limit of a rule as somebody set it, the newest of each counts. Never altered."""

    service = models.ForeignKey(  # None: of all services
        "Service", null=True, on_delete=models.CASCADE, related_name="thresholds"
    )
    rule = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    value = models.IntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ThresholdQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.rule} {self.name} {self.value}"
