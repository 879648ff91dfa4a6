"""Seat-days and high-water marks, month by month."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from seatwise.history.days import ONE_DAY, day_of, midnight, month_after
from seatwise.history.kept import kept
from seatwise.history.known import Span, asked, known
from seatwise.history.seats import Seat, Told, course, until
from seatwise.history.sweep import (
    EVERYBODY,
    Key,
    Looks,
    MonthSums,
    Moves,
    Sums,
    by_role_and_license,
    note,
    sweep,
)
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
        asked(service),
        f"months on {day_of(now, settings.BILLING_ZONE)}",
        lambda: _made(service, now),
    )


def _made(service: Service, now: datetime) -> list[Month]:
    spans = known(service)
    if not spans:
        return []
    found = sweep(_looks(spans), zone=settings.BILLING_ZONE, now=now)
    return [_month(sums, spans, now) for sums in found][::-1]


class Mark(NamedTuple):
    """Of one line of a contract in one month."""

    most: int  # the most seats held at one moment
    at_end: int  # at the month's last moment that is known


def marks(
    service: Service, line_of: Callable[[Seat], str], called: str
) -> dict[date, dict[str, Mark]]:
    """{first day of a month: {line: its mark}}, from the first look to the last one.

    `line_of` says where a seat is billed and `called` tells it from others, for what is kept.
    """
    now = timezone.now()

    def count() -> dict[date, dict[str, Mark]]:
        spans = known(service)
        if not spans:
            return {}
        looks = _looks(spans, lambda seat: [Key("line", line_of(seat))])
        return {
            month.first: {key.name: Mark(sums.most, sums.at_end) for key, sums in month.of.items()}
            for month in sweep(looks, zone=settings.BILLING_ZONE, now=now)
        }

    today = day_of(now, settings.BILLING_ZONE)
    return kept(asked(service), f"marks of {called} on {today}", count)


def _looks(
    spans: list[Span], keys_of: Callable[[Seat], Iterable[Key]] = by_role_and_license
) -> list[Looks]:
    by_account = {span.account.pk: (span, Moves()) for span in spans}
    for story in MemberEvent.objects.stories(span.account for span in spans):
        span, moves = by_account[story.account]
        seat = Seat(story.role_now, story.license_now)
        steps = course([Told(*event) for event in story.events], seat)
        note(moves, until(steps, span.ends), story.members, keys_of)
    return [
        # What an incomplete list told is known, too; that an account was replaced is no look.
        Looks(moves, span.since, max([span.until, *(at for at in moves if at != span.ends)]))
        for span, moves in by_account.values()
    ]


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
    """An account that was replaced is not missed from then on."""
    zone = settings.BILLING_ZONE
    begins, ends = midnight(first, zone), midnight(month_after(first), zone)
    tonight = midnight(day_of(now, zone) + ONE_DAY, zone)
    why = ["not over yet"] if ends > now else []
    for span in spans:
        counted_to = midnight(day_of(span.ends, zone), zone) if span.ends else ends
        if counted_to <= begins:
            continue
        whose = f" at {span.account.account_name}" if len(spans) > 1 else ""
        if begins < span.since:
            why.append(f"first look{whose} on {day_of(span.since, zone):%-d %B %Y}")
        looked_to = midnight(day_of(span.until, zone) + ONE_DAY, zone)
        if looked_to < min(ends, tonight, counted_to):
            why.append(f"last look{whose} on {day_of(span.until, zone):%-d %B %Y}")
    return "; ".join(why)
