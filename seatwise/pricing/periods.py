"""Terms, renewals and notice; and invoices split over the months they are for."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from seatwise.pricing.money import share
from seatwise.pricing.terms import Terms

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Renewal:
    """The next end of a term, as seen from a day."""

    ends: date  # the last day of the term
    notice_by: date | None  # the last day to give notice; None: not known
    renews: bool | None  # by itself; None: not known
    missed: bool  # notice cannot be given any more for this term

    @property
    def next_starts(self) -> date:
        """The first day of the term after it."""
        return self.ends + ONE_DAY


def renewal_after(terms: Terms, today: date) -> Renewal | None:
    """The end of the term that `today` is in; None where no end is known.

    A contract that renews by itself goes on for another term each time, a month or a year; one
    that does not has no end after its end. Its days of the month stay: what began on the 31st
    ends with a shorter month's last day.
    """
    if terms.ends is None:
        return None
    months = 1 if terms.term == "month" else 12
    ends, times = terms.ends, 0
    while ends < today and terms.renews:
        times += 1
        ends = _later(terms.ends, months * times)
    if ends < today:
        return None
    notice = None if terms.notice_days is None else ends - timedelta(days=terms.notice_days)
    return Renewal(ends, notice, terms.renews, notice is not None and today > notice)


def term_after(terms: Terms, renewal: Renewal) -> Renewal:
    """The term after that one, if it renews by itself."""
    ends = _later(renewal.ends, 1 if terms.term == "month" else 12)
    notice = None if terms.notice_days is None else ends - timedelta(days=terms.notice_days)
    return Renewal(ends, notice, terms.renews, missed=False)


def first_of_next(day: date) -> date:
    """The first day of the month after that day's."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def month_before(day: date) -> date:
    """The first day of the month before that day's."""
    return (day.replace(day=1) - ONE_DAY).replace(day=1)


def split_by_month(amount: Decimal, starts: date, ends: date) -> dict[date, Decimal]:
    """{first day of a month: its part}, by days, that add up to exactly the amount.

    Both days belong to the period. Raises ValueError where it ends before it starts.
    """
    if ends < starts:
        raise ValueError("a period ends on its first day or later")
    days: dict[date, int] = {}
    first = starts
    while first <= ends:
        following = first_of_next(first)
        days[first.replace(day=1)] = (min(following, ends + ONE_DAY) - first).days
        first = following
    return dict(zip(days, share(amount, list(days.values())), strict=True))


def _later(day: date, months: int) -> date:
    """So many months later; a month's last day stays the last day."""
    at = day.year * 12 + day.month - 1 + months
    year, month = at // 12, at % 12 + 1
    longest = monthrange(year, month)[1]
    is_last = day.day == monthrange(day.year, day.month)[1]
    return date(year, month, longest if is_last else min(day.day, longest))
