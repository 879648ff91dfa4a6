"""What a sync has read but not yet applied, so that half an answer is never shown."""

from collections.abc import Iterator
from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


class StagedRecordQuerySet(models.QuerySet["StagedRecord"]):
    def of(self, run: object, kind: str) -> Self:
        return self.filter(run=run, kind=kind)

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
