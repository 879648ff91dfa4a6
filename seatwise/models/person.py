"""Who works at the company, in which department, and who has left: from a file of its own."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models.functions import Lower


class PersonQuerySet(models.QuerySet["Person"]):
    def by_email(self) -> dict[str, "Person"]:
        """{e-mail in lower case: who it is}."""
        return {person.email.lower(): person for person in self}

    def departments(self) -> dict[str, str]:
        """{e-mail in lower case: department}, of those whose department is told."""
        return dict(self.exclude(department="").values_list("email", "department"))

    def of_emails(self, emails: Iterable[str]) -> Self:
        return self.filter(email__in=[email.lower() for email in emails])

    def by_name(self) -> Self:
        return self.order_by(Lower("name"), "pk")


class Person(models.Model):
    """A line of the newest people file; the file as a whole takes the place of the one before."""

    email = models.CharField(max_length=320, unique=True)  # in lower case
    name = models.CharField(max_length=500, blank=True)
    department = models.CharField(max_length=200, blank=True)  # "": not told
    cost_centre = models.CharField(max_length=100, blank=True)
    left_on = models.DateField(null=True)  # None: still there
    as_of = models.DateTimeField()  # when the file was taken in

    objects = PersonQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name or self.email
