"""The people file: uploaded, looked at, and applied as a whole in place of the one before.

At most one waits, for a day. It is no list of accounts: nobody signs in by it. Who is in it tells
the department that a seat's cost falls to, and who has left the company and holds a seat still.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone

from seatwise import audit, peoplefile, tasks
from seatwise.models import Member, PeopleUpload, Person, Service, User
from seatwise.models.audit_event import Action
from seatwise.peoplefile import PeopleFile, PersonRecord

CHUNK = 1000  # rows a statement
LONGEST_NAME = 100  # of a file
EXAMPLES = 5


class Gone(Exception):
    """The file waits no more: it was applied, discarded or replaced by a newer one."""

    def __init__(self) -> None:
        super().__init__("The file waits no more: it was applied, discarded or replaced.")


@dataclass(frozen=True, slots=True)
class Change:
    """What applying a file would do, and a few of the people it is about."""

    counts: Mapping[str, int]  # by "new", "changed", "gone", "left"
    examples: Mapping[str, list[str]]
    known: int  # people before
    holders: int  # e-mail addresses that hold a seat anywhere
    matched: int  # of these those that the file knows
    leavers: int  # of these those who have left by the file

    @property
    def loses_most(self) -> bool:
        """Whether more than half of the people known now are not in the file."""
        return self.counts["gone"] * 2 > self.known


@transaction.atomic
def upload(data: bytes, *, name: str, by: User) -> PeopleUpload:
    """Keeps a file that can be opened until it is applied. Raises MendFirst."""
    peoplefile.opened(data)
    PeopleUpload.objects.alone()
    PeopleUpload.objects.all().delete()
    return PeopleUpload.objects.create(
        name=name[:LONGEST_NAME] or "file", data=data, uploaded_by=by, uploaded_at=timezone.now()
    )


@transaction.atomic
def forget(pk: int) -> None:
    """Discards the file that waits. Raises Gone."""
    if not PeopleUpload.objects.numbered(pk).delete()[0]:
        raise Gone


def change(file: PeopleFile, today: date) -> Change:
    """What it would change, against the people of now and everybody who holds a seat."""
    known = Person.objects.by_email()
    mine = {record.email: record for record in file.people}
    left = [each for each in file.people if each.left_on is not None and each.left_on <= today]
    lists = {
        "new": [each.name or each.email for each in file.people if each.email not in known],
        "changed": [
            each.name or each.email
            for each in file.people
            if each.email in known and _told(known[each.email]) != _told(each)
        ],
        "gone": [str(person) for email, person in known.items() if email not in mine],
        "left": [each.name or each.email for each in left],
    }
    holders = Member.objects.current().emails()
    return Change(
        {kind: len(names) for kind, names in lists.items()},
        {kind: names[:EXAMPLES] for kind, names in lists.items()},
        len(known),
        len(holders),
        len(holders & mine.keys()),
        len(holders & {each.email for each in left}),
    )


@transaction.atomic
def apply(pk: int, file: PeopleFile) -> int:
    """Puts the file in place of the one before; how many people it lists. Raises Gone.

    Whoever is not in it any more is forgotten here, and the rules look anew soon. `file`: what was
    read of the upload `pk`.
    """
    PeopleUpload.objects.alone()
    found = PeopleUpload.objects.numbered(pk).first()
    if found is None:
        raise Gone
    now = timezone.now()
    Person.objects.all().delete()
    rows = [
        Person(
            email=each.email,
            name=each.name,
            department=each.department,
            cost_centre=each.cost_centre,
            left_on=each.left_on,
            as_of=now,
        )
        for each in file.people
    ]
    Person.objects.bulk_create(rows, batch_size=CHUNK)
    said = f"{len(rows)} people. {found.name}"
    audit.record(Action.PEOPLE_APPLIED, about="people file", said=said)
    found.delete()
    for service in Service.objects.for_list():  # who has left is what the rules ask next
        if service.members_as_of is not None:
            tasks.look_soon(service)
    return len(rows)


def _told(of: Person | PersonRecord) -> tuple[str, str, str, date | None]:
    return of.name, of.department, of.cost_centre, of.left_on
