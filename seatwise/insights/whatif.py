"""What a choice of findings is worth together: the same sum as of all, over fewer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from seatwise import spending
from seatwise.insights.worth import Asked, grouped, unbooked, worth_of
from seatwise.models import Finding, Saving, Service
from seatwise.models.finding import Life
from seatwise.pricing import Banked, Position, Terms, capacity

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class LineChange:
    """What becomes of one line of the contract."""

    key: str
    name: str
    billed: int  # seats that are paid for now
    held: int
    fewer: int  # seats that go
    more: int  # people who come from another line
    wanted: int  # seats to be paid for then


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Of a choice. Money is a month's, in `currency`; None is unknown."""

    findings: int
    seats: int  # that count: nobody twice, and of moves those that pay
    left_out: int  # findings that add nothing: no saving, unknown, exempted, or counted twice
    waste: Decimal | None
    realisable: Decimal | None
    since: date | None  # the first day from which less is billed
    why: str
    currency: str
    unpriced: int  # seats of which no price is known
    lines: tuple[LineChange, ...] = ()  # that change


def whatif(service: Service, findings: Iterable[Finding], today: date) -> WhatIf:
    """What could be saved by doing exactly these; standing findings of one service.

    `today`: a day of settings.BILLING_ZONE. Without a contract nothing is known of the money.
    """
    asked = unbooked(map(asked_of, findings), Saving.objects.ahead(service, today))
    terms = spending.terms_on(service, today)
    position = spending.position(service, terms, today) if terms else None
    worth, banked = worth_of(terms, position, asked, today)
    if banked is None or terms is None:
        seats = len({seat for each in asked if each.counts for seat in each.seats})
        idle = sum(not each.counts for each in asked)
        return WhatIf(len(asked), seats, idle, None, None, None, "", "", seats)
    nothing = sum(not money.waste and money.waste is not None for money in worth.values())
    never = sum(not each.counts for each in asked)
    return WhatIf(
        findings=len(asked),
        seats=sum(part.seats for part in banked.parts),
        left_out=nothing + never,
        waste=banked.waste,
        realisable=None if banked.since is None else banked.realisable,
        since=banked.since,
        why=banked.why,
        currency=terms.currency,
        unpriced=banked.unpriced,
        lines=_lines(terms, position, asked, banked) if position else (),
    )


def asked_of(finding: Finding) -> Asked:
    """What a kept finding asks of the sum; one that is exempted asks nothing."""
    seats = (finding.subject,) if finding.member_id else ()
    return Asked(
        finding.pk,
        finding.rule,
        finding.line,
        finding.to_line,
        seats,
        0 if seats else finding.seats,
        finding.counts and finding.state != Life.EXEMPTED,
    )


def _lines(
    terms: Terms, position: Position, asked: Sequence[Asked], banked: Banked
) -> tuple[LineChange, ...]:
    """The lines of which fewer or more seats are needed, in the contract's order."""
    fewer: Counter[str] = Counter()
    more: Counter[str] = Counter()
    groups = grouped([each for each in asked if each.counts])
    for group, part in zip(groups, banked.parts, strict=True):
        fewer[group[0].line] += part.seats
        if group[0].to_line:
            more[group[0].to_line] += part.seats
    found = []
    for line in terms.lines:
        billed = position.billed.get(line.key)
        if billed is None or not (fewer[line.key] or more[line.key]):
            continue
        held = position.held.get(line.key, 0)
        left = billed.seats - fewer[line.key]
        wanted = max(left, held + more[line.key]) if more[line.key] else left
        if line.packs:
            wanted = capacity(wanted, line.packs)
        found.append(
            LineChange(
                line.key, line.name, billed.seats, held, fewer[line.key], more[line.key], wanted
            )
        )
    return tuple(found)
