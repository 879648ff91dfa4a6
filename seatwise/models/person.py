"""Who works at the company, in which department, and who has left: from a file of its own."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, Self

from django.db import connection, models
from django.db.models import Count, Q
from django.db.models.functions import Lower


class Tally(NamedTuple):
    """How many lines of the people file there are."""

    people: int
    left: int
    without_department: int


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

    def left_by(self, day: date) -> Self:
        """Who counts as having left on that day: from the day that the file tells on."""
        return self.filter(left_on__lte=day)

    def there_on(self, day: date) -> Self:
        return self.exclude(left_on__lte=day)

    def in_departments(self, names: Iterable[str]) -> Self:
        """ "" asks for those of whom none is told."""
        return self.filter(department__in=list(names))

    def matching(self, text: str) -> Self:
        """Whose name, e-mail, department or cost centre have every word."""
        found = self
        for word in text.split():
            fields = ("name", "email", "department", "cost_centre")
            one = Q()
            for field in fields:
                one |= Q(**{f"{field}__icontains": word})
            found = found.filter(one)
        return found

    def tally(self, day: date) -> Tally:
        told = self.aggregate(
            people=Count("pk"),
            left=Count("pk", filter=Q(left_on__lte=day)),
            without=Count("pk", filter=Q(department="")),
        )
        return Tally(told["people"], told["left"], told["without"])

    def count_by_department(self) -> dict[str, int]:
        """By name; "" is those of whom none is told."""
        counts = self.order_by("department").values_list("department").annotate(Count("pk"))
        return dict(counts)

    def numbers(self) -> list[int]:
        """In this order."""
        return list(self.values_list("pk", flat=True))

    def numbered(self, pks: Iterable[int]) -> Self:
        return self.filter(pk__in=list(pks))

    def as_of(self) -> datetime | None:
        """When the file was taken in; None: there was none."""
        return self.order_by().values_list("as_of", flat=True).first()


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

    def has_left(self, day: date) -> bool:
        """Whether they count as having left on that day."""
        return self.left_on is not None and self.left_on <= day


class PeopleUploadQuerySet(models.QuerySet["PeopleUpload"]):
    def waiting(self) -> "PeopleUpload | None":
        return self.select_related("uploaded_by").first()

    def numbered(self, pk: int) -> Self:
        return self.filter(pk=pk)

    def alone(self) -> None:
        """Nobody else uploads or applies one before this transaction ends."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('seatwise-people-file'))")

    def forget_older(self, moment: datetime) -> int:
        """Deletes what nobody came back to since; how many."""
        forgotten, _ = self.filter(uploaded_at__lt=moment).delete()
        return forgotten


class PeopleUpload(models.Model):
    """A people file that is not applied yet. One at most: the next one takes its place."""

    name = models.CharField(max_length=100)  # the file's, as the browser told it
    data = models.BinaryField()
    uploaded_by = models.ForeignKey("User", null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()

    objects = PeopleUploadQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
