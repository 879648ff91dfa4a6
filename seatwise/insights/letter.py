"""The letter to the vendor's renewals: what is to be billed from when on, and why that is known.

Plain text, in words that fit any vendor. Nobody is named in it unless somebody asks for the list.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from seatwise import spending
from seatwise.insights.whatif import LineChange, WhatIf, whatif
from seatwise.models import Finding, Service
from seatwise.pricing import Terms
from seatwise.rules import RULES

DAY = "%-d %B %Y"
SOON = timedelta(days=14)  # by when an answer is asked for


@dataclass(frozen=True, slots=True)
class Letter:
    """What to send, and to whom it is left to whoever sends it."""

    subject: str
    text: str
    asks: bool  # whether there is anything to ask for


def letter(
    service: Service,
    findings: Sequence[Finding],
    today: date,
    *,
    with_seats: bool = False,
    sender: str = "",
) -> Letter:
    """About standing findings of one service; those that are in no figure are left out.

    `with_seats` adds the list of the seats by name and e-mail, `sender` signs it. `findings` come
    with their members.
    """
    chosen = [each for each in findings if each.counts and not each.is_exempted]
    told = whatif(service, chosen, today)
    terms = spending.terms_on(service, today)
    since = f" from {told.since:{DAY}} on" if told.since else ""
    paragraphs = [
        "Hello,",
        _about(service, terms, since),
        "\n".join(_asked_for(line) for line in told.lines),
        _why(chosen),
        _contract(terms, told),
        _closing(today),
        *([_seats(chosen)] if with_seats else []),
        f"Kind regards\n{sender}".rstrip(),
    ]
    text = "\n\n".join(each for each in paragraphs if each)
    return Letter(f"{service.name}: fewer seats{since}", f"{text}\n", bool(told.lines))


def _about(service: Service, terms: Terms | None, since: str) -> str:
    accounts = ", ".join(
        f"{each.account_name} ({each.account_id})"
        for each in service.accounts
        if not each.is_by_file
    )
    of = f" for {accounts}" if accounts else ""
    when = since or " from the earliest day that our contract allows"
    plan = f" (plan: {terms.plan})" if terms and terms.plan else ""
    return f"We ask you to change the paid seats of {service.name}{of}{plan}{when}:"


def _asked_for(line: LineChange) -> str:
    moved = f", and {line.more:,} people come from another kind of seat" if line.more else ""
    held = f"{line.held:,} are held today{moved}" if line.held else f"none is held today{moved}"
    return f"- {line.name}: {line.billed:,} paid seats today, {line.wanted:,} wanted ({held})."


def _why(findings: Sequence[Finding]) -> str:
    """Counts by rule; no person is told of."""
    seats: Counter[str] = Counter()
    for finding in findings:
        if finding.waste != 0:  # else its seat is counted in another one, or a move does not pay
            seats[finding.rule] += finding.seats
    rows = [
        f"- {RULES[rule].name}: {seats[rule]:,}. {RULES[rule].what}"
        for rule in RULES
        if seats[rule]
    ]
    if not rows:
        return ""
    return (
        "This is what we found, from your own list of members and the activity that your service"
        " reports. Whoever’s activity is unknown is not in it, and nobody is counted twice in the"
        " numbers above:\n" + "\n".join(rows)
    )


def _contract(terms: Terms | None, told: WhatIf) -> str:
    if terms is None:
        return ""
    said = [f"Our contract is {'monthly' if terms.term == 'month' else 'yearly'}"]
    if terms.starts:
        said.append(f"since {terms.starts:{DAY}}")
    if terms.ends:
        said.append(f"until {terms.ends:{DAY}}")
    if terms.notice_days is not None:
        said.append(f"with {terms.notice_days:,} days of notice")
    since = f" Fewer seats can be billed from {told.since:{DAY}} on." if told.since else ""
    return f"{', '.join(said)}.{since}"


def _closing(today: date) -> str:
    return (
        f"Please confirm the new numbers in writing by {today + SOON:{DAY}}, with the day from"
        " which they are billed."
    )


def _seats(findings: Sequence[Finding]) -> str:
    rows = {
        each.member_id: f"- {each.member.name or each.member.external_id} <{each.member.email}>"
        f": {RULES[each.rule].name if each.rule in RULES else each.rule}"
        for each in findings
        if each.member
    }
    return "The seats:\n" + "\n".join(rows.values()) if rows else ""
