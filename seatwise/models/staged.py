"""What a sync has read but not yet applied, so that half an answer is never shown."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection as database
from django.db import models
from django.db.backends.utils import CursorWrapper


class StagedRecordQuerySet(models.QuerySet["StagedRecord"]):
    def of(self, run: object, kind: str) -> Self:
        return self.filter(run=run, kind=kind)

    def of_kinds(self, run: object, kinds: Sequence[str]) -> Self:
        return self.filter(run=run, kind__in=kinds)

    def seats_of_listed_licenses(self, run: object) -> Self:
        """A seat of a licence that is not listed itself says nothing."""
        listed = list(self.of(run, "license").values_list("key", flat=True))
        return self.of(run, "seat").filter(data__license_id__in=listed)

    def in_key_order(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(key, record) in the byte order of the key, streamed."""
        rows = self.order_by("key").values_list("key", "data")
        return rows.iterator(chunk_size=1000)


class StagedRecord(models.Model):
    run = models.ForeignKey("SyncRun", on_delete=models.CASCADE, related_name="staged")
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=200, db_collation="C")
    data = models.JSONField(encoder=DjangoJSONEncoder)

    objects = StagedRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "kind", "key"], name="staged_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


@contextmanager
def comparing() -> Iterator[CursorWrapper]:
    """A cursor for comparing staged rows with a table's by set; inside a transaction.

    Of rows that were staged a moment ago the database knows no numbers. It takes them for a
    handful and would look through all of them for each member: the square of an account.
    """
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield cursor
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
