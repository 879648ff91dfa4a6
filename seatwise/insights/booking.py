"""Books a saving once the seats are gone at the vendor and the contract says so, too."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from seatwise import audit
from seatwise.models import Contract, Finding, FindingEvent, Reduction, Saving, Service
from seatwise.models.audit_event import Action
from seatwise.models.finding import Life
from seatwise.pricing import Billed, Line, Reset, Terms, bill, words
from seatwise.pricing.billing import cost_of
from seatwise.pricing.periods import month_before
from seatwise.spending import Lines
from seatwise.spending.lines import by_line, resets_of


class Confirmed(NamedTuple):
    """The contract says that from a month on fewer seats of a line are billed."""

    line: Line  # as it was before
    terms: Terms
    since: date
    before: Billed
    after: int  # seats
    reduction: Reduction | None
    contract: Contract | None

    @property
    def monthly(self) -> Decimal | None:
        """What the seats cost that are not billed any more; None where no price is known."""
        now, then = (cost_of(self.line, seats) for seats in (self.after, self.before.paid))
        return None if now is None or then is None else then - now


def book(service: Service, now: datetime) -> list[Saving]:
    """Books what was confirmed and not booked yet, as soon as no more are held than confirmed.

    A saving is what the contract's own words make less of the bill, never more: seats that are
    gone and still billed are none, and neither is a lower price.
    """
    booked = []
    for confirmed in _confirmed(service):
        held = Lines.of(service, confirmed.terms).held_now()[confirmed.line.key]
        monthly = confirmed.monthly
        if held <= confirmed.after and monthly:
            booked.append(_booked(service, confirmed, monthly, now))
    return booked


def _confirmed(service: Service) -> Iterator[Confirmed]:
    states = list(Contract.objects.of(service))
    if not states:
        return
    resets = resets_of(service)
    for reduction in Reduction.objects.unbooked(service):
        state = _in_force(states, month_before(reduction.since))
        line = state.terms.line(reduction.line) if state else None
        if state and line:
            without = [r for r in resets.get(line.key, []) if r.since != reduction.since]
            yield from _fewer(service, state.terms, line, line, reduction.since, without,
                              [*without, Reset(reduction.since, reduction.seats)],
                              reduction, None)  # fmt: skip
    for newer, older in pairwise(states):
        if Saving.objects.of_contract(newer):
            continue
        for line in older.terms.lines:
            after = newer.terms.line(line.key)
            if after and newer.terms.currency == older.terms.currency:
                known = resets.get(line.key, [])
                yield from _fewer(service, older.terms, line, after, newer.since, known, known,
                                  None, newer)  # fmt: skip


def _fewer(
    service: Service, terms: Terms, line: Line, then: Line, since: date,
    before: list[Reset], after: list[Reset], reduction: Reduction | None, contract: Contract | None,
) -> Iterator[Confirmed]:  # fmt: skip
    lines = Lines.of(service, terms)
    most = dict(by_line(lines.marks()).get(line.key, {}))
    held = lines.held_now()[line.key]
    last = month_before(since)
    most[last] = max(most.get(last, 0), held)
    billed = bill(line, last, most, before)
    # What is held now is what will be held; a month that began meanwhile knows better.
    most[since] = most.get(since, held)
    fewer = bill(then, since, most, after)
    if fewer.paid < billed.paid:
        yield Confirmed(line, terms, since, billed, fewer.paid, reduction, contract)


def _booked(service: Service, confirmed: Confirmed, monthly: Decimal, now: datetime) -> Saving:
    seats = confirmed.before.paid - confirmed.after
    said = (
        f"{confirmed.before.paid:,} seats of {confirmed.line.name} were billed,"
        f" {confirmed.after:,} are from {confirmed.since:%-d %B %Y} on, as confirmed."
    )
    saving = Saving.objects.create(
        service=service,
        line=confirmed.line.key,
        seats=seats,
        monthly=monthly,
        currency=confirmed.terms.currency,
        since=confirmed.since,
        reduction=confirmed.reduction,
        contract=confirmed.contract,
        booked_at=now,
        said=said,
    )
    gone = list(Finding.objects.of(service).gone_from(confirmed.line.key)[:seats])
    for finding in gone:
        finding.state = Life.REALISED
    Finding.objects.bulk_update(gone, ["state"])
    saving.findings.set(gone)
    FindingEvent.objects.bulk_create(
        FindingEvent(finding=finding, at=now, state=Life.REALISED, said=said) for finding in gone
    )
    audit.record(
        Action.SAVING_BOOKED,
        service=service.key,
        about=f"{seats} seats of {confirmed.line.name}",
        said=f"{said} {words(monthly, confirmed.terms.currency)} a month.",
    )
    return saving


def _in_force(states: list[Contract], day: date) -> Contract | None:
    """The state of that day, else the oldest: a reduction before it is of what it says."""
    return next((each for each in states if each.since <= day), states[-1])
