"""Seats that need not be paid, by what their holders do."""

from collections import defaultdict
from collections.abc import Iterator

from seatwise.rules.facts import Confidence, Evidence, Facts, SeatFact, Spared
from seatwise.rules.rule import Outcome, Thresholds
from seatwise.rules.words import about, days_since, duties, held_for, joined, role, seen, who

IDLE, TO_STAKEHOLDER = "idle_full_seat", "to_stakeholder"
PENDING, LEFT, TWO = "pending_invitation", "left_company", "two_seats"
OWNER_RANK, ADMIN_RANK = 0, 1
LIKELY, SURE = 60, 90  # days without a sign
SIGNED_IN = "signed_in"  # a source that tells presence and no action


def left_company(facts: Facts, _limits: Thresholds) -> Iterator[Outcome]:
    """By the people file, whose own word it is: nothing is guessed."""
    if not facts.has_people:
        return
    for seat in facts.seats:
        person = seat.person
        if person is None or person.left_on is None:
            continue
        if person.left_on > facts.on:
            yield Spared(LEFT, seat.key, "leaves later")
        elif seat.rank == OWNER_RANK:
            yield Spared(LEFT, seat.key, "owns the account, so it must be handed over first")
        else:
            gone = Evidence("Left the company", f"{person.left_on:%-d %B %Y}", "the people file")
            text = f"{who(seat)} left the company on {gone.value} and still holds a seat."
            yield about(
                LEFT, seat, text, gone, role(seat, facts), seen(seat, facts), duties(seat, facts),
                counts=True, confidence="certain", reversible=False,
            )  # fmt: skip


def two_seats(facts: Facts, _limits: Thresholds) -> Iterator[Outcome]:
    """The same address twice; what stands behind a plus is the same mailbox."""
    by_mailbox: dict[str, list[SeatFact]] = defaultdict(list)
    for seat in facts.seats:
        if mailbox := _mailbox(seat.email):
            by_mailbox[mailbox].append(seat)
    for mailbox, seats in by_mailbox.items():
        if len(seats) < 2:
            continue
        kept, *others = sorted(seats, key=lambda seat: _worth(seat, facts))
        yield Spared(TWO, kept.key, "the seat of the two that is used more")
        for seat in others:
            if seat.duties:
                yield Spared(TWO, seat.key, "on duty with this seat, too")
                continue
            other = Evidence("Also holds", f"{kept.email}, {kept.role_name}", "the list of members")
            yield about(
                TWO, seat, f"{who(seat)} holds {len(seats)} seats by one mailbox, {mailbox}.",
                other, role(seat, facts), seen(seat, facts), duties(seat, facts),
                counts=True, reversible=False,
            )  # fmt: skip


def pending_invitation(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """Everybody whom the vendor lists is billed, the invited too."""
    for seat in facts.seats:
        if seat.status != "invited":
            continue
        days = held_for(seat, facts.now)
        if days <= limits["days"]:
            yield Spared(PENDING, seat.key, f"was invited {limits['days']} days ago or later")
        else:
            least = "" if seat.since else "at least "
            yield about(
                PENDING, seat, f"{who(seat)} was invited {least}{days} days ago and never came.",
                joined(seat), role(seat, facts), counts=True, confidence="certain",
            )  # fmt: skip


def idle_full_seat(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """A full seat without a sign for so many days. Unknown is not idle."""
    for seat in facts.seats:
        if seat.kind != "full" or seat.status in ("invited", "active"):
            continue
        if guard := _why_not_idle(seat, facts, limits["days"]):
            yield Spared(IDLE, seat.key, guard)
            continue
        days = days_since(seat, facts)
        how = "was never seen" if days is None else f"was not seen for {days} days"
        yield about(
            IDLE, seat, f"{who(seat)} {how}.",
            seen(seat, facts), role(seat, facts), joined(seat), duties(seat, facts),
            counts=True, reversible=False, confidence=_how_sure(days),
        )  # fmt: skip


def to_stakeholder(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """A full seat of somebody who reads: no duty, and no action that anybody knows of."""
    lines = facts.terms.lines if facts.terms else ()
    to_line = next((line.key for line in lines if line.kind == "stakeholder"), "")
    for seat in facts.seats:
        if seat.kind != "full" or seat.status == "invited":
            continue
        if guard := _why_not_a_reader(seat, facts, limits["days"]):
            yield Spared(TO_STAKEHOLDER, seat.key, guard)
            continue
        yield about(
            TO_STAKEHOLDER, seat,
            f"{who(seat)} is on no schedule and in no escalation policy, and was never seen to act:"
            " a stakeholder’s seat would do.",
            duties(seat, facts), seen(seat, facts), role(seat, facts), joined(seat),
            counts=bool(to_line), to_line=to_line,
            why_not="" if to_line else "The contract has no line for stakeholders.",
        )  # fmt: skip


def _how_sure(days: int | None) -> Confidence:
    """The longer, the surer: a holiday is over after 60 days, and most leaves after 90."""
    if days is None:  # by the vendor's own word, of somebody who has held the seat for long
        return "likely"
    return "certain" if days > SURE else "likely" if days > LIKELY else "hint"


def _why_not_idle(seat: SeatFact, facts: Facts, limit: int) -> str:
    """The guard that keeps somebody from being called idle; "" where none does."""
    days = days_since(seat, facts)
    if seat.status == "unknown":
        return "nobody can tell when they were last seen"
    if days is not None and days <= limit:
        return f"seen within {limit} days"
    if held_for(seat, facts.now) <= limit:
        return f"has held the seat for {limit} days or less"
    if seat.rank == OWNER_RANK:
        return "owns the account"
    return "on duty, so they are needed though not seen" if seat.duties else ""


def _why_not_a_reader(seat: SeatFact, facts: Facts, limit: int) -> str:
    if seat.rank <= ADMIN_RANK:
        return "owns or administers the account"
    if seat.duties is None:
        return "nobody can tell whether they are on duty"
    if seat.duties:
        return "on duty"
    if seat.status == "unknown":
        return "nobody can tell whether they act"
    if seat.last_seen_at is not None and seat.last_seen_source != SIGNED_IN:
        return "was seen to act"
    if held_for(seat, facts.now) <= limit:
        return f"has held the seat for {limit} days or less"
    return ""


def _mailbox(email: str) -> str:
    """An address as its mailbox has it; "" for what is none."""
    name, at, domain = email.strip().casefold().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}" if at and name and domain else ""


def _worth(seat: SeatFact, facts: Facts) -> tuple[bool, int, int, str]:
    """The smaller, the more the seat is used: on duty, powerful, seen lately."""
    days = days_since(seat, facts)
    return not seat.duties, 10**6 if days is None else days, seat.rank, seat.key
