"""The days of the renewals page: ends of terms and days of notice, each with what is at stake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from seatwise import history, spending
from seatwise.models import Finding, Service
from seatwise.pricing import Renewal

MONTHS = 18  # after this one


@dataclass(frozen=True, slots=True)
class Stake:
    """One service with a contract, and what the next end of its term is about."""

    service: Service
    standing: spending.Standing
    savable: Decimal | None  # a month; None: no price is known

    @property
    def renewal(self) -> Renewal | None:
        """None: no end is known, or it is over."""
        return self.standing.renewal

    @property
    def is_rolling(self) -> bool:
        """From month to month, without an end that anybody has to think of beforehand."""
        terms, renewal = self.standing.terms, self.renewal
        return bool(terms and terms.term == "month" and renewal and renewal.renews)


@dataclass(frozen=True, slots=True)
class Day:
    """One line of the calendar. A whole day, in the billing zone."""

    at: date
    is_notice: bool  # the last day to give notice; else the last day of the term
    is_overdue: bool  # a notice whose day is over, while the term goes on
    in_days: int  # from today; less than 0: ago
    stake: Stake

    @property
    def away(self) -> str:
        """ "in 18 days", "today", "3 days ago"."""
        near = {0: "today", 1: "tomorrow", -1: "yesterday"}
        said = f"in {self.in_days:,} days" if self.in_days > 0 else f"{-self.in_days:,} days ago"
        return near.get(self.in_days, said)


def stakes(today: date) -> list[Stake]:
    """Every service with a contract, by name, in a fixed number of queries."""
    services = list(Service.objects.for_list())
    standings = spending.standings(services, today)
    savings = Finding.objects.money()
    found = []
    for service in services:
        standing = standings[service.pk]
        if standing.terms is not None:
            _count, amount = savings.get(service.pk, {}).get(standing.currency, (0, None))
            savable = None if standing.expected is None else amount or Decimal(0)
            found.append(Stake(service, standing, savable))
    return sorted(found, key=lambda each: (each.service.name.casefold(), each.service.pk))


def days(found: Sequence[Stake], today: date) -> Iterator[Day]:
    """Overdue notices first, then each day of the months to come, the next one first.

    Of a contract that goes on by itself only the end that comes next: what comes after it depends
    on what is agreed then. What goes on from month to month has none.
    """
    last = _last(today)
    coming = []
    for stake in found:
        renewal = stake.renewal
        if renewal is None or stake.is_rolling:
            continue
        if renewal.notice_by is not None:
            coming.append(_day(stake, renewal.notice_by, today, is_notice=True))
        coming.append(_day(stake, renewal.ends, today, is_notice=False))
    order = sorted(coming, key=lambda day: (not day.is_overdue, day.at, day.stake.service.name))
    yield from (day for day in order if day.is_overdue or day.at <= last)


def _day(stake: Stake, at: date, today: date, *, is_notice: bool) -> Day:
    return Day(at, is_notice, is_notice and at < today, (at - today).days, stake)


def _last(today: date) -> date:
    month = today.replace(day=1)
    for _ in range(MONTHS + 1):
        month = history.month_after(month)
    return month - timedelta(days=1)
