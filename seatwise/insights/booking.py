"""Books a saving once the seats are gone at the vendor and the contract says so, too."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from django.conf import settings

from seatwise import audit, history
from seatwise.models import Contract, Finding, FindingEvent, Reduction, Saving, Service
from seatwise.models.audit_event import Action
from seatwise.models.finding import Life
from seatwise.pricing import Reset, Terms, bill, words
from seatwise.pricing.billing import cost_of
from seatwise.pricing.periods import month_before
from seatwise.spending import Lines
from seatwise.spending.lines import by_line, resets_of

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The contract says that from a month on fewer seats of a line are billed."""

    line: str
    since: date
    before: int  # seats, in the month before
    after: int
    old: Terms
    new: Terms
    reduction: Reduction | None = None
    contract: Contract | None = None

    @property
    def seats(self) -> int:
        return self.before - self.after

    @property
    def monthly(self) -> Decimal | None:
        """What the bill falls by, at the price of before and never by more than it truly does; None
        where a price is not known."""
        old, new = self.old.line(self.line), self.new.line(self.line)
        if old is None or new is None:
            return None
        was, fewer = cost_of(old, self.before), cost_of(old, self.after)
        now = cost_of(new, self.after)
        if was is None or fewer is None or now is None:
            return None
        return min(was - fewer, was - now)


def book(service: Service, now: datetime) -> list[Saving]:
    """Books what was confirmed and not booked yet, as soon as no more are held than confirmed.

    A saving is what the contract's own words make less of the bill, never more: seats that are
    gone and still billed are none, and neither is a lower price, nor what was agreed before the
    first look. Nothing is booked twice.
    """
    seats = _Seats.of(service, now)
    return [] if seats is None else [
        saving
        for confirmed in seats.confirmed()
        if (saving := _booked(service, seats, confirmed, now)) is not None
    ]  # fmt: skip


class _Seats:
    """Of a service: what was held when, by the lines of the contract that holds now."""

    def __init__(self, service: Service, states: Sequence[Contract], now: datetime) -> None:
        self.service, self.states = service, states
        self.month = history.day_of(now, settings.BILLING_ZONE).replace(day=1)
        self.resets = resets_of(service)
        oldest = min((span.since for span in history.known(service)), default=None)
        self.first = history.day_of(oldest, settings.BILLING_ZONE) if oldest else None
        self.lines = Lines.of(service, self._in_force(self.month))
        self.most, self.held = by_line(self.lines.marks()), self.lines.held_now()

    @classmethod
    def of(cls, service: Service, now: datetime) -> "_Seats | None":
        """None without a contract."""
        states = list({state.since: state for state in reversed(list(Contract.objects.of(service)))}
                      .values())  # fmt: skip
        return cls(service, states[::-1], now) if states else None

    def confirmed(self) -> Iterator[Confirmed]:
        """The oldest first; of each line and month one, and none that is in a saving."""
        booked = Saving.objects.booked(self.service)
        for each in sorted([*self._reduced(), *self._agreed()], key=lambda each: each.since):
            if (each.line, each.since) not in booked:
                booked.add((each.line, each.since))
                yield each

    def paid(self, terms: Terms, key: str, month: date, resets: Sequence[Reset]) -> int | None:
        """Seats that are billed in that month; what is held now counts for it and for later."""
        line = terms.line(key)
        if line is None:
            return None
        most = dict(self.most.get(key, {}))
        if month >= self.month:
            most[self.month] = max(most.get(self.month, 0), self.held[key])
            most[month] = max(most.get(month, 0), self.held[key])
        return bill(line, month, most, resets).paid

    def _reduced(self) -> Iterator[Confirmed]:
        written = reversed(list(Reduction.objects.of(self.service)))
        newest = {(each.line, each.since): each for each in written}
        for each in newest.values():  # of two for one month the last one written
            terms = self._in_force(each.since)
            without = [r for r in self.resets.get(each.line, []) if r.since != each.since]
            with_it = [*without, Reset(each.since, each.seats)]
            last = month_before(each.since)
            yield from self._fewer(each.line, each.since, self._in_force(last), terms, without,
                                   with_it, reduction=each)  # fmt: skip

    def _agreed(self) -> Iterator[Confirmed]:
        for newer, older in pairwise(self.states):
            old, new = older.terms, newer.terms
            if old.currency != new.currency:
                continue
            for line in old.lines:
                resets = self.resets.get(line.key, [])
                yield from self._fewer(line.key, newer.since, old, new, resets, resets,
                                       contract=newer)  # fmt: skip

    def _fewer(
        self, key: str, since: date, old: Terms, new: Terms, without: Sequence[Reset],
        with_it: Sequence[Reset], *, reduction: Reduction | None = None,
        contract: Contract | None = None,
    ) -> Iterator[Confirmed]:  # fmt: skip
        if self.first is None or since <= self.first:
            return  # of what was before, nobody here knows
        before = self.paid(old, key, month_before(since), without)
        after = self.paid(new, key, since, with_it)
        if before is None or after is None or after >= before:
            return
        # More may be held than confirmed until its month comes: then nobody knows what is billed.
        if since <= self.month or self.held[key] <= (reduction.seats if reduction else after):
            yield Confirmed(key, since, before, after, old, new, reduction, contract)

    def _in_force(self, day: date) -> Terms:
        """By the state of that day, else by the oldest."""
        found = (state for state in self.states if state.since <= day)
        return next(found, self.states[-1]).terms


