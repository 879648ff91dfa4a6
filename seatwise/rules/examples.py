"""Each rule on small facts: one that it finds, and a near miss that it spares or passes over.

`seatwise rules test` runs them wherever Seatwise is installed, so they are no part of the tests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from seatwise.pricing import Line, Pack, Position, Terms, bill
from seatwise.rules import RULES, DutyFact, Facts, Found, PersonFact, PoolFact, SeatFact, StrayDuty

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FULL = Line("full", "Business", "full", price=Decimal(41))
STAKEHOLDERS = Line("stakeholder", "Stakeholders", "stakeholder", packs=(Pack(50, Decimal(150)),))
TERMS = Terms("USD", "month", (FULL, STAKEHOLDERS))
ON_CALL = DutyFact("oncall", "Payments, level 1")
READ = dict.fromkeys(("members", "licenses", "activity", "usage", "duty"), NOW)


@dataclass(frozen=True, slots=True)
class Example:
    """Facts of which a rule must find something, and of which it must not."""

    rule: str
    hit: Facts
    near_miss: Facts
    but: str  # what is different about the near miss, in a sentence


def outcome_of(rule: str, facts: Facts) -> list[Found]:
    """What the rule finds there, with the limits as nobody set them."""
    found = RULES[rule].find(facts, RULES[rule].thresholds())
    return [each for each in found if isinstance(each, Found)]


def seat(number: int = 1, **fields: object) -> SeatFact:
    """Somebody with a full seat since long, on no duty, last seen 100 days ago."""
    usual: dict[str, object] = {
        "key": f"member:{number}", "member": number, "connection": 1,
        "external_id": f"P{number}", "name": f"Person {number}",
        "email": f"person{number}@acme.example", "role": "user", "role_name": "Manager", "rank": 2,
        "kind": "full", "license": "Business", "line": "full", "status": "idle_90",
        "last_seen_at": ago(100), "last_seen_source": "acknowledged",
        "last_seen_proof": "acknowledged incident #7", "since": None, "listed_at": ago(400),
        "duties": (), "reach": ("email", "push"), "person": None,
    }  # fmt: skip
    return SeatFact(**(usual | fields))  # type: ignore[arg-type]


def facts(*seats: SeatFact, **fields: object) -> Facts:
    """A service with those seats, read a moment ago."""
    usual: dict[str, object] = {"as_of": READ, "terms": TERMS}
    return Facts("Acme", NOW.date(), NOW, seats, **(usual | fields))  # type: ignore[arg-type]


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def _held(most: int, now: int) -> Position:
    line = replace(FULL, ratchet=True)
    months = {date(2026, 5, 1): most, date(2026, 6, 1): now}
    return Position({"full": bill(line, date(2026, 6, 1), months)}, {"full": now})


def _used(sms: int, push: int) -> Facts:
    month = date(2026, 5, 1)
    numbers = {"notifications_sms": sms, "notifications_phone": 0,
               "notifications_email": 0, "notifications_push": push}  # fmt: skip
    return facts(usage={month: numbers}, final=frozenset({month}))


def _incidents(each: int) -> Facts:
    months = [date(2026, month, 1) for month in (3, 4, 5)]
    usage = {month: {"incidents": each} for month in months}
    return facts(*(seat(n) for n in range(10)), usage=usage, final=frozenset(months))


def _admins(count: int) -> Facts:
    people = [seat(n, rank=1, role="admin", role_name="Global Admin") for n in range(count)]
    return facts(*people, *(seat(100 + n) for n in range(20)))


def _example(
    rule: str, make: Callable[..., Facts], hit: object, near_miss: object, but: str
) -> Example:
    return Example(rule, make(hit), make(near_miss), but)


def _left(day: date) -> Facts:
    return facts(seat(person=PersonFact("Person 1", "Sales", day)), has_people=True)


_READER: dict[str, object] = {
    "status": "never",
    "last_seen_at": None,
    "last_seen_source": "",
    "last_seen_proof": "",
}

EXAMPLES: Mapping[str, Example] = {
    each.rule: each
    for each in (
        _example("left_company", _left, date(2026, 5, 31), date(2026, 7, 1), "They leave later."),
        _example(
            "two_seats",
            lambda email: facts(seat(1), seat(2, email=email)),
            "Person1+oncall@acme.example",
            "person1@other.example",
            "The addresses are of two companies.",
        ),
        _example(
            "pending_invitation",
            lambda days: facts(seat(status="invited", since=ago(days), last_seen_at=None)),
            15,
            14,
            "They were invited exactly fourteen days ago.",
        ),
        _example(
            "idle_full_seat",
            lambda status: facts(
                seat(status=status, last_seen_at=None if status == "unknown" else ago(100))
            ),
            "idle_90",
            "unknown",
            "Nobody can tell when they were last seen.",
        ),
        _example(
            "to_stakeholder",
            lambda duties: facts(seat(1, duties=duties, **_READER)),
            (),
            None,
            "Nobody can tell whether they are on duty.",
        ),
        _example(
            "seats_not_used",
            lambda now: facts(position=_held(10, now)),
            9,
            10,
            "All paid seats are held.",
        ),
        _example("many_admins", _admins, 6, 5, "There are five."),
        _example(
            "unreachable_on_call",
            lambda reach: facts(seat(duties=(ON_CALL,), reach=reach)),
            ("email",),
            ("email", "sms"),
            "An SMS reaches them.",
        ),
        _example(
            "deleted_on_schedule",
            lambda strays: facts(seat(), strays=strays),
            (StrayDuty("P9", "Somebody", 1, ON_CALL),),
            (),
            "Everybody who is on duty is a member.",
        ),
        _example(
            "seats_running_out",
            lambda left: facts(pools=(PoolFact("Business", "full", 97, left),)),
            3,
            4,
            "Four seats are left.",
        ),
        _example("plan_too_large", _incidents, 1, 2, "There was an incident for five seats."),
        _example(
            "sms_phone_share",
            lambda sms: _used(sms, 1000 - sms),
            401,
            400,
            "Exactly 40 % went by SMS.",
        ),
    )
}
