"""What findings say alike: evidence rows, and who somebody is."""

from datetime import datetime

from seatwise.rules.facts import Confidence, Evidence, Facts, Found, SeatFact

DAY_FORMAT = "%-d %B %Y"
UNKNOWN_ACTIVITY = "Nobody can tell when they were last seen, so the seat is in no savings figure."


def who(seat: SeatFact) -> str:
    return seat.name or seat.email or seat.external_id


def days_since(seat: SeatFact, facts: Facts) -> int | None:
    """Whole days since the last sign, counted back from the last reading of activity."""
    if seat.last_seen_at is None:
        return None
    looked = facts.as_of.get("activity") or facts.as_of.get("members") or facts.now
    return max(0, (min(looked, facts.now) - seat.last_seen_at).days)


def seen(seat: SeatFact, facts: Facts) -> Evidence:
    """When somebody was last seen, or why nobody knows."""
    if seat.last_seen_at is not None:
        return Evidence(
            "Last seen",
            f"{seat.last_seen_at:{DAY_FORMAT}}",
            seat.last_seen_proof,
            seat.last_seen_at,
        )
    if seat.status == "never":
        return Evidence("Last seen", "never", "the vendor’s own word", facts.as_of.get("activity"))
    if seat.status == "invited":
        return Evidence("Last seen", "invited, and not in yet", "the list of members")
    return Evidence("Last seen", "unknown", "no source could tell")


def role(seat: SeatFact, facts: Facts) -> Evidence:
    held = f"{seat.role_name}, {seat.license}" if seat.license else seat.role_name
    return Evidence("Seat", held, "the list of members", facts.as_of.get("members"))


def duties(seat: SeatFact, facts: Facts) -> Evidence:
    at = facts.as_of.get("duty")
    if seat.duties is None:
        return Evidence("Duty", "not read", "no source could tell")
    if not seat.duties:
        return Evidence("Duty", "none", "schedules and escalation policies", at)
    places = sorted({duty.place for duty in seat.duties})
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return Evidence("Duty", ", ".join(places[:3]) + more, "schedules and escalation policies", at)


def joined(seat: SeatFact) -> Evidence:
    if seat.since is not None:
        return Evidence("Joined", f"{seat.since:{DAY_FORMAT}}", "seen by Seatwise", seat.since)
    return Evidence(
        "Joined", f"before {seat.listed_at:{DAY_FORMAT}}", "there at the first look", seat.listed_at
    )


def held_for(seat: SeatFact, now: datetime) -> int:
    """Days for which somebody has held the seat, at least."""
    return (now - (seat.since or seat.listed_at)).days


def about(
    rule: str, seat: SeatFact, text: str, *evidence: Evidence, counts: bool, why_not: str = "",
    confidence: Confidence = "likely", reversible: bool = True, to_line: str = "",
) -> Found:  # fmt: skip
    """A finding about one person's seat. Whose activity is unknown is never counted."""
    unknown = seat.status == "unknown"
    return Found(
        rule=rule,
        subject=seat.key,
        text=text,
        evidence=evidence,
        confidence=confidence,
        reversible=reversible,
        member=seat.member,
        connection=seat.connection,
        seats=(seat.key,),
        line=seat.line,
        to_line=to_line,
        counts=counts and not unknown,
        why_not=UNKNOWN_ACTIVITY if counts and unknown else why_not,
    )
