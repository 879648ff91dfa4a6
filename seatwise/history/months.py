"""Seat-days and high-water marks, month by month."""

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.utils import timezone

from seatwise.history.days import ONE_DAY, day_of, midnight, month_after
from seatwise.history.kept import kept
from seatwise.history.known import Span, known
from seatwise.history.seats import Seat, Told, course
from seatwise.history.sweep import EVERYBODY, Key, MonthSums, Moves, Sums, note, sweep
from seatwise.models import MemberEvent, Service

UNTOLD = Key("license", "")


@dataclass(frozen=True, slots=True)
class Line:
    """One role, one licence ("" is unknown or none), or everybody, in one month."""

    name: str
    seat_days: int | None  # None: no day of the month is over and known
    most: int | None  # the most seats held at one moment; None of no licence: it is no mark
    most_at: datetime | None  # when that was first reached
    at_end: int  # at the month's last moment that is known


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    days: int  # that are over and known
    partial: str  # why something of the month is missing, in a sentence; "": nothing is
    everybody: Line
    roles: list[Line]  # the largest first
    licenses: list[Line]

    @property
    def slug(self) -> str:
        return f"{self.first:%Y-%m}"


def months(service: Service) -> list[Month]:
    """Every month from the first look to the last one, the newest first; [] before it.

    Days and months are those of settings.BILLING_ZONE. One query, which tells each story once:
    memory grows with the looks that found something, hardly with the members.
    """
    now = timezone.now()
    return kept(
        service, f"months on {day_of(now, settings.BILLING_ZONE)}", lambda: _made(service, now)
    )


def _made(service: Service, now: datetime) -> list[Month]:
    spans = known(service)
    if not spans:
        return []
    moves: Moves = {}
    for story in MemberEvent.objects.stories(service):
        seat = Seat(story.role_now, story.license_now)
        note(moves, course([Told(*event) for event in story.events], seat), story.members)
    since = min(span.since for span in spans)
    until = max([*moves, *(span.until for span in spans)])
    found = sweep(moves, zone=settings.BILLING_ZONE, since=since, until=until, now=now)
    return [_month(sums, spans, now) for sums in found][::-1]


def _month(sums: MonthSums, spans: list[Span], now: datetime) -> Month:
    def lines(by: str) -> list[Line]:
        mine = [
            (key.name, each)
            for key, each in sums.of.items()
            # What was unknown for the moments between two lists of one look is not worth a line.
            if key.by == by and (key != UNTOLD or each.seat_days or each.at_end)
        ]
        mine.sort(key=lambda pair: (not pair[0], -pair[1].most, pair[0]))
        return [
            _line(name, each, sums.days, is_mark=bool(name) or by == "role") for name, each in mine
        ]

    return Month(
        sums.first,
        sums.days,
        _partial(spans, sums.first, now),
        _line("", sums.of.get(EVERYBODY, Sums()), sums.days),
        lines("role"),
        lines("license"),
    )


def _line(name: str, sums: Sums, days: int, *, is_mark: bool = True) -> Line:
    """A licence that nobody has told is no licence, so it has no high-water mark."""
    return Line(
        name,
        sums.seat_days if days else None,
        sums.most if is_mark else None,
        sums.most_at if is_mark else None,
        sums.at_end,
    )


def _partial(spans: list[Span], first: date, now: datetime) -> str:
    zone = settings.BILLING_ZONE
    ends = midnight(month_after(first), zone)
    why = []
    for span in spans:
        whose = f" at {span.account.account_name}" if len(spans) > 1 else ""
        if midnight(first, zone) < span.since:
            why.append(f"first look{whose} on {day_of(span.since, zone):%-d %B %Y}")
        if ends <= now and midnight(day_of(span.until, zone) + ONE_DAY, zone) < ends:
            why.append(f"last look{whose} on {day_of(span.until, zone):%-d %B %Y}")
    return "; ".join(["not over yet", *why] if ends > now else why)