def _booked(service: Service, seats: _Seats, confirmed: Confirmed, now: datetime) -> Saving | None:
    gone = _gone(service, seats, confirmed)
    monthly = confirmed.monthly
    if monthly is None:
        return None
    monthly -= _elsewhere(seats, confirmed, gone)
    if monthly <= 0:
        return None
    line = confirmed.old.line(confirmed.line)
    assert line is not None
    said = (
        f"{confirmed.before:,} seats of {line.name} were billed,"
        f" {confirmed.after:,} are from {confirmed.since:%-d %B %Y} on, as confirmed."
    )
    saving = Saving.objects.create(
        service=service,
        line=confirmed.line,
        seats=confirmed.seats,
        monthly=monthly,
        currency=confirmed.old.currency,
        since=confirmed.since,
        reduction=confirmed.reduction,
        contract=confirmed.contract,
        booked_at=now,
        said=said,
    )
    for finding in gone:
        finding.state = Life.REALISED
    Finding.objects.bulk_update(gone, ["state"], batch_size=1_000)
    saving.findings.set(gone)
    FindingEvent.objects.bulk_create(
        FindingEvent(finding=finding, at=now, state=Life.REALISED, said=said) for finding in gone
    )
    audit.record(
        Action.SAVING_BOOKED,
        service=service.key,
        about=f"{confirmed.seats} seats of {line.name}",
        said=f"{said} {words(monthly, confirmed.old.currency)} a month.",
    )
    return saving


def _gone(service: Service, seats: _Seats, confirmed: Confirmed) -> list[Finding]:
    """The findings of seats of the line that are held no more, as many seats as are confirmed."""
    found: list[Finding] = []
    counted: set[str] = set()
    for finding in Finding.objects.of(service).gone_from(confirmed.line):
        member = finding.member
        if member is not None and member.left_at is None:
            name = member.license.name if member.license else None
            if seats.lines.of_seat(member.role, name) == confirmed.line:
                continue  # it was found no more for another reason
        if finding.subject in counted or len(counted) < confirmed.seats:
            counted.add(finding.subject)
            found.append(finding)
    return found


def _elsewhere(seats: _Seats, confirmed: Confirmed, gone: Sequence[Finding]) -> Decimal:
    """What those cost on another line who were moved there, not deleted."""
    moved = {
        (each.subject, each.to_line)
        for each in gone
        if each.to_line and each.member is not None and each.member.left_at is None
    }
    more = ZERO
    for key, count in Counter(to_line for _subject, to_line in moved).items():
        line = confirmed.new.line(key)
        paid = seats.paid(confirmed.new, key, max(confirmed.since, seats.month), [])
        if line is None or paid is None:
            continue
        with_them, without = cost_of(line, paid), cost_of(line, max(0, paid - count))
        more += (with_them or ZERO) - (without or ZERO)
    return more
