"""What changed between two days: who came, who went, whose role or licence is another."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from django.conf import settings

from seatwise.history.days import end_of
from seatwise.history.kept import held_on, kept
from seatwise.history.known import asked
from seatwise.history.seats import Net, Seat, Told, course, net
from seatwise.models import MemberEvent, Service
from seatwise.models.member_event import MemberEventQuerySet


@dataclass(frozen=True, slots=True)
class Difference:
    """One member whose seat is not as it was, or who came and went in between."""

    member: int  # its primary key
    net: Net
    at: datetime  # of the newest change in between


@dataclass(slots=True)
class Comparison:
    """Between the ends of two days of settings.BILLING_ZONE; a day that is not over ends now.

    `counts` has the keys of seats.WHAT; one member can be in several of them.
    before + listed + joined + returned - left - replaced = after.
    """

    first: date
    last: date
    before: int  # seats held at the end of `first`
    after: int  # and of `last`
    counts: Counter[str] = field(default_factory=Counter)
    members: list[int] = field(default_factory=list)  # whom it concerns: primary keys, by name


def between(service: Service, first: date, last: date) -> Comparison:
    """The net result, and whom it concerns; kept until something new is found."""
    return kept(asked(service), f"from {first} to {last}", lambda: _compared(service, first, last))


def counted(service: Service, first: date, last: date) -> Counter[str]:
    """The same `counts` without the seats that were held, which only a whole account tells."""
    window = _Window.of(service, first, last)
    return Counter(what for each in window.told(window.touched()) for what in each.net.what)


def differences(
    service: Service, first: date, last: date, members: Sequence[int]
) -> Iterator[Difference]:
    """What a comparison found about each of these few of its members, in their order."""
    window = _Window.of(service, first, last)
    found = {each.member: each for each in window.told(window.events.of_members(members))}
    return (found[member] for member in members if member in found)


def _compared(service: Service, first: date, last: date) -> Comparison:
    """Only members with an event in between are looked at, streamed by name."""
    after = sum(held_on(service, last).values())
    found = Comparison(first, last, before=after, after=after)
    window = _Window.of(service, first, last)
    for each in window.told(window.touched()):
        found.members.append(each.member)
        found.counts.update(each.net.what)
    counts = found.counts
    found.before -= counts["listed"] + counts["joined"] + counts["returned"]
    found.before += counts["left"] + counts["replaced"]
    return found


@dataclass(frozen=True, slots=True)
class _Window:
    """What was found between two moments, in accounts of which some were replaced."""

    begins: datetime
    ends: datetime
    events: MemberEventQuerySet  # all about holding seats there, ever
    replaced: dict[int, datetime]  # {account: when}

    @classmethod
    def of(cls, service: Service, first: date, last: date) -> "_Window":
        begins, ends = (end_of(day, settings.BILLING_ZONE) for day in (first, last))
        accounts = asked(service)
        events = MemberEvent.objects.in_accounts(accounts).about_holding()
        replaced = {each.pk: each.replaced_at for each in accounts if each.replaced_at}
        return cls(begins, ends, events, replaced)

    def touched(self) -> MemberEventQuerySet:
        gone = [pk for pk, at in self.replaced.items() if self.begins < at <= self.ends]
        return self.events.of_touched(self.begins, self.ends, gone)

    def told(self, events: MemberEventQuerySet) -> Iterator[Difference]:
        for member, theirs in groupby(events.by_member(), key=lambda event: event.member):
            story = list(theirs)
            seat_now = Seat(story[0].role_now, story[0].license_now)
            ends = self.replaced.get(story[0].account)
            came = next((event.kind for event in story if not event.field), "")
            told = [Told(event.at, *event[-4:]) for event in story]
            steps = course(told, seat_now)
            result = net(steps, self.begins, self.ends, listed=came == "listed", ends=ends)
            if result.what:
                moments = [event.at for event in story] + ([ends] if ends else [])
                at = max(at for at in moments if self.begins < at <= min(self.ends, ends or at))
                yield Difference(member, result, at)
