"""A file of members that somebody uploaded and has not read in yet."""

from datetime import datetime
from typing import Self

from django.db import models


class UploadQuerySet(models.QuerySet["Upload"]):
    def of_service(self, key: str) -> "Upload | None":
        return self.select_related("service", "uploaded_by").filter(service__key=key).first()

    def without_data(self) -> Self:
        """Light enough to say that there is one."""
        return self.defer("data")

    def numbered(self, pk: int) -> Self:
        return self.filter(pk=pk)

    def forget_older(self, moment: datetime) -> int:
        """Deletes those that nobody came back to since; how many."""
        forgotten, _ = self.filter(uploaded_at__lt=moment).delete()
        return forgotten


class Upload(models.Model):
    """One a service: what is uploaded next takes its place. Gone when it was read or discarded."""

    service = models.OneToOneField("Service", on_delete=models.CASCADE, related_name="upload")
    name = models.CharField(max_length=100)  # the file's, as the browser told it
    data = models.BinaryField()
    uploaded_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()

    objects = UploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
