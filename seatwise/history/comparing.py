"""What changed between two days: who came, who went, whose role or licence is another."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from django.conf import settings

from seatwise.history.days import end_of
from seatwise.history.seats import Net, Seat, Told, course, net
from seatwise.models import Member, MemberEvent, Service


@dataclass(frozen=True, slots=True)
class Difference:
    """One member whose seat is not as it was, or who came and went in between."""

    member: int  # its primary key
    net: Net
    at: datetime  # of the newest change in between


@dataclass(slots=True)
class Comparison:
    """Between the ends of two days of settings.BILLING_ZONE; a day that is not over ends now.

    `counts` has the keys of seats.WHAT; one member can be in "role", "license" and "away".
    before + joined + returned - left = after.
    """

    first: date
    last: date
    before: int  # seats held at the end of `first`
    after: int  # and of `last`
    counts: Counter[str] = field(default_factory=Counter)
    members: int = 0  # of whom there is something to be told
    kept: list[Difference] = field(default_factory=list)


def between(service: Service, first: date, last: date, *, keep: range = range(0)) -> Comparison:
    """The net result, and of the differences those in `keep`, by the order of `differences`."""
    ends = end_of(last, settings.BILLING_ZONE)
    after = Member.objects.of(service).as_of(ends).count()
    found = Comparison(first, last, before=after, after=after)
    for number, difference in enumerate(differences(service, first, last)):
        found.members += 1
        found.counts.update(difference.net.what)
        if number in keep:
            found.kept.append(difference)
    counts = found.counts
    found.before = after - counts["joined"] - counts["returned"] + counts["left"]
    return found


def differences(service: Service, first: date, last: date) -> Iterator[Difference]:
    """Everybody of whom there is something to be told, streamed by name.

    Only members with an event in between are looked at.
    """
    begins, ends = (end_of(day, settings.BILLING_ZONE) for day in (first, last))
    events = MemberEvent.objects.of(service).about_holding().of_touched(begins, ends)
    for member, theirs in groupby(events.by_member(), key=lambda event: event.member):
        story = list(theirs)
        now = Seat(story[0].role_now, story[0].license_now)
        result = net(course([Told(*event[3:]) for event in story], now), begins, ends)
        if result.what:
            at = max(event.at for event in story if begins < event.at <= ends)
            yield Difference(member, result, at)
