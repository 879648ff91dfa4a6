"""Who is on duty: on a schedule, in an escalation policy, on call. Duty is not presence."""

from collections.abc import Iterable
from typing import Self

from django.db import models

from seatwise.connectors.records import DutyRecord


class DutyQuerySet(models.QuerySet["Duty"]):
    def in_accounts(self, accounts: Iterable[models.Model]) -> Self:
        return self.filter(connection__in=[account.pk for account in accounts])

    def replace(self, connection: models.Model, records: Iterable[DutyRecord]) -> None:
        """What was read takes the place of what was known before."""
        self.filter(connection=connection.pk).delete()
        self.bulk_create(
            [
                Duty(
                    connection_id=connection.pk,
                    person_id=record.member_id,
                    person_name=record.name[:500],
                    kind=record.kind,
                    place_id=record.place_id,
                    place=record.place[:300],
                    url=record.url,
                )
                for record in records
            ],
            batch_size=1_000,
        )

    def by_person(self) -> dict[tuple[int, str], list["Duty"]]:
        """{(connection id, the vendor's id of the person): their duties}."""
        found: dict[tuple[int, str], list[Duty]] = {}
        for duty in self.order_by("kind", "place"):
            found.setdefault((duty.connection_id, duty.person_id), []).append(duty)
        return found


class Duty(models.Model):
    """One person in one place where they are called, as it stood when duty was last read."""

    connection = models.ForeignKey("Connection", on_delete=models.CASCADE, related_name="duties")
    person_id = models.CharField(max_length=100, db_collation="C")  # the vendor's; may be deleted
    person_name = models.CharField(max_length=500, blank=True)  # as the place still calls them
    kind = models.CharField(max_length=20)  # connectors.records.DutyKind
    place_id = models.CharField(max_length=100)
    place = models.CharField(max_length=300)  # the name of the schedule or the policy
    url = models.URLField(max_length=500, blank=True)

    objects = DutyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "person_id", "kind", "place_id"], name="one_row_a_duty"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_name or self.person_id} {self.kind} {self.place}"
