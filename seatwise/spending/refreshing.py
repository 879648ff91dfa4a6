"""Works out what each month costs and keeps it, so that a page need not walk through history."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from seatwise import history
from seatwise.models import Contract, Cost, Service, UsagePoint
from seatwise.pricing import Billed, Terms, cents, words
from seatwise.spending.lines import Lines, by_line, resets_of

ALERTS = "alerts"  # the line of what is charged beyond the seats
BILLABLE = "billable_alerts"  # the metric that it is counted by


@transaction.atomic
def refresh(service: Service, now: datetime) -> None:
    """Writes all costs of a service anew: after a reading, and after each change of its contract.

    One row for each line of the contract and each month from the first look on to the present
    one, by the contract of that month.
    """
    Service.objects.locked(service.pk)  # two at once would each write their rows
    rows = list(_rows(service, now))
    Cost.objects.of(service).delete()
    Cost.objects.bulk_create(rows)


def _rows(service: Service, now: datetime) -> Iterator[Cost]:
    states = list(Contract.objects.of(service))  # the newest first
    present = history.day_of(now, settings.BILLING_ZONE).replace(day=1)
    if not states:
        return
    known: dict[int, _State] = {}
    oldest = min((span.since for span in history.known(service)), default=None)
    month = history.day_of(oldest, settings.BILLING_ZONE).replace(day=1) if oldest else present
    while month <= present:
        state = next((each for each in states if each.since <= month), None)
        if state is not None and not _is_over(state.terms, month):
            if state.pk not in known:
                known[state.pk] = _State(service, state.terms)
            yield from known[state.pk].costs(month, now)
        month = history.month_after(month)


def _is_over(terms: Terms, month: date) -> bool:
    """Whether it ended before that month, and nobody said that it goes on by itself."""
    return terms.ends is not None and terms.renews is False and terms.ends < month


class _State:
    """One state of the contract, with everything that its months need."""

    def __init__(self, service: Service, terms: Terms) -> None:
        self.service, self.terms = service, terms
        self.lines = Lines.of(service, terms)
        self.marks = self.lines.marks()
        self.most = by_line(self.marks)
        self.resets = resets_of(service)
        self.points = UsagePoint.objects.sums(service.accounts, BILLABLE)

    def costs(self, month: date, now: datetime) -> Iterator[Cost]:
        looked = month in self.marks
        for place, billed in enumerate(self.lines.billed(month, self.most, self.resets)):
            yield self._cost(place, billed, looked=looked, now=now)
        alerts = self._alerts(month, now)
        if alerts:
            yield alerts

    def _cost(self, place: int, billed: Billed, *, looked: bool, now: datetime) -> Cost:
        line = billed.line
        known = looked or bool(billed.mark) or line.committed is not None
        return Cost(
            service=self.service,
            month=billed.month,
            place=place,
            line=line.key,
            name=line.name,
            kind=line.kind,
            held=billed.held if looked else None,
            seats=billed.seats if known else None,
            amount=cents(billed.cost) if known and billed.cost is not None else None,
            currency=self.terms.currency,
            why=self._why(billed, looked=looked, known=known),
            made_at=now,
        )

    def _why(self, billed: Billed, *, looked: bool, known: bool) -> str:
        line = billed.line
        if not known:
            return "Nobody looked in this month, so the number of seats is not known."
        said = [
            f"{billed.held:,} held at most." if looked else "Nobody looked in this month.",
        ]
        if line.ratchet and billed.mark > billed.held:
            said.append(f"{billed.mark:,} is the most of any month before, and stays billed.")
        if (line.committed or 0) > billed.mark:
            said.append(f"{line.committed:,} are committed.")
        if line.packs and billed.seats != billed.mark:
            said.append(f"The packs hold {billed.seats:,}.")
        if line.price is not None:
            said.append(f"{words(line.price, self.terms.currency)} each.")
        elif not line.packs:
            said.append("The price is not known.")
        return " ".join(said)

    def _alerts(self, month: date, now: datetime) -> Cost | None:
        """What is charged beyond the allowance; None unless both it and the price are known."""
        agreed = self.terms.alerts
        if agreed.allowance is None or agreed.price is None:
            return None
        used = self.points.get(month)
        beyond = None if used is None else max(0, used - agreed.allowance)
        return Cost(
            service=self.service,
            month=month,
            place=len(self.terms.lines),
            line=ALERTS,
            name="Alerts beyond the allowance",
            kind=ALERTS,
            held=used,
            seats=beyond,
            amount=None if beyond is None else cents(Decimal(beyond) * agreed.price),
            currency=self.terms.currency,
            why=(
                "How many there were is not known."
                if used is None
                else f"{used:,} of which {agreed.allowance:,} are included, by Seatwise’s estimate."
            ),
            made_at=now,
        )


def amount_of(costs: Sequence[Cost]) -> Decimal | None:
    """Their sum; None where one is not known, or where there is none."""
    if not costs or any(cost.amount is None for cost in costs):
        return None
    return sum((cost.amount for cost in costs if cost.amount is not None), Decimal(0))
