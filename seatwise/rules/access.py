"""Who can do too much, and who cannot be reached when it matters."""

from collections.abc import Iterator

from seatwise.rules.facts import Evidence, Facts, Found, SeatFact, Spared
from seatwise.rules.rule import Outcome, Thresholds
from seatwise.rules.seats import ADMIN_RANK, OWNER_RANK
from seatwise.rules.words import about, duties, role, seen, who

ADMINS, UNREACHABLE, STRAY = "many_admins", "unreachable_on_call", "deleted_on_schedule"
LOUD = frozenset({"phone", "sms", "push"})
ON_CALL = frozenset({"schedule", "override", "oncall"})
MOST_NAMES = 20


def many_admins(facts: Facts, limits: Thresholds) -> Iterator[Outcome]:
    """More than so many, or more than such a share: of a small account the number counts alone."""
    by_account: dict[int, list[SeatFact]] = {}
    for seat in facts.seats:
        if seat.status != "invited":
            by_account.setdefault(seat.connection, []).append(seat)
    for account, seats in by_account.items():
        admins = [seat for seat in seats if OWNER_RANK <= seat.rank <= ADMIN_RANK]
        percent = 100 * len(admins) / len(seats)
        subject = f"account:{account}"
        if len(admins) <= limits["count"]:
            yield Spared(ADMINS, subject, f"{limits['count']} owners and admins or fewer")
        elif percent <= limits["percent"]:
            yield Spared(ADMINS, subject, f"{limits['percent']} % of the members or fewer")
        else:
            at = facts.as_of.get("members")
            named = [
                Evidence(who(seat), seat.role_name, "the list of members", at)
                for seat in sorted(admins, key=lambda seat: (seat.rank, who(seat)))
            ]
            yield Found(
                rule=ADMINS,
                subject=subject,
                text=f"{len(admins)} of {len(seats)} members ({percent:.0f} %) own or administer"
                " the account.",
                evidence=tuple(named[:MOST_NAMES]),
                confidence="certain",
                reversible=True,
                connection=account,
            )


def unreachable_on_call(facts: Facts, _limits: Thresholds) -> Iterator[Outcome]:
    """An e-mail wakes nobody."""
    for seat in facts.seats:
        on_call = [duty for duty in seat.duties or () if duty.kind in ON_CALL]
        if not on_call:
            continue
        if seat.reach is None:
            yield Spared(UNREACHABLE, seat.key, "nobody can tell how they are reached")
        elif LOUD & set(seat.reach):
            yield Spared(UNREACHABLE, seat.key, "has a phone, SMS or push contact")
        else:
            ways = ", ".join(seat.reach) or "none"
            reached = Evidence("Contacts", ways, "the vendor", facts.as_of.get("duty"))
            yield about(
                UNREACHABLE, seat,
                f"{who(seat)} is on call, and no phone, SMS or push contact reaches them.",
                reached, duties(seat, facts), role(seat, facts), seen(seat, facts),
                counts=False, confidence="certain",
            )  # fmt: skip


def deleted_on_schedule(facts: Facts, _limits: Thresholds) -> Iterator[Outcome]:
    """Somebody whom the vendor does not list any more, and whom a schedule still names."""
    for stray in facts.strays:
        name = stray.name or stray.person
        place = Evidence(
            "Still in", stray.duty.place, "schedules and escalation policies",
            facts.as_of.get("duty"),
        )  # fmt: skip
        yield Found(
            rule=STRAY,
            subject=f"person:{stray.connection}:{stray.person}:{stray.duty.place}"[:200],
            text=f"{name} is not a member any more, and is still in {stray.duty.place}.",
            evidence=(place,),
            confidence="certain",
            reversible=True,
            connection=stray.connection,
        )
